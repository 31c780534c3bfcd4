"""What is built is what a user gets: the wheel, with the libraries that it asks for, analyses a photo."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from phiz.data import ASTRONAUT

ROOT = Path(__file__).parents[1]


def run(*command: object, cwd: Path = ROOT) -> str:
    alone = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=alone, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.wheel
def test_the_wheel_works_in_an_empty_environment(tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--outdir", tmp_path)  # the wheel is made of the source archive
    (wheel,) = tmp_path.glob("*.whl")
    venv.create(tmp_path / "empty", with_pip=True)
    bin_ = tmp_path / "empty" / ("Scripts" if os.name == "nt" else "bin")
    run(bin_ / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
    result = json.loads(run(bin_ / "phiz", "analyze", ASTRONAUT, "--format", "jsonl", cwd=tmp_path))
    (face,) = result["faces"]
    assert 20 < face["age"] < 45
    assert face["gender"] == "female"
    run(bin_ / "phiz", "recipes", "mine", cwd=tmp_path)
    made = {file.relative_to(tmp_path / "mine") for file in (tmp_path / "mine").rglob("*.*")}
    asked = [*ROOT.glob("recipes/**/*.toml"), *ROOT.glob("protocols/*.toml"), *ROOT.glob("splits/*.csv")]
    assert made == {file.relative_to(ROOT) for file in asked}
    left = {path.name for path in (tmp_path / "empty").glob("[lL]ib/**/site-packages/*.dist-info")}
    assert not any(name.startswith(("torch-", "opencv", "pandas-", "matplotlib-")) for name in left)
