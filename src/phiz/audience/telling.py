"""From running rows to told ones: whole units of time, merged, and only what is about k people or more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import tables
from .cells import tellable_cells
from .database import Execute
from .effect import Effects
from .merging import day_row, hide_dwell, merge, tellable
from .totals import NO_DWELL, OTHERS, Key, Rows, Totals, add

if TYPE_CHECKING:
    from .store import Settings


class Telling:
    """Tells, within one transaction, what counters have; running, effects: their rows, which it changes."""

    def __init__(
        self, execute: Execute, settings: Settings, running: dict[int, Rows], effects: dict[int, Effects]
    ) -> None:
        self._execute, self._running, self._effects = execute, running, effects
        self._k, self._calendar, self._unit = settings.k, settings.calendar, settings.groups_per

    def tell(self, source: int, until: float | None, cells: Effects | None = None) -> None:
        """Tell what a counter has of units that ended by `until`; None: of all."""
        k, calendar, unit = self._k, self._calendar, self._unit
        running, effects = self._running, self._effects

        def over(key: Key) -> bool:
            return until is None or calendar.end(calendar.start(key.start, unit), unit) <= until

        ended = {key: totals for key, totals in running[source].items() if over(key)}
        running[source] = {key: totals for key, totals in running[source].items() if key not in ended}
        ended_effects = {key: effect for key, effect in effects[source].items() if over(key)}
        effects[source] = {key: sums for key, sums in effects[source].items() if key not in ended_effects}
        groups = merge(ended, k, calendar, unit)
        contents = merge(ended_effects, k, calendar, unit)
        self._add_groups(groups)
        self._add_effects(contents)
        told_groups = {key: totals for key, totals in groups.items() if totals.people >= k}
        told_contents = {key: effect for key, effect in contents.items() if effect.people >= k}
        for key, cell in tellable_cells(cells or {}, told_groups, told_contents, k).items():
            tables.EFFECTS.add_told(self._execute, key, cell)

    def _add_groups(self, merged: Rows) -> None:
        """Add what is about k people or more of merged rows to what is told, and let the rest wait."""
        k, calendar, waiting = self._k, self._calendar, self._running[tables.WAITING]
        more: Rows = {}
        for key, totals in merged.items():
            if totals.people >= k:
                tables.GROUPS.add_told(self._execute, key, hide_dwell(totals, k))
                totals += -hide_dwell(totals, k)
                key = day_row(key._replace(group=OTHERS), calendar)
            add(more, {key: totals})
        add(waiting, more)
        for key in more.keys() & waiting.keys():
            people = replace(waiting[key], dwell=NO_DWELL) if waiting[key].people >= k else Totals()
            told = replace(people, dwell=waiting[key].dwell) if tellable(waiting[key].dwell, k) else people
            if told:
                tables.GROUPS.add_told(self._execute, key, told)
                add(waiting, {key: -told})

    def _add_effects(self, merged: Effects) -> None:
        """Do the same for rows by content."""
        k, waiting = self._k, self._effects[tables.WAITING]
        add(waiting, {key: effect for key, effect in merged.items() if effect.people < k})
        for key, effect in merged.items():
            if effect.people < k and waiting[key].people >= k:
                tables.EFFECTS.add_told(self._execute, key, waiting.pop(key))
            elif effect.people >= k:
                tables.EFFECTS.add_told(self._execute, key, effect)


def move(rows: Rows, key: Key, totals: Totals, k: int) -> None:
    """Take people out of their period's mixed row into their group's, where both rows can bear it.

    They stay mixed where the rows were told meanwhile (see store.ABANDONED), or the group would be under k.
    """
    mixed = key._replace(group=OTHERS)
    rest = rows.get(mixed, Totals()) + -totals
    if min(rest.values()) >= 0 and (rows.get(key, Totals()) + totals).people >= k:
        add(rows, {mixed: -totals, key: totals})
