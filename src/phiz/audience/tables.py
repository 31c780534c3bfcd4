"""The tables of rows: what is told, and what is not told yet."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from .database import Database, Execute
from .totals import DWELL_EDGES, Group, Key, Rows, Totals

DWELL_COLUMNS = [
    f"dwell_{low}_{high}" for low, high in zip((0, *DWELL_EDGES), (*DWELL_EDGES, "more"), strict=True)
]
KEY_COLUMNS = ("start", "period", "age", "gender")
SUM_COLUMNS = ("people", "presence_ms", "attention_ms", *DWELL_COLUMNS)
_COLUMNS = ", ".join(KEY_COLUMNS + SUM_COLUMNS)
_KEY = ", ".join(KEY_COLUMNS)
_TYPES = "start BIGINT NOT NULL, period TEXT NOT NULL, age TEXT NOT NULL, gender TEXT NOT NULL, " + ", ".join(
    f"{column} BIGINT NOT NULL CHECK ({column} >= 0)" for column in SUM_COLUMNS
)
_TABLES = (
    "audience_settings (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
    f"audience_totals ({_TYPES}, PRIMARY KEY ({_KEY}))",
    f"audience_running (source BIGINT NOT NULL, {_TYPES}, PRIMARY KEY (source, {_KEY}))",
)
_VALUES = ", ".join("?" * len(KEY_COLUMNS + SUM_COLUMNS))
_UPSERT = (
    f"INSERT INTO audience_totals ({_COLUMNS}) VALUES ({_VALUES}) ON CONFLICT ({_KEY}) DO UPDATE SET "
    + ", ".join(f"{column} = audience_totals.{column} + excluded.{column}" for column in SUM_COLUMNS)
)
_FOREVER = 2**62

#: The running rows by the counter that they are of.
Running = dict[int, Rows]
#: In place of a counter: people who are too few to tell alone and wait for more of their day.
WAITING = 0


def create(database: Database, execute: Execute) -> None:
    """Make the tables where there are none."""
    for table in _TABLES:
        execute(database.create_table(table), ())


def add_told(execute: Execute, key: Key, totals: Totals) -> None:
    """Add totals to a row of what is told."""
    execute(_UPSERT, _values(key, totals))


def told(execute: Execute, since: int = 0, before: int = _FOREVER) -> Rows:
    """Return what is told of periods that begin at `since` or later and before `before`."""
    sql = f"SELECT {_COLUMNS} FROM audience_totals WHERE start >= ? AND start < ?"
    return dict(_row(*found) for found in execute(sql, (since, before)))


def delete_told(execute: Execute, before: int = _FOREVER) -> None:
    """Delete what is told of periods that begin before an instant."""
    execute("DELETE FROM audience_totals WHERE start < ?", (before,))


def running(execute: Execute) -> Running:
    """Return what is not told yet."""
    found: Running = defaultdict(dict)
    for source, *row in execute(f"SELECT source, {_COLUMNS} FROM audience_running", ()):
        key, totals = _row(*row)
        found[source][key] = totals
    return found


def replace_running(execute: Execute, new: Running) -> None:
    """Keep this as all that is not told yet.

    Rows are not changed one by one: SQLite leaves nothing at all of a table that is emptied at once.
    """
    execute("DELETE FROM audience_running", ())
    for source, rows in new.items():
        for key, totals in rows.items():
            sql = f"INSERT INTO audience_running (source, {_COLUMNS}) VALUES (?, {_VALUES})"
            execute(sql, (source, *_values(key, totals)))


def _values(key: Key, totals: Totals) -> tuple[int | str, ...]:
    return (key.start, key.period, *key.group, *totals.values())


def _row(start: int, period: str, age: str, gender: str, *sums: Any) -> tuple[Key, Totals]:
    people, presence, attention, *dwell = sums
    return Key(start, period, Group(age, gender)), Totals(people, presence, attention, tuple(dwell))
