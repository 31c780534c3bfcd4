"""The SQLite store: settings, retention, and databases that are locked, full, foreign or read-only."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from made_tracks import EVERYBODY, MEN, MIDNIGHT, OTHERS, UNSURE, WOMEN, Visit, play, total

from phiz.audience import Counter, Store, StoreError, open_store
from phiz.audience import database as databases
from phiz.audience.ledger import Changes
from phiz.audience.store import Settings
from phiz.audience.totals import DAY, HOUR, MINUTE, Key, Rows, Totals
from phiz.errors import PhizError

#: A moment at which nothing of MIDNIGHT's day is too old.
NOW = MIDNIGHT + 86400


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "PATIENCE", 0.05)
    monkeypatch.setattr("time.time", lambda: float(NOW))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audience.db"


def people(count: int) -> Totals:
    return Totals(count, 1000 * count, 500 * count, (count, 0, 0, 0, 0, 0))


def hour(number: int, group: object = WOMEN) -> Key:
    return Key(MIDNIGHT + 3600 * number, HOUR, group)  # type: ignore[arg-type]


def write(
    store: Store, added: Rows, moved: Rows | None = None, until: int = MIDNIGHT, closed: bool = True
) -> None:
    store.write(Changes(added, moved or {}, until, closed))


def test_rows_add_up_and_come_back(path: Path) -> None:
    with open_store(path, zone="UTC") as store:
        write(store, {hour(9): people(5)})
        write(store, {hour(9): people(6), hour(9, MEN): people(7)})
    with open_store(path) as store:
        assert store.rows() == {hour(9): people(11), hour(9, MEN): people(7)}
        assert store.rows(since=MIDNIGHT + 9 * 3600 + 1) == {}
        assert store.rows(before=MIDNIGHT + 9 * 3600) == {}


def unfinished(store: Store) -> Rows:
    return store.rows(unfinished=True)


def test_a_running_hour_is_not_told(path: Path) -> None:
    with open_store(path, zone="UTC") as store:
        write(store, {hour(9): people(8)}, until=MIDNIGHT + 10 * 3600 - 60, closed=False)
        assert store.rows() == {}
        assert unfinished(store) == {hour(9): people(8)}
        write(store, {hour(9): people(1)}, until=MIDNIGHT + 10 * 3600, closed=False)
        assert store.rows() == unfinished(store) == {hour(9): people(9)}


def test_a_group_moves_out_of_the_mixed_row(path: Path) -> None:
    with open_store(path, zone="UTC") as store:
        write(store, {hour(9, OTHERS): people(8)}, {hour(9): people(5)}, closed=False)
        assert unfinished(store) == {hour(9, OTHERS): people(3), hour(9): people(5)}
        write(store, {}, {hour(9): people(3)})
        assert store.rows() == {hour(9): people(8)}


def test_a_group_stays_mixed_where_its_row_was_told_meanwhile(path: Path) -> None:
    with open_store(path, zone="UTC") as store:
        write(store, {hour(9, OTHERS): people(4)}, {hour(9): people(5)}, closed=False)
        write(store, {}, {hour(9, MEN): people(3)}, closed=False)  # fewer than k, and no row to join
        assert unfinished(store) == {hour(9, OTHERS): people(4)}


def test_who_is_too_few_waits_for_more_of_the_day(path: Path) -> None:
    with open_store(path, zone="UTC") as store:
        write(store, {hour(3, OTHERS): people(2)})
        assert store.rows() == {}
        write(store, {hour(4, MEN): people(2), hour(9, MEN): people(7)})
        assert store.rows() == {hour(9, MEN): people(7)}
        write(store, {hour(5, MEN): people(1), hour(30, MEN): people(3)})
        told = {hour(9, MEN): people(7), Key(MIDNIGHT, DAY, OTHERS): people(5)}
        assert store.rows() == told
        write(store, {hour(6, MEN): people(4)})  # fewer than k more are not added to what is told
        assert store.rows() == told
        assert total(unfinished(store)).people == 19


def test_dwell_times_are_told_whole_or_wait(path: Path) -> None:
    def women(*dwell: int) -> Totals:
        return Totals(sum(dwell), 1000, 500, (*dwell, *[0] * (6 - len(dwell))))

    with open_store(path, zone="UTC") as store:
        write(store, {hour(9): women(0, 6, 1), hour(10): women(5, 7)})
        bare = Totals(7, 1000, 500)
        assert store.rows() == {hour(9): bare, hour(10): women(5, 7)}
        write(store, {hour(11): women(4, 4)})  # 4, 10 and 1 wait
        assert Key(MIDNIGHT, DAY, OTHERS) not in store.rows()
        write(store, {hour(12): women(1, 0, 4)})  # 5, 10 and 5
        assert store.rows()[Key(MIDNIGHT, DAY, OTHERS)] == Totals(dwell=(5, 10, 5, 0, 0, 0))


def test_hours_of_a_killed_counter_are_told_by_the_next(path: Path) -> None:
    with open_store(path, zone="UTC") as store:
        store.write(Changes({hour(20): people(6), hour(23): people(5)}, until=MIDNIGHT, source=7))
        store.write(Changes({hour(20): people(4)}, until=MIDNIGHT, source=8))
        assert store.rows() == {}
    with open_store(path) as store:  # the last two hours may still be somebody's
        assert store.rows() == {hour(20): people(6)}
        assert total(unfinished(store)).people == 15


def test_counters_do_not_end_each_others_hours(path: Path) -> None:
    with open_store(path, zone="UTC") as store:
        store.write(Changes({hour(-30): people(4)}, until=MIDNIGHT - 30 * 3600, source=7))
        store.write(Changes({hour(9): people(6)}, until=MIDNIGHT + 10 * 3600, source=8))
        assert store.rows() == {hour(9): people(6)}
        store.write(Changes({hour(-30): people(4)}, until=MIDNIGHT - 29 * 3600, source=7))
        assert store.rows() == {hour(9): people(6), hour(-30): people(8)}


def test_retention_is_enforced_by_every_write_and_every_reading(path: Path) -> None:
    with open_store(path, retention=2, zone="UTC") as store:
        write(store, {hour(0): people(5), hour(30): people(6)})
        later = MIDNIGHT + 2 * 86400
        assert store.rows(now=later) == {hour(0): people(5), hour(30): people(6)}
        assert store.rows(now=later + 1) == {hour(30): people(6)}
        store.write(Changes(), now=later + 1)
        assert store.rows() == {hour(30): people(6)}
        store.tidy(now=later + 3 * 86400)
        assert store.rows() == {}


def test_settings_are_kept_and_changed(path: Path) -> None:
    with open_store(path, k=3, retention=10, groups_per=DAY, zone="Europe/Berlin") as store:
        assert store.settings == Settings(3, 10, DAY, "Europe/Berlin")
    with open_store(path, k=9, zone="UTC") as store:  # says only how to make one
        assert store.settings == Settings(3, 10, DAY, "Europe/Berlin")
        store.change(retention=20, zone="Asia/Kolkata")
    with open_store(path, create=False) as store:
        assert store.settings == Settings(3, 20, DAY, "Asia/Kolkata")


def test_a_larger_k_merges_what_is_stored(path: Path) -> None:
    with open_store(path, zone="UTC") as store:
        write(store, {hour(9): people(5), hour(9, MEN): people(9), hour(9, OTHERS): people(6)})
        store.change(k=8)
        assert store.rows() == {hour(9, MEN): people(9), hour(9, OTHERS): people(11)}


def test_a_running_counter_takes_up_a_larger_k(path: Path) -> None:
    women = [Visit(65 * i, 65 * i + 20) for i in range(12)]
    with open_store(path, k=2, zone="UTC") as store, Counter(store, began=MIDNIGHT) as counter:
        play(counter, women[:1], range(0, 65))
        with open_store(path) as other:
            other.change(k=9)
        play(counter, women, range(65, 420))
        assert hour(0) not in unfinished(store)
        play(counter, women, range(420, 800))
        assert unfinished(store)[hour(0)].people >= 9


def test_a_shorter_retention_deletes_at_once(path: Path) -> None:
    with open_store(path, zone="UTC") as store:
        write(store, {hour(-100): people(5), hour(9): people(5)})
        store.change(retention=2)
        assert store.rows() == {hour(9): people(5)}


def test_the_zone_is_fixed_once_something_is_counted(path: Path) -> None:
    with open_store(path, zone="UTC") as store:
        write(store, {hour(9): people(5)})
        with pytest.raises(StoreError, match="can be set only before the first minute is counted"):
            store.change(zone="Europe/Berlin")
        assert store.settings.zone == "UTC"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"k": 1}, "expected 2 or more, got 1"),
        ({"retention": 0}, "expected 1 day or more, got 0"),
        ({"groups_per": "week"}, "expected hour or day, got 'week'"),
        ({"zone": "Nowhere"}, "expected a name such as Europe/Berlin"),
    ],
)
def test_settings_out_of_range(path: Path, values: dict[str, object], message: str) -> None:
    with pytest.raises(PhizError, match=message):
        open_store(path, **values)
    with open_store(path.with_name("other.db")) as store, pytest.raises(PhizError, match=message):
        store.change(**values)


def test_a_locked_database_keeps_the_minute_for_later(path: Path) -> None:
    told: list[str] = []
    visits = [Visit(60 * i + 1, 60 * i + 30) for i in range(6)]
    with (
        open_store(path, zone="UTC") as store,
        Counter(store, began=MIDNIGHT, on_problem=told.append) as counter,
    ):
        other = sqlite3.connect(path, isolation_level=None)
        play(counter, visits, range(0, 61))
        other.execute("BEGIN EXCLUSIVE")
        play(counter, visits, range(61, 200))
        assert len(told) == 2
        assert f"{path}: another program has the database locked" in told[0]
        assert told[0].endswith("the minute is kept in memory and written with the next")
        other.execute("ROLLBACK")
        assert total(unfinished(store)).people == 1
        play(counter, visits, range(200, 400))
    with open_store(path) as store:
        assert total(store.rows()).people == 6
        assert total(store.rows(), by_time=True).people == 6


def test_a_reader_does_not_stop_the_counter(path: Path) -> None:
    with open_store(path, zone="UTC") as store, open_store(path) as reader:
        write(store, {hour(9): people(5)})
        assert reader.rows() == store.rows()
        write(store, {hour(9): people(5)})
        assert reader.rows()[hour(9)] == people(10)


def test_a_full_disk_keeps_the_minute_for_later(path: Path) -> None:
    told: list[str] = []
    visits = [Visit(60 * i + 1, 60 * i + 30) for i in range(20) for _ in range(2)]
    with open_store(path, k=2, zone="UTC") as store:
        filler = {Key(MIDNIGHT - 60 * i, MINUTE, EVERYBODY): people(5) for i in range(1, 91)}
        store.write(Changes(filler, source=1))
        connection = store._database._connection  # type: ignore[attr-defined]
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")  # SQLite then answers as on a full disk
        counter = Counter(store, began=MIDNIGHT, on_problem=told.append)
        play(counter, visits, range(0, 1210, 5))
        assert told[-1].startswith(f"{path}: the disk is full; free some space; the minute is kept in memory")
        before = total(unfinished(store)).people
        assert before < 40
        connection.execute("PRAGMA max_page_count = 1000")
        counter.close()
        assert total(store.rows()).people == 40
        assert total(store.rows(since=MIDNIGHT), by_time=True).people == 40
        assert told == [told[0]] * len(told)


def test_a_full_disk_at_the_end_is_an_error(path: Path) -> None:
    store = open_store(path, k=2, zone="UTC")
    connection = store._database._connection  # type: ignore[attr-defined]
    connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
    rows = {Key(MIDNIGHT + 60 * i, MINUTE, EVERYBODY): people(5) for i in range(200)}
    with pytest.raises(StoreError, match="the disk is full; free some space"):
        write(store, rows)
    assert store.rows() == {}  # all or nothing
    store.close()


def test_a_write_that_fails_midway_leaves_nothing(path: Path) -> None:
    with open_store(path, zone="UTC") as store:
        write(store, {hour(9): people(5)})
        with pytest.raises(StoreError, match="CHECK constraint failed"):
            write(store, {hour(9): people(6), hour(10): people(-1)})
        assert store.rows() == {hour(9): people(5)}
        write(store, {hour(9): people(6)})
        assert store.rows() == {hour(9): people(11)}


def test_databases_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"none\.db: expected an audience database, got no file"):
        open_store(tmp_path / "none.db", create=False)
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(StoreError, match="expected a file that can be opened or made"):
        open_store(tmp_path / "no folder" / "a.db")
    (tmp_path / "text.db").write_text("people: many\n" * 100)
    with pytest.raises(StoreError, match="expected an SQLite database, got another kind of file"):
        open_store(tmp_path / "text.db")
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.execute("CREATE TABLE prices (name, price)")
    for create in (True, False):
        with pytest.raises(StoreError, match="expected an audience database of phiz, got another"):
            open_store(tmp_path / "shop.db", create=create)


def test_a_read_only_database(path: Path) -> None:
    with open_store(path, zone="UTC") as store:
        write(store, {hour(9): people(5)})
        store._database._connection.execute("PRAGMA query_only = ON")  # type: ignore[attr-defined]
        assert store.rows() == {hour(9): people(5)}
        with pytest.raises(StoreError, match="expected a database that can be written, got a read-only one"):
            store.tidy()


def test_damaged_settings(path: Path) -> None:
    open_store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE audience_settings SET value = 'many' WHERE name = 'k'")
    connection.close()
    with pytest.raises(StoreError, match="its settings are damaged"):
        open_store(path)


def test_no_second_file_is_left_beside_the_database(path: Path) -> None:
    with open_store(path, zone="UTC") as store:
        write(store, {hour(9): people(5)})
        assert os.listdir(path.parent) == ["audience.db"]


def made_before(path: Path) -> None:
    """Make a database as phiz did before people could be "not sure", with an hour of five women in it."""
    sums = ["people", "presence_ms", "attention_ms"]
    sums += [f"dwell_{span}" for span in ("0_5", "5_15", "15_30", "30_60", "60_180", "180_more")]
    figures = ", ".join(f"{name} BIGINT NOT NULL CHECK ({name} >= 0)" for name in sums)
    key = "start BIGINT NOT NULL, period TEXT NOT NULL, age TEXT NOT NULL, gender TEXT NOT NULL"
    place = "start, period, age, gender"
    with sqlite3.connect(path) as old:
        for table in (
            "audience_settings (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
            f"audience_totals ({key}, {figures}, PRIMARY KEY ({place}))",
            f"audience_running (source BIGINT NOT NULL, {key}, {figures}, PRIMARY KEY (source, {place}))",
        ):
            old.execute(f"CREATE TABLE {table} WITHOUT ROWID")
        settings = {"k": "2", "retention": "90", "groups_per": "hour", "zone": "UTC"}
        old.executemany("INSERT INTO audience_settings VALUES (?, ?)", settings.items())
        row = (MIDNIGHT, "hour", "20-39", "female", 5, 5000, 2500, 5, 0, 0, 0, 0, 0)
        old.execute(f"INSERT INTO audience_totals VALUES ({', '.join('?' * len(row))})", row)
    old.close()


def test_a_database_from_before_counts_those_who_are_not_sure_too(path: Path) -> None:
    made_before(path)
    visits = [Visit(5, 8), Visit(5, 8), *[Visit(5, 8, sure=0.6)] * 2]
    with open_store(path) as store, Counter(store, began=MIDNIGHT) as counter:
        play(counter, visits, range(0, 60))
    with open_store(path, create=False) as store:
        by_group = {
            key.group: totals.people for key, totals in store.rows().items() if key.group != EVERYBODY
        }
        assert by_group == {WOMEN: 7, UNSURE: 2}
