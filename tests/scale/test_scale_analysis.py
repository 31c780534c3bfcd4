"""Pictures through a real local Ray: the serial answers, whatever dies on the way.

The command starts its own Ray and comes first, before the one that the other tests share.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sysconfig
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from phiz import Analyzer, jobs
from phiz.data import ASTRONAUT
from phiz.errors import PhizError
from phiz.scale.analysis import CHUNK, Settings, Worker, analyze
from phiz.scale.parts import Count, plan
from phiz.scale.pictures import expand
from phiz.types import QUALITY

PHIZ = os.path.join(sysconfig.get_path("scripts"), "phiz")
SETTINGS = Settings("multitask-64")


@pytest.fixture(scope="module")
def ray() -> Iterator[None]:
    """One local Ray with two workers, which analyze joins."""
    with jobs.session(2):
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """41 photos that differ, at two depths, and a file that cannot be read."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "more").mkdir()
    photo = Image.open(ASTRONAUT)
    for number in range(41):
        name = f"more/{number}.jpg" if number % 3 else f"{number}.jpg"
        photo.resize((1000 + number, 1000)).save(folder / name)
    (folder / "caf\udce9.jpg").touch()
    return folder


@pytest.fixture(scope="module")
def serial(folder: Path) -> list[dict[str, Any]]:
    """What plain `phiz analyze --format jsonl` says."""
    command = [PHIZ, "analyze", folder, "--format", "jsonl"]
    lines = subprocess.run(command, capture_output=True, check=False).stdout.splitlines()
    return [json.loads(line) for line in lines]


def children(pid: int) -> dict[int, str]:
    """Return the processes below a process: id -> command line."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found: dict[int, str] = {}
    ahead = {pid}
    while ahead:
        ahead = {child for child, parent in parents.items() if parent in ahead}
        for child in ahead:
            try:
                found[child] = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
            except OSError:
                found[child] = ""
    return found


def kill_one_worker_when(parts: int, output: Path, seen: list[int]) -> None:
    """Kill a worker once there are so many parts, and note how many there were."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if (there := len(list(output.glob("part-*")))) >= parts:
            workers = [pid for pid, line in children(os.getpid()).items() if "ray::MapWorker" in line]
            os.kill(workers[0], signal.SIGKILL)
            seen.append(there)
            return
        time.sleep(0.005)


def run_command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([PHIZ, "analyze", *arguments], cwd=folder, capture_output=True, timeout=200)


def test_the_command_goes_on_after_ctrl_c_and_leaves_no_process(fake_model: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.new("RGB", (40, 50), (204, 50, 46)).save(tmp_path / "in/0000.png")
    for number in range(1, 8 * CHUNK):
        os.link(tmp_path / "in/0000.png", tmp_path / f"in/{number:04}.png")
    for file in (fake_model, fake_model.with_suffix(".json")):
        shutil.copy(file, tmp_path)
    arguments = ["in", "--engine", "ray", "--workers", "2", "--output", "out.parquet", "--model", "fake.onnx"]
    command = [PHIZ, "analyze", *arguments, "--cropped"]
    started = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, preexec_fn=os.setpgrp)
    parts = tmp_path / "out.parquet.parts"
    while not list(parts.glob("part-*")):
        assert started.poll() is None, started.stderr.read()
        time.sleep(0.01)
    below = children(started.pid)
    assert any("ray::MapWorker" in line for line in below.values())
    os.killpg(started.pid, signal.SIGINT)  # as a terminal does
    _, errors = started.communicate(timeout=100)
    assert started.returncode == 130
    assert b"phiz: not complete; the same command goes on with the parts that are missing\n" in errors
    assert not (tmp_path / "out.parquet").exists()
    kept = {path.name: path.stat().st_mtime_ns for path in parts.glob("part-*")}
    assert 0 < len(kept) < 8
    deadline = time.monotonic() + 20
    while [pid for pid in below if Path(f"/proc/{pid}").exists()] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [pid for pid in below if Path(f"/proc/{pid}").exists()] == []

    done = run_command(tmp_path, *arguments, "--cropped")
    assert done.returncode == 0, done.stderr
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    one = Analyzer(str(fake_model), cropped=True).analyze(tmp_path / "in/0000.png").to_dict()
    one["faces"][0]["quality"] = dict.fromkeys(QUALITY) | one["faces"][0]["quality"]
    assert rows == [one | {"path": f"in/{number:04}.png"} for number in range(8 * CHUNK)]


def test_wrong_use_of_the_command(tmp_path: Path) -> None:
    Image.new("RGB", (40, 50)).save(tmp_path / "a.png")
    for arguments, message in [
        (["--engine", "ray"], b"phiz: --engine ray needs --output: "),
        (
            ["--engine", "ray", "--output", "o", "--fail-fast"],
            b"phiz: --engine ray writes Parquet; leave out ",
        ),
        (["--workers", "2"], b"phiz: --workers and --ray-address belong to --engine ray; "),
        (["--engine", "ray", "--output", "o", "--model", "none"], b"phiz: no model is called 'none'"),
    ]:
        done = run_command(tmp_path, "a.png", *arguments)
        assert done.stderr.startswith(message)
        assert done.returncode == 2
    assert os.listdir(tmp_path) == ["a.png"]


def test_a_killed_worker_loses_and_doubles_nothing(
    ray: None, folder: Path, serial: list[dict[str, Any]], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    seen: list[int] = []
    killer = threading.Thread(target=kill_one_worker_when, args=(3, output, seen), daemon=True)
    killer.start()
    count = analyze(expand([str(folder)]), str(output), SETTINGS, workers=2, chunk=2)
    killer.join()
    assert seen
    assert seen[0] < 21
    assert count == Count(42, 1)
    assert len(list(output.iterdir())) == 21
    assert pq.read_table(output).to_pylist() == serial


def made_here(paths: list[str], output: Path, chunk: int) -> list[Path]:
    """Make the parts of a run in this process, as its workers would."""
    output.mkdir()
    worker = Worker(SETTINGS, str(output))
    for part, pictures in plan(expand(paths), chunk, SETTINGS.identity()):
        worker({"part": np.array([part], object), "pictures": np.array([pickle.dumps(pictures)], object)})
    return sorted(output.iterdir())


def test_a_second_run_makes_only_what_is_missing(
    ray: None, folder: Path, serial: list[dict[str, Any]], tmp_path: Path
) -> None:
    parts = tmp_path / "out.parquet.parts"
    first, second, third, *_ = made_here([str(folder)], parts, 10)
    first.unlink()
    second.write_bytes(b"PAR1")
    (parts / f".{first.name}.0123.tmp").touch()
    rows = pq.read_table(third)
    pq.write_table(rows.slice(0, 9), third)  # so that it shows whether it was made again
    output = tmp_path / "out.parquet"
    assert analyze(expand([str(folder)]), str(output), SETTINGS, workers=2, chunk=10) == Count(41, 1)
    assert pq.read_table(output).to_pylist() == serial[:29] + serial[30:]
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]


def test_a_finished_run_is_not_made_again_and_not_mixed_with_another(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    made_here([str(folder / "0.jpg")], output, CHUNK)
    assert analyze(expand([str(folder / "0.jpg")]), str(output), SETTINGS) == Count(1, 0)
    with pytest.raises(
        PhizError, match=r"holds 1 part\(s\) of other pictures or settings, such as part-0000000-"
    ):
        analyze(expand([str(folder / "3.jpg")]), str(output), SETTINGS)
