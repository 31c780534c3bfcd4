"""The JavaScript package: its own tests, and what it packs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"
NODE = shutil.which("node")


def _node_version() -> int:
    if NODE is None:
        return 0
    text = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout
    return int(text.strip().lstrip("v").split(".")[0])


needs_node = pytest.mark.skipif(_node_version() < 20, reason="needs Node 20 or newer")


@needs_node
@pytest.mark.parametrize("name", sorted(path.name for path in (WEB / "test").glob("*.test.js")))
def test_javascript(name: str) -> None:
    assert NODE is not None
    run = subprocess.run([NODE, "--test", f"test/{name}"], cwd=WEB, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-4000:]
    assert "# pass 0" not in run.stdout


@needs_node
def test_build_packs_the_modules_and_the_weights(tmp_path: Path) -> None:
    assert NODE is not None
    copy = tmp_path / "web"
    copy.mkdir()
    for name in ("build.js", "package.json"):
        shutil.copy(WEB / name, copy)
    (tmp_path / "src").symlink_to(WEB.parent / "src")
    for name in ("LICENSE", "NOTICE"):
        shutil.copy(WEB.parent / name, tmp_path)
    subprocess.run([NODE, "build.js"], cwd=copy, check=True)
    packed = {path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()}
    assert {"dist/index.js", "dist/models/multitask-64.onnx", "dist/models/yunet.onnx"} <= packed
    assert {"LICENSE", "NOTICE", "dist/models/LICENSE"} <= packed
    script = "import('phiz-web').then((m) => console.log(m.FILES.length, typeof m.load, typeof m.faceCrop))"
    run = subprocess.run([NODE, "-e", script], cwd=copy, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["4", "function", "function"]
