"""A whole run on made sources: order, drops, failures on either side, the end."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from scenes import scene, with_patch
from stream_fakes import FakeSource, one_face, plain

from phiz.stream.buffer import Stop
from phiz.stream.frame import Frame, StreamError
from phiz.stream.stream_output import Shown
from phiz.stream.track import Track
from phiz.stream.watch import watch
from phiz.types import Face


class Kept:
    """Keeps what is shown; may fail at a frame."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.shown: list[Shown] = []
        self.closed = 0
        self._fail_at = fail_at

    def write(self, shown: Shown) -> None:
        if shown.frame.index == self._fail_at:
            raise StreamError("the disk is full")
        self.shown.append(shown)

    def close(self) -> None:
        self.closed += 1

    @property
    def indices(self) -> list[int]:
        return [shown.frame.index for shown in self.shown]


def test_a_file_loses_no_frame_and_keeps_the_order() -> None:
    kept = Kept()
    summary = watch(FakeSource([plain(n) for n in range(60)]), one_face, [kept])
    assert kept.indices == list(range(60))
    assert [shown.tracks[0].id for shown in kept.shown] == [1] * 60
    assert (summary.frames, summary.looks, summary.people, summary.dropped) == (60, 60, 1, 0)
    assert summary.seconds == pytest.approx(59 / 25)
    assert kept.closed == 1


def test_the_analyzer_gets_each_picture_as_it_came() -> None:
    seen: list[int] = []

    def analyze(image: np.ndarray) -> list[Face]:
        seen.append(int(image[0, 0, 0]))
        return one_face(image)

    watch(FakeSource([plain(n) for n in range(9)]), analyze, [], every=3)
    assert seen == [0, 3, 6]


def test_between_looks_the_tracker_shows_the_faces() -> None:
    kept = Kept()
    summary = watch(FakeSource([plain(n) for n in range(7)]), one_face, [kept], every=3)
    assert [shown.looked for shown in kept.shown] == [True, False, False, True, False, False, True]
    assert [len(shown.tracks) for shown in kept.shown] == [1] * 7
    assert [shown.tracks[0].seen for shown in kept.shown] == [1, 1, 1, 2, 2, 2, 3]
    assert summary.looks == 3


def test_a_live_source_drops_what_is_old_and_counts_it() -> None:
    source = FakeSource([plain(n) for n in range(50)], live=True)
    analysing, all_given = threading.Event(), threading.Event()

    def before(index: int) -> None:
        if index == 1:
            analysing.wait(10)  # the first frame is being looked at, all others come meanwhile

    def analyze(image: np.ndarray) -> list[Face]:
        analysing.set()
        all_given.wait(10)
        return []

    def frames(stop: Stop):  # type: ignore[no-untyped-def]
        yield from FakeSource.frames(source, stop)
        all_given.set()

    source.before, source.frames = before, frames  # type: ignore[method-assign]
    kept = Kept()
    summary = watch(source, analyze, [kept])
    assert kept.indices == [0, 49]
    assert summary.dropped == 48
    assert kept.shown[-1].dropped == 48


def test_max_frames_ends_the_run_with_exactly_so_many() -> None:
    kept = Kept()
    source = FakeSource([plain(n) for n in range(1000)])
    assert watch(source, one_face, [kept], max_frames=5).frames == 5
    assert kept.indices == [0, 1, 2, 3, 4]
    assert source.given < 50


def test_a_stop_ends_an_endless_source_and_what_was_taken_is_written() -> None:
    stop = Stop()

    class Ending(Kept):
        def write(self, shown: Shown) -> None:
            super().write(shown)
            if shown.frame.index == 10:
                stop.set()

    kept = Ending()
    summary = watch(FakeSource([plain(n % 250) for n in range(3000)]), one_face, [kept], stop=stop)
    assert kept.indices == list(range(summary.frames))
    assert 11 <= summary.frames < 40
    assert kept.closed == 1


def test_an_output_that_fails_ends_the_run_and_closes_the_others() -> None:
    first, failing, last = Kept(), Kept(fail_at=7), Kept()
    with pytest.raises(StreamError, match="the disk is full"):
        watch(FakeSource([plain(n) for n in range(1000)]), one_face, [first, failing, last])
    assert (first.indices, last.indices) == (list(range(8)), list(range(7)))
    assert first.closed == failing.closed == last.closed == 1


def test_a_source_that_fails_is_told_after_what_came_before_is_written() -> None:
    kept = Kept()
    with pytest.raises(StreamError, match="came to grief"):
        watch(FakeSource([plain(n) for n in range(6)], error=StreamError("came to grief")), one_face, [kept])
    assert kept.indices == list(range(6))
    assert kept.closed == 1


def test_an_analysis_that_fails_ends_the_run() -> None:
    def analyze(image: np.ndarray) -> list[Face]:
        if image[0, 0, 0] == 3:
            raise ValueError("no such face")
        return one_face(image)

    kept = Kept()
    with pytest.raises(ValueError, match="no such face"):
        watch(FakeSource([plain(n) for n in range(200)]), analyze, [kept])
    assert kept.indices == [0, 1, 2]


def test_no_thread_outlives_a_run() -> None:
    before = set(threading.enumerate())
    watch(FakeSource([plain(1)] * 20), one_face, [])
    assert not [thread.name for thread in set(threading.enumerate()) - before]


def test_a_changed_frame_size_is_told_and_people_keep_their_numbers() -> None:
    said: list[str] = []
    kept = Kept()
    images = [plain(30, 64, 48)] * 4 + [plain(30, 128, 96)] * 4
    watch(FakeSource(images), one_face, [kept], say=said.append)
    assert said == ["the frames changed from 64x48 to 128x96 pixels"]
    assert {shown.tracks[0].id for shown in kept.shown} == {1}


def test_tracks_that_end_are_given_to_the_outputs_once() -> None:
    images = [plain(0)] * 2 + [plain(1)] * 80

    def analyze(image: np.ndarray) -> list[Face]:
        return one_face(image) if image[0, 0, 0] == 0 else []

    kept = Kept()
    watch(FakeSource(images), analyze, [kept])
    assert [track.id for shown in kept.shown for track in shown.ended] == [1]


def numbers(kept: Kept) -> list[list[int]]:
    return [[track.id for track in shown.tracks] for shown in kept.shown]


@pytest.mark.parametrize("every", [1, 2, 5, 100])
def test_a_cut_ends_everybody_in_view_and_is_looked_at(every: int) -> None:
    kept = Kept()
    man, woman = with_patch(scene(1), plain(200), 0, 0), with_patch(scene(2), plain(20), 0, 0)
    summary = watch(FakeSource([man] * 7 + [woman] * 7), one_face, [kept], every=every)
    assert numbers(kept) == [[1]] * 7 + [[2]] * 7
    assert [shown.tracks[0].face.age for shown in kept.shown] == [200] * 7 + [20] * 7
    assert kept.shown[7].looked
    assert [track.id for track in kept.shown[7].ended] == [1]
    assert summary.people == 2


def test_a_pause_in_a_recording_ends_everybody_in_view() -> None:
    class Pausing(FakeSource):
        def frames(self, stop: Stop):  # type: ignore[no-untyped-def]
            for frame in super().frames(stop):
                yield Frame(frame.index, frame.time + (3600 if frame.index >= 5 else 0), frame.image)

    kept = Kept()
    summary = watch(Pausing([scene(1)] * 12), one_face, [kept])
    assert numbers(kept) == [[1]] * 5 + [[2]] * 7
    assert summary.people == 2
    kept = Kept()
    watch(Pausing([scene(1)] * 12), one_face, [kept], every=4)
    assert numbers(kept) == [[1]] * 5 + [[]] * 3 + [[2]] * 4  # nobody is expected to have waited


class Left:
    """Notes who was in view at the end."""

    def __init__(self, kept: Kept) -> None:
        self.tracks: list[Track] = []
        self._kept = kept

    def __call__(self, left: Sequence[Track]) -> None:
        assert not self._kept.closed
        self.tracks += left


def test_at_the_end_everybody_in_view_ends() -> None:
    kept = Kept()
    left = Left(kept)
    watch(FakeSource([scene(1)] * 30), one_face, [kept], at_end=left)
    assert [(track.id, track.first, track.last) for track in left.tracks] == [(1, 0.0, 29 / 25)]
    assert [track for shown in kept.shown for track in shown.ended] == []


def test_also_where_the_end_is_a_stop_a_limit_or_a_failure() -> None:
    stop = Stop()

    class Ending(Kept):
        def write(self, shown: Shown) -> None:
            super().write(shown)
            if shown.frame.index == 5:
                stop.set()

    stopped, limited, failed, full = Ending(), Kept(), Kept(), Kept(fail_at=5)
    for kept, images, options in (
        (stopped, [scene(1)] * 500, {"stop": stop}),
        (limited, [scene(1)] * 500, {"max_frames": 6}),
    ):
        left = Left(kept)
        watch(FakeSource(images), one_face, [kept], at_end=left, **options)  # type: ignore[arg-type]
        assert [track.id for track in left.tracks] == [1]
    for kept, error in ((failed, StreamError("came to grief")), (full, None)):
        left = Left(kept)
        with pytest.raises(StreamError):
            watch(FakeSource([scene(1)] * 9, error=error), one_face, [kept], at_end=left)
        assert [track.id for track in left.tracks] == [1]
