"""The database of audience totals: its settings, what is told, and what is not told yet.

A counter's running hour (or day) stands apart until it is over. Then it is merged; what is about k people
or more is added to what is told, and the rest waits for more people of its day. So whatever is told grows by
k people or more, and no report less another is about fewer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from ..errors import PhizError
from . import tables
from .attention import Exposure
from .calendar import Calendar, machine_zone
from .database import Database, Execute, PostgresDatabase, SqliteDatabase, StoreError, is_url
from .effect import Effects, of_all
from .ledger import Changes
from .merging import merge
from .telling import Telling, move
from .totals import DAY, HOUR, Rows, Shown, add

#: Seconds, by this machine's clock, after which an hour that is over and not told is a killed counter's.
ABANDONED = 2 * 3600.0
#: Seconds for which it is kept what was on the screen: counters ask for it soon after the minute.
KEPT_SHOWN = 900.0
#: Most characters of a content's name.
CONTENT_LENGTH = 200


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
        with database.transaction(write=settings is not None) as execute:
            if settings is not None:
                tables.create(database, execute)
                if not execute("SELECT name FROM audience_settings", ()):
                    _save(execute, settings)
            self.settings = self._load(execute)
            if settings is not None:
                self._finish_abandoned(execute)

    @property
    def name(self) -> str:
        """What messages call the database."""
        return self._database.name

    def write(self, changes: Changes, now: float | None = None) -> None:
        """Keep the changes, all or none. now: Unix time that retention counts from, for tests."""
        with self._writing() as execute:
            running, effects = tables.GROUPS.running(execute), tables.EFFECTS.running(execute)
            mine = running[changes.source]
            add(mine, changes.added)
            for key, totals in changes.moved.items():
                move(mine, key, totals, self.settings.k)
            add(effects[changes.source], changes.effects)
            until = None if changes.closed else changes.until
            Telling(execute, self.settings, running, effects).tell(changes.source, until, changes.cells)
            tables.GROUPS.replace_running(execute, running)
            tables.EFFECTS.replace_running(execute, effects)
            self._expire(execute, now)

    def on_shown(self, content: str, start: datetime, end: datetime, *, random: bool = False) -> None:
        """Take in that a content was on the screen, for the counters of this database.

        content: its name, up to CONTENT_LENGTH characters and not in round brackets. start, end: with their
        time zone. random: whether who was there did not matter. It is deleted KEPT_SHOWN seconds after this
        call: what a screen shows can tell who is before it. Raises PhizError for values that are none.
        """
        if not 0 < len(content) <= CONTENT_LENGTH or content.startswith("("):
            raise PhizError(
                f"content: expected a name of 1 to {CONTENT_LENGTH} characters that does not begin with a "
                f"round bracket, got {content!r}"
            )
        if start.utcoffset() is None or end.utcoffset() is None or end < start:
            raise PhizError(
                f"{content}: expected a start with a time zone and a later end, got {start} and {end}"
            )
        exposure = Exposure(start.timestamp(), end.timestamp(), Shown(content, random))
        with self._writing() as execute:
            tables.add_shown(execute, exposure, time.time())
            self._expire(execute, None)

    def shown(self, since: float, before: float) -> list[Exposure]:
        """Return what was on the screen at any time between two instants, as far as it is still kept."""
        with self._database.transaction(write=False) as execute:
            return tables.shown(execute, since, before) if self._has_effects(execute) else []

    def effects(
        self, since: int | None = None, before: int | None = None, now: float | None = None
    ) -> Effects:
        """Return the rows by content, as `rows` does those by time and by group."""
        with self._database.transaction(write=False) as execute:
            self.settings = self._load(execute)
            since = max(self._oldest(now), since or 0)
            if not self._has_effects(execute):
                return {}
            return tables.EFFECTS.told(execute, since, 2**62 if before is None else before)

    def rows(
        self,
        since: int | None = None,
        before: int | None = None,
        now: float | None = None,
        *,
        unfinished: bool = False,
    ) -> Rows:
        """Return the rows of periods that begin at `since` or later and before `before`, none too old.

        unfinished: also those of hours (or days) that counters are still at, and of people who wait for more;
        these rows may be about fewer than k, and grow by single people.
        """
        with self._database.transaction(write=False) as execute:
            self.settings = self._load(execute)
            oldest = self._oldest(now)
            since = oldest if since is None else max(since, oldest)
            before = 2**62 if before is None else before
            found = tables.GROUPS.told(execute, since, before)
            for rows in tables.GROUPS.running(execute).values() if unfinished else ():
                add(found, {key: totals for key, totals in rows.items() if since <= key.start < before})
            return found

    def tidy(self, now: float | None = None) -> None:
        """Delete the rows that are too old, and finish the hours of counters that were killed."""
        with self._writing() as execute:
            self._finish_abandoned(execute)
            self._expire(execute, now)

    def change(self, now: float | None = None, **values: Any) -> None:
        """Change settings by the names of Settings, and make what is stored fit them."""
        with self._writing() as execute:
            old = self.settings
            new = replace(old, **values)
            if new.zone != old.zone and (tables.GROUPS.told(execute) or tables.GROUPS.running(execute)):
                raise StoreError(
                    f"{self.name}: the time zone can be set only before the first minute is counted, because "
                    "stored hours and days cannot be cut anew; begin another database"
                )
            _save(execute, new)
            self.settings = new
            if new.k > old.k:
                # By themselves: together with who waits, they would tell of these by their old figures.
                merged = merge(tables.GROUPS.told(execute), new.k, new.calendar, new.groups_per)
                tables.GROUPS.delete(execute, running=False)
                for key, totals in merged.items():
                    tables.GROUPS.add_told(execute, key, totals)
                # Without the cells of contents and groups together, which fitted the margins as they were.
                contents = {key: sums for key, sums in tables.EFFECTS.told(execute).items() if of_all(key)}
                tables.EFFECTS.delete(execute, running=False)
                for key, sums in merge(contents, new.k, new.calendar, new.groups_per).items():
                    tables.EFFECTS.add_told(execute, key, sums)
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

    @contextmanager
    def _writing(self) -> Iterator[Execute]:
        """A transaction that writes, with the settings as they are now."""
        with self._database.transaction() as execute:
            self.settings = self._load(execute)
            if not self._has_effects(execute):
                tables.create_effects(self._database, execute)
            yield execute

    def _has_effects(self, execute: Execute) -> bool:
        return self._database.has_table(execute, "audience_shown")

    def _oldest(self, now: float | None) -> int:
        return int((time.time() if now is None else now) - 86400 * self.settings.retention)

    def _finish_abandoned(self, execute: Execute) -> None:
        running, effects = tables.GROUPS.running(execute), tables.EFFECTS.running(execute)
        for source in (running.keys() | effects.keys()) - {tables.WAITING}:
            Telling(execute, self.settings, running, effects).tell(source, time.time() - ABANDONED)
        tables.GROUPS.replace_running(execute, running)
        tables.EFFECTS.replace_running(execute, effects)

    def _expire(self, execute: Execute, now: float | None) -> None:
        oldest = self._oldest(now)
        tables.GROUPS.delete(execute, oldest)
        tables.EFFECTS.delete(execute, oldest)
        tables.delete_shown(execute, time.time() - KEPT_SHOWN)


def open_store(place: str | os.PathLike[str], *, create: bool = True, **settings: Any) -> Store:
    """Open the database in a file, or on a server by its postgresql:// URL.

    create: make it where there is none; `settings`, by the names of Settings, are then its own.
    Raises StoreError, also for a database of another program, and PhizError for settings out of range.
    """
    place = os.fspath(place)
    database: Database
    database = PostgresDatabase(place) if is_url(place) else SqliteDatabase(place, create=create)
    return Store(database, Settings(**{"zone": machine_zone()} | settings) if create else None)


def _save(execute: Execute, settings: Settings) -> None:
    execute("DELETE FROM audience_settings", ())
    for field in fields(Settings):
        value = str(getattr(settings, field.name))
        execute("INSERT INTO audience_settings (name, value) VALUES (?, ?)", (field.name, value))
