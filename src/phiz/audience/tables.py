"""The tables of rows: what is told, and what is not told yet; and what is on the screen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Generic

from .attention import Exposure
from .database import Database, Execute
from .effect import Effect
from .totals import DWELL_EDGES, Group, Key, Shown, Some, Totals

DWELL_COLUMNS = [
    f"dwell_{low}_{high}" for low, high in zip((0, *DWELL_EDGES), (*DWELL_EDGES, "more"), strict=True)
]
_FOREVER = 2**62

#: In place of a counter: people who are too few to tell alone and wait for more of their day.
WAITING = 0


class Table(Generic[Some]):
    """Rows of one kind in two tables: told ones, and running ones with the counter that they are of.

    about: columns beside start and period that say what a row is about, with their types. sums: the figures.
    group, read: make a Key.group of the former and the sums of the latter.
    """

    def __init__(
        self,
        told: str,
        running: str,
        about: dict[str, str],
        sums: list[str],
        group: Callable[..., Any],
        read: Callable[..., Some],
    ) -> None:
        self._told, self._running, self._group, self._read = told, running, group, read
        self._width = 2 + len(about)
        keys = {"start": "BIGINT", "period": "TEXT"} | about
        self.key_columns = tuple(keys)
        key, columns = ", ".join(keys), ", ".join([*keys, *sums])
        types = ", ".join(f"{name} {kind} NOT NULL" for name, kind in keys.items())
        types += "".join(f", {name} BIGINT NOT NULL CHECK ({name} >= 0)" for name in sums)
        self._columns, self._values = columns, ", ".join("?" * (len(keys) + len(sums)))
        self._tables = (
            f"{told} ({types}, PRIMARY KEY ({key}))",
            f"{running} (source BIGINT NOT NULL, {types}, PRIMARY KEY (source, {key}))",
        )
        self._upsert = (
            f"INSERT INTO {told} ({columns}) VALUES ({self._values}) ON CONFLICT ({key}) DO UPDATE SET "
            + ", ".join(f"{column} = {told}.{column} + excluded.{column}" for column in sums)
        )

    def create(self, database: Database, execute: Execute) -> None:
        """Make the tables where there are none."""
        for table in self._tables:
            execute(database.create_table(table), ())

    def add_told(self, execute: Execute, key: Key, sums: Some) -> None:
        """Add sums to a row of what is told."""
        execute(self._upsert, _plain(key, sums))

    def told(self, execute: Execute, since: int = 0, before: int = _FOREVER) -> dict[Key, Some]:
        """Return what is told of periods that begin at `since` or later and before `before`."""
        sql = f"SELECT {self._columns} FROM {self._told} WHERE start >= ? AND start < ?"
        return dict(self._row(found) for found in execute(sql, (since, before)))

    def delete(self, execute: Execute, before: int = _FOREVER, *, running: bool = True) -> None:
        """Delete rows of periods that begin before an instant."""
        for table in (self._told, self._running) if running else (self._told,):
            execute(f"DELETE FROM {table} WHERE start < ?", (before,))

    def running(self, execute: Execute) -> dict[int, dict[Key, Some]]:
        """Return what is not told yet, by the counter that it is of."""
        found: dict[int, dict[Key, Some]] = defaultdict(dict)
        for source, *row in execute(f"SELECT source, {self._columns} FROM {self._running}", ()):
            key, sums = self._row(row)
            found[source][key] = sums
        return found

    def replace_running(self, execute: Execute, new: dict[int, dict[Key, Some]]) -> None:
        """Keep this as all that is not told yet.

        Rows are not changed one by one: SQLite leaves nothing at all of a table that is emptied at once.
        """
        execute(f"DELETE FROM {self._running}", ())
        for source, rows in new.items():
            for key, sums in rows.items():
                sql = f"INSERT INTO {self._running} (source, {self._columns}) VALUES (?, {self._values})"
                execute(sql, (source, *_plain(key, sums)))

    def _row(self, row: Any) -> tuple[Key, Some]:
        start, period, *about = row[: self._width]
        return Key(start, period, self._group(*about)), self._read(*row[self._width :])


def _plain(key: Key, sums: Any) -> tuple[int | str, ...]:
    about = (int(value) if isinstance(value, bool) else value for value in key.group)
    return (key.start, key.period, *about, *sums.values())


def _totals(people: int, presence: int, attention: int, *dwell: int) -> Totals:
    return Totals(people, presence, attention, dwell)


GROUPS: Table[Totals] = Table(
    "audience_totals",
    "audience_running",
    {"age": "TEXT", "gender": "TEXT"},
    ["people", "presence_ms", "attention_ms", *DWELL_COLUMNS],
    Group,
    _totals,
)
EFFECTS: Table[Effect] = Table(
    "audience_effects",
    "audience_effects_running",
    {"content": "TEXT", "random": "BIGINT", "age": "TEXT", "gender": "TEXT"},
    ["people", "viewers", "presence_ms", "attention_ms", "attention_squared", "shown_ms"],
    lambda content, random, age, gender: Shown(content, bool(random), age, gender),
    Effect,
)
_SHOWN = (
    "audience_shown (began_ms BIGINT NOT NULL, content TEXT NOT NULL, random BIGINT NOT NULL, "
    "until_ms BIGINT NOT NULL, told BIGINT NOT NULL, PRIMARY KEY (began_ms, content, random))"
)


def create(database: Database, execute: Execute) -> None:
    """Make the tables where there are none."""
    execute(
        database.create_table("audience_settings (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)"), ()
    )
    GROUPS.create(database, execute)
    create_effects(database, execute)


def create_effects(database: Database, execute: Execute) -> None:
    """Make the tables for contents where there are none, as in databases from before there were any."""
    EFFECTS.create(database, execute)
    execute(database.create_table(_SHOWN), ())


def add_shown(execute: Execute, exposure: Exposure, now: float) -> None:
    """Keep what was on the screen. now: Unix time, from which it counts as old."""
    began, until = round(1000 * exposure.start), round(1000 * exposure.end)
    content, random = exposure.shown.content, int(exposure.shown.random)
    execute(
        "DELETE FROM audience_shown WHERE began_ms = ? AND content = ? AND random = ?",
        (began, content, random),
    )
    execute(
        "INSERT INTO audience_shown (began_ms, until_ms, content, random, told) VALUES (?, ?, ?, ?, ?)",
        (began, until, content, random, int(now)),
    )


def shown(execute: Execute, since: float, before: float) -> list[Exposure]:
    """Return what was on the screen at any time from `since` to `before`."""
    sql = "SELECT began_ms, until_ms, content, random FROM audience_shown WHERE until_ms > ? AND began_ms < ?"
    return [
        Exposure(began / 1000, until / 1000, Shown(content, bool(random)))
        for began, until, content, random in execute(sql, (round(1000 * since), round(1000 * before)))
    ]


def delete_shown(execute: Execute, told: float) -> None:
    """Delete what was told of the screen before a time."""
    execute("DELETE FROM audience_shown WHERE told < ?", (int(told),))
