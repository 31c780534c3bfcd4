"""One ladder for everything that is counted: what would be about fewer than k people joins something larger.

Rows divide the people in three ways, each of which counts everybody once: by time alone (group ALL), by age
band and gender, and by the content that was on when they came. All divide the same units of time, which are
those that groups have to fill (hours or days):

    unit with k people     by time: minute -> the hour's rest -> the day's rest, within the unit
                           by group: age band and gender -> the unit's mixed group
                           by content: content -> the unit's mixed contents
    unit with fewer        all ways: the day's row of such units

So whoever subtracts one way from the other is left with whole rows of one unit, or with whole units.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from operator import add as plus

from .calendar import Calendar
from .totals import (
    DAY,
    EVERYBODY,
    HOUR,
    MINUTE,
    MIXED_CONTENT,
    NO_DWELL,
    OTHERS,
    Group,
    Key,
    Shown,
    Some,
    Totals,
    add,
)


def merge(rows: Mapping[Key, Some], k: int, calendar: Calendar, unit: str = HOUR) -> dict[Key, Some]:
    """Return the rows with every row of fewer than k people merged into a larger one.

    unit: HOUR or DAY. Rows of a unit with fewer than k people come to one row of their day and way, which may
    still have fewer, as do rows about `nobody`, which take nobody along; all others have k or more. A row
    that takes small ones in and still has fewer than k people takes the smallest row beside it in as well,
    however large: else that one's neighbours, taken from a known total, would lay the small ones bare.
    """
    merged: dict[Key, Some] = {}
    units: dict[Key, dict[Key, Some]] = defaultdict(dict)
    for key, totals in rows.items():
        if unit == HOUR and key.period == DAY:  # it has come up the ladder before
            add(merged, {key: totals})
        elif totals.nobody:
            add(merged, {day_row(key, calendar): totals})
        else:
            units[Key(calendar.start(key.start, unit), unit, rest(key))][key] = totals
    for last, way in units.items():
        everybody: Some = reduce(plus, way.values())
        if everybody.people < k:
            add(merged, {day_row(last, calendar): everybody})
        else:
            add(merged, _within(way, k, calendar, unit))
    return merged


def day_row(key: Key, calendar: Calendar) -> Key:
    """Return the last row of a row's way up the ladder: of the day in which it begins."""
    return Key(calendar.start(key.start, DAY), DAY, rest(key))


def rest(key: Key) -> Group | Shown:
    """Return who is told of together where a row's own are too few, which is the same for all of one way."""
    if isinstance(key.group, Shown):
        return MIXED_CONTENT
    return EVERYBODY if is_time(key) else OTHERS


def is_time(key: Key) -> bool:
    """Whether a row divides the people by time alone, not by age and gender or by content."""
    return key.group == EVERYBODY


def tellable(dwell: tuple[int, ...], k: int) -> bool:
    """Whether each cell of a dwell time is about k people or nobody."""
    return all(cell == 0 or cell >= k for cell in dwell)


def hide_dwell(totals: Totals, k: int) -> Totals:
    """Return the totals without their dwell times where a cell of these is about fewer than k people."""
    return totals if tellable(totals.dwell, k) else replace(totals, dwell=NO_DWELL)


def _within(rows: dict[Key, Some], k: int, calendar: Calendar, unit: str) -> dict[Key, Some]:
    """Merge the rows of a unit with k people or more, counted in one way, up to the unit's own rest."""
    merged = dict(rows)
    for period in (HOUR, DAY) if unit == DAY else (HOUR,):
        for upper, lower in _families(merged, period, calendar).items():
            for key in [key for key in lower if merged[key].people < k]:
                _move(merged, key, upper)
                lower.remove(key)
            lower.sort(key=lambda key: (merged[key].people, key), reverse=True)
            while lower and upper in merged and merged[upper].people < k:
                _move(merged, lower.pop(), upper)
    return merged


def _parent(key: Key, calendar: Calendar) -> Key | None:
    """Return the row that a row is merged into where it is too small; None for the last of the ladder."""
    if key.period == MINUTE:
        return Key(calendar.start(key.start, HOUR), HOUR, EVERYBODY)
    if key.group != rest(key):
        return key._replace(group=rest(key))
    if key.period == HOUR:
        return Key(calendar.start(key.start, DAY), DAY, key.group)
    return None


def _families(rows: Mapping[Key, Some], period: str, calendar: Calendar) -> dict[Key, list[Key]]:
    """Return each row of the period that others can be merged into, with all that are below it."""
    families: dict[Key, list[Key]] = defaultdict(list)
    for key in rows:
        upper = _parent(key, calendar)
        while upper is not None:
            if upper.period == period:
                families[upper].append(key)
            upper = _parent(upper, calendar)
    return families


def _move(rows: dict[Key, Some], key: Key, upper: Key) -> None:
    add(rows, {upper: rows.pop(key)})
