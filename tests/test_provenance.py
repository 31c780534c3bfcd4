import json
import subprocess
import sys
from pathlib import Path

import pytest

from phiz import provenance


def git(folder: Path, *arguments: str) -> str:
    named = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    done = subprocess.run(["git", *named, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_commit_is_the_folders_own_and_says_when_files_differ(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "a.py").write_text("1")
    (tmp_path / "elsewhere.txt").write_text("1")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert provenance.commit(package) == head
    (tmp_path / "elsewhere.txt").write_text("2")
    assert provenance.commit(package) == head
    (package / "a.py").write_text("2")
    assert provenance.commit(package) == f"{head}-dirty"


def test_commit_is_none_for_files_that_a_repository_around_them_does_not_track(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "one")
    installed = tmp_path / "site-packages"
    installed.mkdir()
    (installed / "a.py").write_text("1")
    assert provenance.commit(installed) is None


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        (["/somewhere/bin/phiz", "benchmark", "--output", "a b.csv"], "phiz benchmark --output 'a b.csv'"),
        (["/somewhere/phiz/__main__.py", "benchmark"], "phiz benchmark"),
        (["/somewhere/benchmarks/size.py"], "python benchmarks/size.py"),
    ],
)
def test_cells_name_the_command_without_its_folder(monkeypatch, typed: list[str], command: str) -> None:
    monkeypatch.setattr(sys, "argv", typed)
    found = provenance.cells("pytest")
    assert found["command"] == command
    assert list(found) == ["hardware", "versions", "command", "commit", "date"]
    assert all(isinstance(value, str) and value for value in found.values())
    assert f"pytest {pytest.__version__}" in found["versions"].split("; ")


def test_environment_is_ready_for_json_and_leaves_out_what_is_not_installed() -> None:
    found = json.loads(json.dumps(provenance.environment("pytest", "a-package-that-is-absent")))
    assert found["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"phiz", "numpy", "onnxruntime", "pillow", "pytest"} <= found["versions"].keys()
    assert "a-package-that-is-absent" not in found["versions"]
    assert found["hardware"]["cpu"]


def test_rows_are_written_with_what_made_them(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    provenance.write_rows(path, [{"what": "a, b", "n": 1}, {"what": "c"}], {"commit": "abc"})
    assert path.read_bytes() == b'what,n,commit\n"a, b",1,abc\nc,,abc\n'
    with pytest.raises(ValueError, match="further"):
        provenance.write_rows(path, [{"what": "a"}, {"what": "b", "further": 2}], {})
