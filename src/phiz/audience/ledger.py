"""From the groups of each minute to changes of stored rows, none of which tells the group of fewer than k."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .calendar import Calendar
from .effect import Effect, Effects
from .totals import EVERYBODY, HOUR, MINUTE, NO_DWELL, NOTHING, OTHERS, Group, Key, Rows, Shown, Totals, add


@dataclass
class Changes:
    """What the database has not got yet.

    added: totals to add to rows. moved: totals to take out of a period's mixed row and add to a group's.
    effects: to add to rows by content. cells: of periods that are over, by content and group together.
    until: the instant at which the last minute in here ends. closed: whether no more will come.
    source: a number by which a database keeps the running rows of several counters apart.
    """

    added: Rows = field(default_factory=dict)
    moved: Rows = field(default_factory=dict)
    until: int = 0
    closed: bool = False
    source: int = 1
    effects: Effects = field(default_factory=dict)
    cells: Effects = field(default_factory=dict)


class Ledger:
    """Holds back each group of the running period until k people are in it.

    Meanwhile, and for good where k are never reached, the database has these people in the period's mixed
    row: a loss of power costs their group, not them. Dwell times are counted by group alone, so that there is
    no other way of counting them to subtract.
    period: HOUR or DAY, the time that a group has to reach k people.
    """

    def __init__(self, period: str, k: int, calendar: Calendar) -> None:
        self.changes = Changes(source=secrets.randbits(62) + 2)
        self._start: int | None = None
        self._waiting: dict[Group, Totals] = {}
        self._shown: set[Group] = set()
        self._cells: dict[Shown, Effect] = {}
        self.change(period, k, calendar)

    def change(self, period: str, k: int, calendar: Calendar) -> None:
        """Go on with other settings, in a new period."""
        self.end_period()
        self._period, self._k, self._calendar = period, k, calendar

    def add(
        self, minute: int, groups: Mapping[Group, Totals], effects: Mapping[Shown, Effect] | None = None
    ) -> None:
        """Take in the groups of a minute, or of a part of one; it begins at the instant `minute`.

        effects: the same people by content and group, and how long each content was on (group ALL); None
        where no content is known.
        """
        start = self._calendar.start(minute, self._period)
        if start != self._start:
            self.end_period()
            self._start = start
        everybody = sum(groups.values(), Totals())
        hour = Key(self._calendar.start(minute, HOUR), HOUR, EVERYBODY)
        time = Key(minute, MINUTE, EVERYBODY) if everybody.people >= self._k else hour
        by_time = replace(everybody, dwell=NO_DWELL)
        add(self.changes.added, {time: by_time, Key(start, self._period, OTHERS): everybody})
        for group, totals in groups.items():
            self._waiting[group] = self._waiting.get(group, Totals()) + totals
            if self._waiting[group].people >= self._k:
                self._show(start, group)
        for shown, effect in (_unknown(groups) if effects is None else effects).items():
            of_all = Shown(shown.content, shown.random)
            add(self.changes.effects, {Key(start, self._period, of_all): effect})
            if shown != of_all:
                self._cells[shown] = self._cells.get(shown, Effect()) + effect
        self.changes.until = minute + 60
        if minute + 60 >= self._calendar.end(start, self._period):
            self.end_period()

    def end_period(self) -> None:
        """Let those who still wait join their group where the database has it; the others stay mixed."""
        if self._start is not None:
            for group in self._shown & self._waiting.keys():
                self._show(self._start, group)
            add(
                self.changes.cells,
                {Key(self._start, self._period, shown): cell for shown, cell in self._cells.items()},
            )
        self._waiting.clear()
        self._shown.clear()
        self._cells.clear()
        self._start = None

    def taken(self) -> None:
        """Begin with no changes: the database has them."""
        self.changes = replace(self.changes, added={}, moved={}, effects={}, cells={})

    def close(self) -> None:
        """End the period and say that nothing more will come."""
        self.end_period()
        self.changes.closed = True

    def _show(self, start: int, group: Group) -> None:
        add(self.changes.moved, {Key(start, self._period, group): self._waiting.pop(group)})
        self._shown.add(group)


def _unknown(groups: Mapping[Group, Totals]) -> dict[Shown, Effect]:
    return {
        NOTHING._replace(age=group.age, gender=group.gender): Effect(
            totals.people, totals.people, totals.presence, totals.attention
        )
        for group, totals in groups.items()
    }
