"""The database of audience totals: its settings, and rows of whole groups only.

Every write merges what became too small to keep and deletes what became too old, in the same transaction.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from ..errors import PhizError
from .calendar import Calendar, machine_zone
from .database import Database, Execute, PostgresDatabase, SqliteDatabase, StoreError, is_url
from .ledger import Changes
from .merging import merge
from .totals import DAY, DWELL_EDGES, HOUR, OTHERS, Group, Key, Rows, Totals

DWELL_COLUMNS = [
    f"dwell_{low}_{high}" for low, high in zip((0, *DWELL_EDGES), (*DWELL_EDGES, "more"), strict=True)
]
KEY_COLUMNS = ("start", "period", "age", "gender")
SUM_COLUMNS = ("people", "presence_ms", "attention_ms", *DWELL_COLUMNS)
_COLUMNS = ", ".join(KEY_COLUMNS + SUM_COLUMNS)
_TOTALS_TABLE = (
    "audience_totals (start BIGINT NOT NULL, period TEXT NOT NULL, age TEXT NOT NULL, gender TEXT NOT NULL, "
    + ", ".join(f"{column} BIGINT NOT NULL CHECK ({column} >= 0)" for column in SUM_COLUMNS)
    + f", PRIMARY KEY ({', '.join(KEY_COLUMNS)}))"
)
_SETTINGS_TABLE = "audience_settings (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)"
_UPSERT = (
    f"INSERT INTO audience_totals ({_COLUMNS}) VALUES ({', '.join('?' * len(KEY_COLUMNS + SUM_COLUMNS))}) "
    f"ON CONFLICT ({', '.join(KEY_COLUMNS)}) DO UPDATE SET "
    + ", ".join(f"{column} = audience_totals.{column} + excluded.{column}" for column in SUM_COLUMNS)
)
_FOREVER = 2**62
_THIS_ROW = " AND ".join(f"{column} = ?" for column in KEY_COLUMNS)


@dataclass(frozen=True)
class Settings:
    """What a database is told once and keeps.

    k: people that a group needs before its age band and gender are stored.
    retention: days after which a row is deleted.
    groups_per: HOUR or DAY, the time that a group has to reach k people.
    zone: IANA time zone whose hours and days are counted; "" for the machine's own.
    """

    k: int = 5
    retention: int = 90
    groups_per: str = HOUR
    zone: str = ""

    def __post_init__(self) -> None:
        if self.k < 2:
            raise PhizError(f"k: expected 2 or more, got {self.k}; 1 would store rows about one person")
        if self.retention < 1:
            raise PhizError(f"retention: expected 1 day or more, got {self.retention}")
        if self.groups_per not in (HOUR, DAY):
            raise PhizError(f"groups: expected hour or day, got {self.groups_per!r}")
        assert self.calendar  # raises for an unknown zone

    @cached_property
    def calendar(self) -> Calendar:
        """The hours and days of the zone."""
        return Calendar(self.zone)


class Store:
    """An open audience database; `settings` are as of the last transaction. Raises StoreError throughout."""

    def __init__(self, database: Database, settings: Settings | None = None) -> None:
        self._database = database
        self._settled: int | None = None
        with database.transaction(write=settings is not None) as execute:
            if settings is not None:
                for table in (_TOTALS_TABLE, _SETTINGS_TABLE):
                    execute(database.create_table(table), ())
                if not execute("SELECT name FROM audience_settings", ()):
                    _save(execute, settings)
            self.settings = self._load(execute)

    @property
    def name(self) -> str:
        """What messages call the database."""
        return self._database.name

    def write(self, changes: Changes, now: float | None = None) -> None:
        """Keep the changes, all or none. now: Unix time that retention counts from, for tests."""
        with self._database.transaction() as execute:
            self.settings = self._load(execute)
            for key, totals in changes.added.items():
                _add(execute, key, totals)
            for key, totals in changes.moved.items():
                _move(execute, key, totals, self.settings.k)
            hour = self.settings.calendar.start(changes.until, HOUR)
            if hour != self._settled or changes.moved:
                self._settle(execute, changes.until)
            self._expire(execute, now)
        self._settled = hour

    def rows(self, since: int | None = None, before: int | None = None, now: float | None = None) -> Rows:
        """Return the rows of periods that begin at `since` or later and before `before`, none too old."""
        with self._database.transaction(write=False) as execute:
            self.settings = self._load(execute)
            oldest = self._oldest(now)
            return _select(
                execute,
                oldest if since is None else max(since, oldest),
                _FOREVER if before is None else before,
            )

    def expire(self, now: float | None = None) -> None:
        """Delete the rows that are too old."""
        with self._database.transaction() as execute:
            self._expire(execute, now)

    def change(self, now: float | None = None, **values: Any) -> None:
        """Change settings by the names of Settings, and make what is stored fit them."""
        with self._database.transaction() as execute:
            old = self._load(execute)
            new = replace(old, **values)
            if new.zone != old.zone and execute("SELECT start FROM audience_totals LIMIT 1", ()):
                raise StoreError(
                    f"{self.name}: the time zone can be set only before the first minute is counted, because "
                    "stored hours and days cannot be cut anew; begin another database"
                )
            _save(execute, new)
            self.settings = new
            self._settle(execute, int(time.time() if now is None else now))
            self._expire(execute, now)

    def close(self) -> None:
        """Give the connection back."""
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _load(self, execute: Execute) -> Settings:
        saved: dict[str, str] = dict(execute("SELECT name, value FROM audience_settings", ()))
        try:
            return Settings(int(saved["k"]), int(saved["retention"]), saved["groups_per"], saved["zone"])
        except (KeyError, ValueError) as error:
            raise StoreError(f"{self.name}: its settings are damaged ({error}); restore a copy") from error

    def _settle(self, execute: Execute, until: int) -> None:
        """Merge what has too few people in the periods that ended by `until`."""
        calendar, k = self.settings.calendar, self.settings.k
        small = execute("SELECT DISTINCT start FROM audience_totals WHERE people < ?", (k,))
        for day in {calendar.start(start, DAY) for (start,) in small}:
            rows = _select(execute, day, calendar.end(day, DAY))
            merged = merge(rows, k, calendar, until)
            for key in [key for key in rows if merged.get(key) != rows[key]]:
                _delete(execute, key)
            for key in [key for key in merged if merged[key] != rows.get(key)]:
                _add(execute, key, merged[key])

    def _oldest(self, now: float | None) -> int:
        return int((time.time() if now is None else now) - 86400 * self.settings.retention)

    def _expire(self, execute: Execute, now: float | None) -> None:
        execute("DELETE FROM audience_totals WHERE start < ?", (self._oldest(now),))


def open_store(place: str | os.PathLike[str], *, create: bool = True, **settings: Any) -> Store:
    """Open the database in a file, or on a server by its postgresql:// URL.

    create: make it where there is none; `settings`, by the names of Settings, are then its own.
    Raises StoreError, also for a database of another program, and PhizError for settings out of range.
    """
    place = os.fspath(place)
    database: Database
    database = PostgresDatabase(place) if is_url(place) else SqliteDatabase(place, create=create)
    return Store(database, Settings(**{"zone": machine_zone()} | settings) if create else None)


def _add(execute: Execute, key: Key, totals: Totals) -> None:
    execute(_UPSERT, (key.start, key.period, *key.group, *totals.values()))


def _move(execute: Execute, key: Key, totals: Totals, k: int) -> None:
    """Take people out of their period's mixed row into their group's, where both rows can bear it.

    They stay mixed where another program has merged that row meanwhile, or the group would be under k.
    """
    mixed = key._replace(group=OTHERS)
    rest = _get(execute, mixed) + -totals
    if min(rest.values()) >= 0 and (_get(execute, key) + totals).people >= k:
        _delete(execute, mixed)
        if rest:
            _add(execute, mixed, rest)
        _add(execute, key, totals)


def _delete(execute: Execute, key: Key) -> None:
    execute(f"DELETE FROM audience_totals WHERE {_THIS_ROW}", (key.start, key.period, *key.group))


def _get(execute: Execute, key: Key) -> Totals:
    sql = f"SELECT {_COLUMNS} FROM audience_totals WHERE {_THIS_ROW}"
    return _rows(execute(sql, (key.start, key.period, *key.group))).get(key, Totals())


def _select(execute: Execute, since: int, before: int) -> Rows:
    sql = f"SELECT {_COLUMNS} FROM audience_totals WHERE start >= ? AND start < ?"
    return _rows(execute(sql, (since, before)))


def _rows(found: Iterable[tuple[Any, ...]]) -> Rows:
    return {
        Key(start, period, Group(age, gender)): Totals(people, presence, attention, tuple(dwell))
        for start, period, age, gender, people, presence, attention, *dwell in found
    }


def _save(execute: Execute, settings: Settings) -> None:
    execute("DELETE FROM audience_settings", ())
    for field in fields(Settings):
        value = str(getattr(settings, field.name))
        execute("INSERT INTO audience_settings (name, value) VALUES (?, ?)", (field.name, value))
