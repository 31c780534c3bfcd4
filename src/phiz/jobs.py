"""Independent jobs, one after another or side by side on Ray, with the same results either way."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache
from itertools import islice
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from .errors import PhizError

Job = TypeVar("Job")
Answer = TypeVar("Answer")

ENGINES = ("serial", "ray")
#: How often a job is started again after its worker process died.
RETRIES = 3
#: Memory of a local Ray's shared object store, in bytes; what exceeds it goes to disk.
OBJECT_STORE = 256 << 20
_QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
#: A sum of floats depends on how many threads share it, so a job gets one, whatever the engine.
ONE_THREAD = {
    name: "1"
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
}


def run(
    function: Callable[[Job], Answer],
    jobs: Sequence[Job],
    *,
    engine: str = "serial",
    workers: int | None = None,
    address: str | None = None,
    describe: str = "folds",
) -> Iterator[tuple[int, Answer]]:
    """Yield (index of the job, function(job)) as the jobs end, each exactly once, behind a progress bar.

    engine: "serial" runs the jobs here and in order, "ray" in `workers` processes. function, jobs and
    answers must be picklable for Ray. A job gets one CPU thread either way, so its answer is the same.
    workers, address: see `session`; the serial engine ignores them.
    A job whose worker process dies is started again, up to RETRIES times, from its beginning; a job
    that raises ends the run, and the jobs still at work are stopped.
    Raises PhizError for an unknown engine, where Ray is not installed or cannot be reached, and where a
    job loses its worker once too often. A PhizError of a job keeps its class; its message gains the job's
    `name`, or its number where it has none.
    """
    from tqdm import tqdm

    if engine not in ENGINES:
        raise PhizError(f"no engine is called {engine!r}; known: {', '.join(ENGINES)}")
    answers = _serial(function, jobs) if engine == "serial" else _ray(function, jobs, workers, address)
    with closing(answers), tqdm(total=len(jobs), desc=describe, disable=None) as bar:
        for index, answer in answers:
            bar.update()
            yield index, answer


def _serial(
    function: Callable[[Job], Answer], jobs: Sequence[Job]
) -> Generator[tuple[int, Answer], None, None]:
    for index, job in enumerate(jobs):
        try:
            answer = _call(function, job)
        except PhizError as error:
            raise _with_job(error, _name(index, job)) from error.__cause__
        yield index, answer


def _ray(
    function: Callable[[Job], Answer], jobs: Sequence[Job], workers: int | None, address: str | None
) -> Generator[tuple[int, Answer], None, None]:
    with session(workers, address) as size:
        import ray

        shared = ray.put(function)
        task: Any = ray.remote(num_cpus=1, max_retries=RETRIES)(_call)
        rest = iter(enumerate(jobs))
        running: dict[Any, int] = {}
        try:
            while True:
                # No more than can run: the arguments of a job are then sent when its turn comes.
                for index, job in islice(rest, size - len(running)):
                    running[task.remote(shared, job)] = index
                if not running:
                    return
                (reference, *_), _ = ray.wait(list(running), num_returns=1)
                index = running.pop(reference)
                yield index, _answer(reference, _name(index, jobs[index]))
        finally:
            for reference in running:
                ray.cancel(reference, force=True)


def _call(function: Callable[[Job], Answer], job: Job) -> Answer:
    """Call function(job) with one CPU thread; libraries read ONE_THREAD on import, torch is told."""
    torch: Any = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 1
    with _environment(ONE_THREAD):
        if torch:
            torch.set_num_threads(1)
        try:
            return function(job)
        finally:
            if torch:
                torch.set_num_threads(threads)


def _answer(reference: Any, name: str) -> Any:
    import ray
    from ray.exceptions import RayError, RayTaskError

    try:
        return ray.get(reference)
    except RayTaskError as error:
        if isinstance(error.cause, PhizError):
            raise _with_job(error.cause, name) from None
        raise  # also an instance of the job's own exception, with the worker's traceback
    except RayError as error:
        raise PhizError(
            f"{name}: its worker process died {RETRIES + 1} times ({type(error).__name__}); memory is the "
            "usual cause: use fewer workers"
        ) from error


def _name(index: int, job: object) -> str:
    return str(getattr(job, "name", f"job {index + 1}"))


def _with_job(error: PhizError, name: str) -> PhizError:
    error.args = (f"{name}: {error}", *error.args[1:])
    return error


@contextmanager
def session(workers: int | None = None, address: str | None = None) -> Iterator[int]:
    """Join or start a Ray and yield how many processes may work at once; stop at the end what was started.

    A Ray that this process has joined already is used as it is. Otherwise `address` names a cluster, whose
    CPUs are used where `workers` is None; without an address a Ray of `workers` processes (None: as many
    as there are CPUs) is started on this machine. That Ray has no dashboard, reports no usage, uploads no
    folder and keeps its files in a temporary folder that is removed.
    Raises PhizError where Ray is not installed or cannot be reached, or workers is below 1.
    """
    if workers is not None and workers < 1:
        raise PhizError(f"workers must be at least 1, not {workers}")
    with _environment(_ray_settings(local=address is None)):
        ray = _import_ray()
        if ray.is_initialized():
            yield workers or _cpus(ray)
            return
        short = "/tmp" if os.name == "posix" else None  # sockets lie in it, and want short names
        parent = os.environ.get("RAY_TMPDIR", short)
        on_terminate = signal.getsignal(signal.SIGTERM)
        with TemporaryDirectory(prefix="phiz-ray-", dir=parent, ignore_cleanup_errors=True) as folder:
            try:
                _join(ray, address) if address else _start(ray, workers, folder)
                yield workers or _cpus(ray)
            finally:
                ray.shutdown()
                if threading.current_thread() is threading.main_thread():
                    signal.signal(signal.SIGTERM, on_terminate)  # Ray has put its own there


def _join(ray: Any, address: str) -> None:
    try:
        ray.init(address=address, runtime_env={"env_vars": ONE_THREAD}, **_QUIET)
    except Exception as error:  # Ray's own have no common base
        raise PhizError(f"cannot join the Ray cluster at {address}: {error}") from error


def _start(ray: Any, workers: int | None, folder: str) -> None:
    for last in (False, True):  # a busy machine may not make it within Ray's 30 s
        try:
            ray.init(
                address="local",  # whatever cluster RAY_ADDRESS may name
                num_cpus=workers,
                include_dashboard=False,
                object_store_memory=OBJECT_STORE,
                _temp_dir=folder,
                **_QUIET,
            )
            return
        except Exception as error:  # as above
            ray.shutdown()
            if last:
                raise PhizError(f"cannot start Ray on this machine: {error}") from error


def _ray_settings(*, local: bool) -> dict[str, str | None]:
    """Return the environment of a session, which the workers of a local Ray inherit."""
    return {
        **ONE_THREAD,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # under `uv run` Ray would upload the working folder
        "RAY_task_oom_retries": str(RETRIES),
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # its present default, without a warning
        "RAY_AUTH_MODE": os.environ.get("RAY_AUTH_MODE"),  # Ray sets it; unset it lets Ray guard its ports
        **(_token() if local else {}),
    }


@cache  # Ray itself remembers the first one of a process
def _token() -> dict[str, str]:
    """Return what Ray guards its ports with, which it would otherwise write into the home folder."""
    if "RAY_AUTH_MODE" in os.environ or "RAY_AUTH_TOKEN" in os.environ:
        return {}
    return {"RAY_AUTH_TOKEN": secrets.token_hex(32)}


def _import_ray() -> Any:
    try:
        import ray
    except ModuleNotFoundError as error:
        raise PhizError(f'the ray engine needs {error.name}: pip install "phiz[scale]"') from error
    return ray


def _cpus(ray: Any) -> int:
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


@contextmanager
def _environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """Set environment variables, where they are not None, and put all of them back at the end."""
    before = {name: os.environ.get(name) for name in values}
    _set(values)
    try:
        yield
    finally:
        _set(before)
        for name in before:
            if before[name] is None:
                os.environ.pop(name, None)


def _set(values: Mapping[str, str | None]) -> None:
    os.environ.update({name: value for name, value in values.items() if value is not None})
