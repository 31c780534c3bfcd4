"""What is counted, and the group and period that a count belongs to."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from ..ages import AGE_BANDS, age_band
from ..types import Face
from ..words import NOT_SURE as NOT_SURE  # also the name of a group
from ..words import PROBABLE

#: Seconds at which the bins of dwell time begin, after the first, which begins at 0.
DWELL_EDGES = (5, 15, 30, 60, 180)
NO_DWELL = (0,) * (len(DWELL_EDGES) + 1)
DWELL_NAMES = ("0-5 s", "5-15 s", "15-30 s", "30-60 s", "60-180 s", "180+ s")

MINUTE, HOUR, DAY = "minute", "hour", "day"
#: In place of age and gender: everybody of a minute, hour or day; or everybody whose group was too small.
ALL, MIXED = "all", "mixed"
#: The age bands, youngest first.
AGES = tuple(age_band(low) for low, _ in AGE_BANDS)
#: Track.facing from which a face counts as turned to the screen: within about 30 degrees.
FACING = 0.7
#: Share of an age's interval that has to lie in the age's band for the band to count as told.
SURE_AGE = 0.5


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over a group of people.

    people: tracks that began. presence, attention: milliseconds in view, and of those facing the screen.
    dwell: tracks that ended, by how long they lasted, in the bins of DWELL_NAMES.
    """

    people: int = 0
    presence: int = 0
    attention: int = 0
    dwell: tuple[int, ...] = NO_DWELL

    def __add__(self, other: Totals) -> Totals:
        dwell = tuple(a + b for a, b in zip(self.dwell, other.dwell, strict=True))
        return Totals(
            self.people + other.people,
            self.presence + other.presence,
            self.attention + other.attention,
            dwell,
        )

    def __neg__(self) -> Totals:
        return Totals(-self.people, -self.presence, -self.attention, tuple(-n for n in self.dwell))

    def __bool__(self) -> bool:
        return any(self.values())

    @property
    def nobody(self) -> bool:
        """Whether there are dwell times alone: these were too few for the rows of their people."""
        return not any(self.values()[:3])

    def values(self) -> tuple[int, ...]:
        """Return every figure, in the order of the database's columns."""
        return (self.people, self.presence, self.attention, *self.dwell)


class Group(NamedTuple):
    """An age band and a gender, each or both NOT_SURE; or ALL, or MIXED."""

    age: str
    gender: str


EVERYBODY, OTHERS = Group(ALL, ALL), Group(MIXED, MIXED)


class Shown(NamedTuple):
    """A content that was on the screen, and of whom it tells: everybody (ALL), or an age band and a gender.

    random: shown at a time when who was there did not matter.
    """

    content: str
    random: bool = False
    age: str = ALL
    gender: str = ALL


#: In place of a content: no content was told, or contents that too few people saw.
NOTHING, MIXED_CONTENT = Shown("(nothing)"), Shown("(mixed)")


class Key(NamedTuple):
    """What a stored row is about: a minute, hour or day by its first second (Unix time), and of whom."""

    start: int
    period: str
    group: Group | Shown


Rows = dict[Key, Totals]


def group_of(face: Face) -> Group:
    """Return the group that a face is counted in: age band and gender, each NOT_SURE where it is not told.

    The band is that of the age, whatever its interval: most intervals are wider than most bands.
    """
    return Group(NOT_SURE if face.age is None else age_band(face.age), told_gender(face))


def told_gender(face: Face) -> str:
    """Return the gender of a face, NOT_SURE where none is named or its probability is below PROBABLE."""
    if face.gender is None or face.gender_score is None or face.gender_score < PROBABLE:
        return NOT_SURE
    return face.gender


def told_age(face: Face) -> str:
    """Return the age band of a face, NOT_SURE where it has no age or its interval lies mostly elsewhere.

    A face without an interval (its model's card has no calibration) has the band of its age.
    """
    if face.age is None:
        return NOT_SURE
    band, interval = age_band(face.age), face.age_interval
    if interval is None or interval[1] <= interval[0]:
        return band
    low, high = AGE_BANDS[AGES.index(band)]
    # A band of whole years, 20-39, ends where the next begins, at 40.
    inside = min(interval[1], math.inf if high is None else high + 1) - max(interval[0], low)
    return band if inside >= SURE_AGE * (interval[1] - interval[0]) else NOT_SURE


def dwell_bin(seconds: float) -> tuple[int, ...]:
    """Return a one in the bin of DWELL_NAMES that a dwell time falls into, zeros elsewhere."""
    place = bisect_right(DWELL_EDGES, seconds)
    return tuple(int(place == i) for i in range(len(DWELL_NAMES)))


class Sums(Protocol):
    """Figures of people that can be added up: Totals, or an Effect."""

    @property
    def people(self) -> int: ...  # noqa: D102
    @property
    def nobody(self) -> bool: ...  # noqa: D102
    def __add__(self: Any, other: Any) -> Any: ...


Some = TypeVar("Some", bound=Sums)


def add(rows: dict[Key, Some], more: Mapping[Key, Some]) -> None:
    """Add rows to rows; one that comes to nothing goes."""
    for key, sums in more.items():
        total = rows[key] + sums if key in rows else sums
        if total:
            rows[key] = total
        else:
            rows.pop(key, None)
