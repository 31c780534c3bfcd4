"""Files that appear whole, also where two processes write the same one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from phiz import files
from phiz.files import InUseError, open_shared_part, own_part


def test_names_for_a_moment_are_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250 + ".csv")
    names = {own_part(path) for _ in range(100)}
    assert len(names) == 100
    for name in names:
        name.touch()  # short enough for the file system
        assert name.name.endswith(".part")


def test_a_second_writer_is_refused_until_the_first_has_closed(tmp_path: Path) -> None:
    path = str(tmp_path / "out.jsonl")
    with open_shared_part(path) as first:
        first.write(b"one\n")
        with pytest.raises(InUseError, match="another phiz is writing it; wait for its end, or name"):
            open_shared_part(path)
        assert Path(f"{path}.part").read_bytes() == b"one\n"
    with open_shared_part(path) as second:  # what a run that was stopped left is not in the way
        second.write(b"2\n")
    assert Path(f"{path}.part").read_bytes() == b"2\n"


def test_a_process_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / "out.jsonl")
    script = (
        "import os, sys; from phiz import files; "
        "file = files.open_shared_part(sys.argv[1]); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", script, path], timeout=60).returncode == -9
    open_shared_part(path).close()


def test_a_file_that_its_owner_has_renamed_meanwhile_is_not_written_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, lock = str(tmp_path / "out.jsonl"), files.fcntl.flock
    with open_shared_part(path) as first:
        first.write(b"done\n")

    def late(*arguments: int) -> None:
        monkeypatch.setattr(files.fcntl, "flock", lock)
        os.replace(f"{path}.part", path)  # between this run's opening and its lock
        lock(*arguments)

    monkeypatch.setattr(files.fcntl, "flock", late)
    with open_shared_part(path) as second:
        second.write(b"new\n")
    assert Path(path).read_bytes() == b"done\n"
    assert Path(f"{path}.part").read_bytes() == b"new\n"
