"""What contents were worth: for how long each was shown, to how many people, and how long they faced it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass

from .calendar import Calendar
from .merging import merge
from .totals import ALL, HOUR, MIXED_CONTENT, NOTHING, Key, Shown

#: Quantile of the normal distribution for an interval of 95%.
Z = 1.96
#: Fewest people, counted by `Effect.effective`, for figures that can be compared.
FEWEST = 20


@dataclass(frozen=True, slots=True)
class Effect:
    """Sums over people and over the time in which a content was shown.

    people: tracks that began while it was on. viewers: tracks that were in view while it was on.
    presence, attention: milliseconds in view while it was on, and of those facing the screen.
    squared: attention of each person squared, added up, in 1000 square milliseconds.
    shown: milliseconds for which it was on and the camera saw.
    """

    people: int = 0
    viewers: int = 0
    presence: int = 0
    attention: int = 0
    squared: int = 0
    shown: int = 0

    def __add__(self, other: Effect) -> Effect:
        return Effect(*(a + b for a, b in zip(self.values(), other.values(), strict=True)))

    def __bool__(self) -> bool:
        return any(self.values())

    @property
    def nobody(self) -> bool:
        """Whether it is of a content that nobody saw."""
        return not (self.people or self.viewers or self.presence)

    @property
    def rate(self) -> float | None:
        """Seconds of attention for each second shown; None where it was not shown."""
        return self.attention / self.shown if self.shown else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95% interval of the rate, None where there was no attention.

        Attention is a sum over people who come independently of each other (a compound Poisson process), so
        its variance is estimated by the sum of the squares; the interval is symmetric in the logarithm.
        People who come together make it too narrow.
        """
        if not self.shown or not self.attention or not self.squared:
            return None
        factor = math.exp(Z / math.sqrt(self.effective))
        rate = self.attention / self.shown
        return rate / factor, rate * factor

    @property
    def effective(self) -> float:
        """How many people of equal attention would tell as much (Kish's effective sample size)."""
        return self.attention**2 / (1000 * self.squared) if self.squared else 0.0

    @property
    def too_few(self) -> bool:
        """Whether the figures are too small to compare."""
        return self.effective < FEWEST

    def values(self) -> tuple[int, ...]:
        """Return every figure, in the order of the database's columns."""
        return astuple(self)


Effects = dict[Key, Effect]


def of_all(key: Key) -> bool:
    """Whether a row by content is about everybody, not about a group."""
    return key.group.age == ALL


@dataclass(frozen=True, slots=True)
class EffectLine:
    """A content in the whole time of a report; effect: None where there are fewer than k people."""

    shown: Shown
    effect: Effect | None


def effect_report(
    rows: Mapping[Key, Effect], k: int, calendar: Calendar, groups_per: str = HOUR
) -> list[EffectLine]:
    """Return a line for each content, by name, each followed by those of its groups as far as these are told.

    rows: of a Store. k: people to a line; one below that of the store changes nothing.
    """
    contents = {key: effect for key, effect in rows.items() if of_all(key)}
    sums: dict[Shown, Effect] = {}
    untold = False
    for key, effect in merge(contents, k, calendar, groups_per).items():
        if effect.people >= k:
            _add(sums, key, effect)
        else:  # added to no other, or subtracting would tell it
            untold = True
    cells: dict[Shown, Effect] = {}
    for key, effect in rows.items():
        if not of_all(key):
            _add(cells, key, effect)
    sums |= {shown: cell for shown, cell in cells.items() if cell.people >= k}
    lines = [EffectLine(shown, sums[shown]) for shown in sorted(sums, key=_order)]
    if untold and MIXED_CONTENT not in sums:
        lines.append(EffectLine(MIXED_CONTENT, None))
    return lines


def _add(sums: dict[Shown, Effect], key: Key, effect: Effect) -> None:
    assert isinstance(key.group, Shown)
    sums[key.group] = sums.get(key.group, Effect()) + effect


def _order(shown: Shown) -> tuple[object, ...]:
    name = (shown.content, False)
    return (name in (NOTHING[:2], MIXED_CONTENT[:2]), shown.content, shown.random, shown.age != ALL, shown)
