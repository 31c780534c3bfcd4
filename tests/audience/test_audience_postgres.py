"""The same store on a real PostgreSQL server, started here for the tests and thrown away."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

psycopg = pytest.importorskip("psycopg", reason="the extra postgres brings psycopg")

from made_tracks import MIDNIGHT, OTHERS, WOMEN, Visit, play, total  # noqa: E402

from phiz.audience import Counter, StoreError, open_store  # noqa: E402
from phiz.audience import database as databases  # noqa: E402
from phiz.audience.ledger import Changes  # noqa: E402
from phiz.audience.totals import DAY, HOUR, Key, Totals  # noqa: E402

#: PostgreSQL refuses to run as root; Debian's package makes this user.
SERVER_USER = "postgres"


def find_programs() -> Path | None:
    """Return the folder of initdb and pg_ctl, which Debian keeps off the PATH."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return debian[-1].parent if debian else None


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """URL of a server that listens on a Unix socket alone."""
    programs = find_programs()
    if programs is None or os.name != "posix":
        pytest.skip("PostgreSQL's server programs are not installed")
    user = None
    if os.geteuid() == 0:
        import pwd

        try:
            user = pwd.getpwnam(SERVER_USER).pw_uid
        except KeyError:
            pytest.skip(f"PostgreSQL does not run as root, and there is no user {SERVER_USER}")
    folder = Path(tempfile.mkdtemp(prefix="phiz-pg-"))  # short: a socket's path has at most 107 bytes
    if user is not None:
        os.chown(folder, user, -1)

    def run(*command: str) -> None:
        subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL, timeout=60)

    data = str(folder / "data")
    try:
        run(str(programs / "initdb"), "-D", data, "-A", "trust", "-U", "phiz", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        run(str(programs / "pg_ctl"), "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://phiz:secret@/postgres?host={folder}"
        finally:
            run(str(programs / "pg_ctl"), "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def url(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("time.time", lambda: MIDNIGHT + 86400.0)
    monkeypatch.setattr(databases, "PATIENCE", 1)
    with psycopg.connect(server) as connection:
        connection.execute("DROP TABLE IF EXISTS audience_totals, audience_running, audience_settings")
    return server


def people(count: int) -> Totals:
    return Totals(count, 1000 * count, 500 * count, (count, 0, 0, 0, 0, 0))


def hour(number: int, group: object = WOMEN) -> Key:
    return Key(MIDNIGHT + 3600 * number, HOUR, group)  # type: ignore[arg-type]


def test_it_holds_what_sqlite_holds(url: str, tmp_path: Path) -> None:
    visits = [Visit(20 * i, 20 * i + 25, 8 + i % 60, ["female", "male"][i % 2]) for i in range(180)]
    found = []
    for place in (url, tmp_path / "audience.db"):
        with open_store(place, zone="UTC") as store, Counter(store, began=MIDNIGHT) as counter:
            play(counter, visits, range(0, 3700, 5))
        with open_store(place, create=False) as store:
            found.append(store.rows())
    assert found[0] == found[1]
    assert total(found[0]).people == 180


def test_columns_are_the_declared_ones(url: str) -> None:
    open_store(url).close()
    sql = (
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
    )
    with psycopg.connect(url) as connection:
        columns = connection.execute(sql).fetchall()
    assert [name for table, name, _ in columns if table == "audience_settings"] == ["name", "value"]
    totals = {name: kind for table, name, kind in columns if table == "audience_totals"}
    assert list(totals)[:5] == ["start", "period", "age", "gender", "people"]
    assert len(totals) == 13
    assert set(totals.values()) == {"bigint", "text"}


def test_settings_merging_and_retention(url: str) -> None:
    with open_store(url, k=3, retention=2, zone="UTC") as store:
        store.write(Changes({hour(3, OTHERS): people(2), hour(9): people(5)}, until=MIDNIGHT, closed=True))
        assert store.rows() == {hour(9): people(5)}
        store.write(Changes({hour(4, OTHERS): people(1)}, until=MIDNIGHT, closed=True))
        assert store.rows() == {Key(MIDNIGHT, DAY, OTHERS): people(3), hour(9): people(5)}
        store.write(Changes(), now=MIDNIGHT + 3 * 86400)
        assert store.rows() == {}
        store.change(retention=7)
    with open_store(url, create=False) as store:
        assert (store.settings.k, store.settings.retention) == (3, 7)


def test_a_locked_table_keeps_the_minute_for_later(url: str) -> None:
    told: list[str] = []
    visits = [Visit(60 * i + 1, 60 * i + 30) for i in range(4)]
    with (
        open_store(url, zone="UTC") as store,
        Counter(store, began=MIDNIGHT, on_problem=told.append) as counter,
    ):
        with psycopg.connect(url) as other:
            other.execute("LOCK TABLE audience_totals IN ACCESS EXCLUSIVE MODE")
            play(counter, visits, range(0, 62))
            assert len(told) == 1
            assert "another program has the database locked" in told[0]
            assert "secret" not in told[0]
        play(counter, visits, range(62, 250))
        assert total(store.rows(unfinished=True)).people == 4


def test_a_connection_that_broke_is_made_anew(url: str) -> None:
    told: list[str] = []
    visits = [Visit(60 * i + 1, 60 * i + 30) for i in range(4)]
    with (
        open_store(url, zone="UTC") as store,
        Counter(store, began=MIDNIGHT, on_problem=told.append) as counter,
    ):
        play(counter, visits, range(0, 62))
        with psycopg.connect(url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        play(counter, visits, range(62, 250))
        assert len(told) == 1
        assert total(store.rows(unfinished=True)).people == 4


def test_two_screens_may_feed_one_database(url: str) -> None:
    visits = [Visit(60 * i + 1, 60 * i + 30) for i in range(6)]
    with open_store(url, zone="UTC") as one, open_store(url) as two:
        with Counter(one, began=MIDNIGHT) as first, Counter(two, began=MIDNIGHT) as second:
            for start in range(0, 400, 50):
                play(first, visits, range(start, start + 50))
                play(second, visits, range(start, start + 50))
        assert total(one.rows()).people == 12
        assert one.rows()[hour(0)].people >= 10


def test_databases_that_cannot_be_used(url: str) -> None:
    with pytest.raises(StoreError, match="expected an audience database of phiz, got another"):
        open_store(url, create=False)
    with pytest.raises(StoreError, match=r"^postgresql:///postgres: .*phiz-nowhere") as failure:
        open_store("postgresql://phiz:secret@/postgres?host=/phiz-nowhere")
    assert "secret" not in str(failure.value)


@pytest.mark.parametrize("secret", ["sec@ret", "sec/ret", "sec@r/et"])
def test_a_password_that_postgresql_would_cut_is_refused_and_not_shown(secret: str) -> None:
    words = r"^postgresql://host/db: expected a password with @ as %40 and / as %2F, got them as they are$"
    with pytest.raises(StoreError, match=words):
        open_store(f"postgresql://phiz:{secret}@host/db?connect_timeout=1")
