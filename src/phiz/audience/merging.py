"""No row about fewer than k people: a small one is merged into a larger, and nothing is counted twice.

Rows divide the people in two ways, each of which counts everybody once: by time alone (group ALL), and by age
band and gender. In either way a row that is too small goes up this ladder:

    minute -> the hour's other minutes -> the day's other hours
    age band and gender -> the period's mixed group -> the day's mixed group
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from .calendar import Calendar
from .totals import ALL, DAY, EVERYBODY, HOUR, MINUTE, OTHERS, Key, Rows, Totals, add


def parent(key: Key, calendar: Calendar) -> Key | None:
    """Return the row that a row is merged into where it is too small; None for the last of the ladder."""
    if key.period == MINUTE:
        return Key(calendar.start(key.start, HOUR), HOUR, EVERYBODY)
    if key.group not in (EVERYBODY, OTHERS):
        return key._replace(group=OTHERS)
    if key.period == HOUR:
        return Key(calendar.start(key.start, DAY), DAY, key.group)
    return None


def merge(rows: Mapping[Key, Totals], k: int, calendar: Calendar, until: float = float("inf")) -> Rows:
    """Return the rows with every row of fewer than k people merged into a larger one.

    Only periods that ended by the instant `until` are touched. A row that gathers small ones and still has
    fewer than k people also takes in the smallest row beside it, however large: else that one's
    neighbours, taken from a known total, would lay the small ones bare. What is left with fewer than k
    people is then the only row of its day.
    """
    merged = {key: totals for key, totals in rows.items() if totals}
    for period in (HOUR, DAY):
        for upper, lower in _families(merged, period, calendar).items():
            ended = (key for key in lower if calendar.end(key.start, key.period) <= until)
            for key in [key for key in ended if merged[key].people < k]:
                _move(merged, key, upper)
                lower.remove(key)
            if calendar.end(upper.start, period) > until:
                continue
            lower.sort(key=lambda key: (merged[key].people, key), reverse=True)
            while lower and upper in merged and merged[upper].people < k:
                _move(merged, lower.pop(), upper)
    return merged


def is_time(key: Key) -> bool:
    """Whether a row divides the people by time alone, not by age and gender."""
    return key.group.age == ALL


def _families(rows: Rows, period: str, calendar: Calendar) -> dict[Key, list[Key]]:
    """Return each row of the period that others can be merged into, with all that are below it."""
    families: dict[Key, list[Key]] = defaultdict(list)
    for key in rows:
        upper = parent(key, calendar)
        while upper is not None:
            if upper.period == period:
                families[upper].append(key)
            upper = parent(upper, calendar)
    return families


def _move(rows: Rows, key: Key, upper: Key) -> None:
    add(rows, {upper: rows.pop(key)})
