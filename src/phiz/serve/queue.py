"""Pictures of many clients through one analyzer: a bounded queue, a few threads, faces gathered into batches.

    picture -> thread pool: decode, find faces, cut crops -> gathered crops -> one network call -> Result

A picture takes a place from the moment it is accepted until no thread works on it any more, whether or not
its client still waits; without a free place it is refused, never kept waiting outside.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import anyio
import numpy as np
from numpy.typing import NDArray

from ..analyzer import Analyzer, Located
from ..errors import ImageError
from ..image import ALLOW_MORE
from ..models.card import ModelCard
from ..models.certainty import Caution
from ..types import Estimate, Result
from .prometheus import Metrics
from .refusal import Busy, picture_code, unread
from .settings import Settings

Crops = NDArray[np.uint8]
#: A picture as it arrives: what its sender calls it, and its encoded bytes.
Picture = tuple[str | None, bytes | bytearray]
Value = TypeVar("Value")


def result_json(result: Result) -> str:
    """Return a result as `phiz analyze --format jsonl` writes it; an error has a code too."""
    return json.dumps(result.to_dict(), ensure_ascii=False, allow_nan=False)


class Gatherer:
    """Gathers the crops of several pictures into one call of the network, in a thread of its own.

    run: the call. seconds: longest wait for company. most: faces from which nobody waits any longer.
    alone: whether no other picture is about to bring its faces, so that waiting is in vain.
    """

    def __init__(
        self,
        run: Callable[[Crops], list[Estimate]],
        seconds: float,
        most: int,
        alone: Callable[[], bool],
        observe: Callable[[float], None],
    ) -> None:
        self._run, self._seconds, self._most = run, seconds, most
        self._alone, self._observe = alone, observe
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="phiz-network")
        self._waiting: list[tuple[Crops, asyncio.Future[list[Estimate]]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._calls: set[asyncio.Task[None]] = set()  # the event loop itself keeps no strong reference

    async def estimate(self, crops: Crops) -> list[Estimate]:
        """Return the estimates of one picture's crops."""
        if len(crops) == 0:
            return []
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[Estimate]] = loop.create_future()
        self._waiting.append((crops, answer))
        if sum(len(c) for c, _ in self._waiting) >= self._most or self._seconds == 0 or self._alone():
            self._flush()
        elif self._timer is None:
            self._timer = loop.call_later(self._seconds, self._flush)
        return await answer

    def _flush(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None
        batch, self._waiting = self._waiting, []
        if batch:
            call = asyncio.get_running_loop().create_task(self._call(batch))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _call(self, batch: list[tuple[Crops, asyncio.Future[list[Estimate]]]]) -> None:
        crops = np.concatenate([crops for crops, _ in batch])
        self._observe(len(crops))
        try:
            estimates = await asyncio.get_running_loop().run_in_executor(self._thread, self._run, crops)
        except Exception as error:
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
            return
        start = 0
        for part, answer in batch:
            if not answer.done():  # it is where the client's time was up meanwhile
                answer.set_result(estimates[start : start + len(part)])
            start += len(part)

    def close(self) -> None:
        """Wait for the call that runs and end the thread."""
        self._thread.shutdown(wait=True)


class Engine:
    """Answers pictures for any number of clients on one event loop, within `settings.limits`."""

    def __init__(self, analyzer: Analyzer, settings: Settings, metrics: Metrics) -> None:
        self._analyzer, self._limits, self._metrics = analyzer, settings.limits, metrics
        self._workers = settings.workers
        self._pool = ThreadPoolExecutor(settings.workers, thread_name_prefix="phiz-picture")
        self._jobs: set[Future[Result | tuple[str | None, Located]]] = set()
        self._seconds_each = 0.05  # running mean of a picture's time in a thread
        self._gatherer = Gatherer(
            analyzer.estimate,
            settings.batch_seconds,
            settings.batch_faces,
            alone=lambda: all(job.done() for job in self._jobs),
            observe=metrics.batch_faces.observe,
        )
        metrics.queue.set_function(lambda: len(self._jobs))

    async def analyze(self, pictures: Sequence[Picture], caution: Caution | None = None) -> list[Result]:
        """Return one result per picture, in order; an Unread where one cannot be read.

        caution: how cautious the answers shall be, None for the analyzer's own.
        Raises Busy where there are not enough free places, TimeoutError after `answer_seconds`.
        """
        if len(self._jobs) + len(pictures) > self._limits.queue:
            detail = f"expected a free place in the queue, got all {self._limits.queue} taken"
            raise Busy(detail, self.retry_after)
        jobs = [self._submit(picture) for picture in pictures]
        try:
            with anyio.fail_after(self._limits.answer_seconds):
                return list(await asyncio.gather(*(self._finish(job, caution) for job in jobs)))
        finally:
            for job in jobs:
                self._give_back(job)

    @property
    def card(self) -> ModelCard:
        """The card of the model that answers."""
        return self._analyzer.card

    @property
    def retry_after(self) -> int:
        """Whole seconds until about half of the queue will have been worked off, at least 1."""
        return max(1, math.ceil(self._limits.queue * self._seconds_each / self._workers / 2))

    @property
    def busy(self) -> bool:
        """Whether the queue has no free place."""
        return len(self._jobs) >= self._limits.queue

    def _submit(self, picture: Picture) -> Future[Result | tuple[str | None, Located]]:
        job = self._pool.submit(self._locate, picture)
        self._jobs.add(job)
        return job

    def _locate(self, picture: Picture) -> Result | tuple[str | None, Located]:
        """Decode a picture and cut out its faces; an Unread where it cannot be read."""
        start, (name, data), limits = time.perf_counter(), picture, self._limits
        try:
            image = self._analyzer.read(data, name, max_pixels=limits.max_pixels, max_bytes=limits.max_bytes)
            located = self._analyzer.locate(image)
        except ImageError as error:
            reason = str(error).removesuffix(ALLOW_MORE)  # its sender cannot
            return unread(reason, picture_code(error), name)
        spent = time.perf_counter() - start
        self._seconds_each += (spent - self._seconds_each) / 16
        self._metrics.picture_seconds.observe(spent)
        return name, located

    async def _finish(
        self, job: Future[Result | tuple[str | None, Located]], caution: Caution | None
    ) -> Result:
        done = await asyncio.wrap_future(job)
        if isinstance(done, Result):
            self._metrics.pictures.labels("unreadable").inc()
            return done
        name, located = done
        estimates = await self._gatherer.estimate(located.crops)
        self._metrics.pictures.labels("analysed").inc()
        self._metrics.faces.inc(len(estimates))
        return self._analyzer.combine(located, estimates, name, caution)

    def _give_back(self, job: Future[Result | tuple[str | None, Located]]) -> None:
        """Free a job's place, once its thread is done with it where it has begun."""
        job.cancel()
        loop = asyncio.get_running_loop()
        job.add_done_callback(lambda done: _threadsafe(loop, self._jobs.discard, done))

    def close(self) -> None:
        """Finish what the threads are at and end them; nothing may be asked afterwards."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._gatherer.close()


def _threadsafe(loop: asyncio.AbstractEventLoop, function: Callable[[Value], None], value: Value) -> None:
    """Call function(value) on the loop, at once where this is its thread."""
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        running = None
    if running is loop:
        function(value)
    elif not loop.is_closed():
        loop.call_soon_threadsafe(function, value)
