"""What the database file holds, byte by byte: the declared columns and nothing beside them."""

from __future__ import annotations

import shutil
import sqlite3
import struct
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from made_tracks import MIDNIGHT, MadeTrack

from phiz.audience import Counter, open_store, tables
from phiz.types import Face

#: What a track knows of a person; none of it may be found in the file, in any common form.
BOX = (211.25, 133.5, 87.75, 91.125)
POINT = (233.375, 158.625)
SCORE, GENDER_SCORE, FACING = 0.8712890625, 0.93359375, 0.7841796875
FIRST_ID = 16_213_761
AGE = 31.421875
EFFECT_COLUMNS = [
    *("start", "period", "content", "random", "age", "gender"),
    *("people", "viewers", "presence_ms", "attention_ms", "attention_squared", "shown_ms"),
]


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A busy hour before a screen, then a quiet one, with rows merged, moved and deleted meanwhile."""
    path = tmp_path_factory.mktemp("counted") / "audience.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: MIDNIGHT + 86400.0)
        with (
            open_store(path, zone="UTC", retention=30) as store,
            Counter(store, began=MIDNIGHT, shown=store.shown) as counter,
        ):
            for minute in range(0, 60, 2):
                start = datetime.fromtimestamp(MIDNIGHT + 60 * minute, timezone.utc)
                store.on_shown(f"content {minute % 3}", start, start + timedelta(seconds=90))
            for second in range(0, 6000, 4):
                busy = second < 3600
                tracks = []
                for visit in {second // 5, second // 40, second // 100} if busy else {second // 400}:
                    age = AGE + visit % 4 * 13
                    face = Face(BOX, SCORE, (POINT,) * 5, age, ["female", "male"][visit % 2], GENDER_SCORE)
                    tracks.append(MadeTrack(FIRST_ID + visit, face, float(second), float(second), FACING))
                counter.update(tracks, second)
    return path


@pytest.fixture
def database(counted: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(counted, tmp_path))


def test_tables_and_columns_are_the_declared_ones(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        found = {
            (kind, name): [column[1] for column in connection.execute(f"PRAGMA table_info({name})")]
            for kind, name in connection.execute("SELECT type, name FROM sqlite_master")
        }
        kinds = connection.execute("SELECT DISTINCT period, age, gender FROM audience_totals").fetchall()
        starts = connection.execute("SELECT start FROM audience_totals").fetchall()
        settings = dict(connection.execute("SELECT name, value FROM audience_settings"))
        for _, table in found:
            # The order in which an hour's rows came to be is not kept.
            with pytest.raises(sqlite3.OperationalError, match="no such column: rowid"):
                connection.execute(f"SELECT rowid FROM {table}")
    connection.close()
    sums = ["people", "presence_ms", "attention_ms", "dwell_0_5", "dwell_5_15", "dwell_15_30", "dwell_30_60"]
    assert found == {
        ("table", "audience_totals"): [
            *("start", "period", "age", "gender"),
            *sums,
            *("dwell_60_180", "dwell_180_more"),
        ],
        ("table", "audience_running"): [
            *("source", "start", "period", "age", "gender"),
            *sums,
            *("dwell_60_180", "dwell_180_more"),
        ],
        ("table", "audience_settings"): ["name", "value"],
        ("table", "audience_effects"): EFFECT_COLUMNS,
        ("table", "audience_effects_running"): ["source", *EFFECT_COLUMNS],
        ("table", "audience_shown"): ["began_ms", "content", "random", "until_ms", "told"],
    }
    assert {kind[0] for kind in kinds} <= {"minute", "hour", "day"}
    assert {kind[1] for kind in kinds} <= {"0-12", "13-19", "20-39", "40-59", "60+", "all", "mixed"}
    assert {kind[2] for kind in kinds} <= {"female", "male", "all", "mixed"}
    assert all(start % 60 == 0 for (start,) in starts)
    assert settings == {"k": "5", "retention": "30", "groups_per": "hour", "zone": "UTC"}


def test_nothing_of_a_track_is_in_the_file(database: Path) -> None:
    data = database.read_bytes()
    for value in (*BOX, *POINT, SCORE, GENDER_SCORE, FACING, AGE):
        for form in ("<f", ">f", "<d", ">d"):
            assert struct.pack(form, value) not in data
        assert str(value).encode() not in data
    for track in range(FIRST_ID, FIRST_ID + 720):
        for form in ("<i", ">i", "<q", ">q"):
            assert struct.pack(form, track) not in data
        assert str(track).encode() not in data
        assert track.to_bytes(3, "big") not in data  # SQLite's own short integers


def test_every_byte_that_is_not_zero_belongs_to_a_row_that_a_query_shows(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        shown = [
            *connection.execute("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master"),
            *connection.execute("SELECT * FROM audience_settings"),
            *connection.execute("SELECT * FROM audience_totals"),
            *connection.execute("SELECT * FROM audience_running"),
            *connection.execute("SELECT * FROM audience_effects"),
            *connection.execute("SELECT * FROM audience_effects_running"),
            *connection.execute("SELECT * FROM audience_shown"),
        ]
        (kept,) = connection.execute("SELECT count(*) FROM audience_effects WHERE age != 'all'").fetchone()
    connection.close()
    assert len(shown) > 40
    assert kept > 5  # of contents and groups together
    assert sorted(map(repr, records(database.read_bytes()))) == sorted(map(repr, shown))


def test_a_deleted_row_leaves_no_bytes(database: Path) -> None:
    """The check above would notice: without secure_delete what was deleted stays in the file."""
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("DELETE FROM audience_totals WHERE period = 'hour'")
    connection.close()
    with pytest.raises(AssertionError, match="bytes outside of any row"):
        list(records(database.read_bytes()))


def test_retention_leaves_no_bytes(database: Path) -> None:
    old = database.read_bytes()
    rows = [row for row in records(old) if len(row) == 13]
    times = [start.to_bytes(4, "big") for start, *_ in rows]
    assert len(rows) > 40
    assert all(time in old for time in times)
    with open_store(database) as store:
        store.tidy(now=MIDNIGHT + 40 * 86400)
        assert store.rows(now=MIDNIGHT) == store.effects(now=MIDNIGHT) == {}
    new = database.read_bytes()
    # SQLite leaves bare places of its own in a page that was emptied, and nothing of a row.
    assert not any(time in new for time in times)
    assert not any(word in new for word in (b"female", b"mixed", b"20-39", b"60+"))
    assert b"content 1" in old
    assert b"content 1" not in new
    assert sum(map(bool, new)) < sum(map(bool, old)) / 2


def test_the_columns_of_the_report_are_those_of_the_table() -> None:
    assert tables.GROUPS.key_columns == ("start", "period", "age", "gender")
    assert tables.EFFECTS.key_columns == ("start", "period", "content", "random", "age", "gender")


# A reader of SQLite's file format (https://sqlite.org/fileformat2.html) that accounts for every byte.


def records(data: bytes) -> Iterator[tuple[Any, ...]]:
    """Yield every record of a small database; AssertionError where a byte outside of them is not zero."""
    size = int.from_bytes(data[16:18], "big")
    free = free_pages(data, size)
    for number in range(1, len(data) // size + 1):
        page = data[(number - 1) * size : number * size]
        if number in free:
            assert not any(page[8 + 4 * free[number] :]), f"bytes outside of any row on free page {number}"
        else:
            yield from page_records(page, 100 if number == 1 else 0, number)


def free_pages(data: bytes, size: int) -> dict[int, int]:
    """Return the free pages, each with the number of page numbers that it lists."""
    free: dict[int, int] = {}
    trunk = int.from_bytes(data[32:36], "big")
    while trunk:
        at = (trunk - 1) * size
        trunk_next, count = struct.unpack(">II", data[at : at + 8])
        free |= dict.fromkeys(struct.unpack(f">{count}I", data[at + 8 : at + 8 + 4 * count]), -2)
        free[trunk] = count
        trunk = trunk_next
    return free


def page_records(page: bytes, header: int, number: int) -> Iterator[tuple[Any, ...]]:
    kind, freeblock, cells, _, _ = struct.unpack(">BHHHB", page[header : header + 8])
    assert kind in (0x02, 0x05, 0x0A, 0x0D), f"page {number} is of kind {kind}"
    interior = kind in (0x02, 0x05)
    start = header + (12 if interior else 8)
    known = bytearray(len(page))  # 1 where a byte is accounted for
    known[: start + 2 * cells] = b"\1" * (start + 2 * cells)
    for (at,) in struct.iter_unpack(">H", page[start : start + 2 * cells]):
        place = at + 4 if interior else at
        if kind == 0x05:
            end = varint(page, place)[1]
        else:
            length, place = varint(page, place)
            if kind == 0x0D:
                _, place = varint(page, place)
            end = place + length
            assert end <= len(page), "a row overflows its page"
            yield tuple(values(page[place:end]))
        known[at : max(end, at + 4)] = b"\1" * (max(end, at + 4) - at)
    while freeblock:
        known[freeblock : freeblock + 4] = b"\1" * 4  # the link to the next and the length
        freeblock = int.from_bytes(page[freeblock : freeblock + 2], "big")
    rest = bytes(byte for byte, is_known in zip(page, known, strict=True) if not is_known)
    assert not any(rest), f"bytes outside of any row on page {number}: {rest.strip(bytes(1))!r}"


def values(record: bytes) -> Iterator[Any]:
    head, place = varint(record, 0)
    body = head
    while place < head:
        kind, place = varint(record, place)
        if kind in (8, 9):
            yield kind - 8
        elif kind <= 6:
            length = (0, 1, 2, 3, 4, 6, 8)[kind]
            yield int.from_bytes(record[body : body + length], "big", signed=True) if kind else None
            body += length
        else:
            assert kind >= 13, f"a value of kind {kind} is no integer and no text"
            assert kind % 2
            yield record[body : body + (kind - 13) // 2].decode()
            body += (kind - 13) // 2
    assert body == len(record)


def varint(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    while True:
        byte = data[place]
        value, place = value << 7 | byte & 127, place + 1
        if byte < 128:
            return value, place
