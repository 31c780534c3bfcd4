"""SQLite and PostgreSQL behind one small interface: transactions of plain SQL with ? for a value."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from ..addresses import has_bare_secret, public_address
from ..errors import PhizError
from ..image import display_name

Values = Sequence[int | str]
Execute = Callable[[str, Values], list[tuple[Any, ...]]]

#: Seconds to wait for another program that has the database locked, each time.
PATIENCE = 2.0
#: Any number that is the same in every phiz: the PostgreSQL lock that writers take in turn.
_LOCK = 0x7068697A


class StoreError(PhizError):
    """The audience database cannot be opened, read or written. The message names it and what to do."""

    exit_status = 1


class Database(Protocol):
    """A database; name is fit for messages: no password."""

    name: str

    def transaction(self, write: bool = True) -> Any:
        """Return a context that yields an Execute; all of it is kept, or none. Raises StoreError."""

    def create_table(self, columns: str) -> str:
        """Return the SQL that makes the table where there is none."""

    def has_table(self, execute: Execute, name: str) -> bool:
        """Return whether there is a table of that name."""

    def close(self) -> None:
        """Give the connection back."""


class SqliteDatabase:
    """A file. Deleted rows are overwritten, and no second file stays beside it to keep older pages."""

    def __init__(self, path: str, *, create: bool) -> None:
        self.name = display_name(path)
        if not create and not os.path.exists(path):
            raise StoreError(f"{self.name}: expected an audience database, got no file; check the path")
        try:
            # Autocommit: transactions begin and end where `transaction` says.
            self._connection = sqlite3.connect(
                path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
            )
            for pragma in ("secure_delete=ON", "journal_mode=DELETE", "synchronous=EXTRA"):
                self._connection.execute(f"PRAGMA {pragma}").fetchall()
            tables = {name for (name,) in self._connection.execute("SELECT name FROM sqlite_master")}
        except sqlite3.Error as error:
            raise self._failure(error) from error
        if "audience_running" not in tables and (tables or not create):
            raise StoreError(f"{self.name}: {_NOT_OURS}")

    @contextmanager
    def transaction(self, write: bool = True) -> Iterator[Execute]:  # noqa: D102
        try:
            self._connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            yield lambda sql, values: self._connection.execute(sql, values).fetchall()
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._failure(error) from error
        finally:
            with suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def create_table(self, columns: str) -> str:  # noqa: D102
        # Without rowids, which would tell the order in which the rows of an hour were written.
        return f"CREATE TABLE IF NOT EXISTS {columns} WITHOUT ROWID"

    def has_table(self, execute: Execute, name: str) -> bool:  # noqa: D102
        return bool(execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?", (name,)))

    def close(self) -> None:  # noqa: D102
        self._connection.close()

    def _failure(self, error: sqlite3.Error) -> StoreError:
        text = str(error)
        for part, meaning in _SQLITE_MEANS.items():
            if part in text:
                return StoreError(f"{self.name}: {meaning}")
        return StoreError(f"{self.name}: {text}")


_NOT_OURS = "expected an audience database of phiz, got another; name another, or let phiz watch make one"
_SQLITE_MEANS = {
    "locked": f"another program has the database locked for over {PATIENCE:.0f} s; let it finish or close it",
    "full": "the disk is full; free some space",
    "disk I/O error": "the disk cannot be read or written; check that it is there, healthy and not full",
    "readonly": "expected a database that can be written, got a read-only one; change its access rights",
    "unable to open": "expected a file that can be opened or made; check its folder and access rights",
    "not a database": "expected an SQLite database, got another kind of file; name another",
    "malformed": "the database is damaged; put it aside and restore a copy",
}


class PostgresDatabase:
    """A PostgreSQL server, by URL. A broken connection is made anew by the next transaction."""

    def __init__(self, url: str) -> None:
        try:
            import psycopg
        except ModuleNotFoundError as error:
            raise PhizError(f'PostgreSQL needs {error.name}: pip install "phiz[postgres]"') from error
        self._psycopg, self._url = psycopg, url
        self.name = display_name(public_address(url))
        if has_bare_secret(url):  # PostgreSQL would cut it elsewhere, and show what is left
            raise StoreError(
                f"{self.name}: expected a password with @ as %40 and / as %2F, got them as they are"
            )
        self._connection: psycopg.Connection[Any] | None = None

    @contextmanager
    def transaction(self, write: bool = True) -> Iterator[Execute]:  # noqa: D102
        try:
            connection = self._connect()
            with connection.transaction():
                connection.execute(f"SET LOCAL lock_timeout = '{PATIENCE:.0f}s'")
                if write:
                    connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
                yield lambda sql, values: _fetch(connection.execute(sql.replace("?", "%s"), values))
        except self._psycopg.Error as error:
            raise self._failure(error) from error

    def create_table(self, columns: str) -> str:  # noqa: D102
        return f"CREATE TABLE IF NOT EXISTS {columns}"

    def has_table(self, execute: Execute, name: str) -> bool:  # noqa: D102
        return execute("SELECT to_regclass(?)", (name,))[0][0] is not None

    def close(self) -> None:  # noqa: D102
        if self._connection is not None:
            self._connection.close()

    def _connect(self) -> Any:
        if self._connection is None or self._connection.closed:
            self._connection = self._psycopg.connect(self._url, autocommit=True, connect_timeout=5)
        return self._connection

    def _failure(self, error: Exception) -> StoreError:
        errors = self._psycopg.errors
        if isinstance(error, errors.LockNotAvailable):
            return StoreError(f"{self.name}: {_SQLITE_MEANS['locked']}")
        if isinstance(error, errors.UndefinedTable):
            return StoreError(f"{self.name}: {_NOT_OURS}")
        if isinstance(error, errors.DiskFull):
            return StoreError(f"{self.name}: {_SQLITE_MEANS['full']}")
        return StoreError(f"{self.name}: {' '.join(str(error).split())}")


def _fetch(cursor: Any) -> list[tuple[Any, ...]]:
    return cursor.fetchall() if cursor.description else []


def is_url(place: str) -> bool:
    """Whether a place is a PostgreSQL URL rather than a file."""
    return place.startswith(("postgresql://", "postgres://"))
