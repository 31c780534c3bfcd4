"""The queue between two threads: nothing lost for files, nothing old for cameras, no thread left hanging."""

from __future__ import annotations

import threading

from phiz.stream.buffer import Buffer, Stop


def test_a_live_buffer_keeps_the_newest_and_counts_the_rest() -> None:
    buffer: Buffer[int] = Buffer(2, Stop(), live=True)
    for number in range(10):
        assert buffer.put(number)
    buffer.close()
    assert [buffer.take(), buffer.take(), buffer.take()] == [8, 9, None]
    assert buffer.dropped == 8


def test_a_waiting_buffer_passes_everything_on_in_order() -> None:
    buffer: Buffer[int] = Buffer(2, Stop())
    giver = threading.Thread(target=lambda: [buffer.put(n) for n in range(500)] and buffer.close())
    giver.start()
    taken = []
    while (item := buffer.take()) is not None:
        taken.append(item)
    giver.join()
    assert taken == list(range(500))
    assert buffer.dropped == 0


def test_what_waits_can_be_taken_after_the_end_but_nothing_added() -> None:
    stop = Stop()
    buffer: Buffer[int] = Buffer(3, stop)
    buffer.put(1)
    stop.set()
    assert not buffer.put(2)
    assert buffer.take() == 1
    assert buffer.take() is None


def test_stop_releases_a_giver_and_a_taker_that_wait() -> None:
    stop = Stop()
    full: Buffer[int] = Buffer(1, stop)
    full.put(1)
    empty: Buffer[int] = Buffer(1, stop)
    answers: list[object] = []
    threads = [
        threading.Thread(target=lambda: answers.append(full.put(2))),
        threading.Thread(target=lambda: answers.append(empty.take())),
    ]
    for thread in threads:
        thread.start()
    stop.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert sorted(answers, key=str) == [False, None]


def test_a_wait_ends_with_the_stop() -> None:
    stop = Stop()
    stop.set()
    stop.wait(3600)
    assert stop.is_set()
