"""Tracks on made boxes: who is who, how answers settle, what ends when."""

from __future__ import annotations

import numpy as np
import pytest

from phiz.stream.track import BUFFER, PATIENCE, STRONG, Track, Tracker, moved, overlaps
from phiz.types import Face


def face(
    x: float,
    y: float = 100,
    side: float = 80,
    *,
    age: float = 30,
    female: float = 0.9,
    score: float | None = 0.9,
) -> Face:
    """A frontal face with its centre at (x, y)."""
    left, top = x - side / 2, y - side / 2
    parts = [(0.3, 0.3), (0.7, 0.3), (0.5, 0.52), (0.35, 0.74), (0.65, 0.74)]
    points = tuple((left + a * side, top + b * side) for a, b in parts)
    gender = "female" if female >= 0.5 else "male"
    return Face((left, top, side, side), score, points, age, gender, max(female, 1 - female))


def ids(tracks: list[Track]) -> dict[int, float]:
    """Where each track is: number -> x of the centre."""
    return {track.id: round(track.face.box[0] + track.face.box[2] / 2, 3) for track in tracks}


def test_two_that_pass_each_other_keep_their_numbers() -> None:
    tracker = Tracker()
    for i in range(40):
        seen = tracker.update([face(100 + 10 * i), face(500 - 10 * i, y=130)], i / 25)
    assert ids(seen) == {1: 490, 2: 110}


def test_one_that_is_covered_for_a_second_comes_back_under_its_number() -> None:
    tracker = Tracker()
    for i in range(20):
        tracker.update([face(100 + 8 * i), face(400, y=300)], i / 25)
    for i in range(20, 45):
        assert ids(tracker.update([face(400, y=300)], i / 25)) == {2: 400}
    assert ids(tracker.update([face(100 + 8 * 45), face(400, y=300)], 45 / 25)) == {1: 460, 2: 400}
    assert tracker.ended() == []


def test_a_lost_one_ends_after_the_patience_and_its_number_is_not_used_again() -> None:
    tracker = Tracker(patience=1.0)
    tracker.update([face(100)], 0.0)
    tracker.update([face(100)], 0.5)
    tracker.update([], 1.4)
    assert tracker.ended() == []
    tracker.update([], 1.6)
    (gone,) = tracker.ended()
    assert (gone.id, gone.first, gone.last, gone.seen) == (1, 0.0, 0.5, 2)
    assert tracker.ended() == []
    assert [track.id for track in tracker.update([face(100)], 1.7)] == [2]
    assert [track.id for track in tracker.finish()] == [2]
    assert tracker.update([], 1.8) == tracker.expect(1.9) == tracker.finish() == []


@pytest.mark.parametrize("gap", [PATIENCE + 0.1, 60.0, 3600.0])
@pytest.mark.parametrize("missed", [False, True])
def test_who_comes_after_the_patience_is_somebody_new(gap: float, missed: bool) -> None:
    """Also where no look in between showed that the first one had gone, as after a pause of a recording."""
    tracker = Tracker()
    for i in range(10):
        tracker.update([face(100)], i / 25)
    if missed:
        tracker.update([], 10 / 25)
    begins = 9 / 25 + gap
    (new,) = tracker.update([face(100, age=60)], begins)
    assert (new.id, new.first, new.seen, new.face.age) == (2, begins, 1, 60)
    (gone,) = tracker.ended()
    assert (gone.id, gone.first, gone.last, gone.seen) == (1, 0.0, 9 / 25, 10)


def test_between_looks_who_is_out_of_view_for_too_long_is_not_shown() -> None:
    tracker = Tracker()
    tracker.update([face(100)], 0.0)
    tracker.update([face(100)], 0.04)
    assert ids(tracker.expect(2.0)) == {1: 100}
    assert tracker.expect(2.1) == []
    assert [track.id for track in tracker.ended()] == [1]


@pytest.mark.parametrize("pace", [0.04, 1.0, 3.0, 4.9])
def test_everybody_keeps_their_number_however_slowly_looks_follow(pace: float) -> None:
    tracker = Tracker(pace=pace)
    for i in range(20):
        assert ids(tracker.update([face(100), face(400)], i * pace)) == {1: 100, 2: 400}
        assert ids(tracker.expect((i + 0.9) * pace)) == {1: 100, 2: 400}
    assert tracker.ended() == []


def test_without_a_known_pace_it_is_learnt_from_two_looks() -> None:
    tracker = Tracker()
    numbers = [tracker.update([face(100)], 3.0 * i)[0].id for i in range(10)]
    assert numbers == [1, *[2] * 9]


def test_a_pause_does_not_become_the_pace() -> None:
    tracker = Tracker()
    numbers = [tracker.update([face(100)], 3600.0 * i)[0].id for i in range(5)]
    assert numbers == [1, 2, 3, 4, 5]


def test_a_cut_ends_everybody_and_their_answers() -> None:
    tracker = Tracker()
    for i in range(10):
        tracker.update([face(100, age=20, female=0.9), face(400)], i / 25)
    tracker.update([face(400)], 10 / 25)  # the first one is only lost
    tracker.cut()
    assert [track.id for track in tracker.ended()] == [1, 2]
    assert tracker.expect(11 / 25) == []
    (new,) = tracker.update([face(100, age=60, female=0.1)], 11 / 25)
    assert (new.id, new.face.age, new.face.gender) == (3, 60, "male")


def test_a_weak_face_continues_a_track_but_begins_none() -> None:
    tracker = Tracker()
    weak = STRONG - 0.01
    assert tracker.update([face(100, score=weak)], 0.0) == []
    tracker.update([face(100)], 0.04)
    assert [track.id for track in tracker.update([face(102, score=weak)], 0.08)] == [1]
    tracker.update([], 0.12)  # lost: only a strong face brings it back
    assert tracker.update([face(102, score=weak)], 0.16) == []
    assert [track.id for track in tracker.update([face(102)], 0.2)] == [1]


def test_a_strong_face_goes_before_a_weak_one_that_overlaps_more() -> None:
    tracker = Tracker()
    tracker.update([face(100)], 0.0)
    (track,) = tracker.update([face(100, score=0.55), face(120, score=0.9)], 0.04)
    assert (track.id, track.face.score) == (1, 0.9)


def test_the_face_between_looks_goes_on_at_its_speed_with_its_keypoints() -> None:
    tracker = Tracker()
    for i in range(0, 30, 2):
        tracker.update([face(100 + 5 * i)], i / 25)
    (track,) = tracker.expect(29 / 25)
    assert track.face.box[0] + 40 == pytest.approx(100 + 5 * 29, abs=0.5)
    assert track.face.keypoints[2][0] == pytest.approx(100 + 5 * 29, abs=0.5)
    assert (track.last, track.seen) == (28 / 25, 15)


def test_a_change_of_the_frames_size_keeps_everybody() -> None:
    tracker = Tracker()
    for i in range(10):
        tracker.update([face(100 + 4 * i, side=80)], i / 25)
    tracker.rescale(0.5, 0.5)
    (track,) = tracker.update([face(70, y=50, side=40)], 10 / 25)
    assert track.id == 1
    assert tracker.expect(11 / 25)[0].face.box[0] + 20 == pytest.approx(72, abs=0.7)


def test_a_face_without_score_and_keypoints_is_followed() -> None:
    tracker = Tracker()
    bare = Face((0, 0, 64, 64), None, (), 40, "male", 0.8)
    (track,) = tracker.update([bare], 0.0)
    assert track.facing == 1.0
    assert tracker.update([bare], 0.1)[0].id == 1


def test_overlaps_are_those_of_the_grown_boxes() -> None:
    a = np.array([[0.0, 0, 100, 100]])
    b = np.array([[0.0, 0, 100, 100], [150, 0, 100, 100], [100, 0, 100, 100]])
    # Grown by a share of their width on every side; moved by 100, they share what was added, twice.
    wide = 100 * (1 + 2 * BUFFER)
    assert overlaps(a, b)[0] == pytest.approx([1.0, 0.0, (wide - 100) / (wide + 100)])
    assert overlaps(a, b)[0, 2] > 0  # neighbours that only touch are not strangers


def test_moved_stretches_keypoints_with_the_box() -> None:
    big = moved(face(40, y=40), (100, 200, 160, 40))
    assert big.keypoints[0] == pytest.approx((100 + 0.3 * 160, 200 + 0.3 * 40))


def test_optimal_assignment_would_choose_the_same_pairs() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    from phiz.stream.track import match

    random = np.random.default_rng(0)
    tracker = Tracker()
    people = [
        (random.uniform(50, 1800), random.uniform(50, 1000), random.uniform(-12, 12)) for _ in range(30)
    ]
    compared = 0
    for i in range(40):
        faces = [face(x + speed * i, y=y, side=70) for x, y, speed in people]
        tracks = list(tracker._tracks)
        if tracks:
            greedy = match(tracks, faces, range(len(faces)), i / 25, 0.2)
            table = overlaps(
                np.array([track.expected(i / 25) for track in tracks]), np.array([f.box for f in faces])
            )
            rows, columns = optimize.linear_sum_assignment(-table)
            best = {tracks[r]: c for r, c in zip(rows, columns, strict=True) if table[r, c] >= 0.2}
            compared += len(best)
            assert greedy == best
        tracker.update(faces, i / 25)
    assert compared > 1000


def test_patience_outlives_a_person_walking_past() -> None:
    tracker = Tracker()
    (before,) = tracker.update([face(40)], 0.0)
    for frame in range(1, 37):  # a head that crosses another covers it for a good second
        tracker.update([], frame / 25)
    (after,) = tracker.update([face(40)], 37 / 25)
    assert after.id == before.id
