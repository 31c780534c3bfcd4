"""The rooms of DESIGN.md, as pyproject.toml lists them: what may import what."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("importlinter", reason="the extra dev brings import-linter")

ROOT = Path(__file__).parents[1]


def imports_of(root: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={"PYTHONPATH": str(root / "src"), "PATH": ""},
        capture_output=True,
        text=True,
    )


def test_no_import_runs_from_a_lower_room_to_a_higher_one() -> None:
    done = imports_of(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_import_that_runs_up_is_told(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(
        ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("*.onnx", "__pycache__", "page")
    )
    with (tmp_path / "src/phiz/types.py").open("a", encoding="utf-8") as file:
        file.write("\n\ndef late() -> None:\n    from .analyzer import Analyzer\n\n    Analyzer()\n")
    done = imports_of(tmp_path)
    assert done.returncode == 1
    assert "phiz.types -> phiz.analyzer" in done.stdout


def test_a_file_under_src_has_a_name_of_its_own() -> None:
    """`__init__` is every room's, `base` what a room shares; readers are named after their sets."""
    names = Counter(
        path.name
        for pattern in ("*.py", "*.js")
        for path in (ROOT / "src" / "phiz").rglob(pattern)
        if "onnxruntime-web" not in path.parts and path.stem not in ("__init__", "__main__", "base")
    )
    assert [name for name, count in names.items() if count > 1] == []
