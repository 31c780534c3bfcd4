"""Exposures: from when to when each content was on, cut at full minutes."""

from __future__ import annotations

from datetime import datetime, timedelta

from screens import NOON

from phiz.signage.exposure import Exposure, Exposures


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_a_change_ends_one_and_begins_the_next() -> None:
    seen = Exposures()
    assert seen.update(at(0), {"a": False}) == []
    assert seen.update(at(10), {"a": False}) == []
    assert seen.update(at(20), {"b": False}) == [Exposure("a", at(0), at(20), False)]
    assert seen.update(at(30), {}) == [Exposure("b", at(20), at(30), False)]
    assert seen.update(at(40), {}) == []


def test_no_exposure_reaches_over_a_full_minute() -> None:
    seen, ended = Exposures(), []
    for second in range(50, 200, 5):
        ended += seen.update(at(second), {"a": False} if second < 190 else {})
    spans = [(50, 60), (60, 120), (120, 180), (180, 190)]
    assert ended == [Exposure("a", at(start), at(end), False) for start, end in spans]


def test_a_random_minute_is_apart_from_what_was_on_before() -> None:
    seen = Exposures()
    seen.update(at(0), {"a": False})
    assert seen.update(at(9), {"a": True}) == [Exposure("a", at(0), at(9), False)]
    assert seen.update(at(12), {}) == [Exposure("a", at(9), at(12), True)]


def test_a_clock_that_is_set_adds_no_time() -> None:
    seen = Exposures()
    seen.update(at(0), {"a": False})
    seen.update(at(5), {"a": False})
    assert seen.update(at(50_000_000), {"a": False}) == [Exposure("a", at(0), at(5), False)]
    assert seen.update(at(50_000_004), {"b": False}) == [Exposure("a", at(50_000_000), at(50_000_004), False)]
    assert seen.update(at(100), {"b": False}) == []  # set back: the span had no length yet
    assert seen.update(at(105), {}) == [Exposure("b", at(100), at(105), False)]
