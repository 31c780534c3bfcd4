"""phiz audience as a user meets it: reports in every format, settings, and its messages."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from made_tracks import MIDNIGHT, Visit, play
from typer.testing import CliRunner

from phiz import cli
from phiz.audience import Counter, open_store
from phiz.audience import database as databases

NOON = MIDNIGHT + 12 * 3600
NOBODY = "phiz: nobody was counted in that time, or too few to tell yet (see docs/audience.md)\n"


@pytest.fixture(autouse=True)
def _day_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: MIDNIGHT + 86400.0)
    monkeypatch.setattr(databases, "PATIENCE", 0.05)


@pytest.fixture(scope="module")
def counted_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noon: six women in a minute, four men and a girl later. One o'clock: seven women, some turned away."""
    path = tmp_path_factory.mktemp("counted") / "audience.db"
    women = [Visit(i, i + 20) for i in range(6)]
    later = [Visit(600 + 60 * i, 610 + 60 * i, gender="male") for i in range(4)] + [Visit(2000, 2002, age=9)]
    evening = [Visit(3600 + 100 * i, 3640 + 100 * i, facing=i % 2) for i in range(7)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.time", lambda: MIDNIGHT + 86400.0)
        with open_store(path, zone="UTC") as store, Counter(store, began=NOON) as counter:
            play(counter, [*women, *later, *evening], range(0, 4400))
    return path


@pytest.fixture
def counted(counted_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(counted_once, tmp_path))


def run(*arguments: object) -> Any:
    return CliRunner().invoke(cli.app, ["audience", *map(str, arguments)], prog_name="phiz")


def test_table_per_hour(counted: Path) -> None:
    done = run(counted)
    assert done.exit_code == 0
    assert done.stdout == (
        "when                           age       gender    people  mean time  facing"
        "     0-5 s    5-15 s   15-30 s   30-60 s  60-180 s    180+ s\n"
        "2026-11-22 12:00               20-39     female         6     20.0 s    100%"
        "         0         0         6         0         0         0\n"
        "2026-11-22 12:00               mixed     mixed          5      8.4 s    100%"
        "         -         -         -         -         -         -\n"  # 1 and 4, which wait for more
        "2026-11-22 12:00               all       all           11     14.7 s    100%"
        "         -         -         -         -         -         -\n"
        "2026-11-22 13:00               20-39     female         7     40.0 s     43%"
        "         0         0         0         7         0         0\n"
    )
    assert done.stderr == "groups of at least 5 people per hour, kept for 90 days, hours and days of UTC\n"


def test_table_per_minute_and_day(counted: Path) -> None:
    minutes = run(counted, "--per", "minute").stdout.splitlines()[1:]
    assert [" ".join(line.split()[:7]) for line in minutes] == [
        "2026-11-22 12:00 all all 6 20.0 s",
        "2026-11-22 12:00, any minute all all 5",
        "2026-11-22 13:00, any minute all all 7",
    ]
    days = run(counted, "--per", "day").stdout.splitlines()[1:]
    assert [" ".join(line.split()[:4]) for line in days] == [
        "2026-11-22 20-39 female 13",
        "2026-11-22 mixed mixed 5",
        "2026-11-22 all all 18",
    ]


def test_csv_and_json_lines(counted: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run(counted, "--format", "csv").stdout)))
    assert rows[0] == {
        **{"start": "2026-11-22T12:00:00+00:00", "end": "2026-11-22T13:00:00+00:00", "period": "hour"},
        **{"age": "20-39", "gender": "female", "people": "6"},
        **{"presence_seconds": "120.0", "attention_seconds": "120.0"},
        **{"dwell_0_5": "0", "dwell_5_15": "0", "dwell_15_30": "6", "dwell_30_60": "0"},
        **{"dwell_60_180": "0", "dwell_180_more": "0"},
    }
    lines = [json.loads(line) for line in run(counted, "--format", "jsonl").stdout.splitlines()]
    texts = [["" if value is None else str(value) for value in line.values()] for line in lines]
    assert texts == [list(row.values()) for row in rows]
    assert rows[1]["people"] == "5"
    assert lines[1]["dwell_0_5"] is None


def test_parquet(counted: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra scale brings pyarrow")
    target = tmp_path / "report.parquet"
    done = run(counted, "--format", "parquet", "--output", target)
    assert (done.stdout, done.exit_code) == ("", 0)
    table = parquet.read_table(target)
    assert table.num_rows == 3
    first = table.to_pylist()[0]
    assert (first["start"].timestamp(), first["people"], first["presence_seconds"]) == (NOON, 6, 120.0)
    assert str(table.schema.field("start").type) == "timestamp[ms, tz=UTC]"
    assert sorted(os.listdir(tmp_path)) == ["audience.db", "report.parquet"]
    assert run(counted, "--format", "parquet").output == "phiz: --format parquet needs --output FILE\n"
    missing = run(counted, "--format", "parquet", "--output", tmp_path / "no" / "report.parquet")
    assert missing.exit_code == 1
    assert "phiz: cannot write " in missing.output


def test_the_name_of_the_output_file_says_the_format(counted: Path, tmp_path: Path) -> None:
    for kind in ("csv", "jsonl"):
        target = tmp_path / f"report.{kind}"
        assert run(counted, "--output", target).exit_code == 0
        assert target.read_text() == run(counted, "--format", kind).output
    assert "name it .jsonl" in run(counted, "--output", tmp_path / "report.json").output


def test_output_file(counted: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.csv"
    done = run(counted, "--format", "csv", "--output", target)
    assert (done.output, done.exit_code) == ("", 0)
    assert target.read_text() == run(counted, "--format", "csv").stdout


def test_a_report_in_another_time_zone(counted: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run(counted, "--format", "csv", "--tz", "Asia/Tokyo").stdout)))
    assert rows[0]["start"] == "2026-11-22T21:00:00+09:00"
    days = run(counted, "--per", "day", "--format", "csv", "--tz", "Pacific/Auckland").stdout
    assert {row["start"] for row in csv.DictReader(io.StringIO(days))} == {"2026-11-23T00:00:00+13:00"}


def test_from_and_to(counted: Path) -> None:
    assert len(run(counted, "--from", "2026-11-22T13:00").stdout.splitlines()) == 2
    assert len(run(counted, "--to", "2026-11-22T13:00", "--format", "csv").stdout.splitlines()) == 3
    assert len(run(counted, "--from", "2026-11-22T22:00", "--tz", "Asia/Tokyo").stdout.splitlines()) == 2
    none = run(counted, "--from", "2026-11-23")
    assert none.stderr == NOBODY
    wrong = run(counted, "--to", "yesterday")
    assert wrong.output == "phiz: --to yesterday: expected a date or time such as 2026-11-22T09:30\n"
    assert wrong.exit_code == 2


def test_larger_groups(counted: Path) -> None:
    people = [line.split()[-10] for line in run(counted, "--k", 7).stdout.splitlines()[1:]]
    assert people == ["11", "7"]
    hidden = run(counted, "--k", 50)
    assert " ".join(hidden.stdout.splitlines()[1].split()) == (
        "2026-11-22, any hour mixed mixed <50 - - - - - - - -"
    )
    row = json.loads(run(counted, "--k", 50, "--format", "jsonl").stdout)
    assert set(list(row.values())[5:]) == {None}
    smaller = run(counted, "--k", 4)
    assert smaller.output == "phiz: --k 4: expected 5 or more, because smaller groups are not stored\n"
    assert smaller.exit_code == 2


def test_what_is_not_over_is_told_only_where_the_owner_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: NOON + 130.0)
    path = tmp_path / "running.db"
    with open_store(path, zone="UTC") as store, Counter(store, began=NOON) as counter:
        play(counter, [Visit(i, i + 20) for i in range(8)], range(0, 130, 5))
        for per in ("minute", "hour", "day"):
            assert run(path, "--per", per).stderr == NOBODY
            asked = json.loads(run(path, "--per", per, "--running", "--format", "jsonl").stdout)
            assert (asked["people"], asked["presence_seconds"]) == (8, 130.0)
    assert json.loads(run(path, "--format", "jsonl").stdout)["people"] == 8  # the counting ended


def test_settings(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    done = run(
        path, "--set", "retention=30", "--set", "k=8", "--set", "groups=day", "--set", "tz=Europe/Berlin"
    )
    assert (
        done.output
        == "groups of at least 8 people per day, kept for 30 days, hours and days of Europe/Berlin\n"
    )
    assert "kept for 14 days" in run(path, "--set", "retention=14").output
    with open_store(path) as store:
        assert (store.settings.k, store.settings.retention) == (8, 14)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("retention", "expected NAME=VALUE, NAME one of retention, k, groups, tz"),
        ("colour=red", "expected NAME=VALUE, NAME one of retention, k, groups, tz"),
        ("k=many", "--set k=many: expected a whole number"),
        ("k=1", "k: expected 2 or more, got 1"),
        ("groups=week", "groups: expected hour or day, got 'week'"),
        ("tz=Moon", "time zone 'Moon': expected a name such as Europe/Berlin"),
    ],
)
def test_settings_that_are_refused(counted: Path, value: str, message: str) -> None:
    done = run(counted, "--set", value)
    assert message in done.output
    assert done.exit_code == 2


def test_a_report_deletes_what_is_too_old(counted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: MIDNIGHT + 91.0 * 86400)
    assert run(counted).stderr == NOBODY
    with sqlite3.connect(counted) as connection:
        assert connection.execute("SELECT count(*) FROM audience_totals").fetchone() == (0,)
    connection.close()


def test_messages_of_databases(counted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    none = run(tmp_path / "none.db")
    assert (
        none.output
        == f"phiz: {tmp_path}/none.db: expected an audience database, got no file; check the path\n"
    )
    assert none.exit_code == 1
    other = sqlite3.connect(counted, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # as a counter that writes
    reading = run(counted)
    assert len(reading.stdout.splitlines()) == 5
    assert "phiz: rows past 90 days are not deleted yet: " in reading.stderr
    assert "another program has the database locked" in reading.stderr
    other.execute("COMMIT")
    other.execute("BEGIN EXCLUSIVE")
    locked = run(counted)
    assert locked.output.startswith(f"phiz: {counted}: another program has the database locked")
    assert locked.exit_code == 1
    other.close()
    monkeypatch.setitem(sys.modules, "psycopg", None)
    missing = run("postgresql://somewhere/phiz")
    assert missing.output == 'phiz: PostgreSQL needs psycopg: pip install "phiz[postgres]"\n'
    assert missing.exit_code == 2


def test_it_needs_the_base_package_alone(counted: Path) -> None:
    assert run(counted, "--set", "retention=100000").exit_code == 0  # it reads this machine's clock
    code = (
        "import sys; sys.argv = ['phiz', 'audience', sys.argv[1]]\n"
        "for name in 'pyarrow psycopg av cv2 torch scipy sklearn pandas'.split(): sys.modules[name] = None\n"
        "from phiz.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(counted)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 5


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    """An hour of coffee and, in a third of the minutes at random, tea; women face both, men coffee."""
    path = tmp_path / "shop.db"
    visits = [Visit(60 * n + 5 * i, 60 * n + 5 * i + 20) for n in range(60) for i in range(2)]
    visits += [Visit(60 * n, 60 * n + 10, gender="male", facing=float(n % 3 > 0)) for n in range(60)]
    with open_store(path, zone="UTC") as store, Counter(store, began=NOON, shown=store.shown) as counter:
        for minute in range(60):
            start = datetime.fromtimestamp(NOON + 60 * minute, timezone.utc)
            content, random = ("tea.mp4", True) if minute % 3 == 0 else ("coffee.mp4", False)
            store.on_shown(content, start, start + timedelta(seconds=30), random=random)
        play(counter, visits, range(0, 3601))
    return path


def test_by_content(shown: Path) -> None:
    done = run(shown, "--by", "content")
    assert done.exit_code == 0
    head, *lines = done.stdout.splitlines()
    assert " ".join(head.split()) == "content random age gender shown came saw it faced a second 95%"
    # 80 women for 20 s and 40 men for 10 s in the 40 half minutes of coffee; 40 women alone face tea. The
    # factor of the interval is exp(1.96 / sqrt(n)), n = 2000^2 / (80 * 20^2 + 40 * 10^2) = 111.1, then 80,
    # 40 and 40.
    assert [" ".join(line.split()) for line in lines] == [
        "coffee.mp4 all all 1200 s 120 120 2000 s 1.667 1.384 to 2.007",
        "of these 20-39 female 1200 s 80 80 1600 s 1.333 1.071 to 1.660",
        "of these 20-39 male 1200 s 40 40 400 s 0.333 0.245 to 0.454",
        "tea.mp4 yes all all 600 s 60 60 800 s 1.333 0.978 to 1.818",
        "of these yes 20-39 female 600 s 40 40 800 s 1.333 0.978 to 1.818",
        "of these yes 20-39 male 600 s 20 20 0 s 0.000 - too few",
    ]
    assert done.stderr.splitlines() == [
        'phiz: "too few": the attention is that of fewer than 20 people (or as good as), so the figure '
        "is too small to compare",
    ]


def test_by_content_as_csv_json_lines_and_parquet(shown: Path, tmp_path: Path) -> None:
    lines = [
        json.loads(line) for line in run(shown, "--by", "content", "--format", "jsonl").stdout.splitlines()
    ]
    rows = list(csv.DictReader(io.StringIO(run(shown, "--by", "content", "--format", "csv").stdout)))
    texts = [["" if value is None else str(value) for value in line.values()] for line in lines]
    assert texts == [list(row.values()) for row in rows]
    assert rows[0]["attention_per_second"] == "1.6667"
    assert lines[-1]["interval_low"] is None
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra scale brings pyarrow")
    target = tmp_path / "effect.parquet"
    assert run(shown, "--by", "content", "--output", target).exit_code == 0
    assert parquet.read_table(target).to_pylist() == lines


def test_by_content_takes_no_periods_and_says_where_there_is_nobody(counted: Path) -> None:
    words = "phiz: --by content tells of all the time, and of nothing that runs; leave --per and --running\n"
    assert run(counted, "--by", "content", "--per", "day").output == words
    assert run(counted, "--by", "content", "--running").output == words
    assert run(counted, "--by", "content", "--to", "2026-01-01").stderr == NOBODY
