"""The queue and the batches: same answers, bounded places, nothing lost where time runs out."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pictures import encode, scene
from service import PATIENCE, Gated, wait_until

from phiz.analyzer import Analyzer
from phiz.data import ASTRONAUT
from phiz.image import load
from phiz.serve.prometheus import Metrics
from phiz.serve.queue import Busy, Engine, Gatherer
from phiz.serve.settings import Limits, Settings
from phiz.types import Estimate, Result

PHOTO = ASTRONAUT.read_bytes()


def faces(count: int) -> bytes:
    """A PNG with `count` copies of the portrait side by side."""
    return (
        encode(np.concatenate([load(ASTRONAUT)] * count, axis=1), "PNG") if count else encode(scene(), "PNG")
    )


def run(analyzer: Analyzer, work: Callable[[Engine], Any], **settings: Any) -> Any:
    """Run work(engine) on a fresh engine and loop."""

    async def main() -> Any:
        engine = Engine(analyzer, Settings(limits=Limits(**limits), **settings), Metrics())
        try:
            return await work(engine)
        finally:
            engine.close()

    limits = settings.pop("limits", {})
    return asyncio.run(main())


@pytest.mark.parametrize("seconds", [0.0, 0.05])
def test_every_picture_gets_its_own_answer_out_of_a_batch(analyzer: Analyzer, seconds: float) -> None:
    pictures = [faces(count) for count in (1, 0, 2)] + [b"no picture"]
    alone = Analyzer()
    expected = [alone.analyze(data, name=str(n)) for n, data in enumerate(pictures[:3])]

    async def clients(engine: Engine) -> list[Result]:
        asked = (engine.analyze([(str(n), data)]) for n, data in enumerate(pictures))
        return [result for (result,) in await asyncio.gather(*asked)]

    *found, broken = run(analyzer, clients, batch_seconds=seconds, workers=4)
    assert broken.error.startswith("3: expected JPEG, PNG")
    for result, wanted in zip(found, expected, strict=True):
        assert (result.path, result.width, result.height) == (wanted.path, wanted.width, wanted.height)
        assert len(result.faces) == len(wanted.faces)
        for face, same in zip(result.faces, wanted.faces, strict=True):
            assert (face.box, face.gender) == (same.box, same.gender)
            # A batch adds up in another order, which may change the last digits of a float32.
            assert face.age == pytest.approx(same.age, abs=1e-3)
            assert face.gender_score == pytest.approx(same.gender_score, abs=1e-5)


def gathered(sizes: list[int], *, seconds: float, most: int = 64, alone: bool = False) -> list[int]:
    """Return the batch sizes in which crops that come all at once are run; checks that answers fit."""
    calls: list[int] = []

    def network(crops: Any) -> list[Estimate]:
        calls.append(len(crops))
        return [Estimate(float(value), "female", 1.0) for value in crops[:, 0, 0, 0]]

    async def main() -> None:
        gatherer = Gatherer(network, seconds, most, lambda: alone, lambda _: None)
        asked = (gatherer.estimate(np.full((size, 2, 2, 3), n, np.uint8)) for n, size in enumerate(sizes))
        for n, (size, estimates) in enumerate(zip(sizes, await asyncio.gather(*asked), strict=True)):
            assert [estimate.age for estimate in estimates] == [float(n)] * size
        gatherer.close()

    asyncio.run(main())
    return calls


def test_faces_of_several_pictures_share_a_call() -> None:
    assert gathered([1, 2, 0, 3], seconds=0.05) == [6]


def test_a_full_batch_waits_no_longer() -> None:
    assert gathered([2, 2, 2, 2], seconds=PATIENCE, most=4) == [4, 4]


def test_nobody_waits_where_nobody_else_comes() -> None:
    assert gathered([3], seconds=PATIENCE, alone=True) == [3]


def test_without_a_wait_every_picture_has_its_own_call() -> None:
    assert gathered([1, 2], seconds=0) == [1, 2]


def test_a_failed_call_fails_all_who_waited_for_it_and_nobody_after() -> None:
    failing = [True]

    def network(crops: Any) -> list[Estimate]:
        if failing.pop():
            failing.append(False)
            raise RuntimeError("out of order")
        return [Estimate(1.0, "male", 1.0)] * len(crops)

    async def main() -> None:
        gatherer = Gatherer(network, 0.02, 64, lambda: False, lambda _: None)
        crops = np.zeros((1, 2, 2, 3), np.uint8)
        asked = (gatherer.estimate(crops) for _ in range(3))
        assert [str(e) for e in await asyncio.gather(*asked, return_exceptions=True)] == ["out of order"] * 3
        assert len(await gatherer.estimate(crops)) == 1
        gatherer.close()

    asyncio.run(main())


def test_a_full_queue_refuses_at_once_and_takes_again_once_it_has_room(analyzer: Analyzer) -> None:
    gated = Gated(analyzer)

    async def clients(engine: Engine) -> None:
        first = asyncio.create_task(engine.analyze([(None, PHOTO)] * 2))
        await asyncio.sleep(0)
        with pytest.raises(
            Busy, match=r"^expected a free place in the queue, got all 3 taken; try again in 1"
        ):
            await engine.analyze([(None, PHOTO)] * 2)
        assert not engine.busy
        second = asyncio.create_task(engine.analyze([(None, PHOTO)]))
        await asyncio.sleep(0)
        assert engine.busy
        gated.gate.set()
        assert [len(result.faces) for result in await first + await second] == [1, 1, 1]
        assert not engine.busy

    run(gated, clients, limits={"queue": 3, "max_pictures": 2})


def test_where_time_runs_out_the_place_is_free_once_its_thread_is_too(analyzer: Analyzer) -> None:
    gated = Gated(analyzer)

    async def clients(engine: Engine) -> None:
        with pytest.raises(TimeoutError):
            await engine.analyze([(None, PHOTO)] * 4)
        assert gated.begun.acquire(timeout=PATIENCE)
        assert len(engine._jobs) == 1  # the one in the only thread; the three that waited are gone
        gated.gate.set()
        while engine._jobs:
            await asyncio.sleep(0.01)
        assert not gated.begun.acquire(blocking=False)

    run(gated, clients, workers=1, limits={"answer_seconds": 0.1})


def test_the_wait_named_to_a_refused_client_follows_the_work(analyzer: Analyzer) -> None:
    class Slow(Gated):
        def locate(self, *arguments: Any) -> Any:
            time.sleep(0.2)
            return super().locate(*arguments)

    slow = Slow(analyzer)
    slow.gate.set()

    async def clients(engine: Engine) -> tuple[int, int]:
        before = engine.retry_after
        for _ in range(4):
            await engine.analyze([(None, PHOTO)])
        return before, engine.retry_after

    before, after = run(slow, clients, limits={"queue": 200})
    assert before < after


def test_close_lets_a_running_picture_end(analyzer: Analyzer) -> None:
    gated = Gated(analyzer)

    async def main() -> None:
        engine = Engine(gated, Settings(), Metrics())
        asked = asyncio.create_task(engine.analyze([(None, PHOTO)]))
        await asyncio.to_thread(gated.begun.acquire)
        opener = threading.Timer(0.05, gated.gate.set)
        opener.start()
        await asyncio.to_thread(engine._pool.shutdown)
        (result,) = await asked
        assert len(result.faces) == 1
        engine.close()

    asyncio.run(main())
    wait_until(gated.gate.is_set)
