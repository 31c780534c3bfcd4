"""Tracks as phiz.stream makes them, without its camera, and what must hold of any rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from phiz.audience import Counter
from phiz.audience.merging import is_time
from phiz.audience.totals import DAY, MIXED, NOT_SURE, Group, Rows, Totals
from phiz.types import Face

#: Midnight of Sunday, 22 November 2026, in UTC.
MIDNIGHT = 1_795_305_600
EVERYBODY, OTHERS = Group("all", "all"), Group(MIXED, MIXED)
WOMEN, MEN, UNSURE = (Group("20-39", gender) for gender in ("female", "male", NOT_SURE))


@dataclass(frozen=True, slots=True)
class MadeTrack:
    """What a counter reads of a track."""

    id: int
    face: Face
    first: float
    last: float
    facing: float = 1.0


class Visit(NamedTuple):
    """One person before the screen, from `first` to `last` seconds."""

    first: float
    last: float
    age: float = 30.0
    gender: str | None = "female"
    facing: float = 1.0
    sure: float = 0.95


def face(age: float | None = 30.0, gender: str | None = "female", sure: float | None = 0.95) -> Face:
    return Face((10.0, 20.0, 30.0, 40.0), 0.9, ((11.0, 21.0),) * 5, age, gender, sure)


def play(counter: Counter, visits: Sequence[Visit], times: Iterable[float]) -> None:
    """Show the counter a frame at each of the times; tracks end with the first frame that lacks them."""
    shown: set[int] = set()
    for time in times:
        seen, ended = [], []
        for number, visit in enumerate(visits, 1):
            looks = face(visit.age, visit.gender, visit.sure)
            if visit.first <= time <= visit.last:
                seen.append(MadeTrack(number, looks, visit.first, time, visit.facing))
                shown.add(number)
            elif number in shown:
                ended.append(MadeTrack(number, looks, visit.first, visit.last, visit.facing))
                shown.discard(number)
        counter.update(seen, time, ended)


def total(rows: Rows, *, by_time: bool = False) -> Totals:
    """Return the sum of the rows by group, or of those by time."""
    return sum((rows[key] for key in rows if is_time(key) == by_time), Totals())


def assert_groups_have(k: int, rows: Rows) -> None:
    """No row says of fewer than k people which minute or which group they were in."""
    for key, totals in rows.items():
        if key.period == "minute" or key.group not in (EVERYBODY, OTHERS):
            assert totals.people >= k, f"{key} shows {totals.people} people"


def assert_nothing_small(k: int, rows: Rows) -> None:
    """Every row has k people, but for the row of its day that still waits for more."""
    assert_groups_have(k, rows)
    for key, totals in rows.items():
        assert totals.people >= k or (key.period == DAY and key.group in (EVERYBODY, OTHERS)), key
