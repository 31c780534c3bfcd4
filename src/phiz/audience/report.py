"""From stored rows to the lines of a report: per minute, hour or day, none about fewer than k people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from .calendar import Calendar
from .merging import hide_dwell, is_time, merge
from .totals import DAY, HOUR, MINUTE, OTHERS, Key, Rows, Totals, add

_ORDER = (MINUTE, HOUR, DAY)


@dataclass(frozen=True, slots=True)
class Line:
    """One group of a period, as reported.

    start, end: of the period, in the report's time zone. period: "minute", "hour" or "day"; one that is
    longer than asked for holds what was too little for the shorter ones in it.
    age, gender: "all" for everybody, "mixed" for the groups that are too small to tell.
    totals: None where there are fewer than k people. Its dwell times are all 0 where they are not told, and
    are all that it has where they were too few for the rows of their people.
    """

    start: datetime
    end: datetime
    period: str
    age: str
    gender: str
    totals: Totals | None


def report(
    rows: Mapping[Key, Totals], per: str, k: int, calendar: Calendar, groups_per: str = HOUR
) -> list[Line]:
    """Return the lines for rows of a Store, in order of time, a row in the period in which it begins.

    per: "minute", "hour" or "day". A minute is told for everybody together, and so is an hour where groups
    have a whole day to fill (see Settings.groups_per). k: people to a line, and to each cell of its dwell
    times, or none of these; one below that of the store changes nothing. Dwell times that were too few for
    their own rows are told by the day.
    """
    by_time = per == MINUTE or (per == HOUR and groups_per == DAY)
    way = {key: totals for key, totals in rows.items() if is_time(key) == by_time}
    summed: Rows = {}
    untold: list[Key] = []
    for key, totals in merge(way, k, calendar, groups_per).items():
        if _ORDER.index(key.period) < _ORDER.index(per):
            key = Key(calendar.start(key.start, per), per, key.group)
        if totals.people < k and not totals.nobody:
            untold.append(key)  # nor added to others, or subtracting would tell it
        elif totals.people or per == DAY:
            add(summed, {key: hide_dwell(totals, k)})
    ends = {key: calendar.end(key.start, key.period) for key in (*summed, *untold)}
    ordered = sorted(ends, key=lambda key: (ends[key], -key.start, key.group == OTHERS, key.group))
    return [
        Line(
            calendar.local(key.start),
            calendar.local(ends[key]),
            key.period,
            key.group.age,
            key.group.gender,
            summed.get(key),
        )
        for key in ordered
    ]
