"""The serial engine and a real local Ray: same answers, dead workers, errors, nothing left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from phiz import jobs
from phiz.errors import DataError, PhizError


class Fold(NamedTuple):
    name: str
    number: int


def trained(seed: int) -> bytes:
    """Sums of floats in an order that depends on the number of threads."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(300, 40_000, generator=generator)
    return (values @ values.T).sum().numpy().tobytes() + values.sum().numpy().tobytes()


def threads(_: int) -> tuple[int, str | None]:
    return torch.get_num_threads(), os.environ.get("OMP_NUM_THREADS")


def refuse(fold: Fold) -> int:
    if fold.number == 1:
        raise DataError("no pictures")
    return fold.number


def divide(number: int) -> float:
    return 1 / number


def wait_to_be_killed(number: int, notes: Path) -> int:
    """Job 2 waits, the first time, for the one who kills its process."""
    with open(notes / f"job-{number}", "a") as file:
        print(os.getpid(), file=file, flush=True)
    if number == 2 and len((notes / "job-2").read_text().split()) == 1:
        time.sleep(600)
    return number * number


def kill_myself(number: int, notes: Path) -> None:
    with open(notes / "deaths", "a") as file:
        file.write(".")
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def ray() -> Iterator[None]:
    """One local Ray with two workers for all tests here; jobs.run joins it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))  # where a worker finds the jobs above
        with jobs.session(2) as size:
            assert size == 2
            yield


def test_serial_answers_in_order_and_one_by_one() -> None:
    begun = []
    answers = jobs.run(lambda job: begun.append(job) or job * 2, [3, 4, 5])
    assert next(answers) == (0, 6)
    assert begun == [3]
    assert list(answers) == [(1, 8), (2, 10)]


def test_serial_gives_a_job_one_thread_and_puts_the_threads_back() -> None:
    before = torch.get_num_threads(), os.environ.get("OMP_NUM_THREADS")
    torch.set_num_threads(2)
    try:
        assert list(jobs.run(threads, [0])) == [(0, (1, "1"))]
        assert (torch.get_num_threads(), os.environ.get("OMP_NUM_THREADS")) == (2, before[1])
    finally:
        torch.set_num_threads(before[0])


@pytest.mark.parametrize("kind", jobs.ENGINES)
def test_a_job_that_raises_is_named(kind: str, request: pytest.FixtureRequest) -> None:
    if kind == "ray":
        request.getfixturevalue("ray")
    with pytest.raises(DataError, match=r"^person 1: no pictures$"):
        list(jobs.run(refuse, [Fold("person 0", 0), Fold("person 1", 1)], engine=kind))
    with pytest.raises(ZeroDivisionError):
        list(jobs.run(divide, [0], engine=kind))


def test_ray_gives_the_serial_answers_bit_by_bit(ray: None) -> None:
    seeds = list(range(5))
    answers = list(jobs.run(trained, seeds, engine="ray", workers=2))
    assert sorted(answers) == list(jobs.run(trained, seeds))
    assert len({answer for _, answer in answers}) == len(seeds)
    assert list(jobs.run(threads, [0], engine="ray")) == [(0, (1, "1"))]


def test_a_killed_worker_loses_and_doubles_nothing(ray: None, tmp_path: Path) -> None:
    def kill() -> None:
        while not (note := tmp_path / "job-2").exists() or not note.read_text().strip():
            time.sleep(0.01)
        os.kill(int(note.read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    answers = list(jobs.run(partial(wait_to_be_killed, notes=tmp_path), range(6), engine="ray"))
    killer.join()
    assert sorted(answers) == [(n, n * n) for n in range(6)]
    runs = [len((tmp_path / f"job-{n}").read_text().split()) for n in range(6)]
    assert runs == [1, 1, 2, 1, 1, 1]


def test_a_job_that_always_kills_its_worker_ends_the_run(ray: None, tmp_path: Path) -> None:
    expected = r"^job 1: its worker process died 4 times .*; memory is the usual cause: use fewer workers$"
    with pytest.raises(PhizError, match=expected):
        list(jobs.run(partial(kill_myself, notes=tmp_path), [0], engine="ray"))
    assert (tmp_path / "deaths").read_text() == "." * (jobs.RETRIES + 1)


def test_wrong_settings() -> None:
    with pytest.raises(PhizError, match="no engine is called 'dask'; known: serial, ray"):
        list(jobs.run(divide, [1], engine="dask"))
    with pytest.raises(PhizError, match="workers must be at least 1, not 0"):
        list(jobs.run(divide, [1], engine="ray", workers=0))


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(PhizError, match=r'the ray engine needs ray: pip install "phiz.scale."'):
        list(jobs.run(divide, [1], engine="ray"))


def test_the_engine_loads_nothing_heavy() -> None:
    code = (
        "import sys; from phiz import jobs; assert list(jobs.run(abs, [-1])) == [(0, 1)]; "
        "import phiz.cli.analyze_command; print({'ray', 'pyarrow', 'torch'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
