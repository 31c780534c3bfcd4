"""Reading ahead: the next pictures are decoded in threads while the networks work on an earlier one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

Item = TypeVar("Item")
Value = TypeVar("Value")

#: Threads that read and decode. Two keep one inference thread busy: decoding a photo takes about as long as
#: finding its faces.
READERS = 2
#: Most pictures read ahead of the consumer, so memory stays bounded by this many decoded pictures.
AHEAD = 3


def read_ahead(function: Callable[[Item], Value], items: Iterable[Item]) -> Generator[Value, None, None]:
    """Yield function(item) in order, computed in threads at most AHEAD items before it is asked for."""
    jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
    threads = _start(jobs)
    pending: deque[Future[Value]] = deque()
    source = iter(items)
    try:
        while True:
            try:
                item = next(source)
            except Exception as end:  # the end, or the source's own failure: what was taken comes first
                while pending:
                    yield pending.popleft().result()
                if isinstance(end, StopIteration):
                    return
                raise
            answer: Future[Value] = Future()
            pending.append(answer)
            job = _job(answer, function, item)
            if threads:
                jobs.put(job)
            else:
                job()
            if len(pending) == AHEAD:
                yield pending.popleft().result()
    finally:  # also where the consumer stops early or Ctrl-C arrives
        for answer in pending:
            answer.cancel()
        for _ in threads:
            jobs.put(None)
        for thread in threads:
            thread.join()


def _start(jobs: SimpleQueue[Callable[[], None] | None]) -> list[Thread]:
    """Start the threads, as many as the system allows.

    Not a ThreadPoolExecutor: that refuses work once the main thread has ended, when others may still run.
    """
    threads: list[Thread] = []
    for number in range(READERS):
        thread = Thread(target=_work, args=(jobs,), name=f"phiz-read_{number}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more are to be had
            break
        threads.append(thread)
    return threads


def _work(jobs: SimpleQueue[Callable[[], None] | None]) -> None:
    while (job := jobs.get()) is not None:
        job()


def _job(answer: Future[Value], function: Callable[[Item], Value], item: Item) -> Callable[[], None]:
    """Return what computes function(item) and hands it to whoever waits for `answer`."""

    def work() -> None:
        if not answer.set_running_or_notify_cancel():
            return
        try:
            answer.set_result(function(item))
        except BaseException as error:
            answer.set_exception(error)

    return work
