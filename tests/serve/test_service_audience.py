"""GET /v1/audience: the lines of `phiz audience`, its bounds, and what it says where there are none."""

from __future__ import annotations

import json
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import audiences
import pytest
from fastapi.testclient import TestClient
from made_tracks import Visit, play
from service import PATIENCE, make_app, wait_until
from typer.testing import CliRunner

from phiz import Analyzer
from phiz.audience import Counter, StoreError, open_store
from phiz.audience import database as databases
from phiz.audience.ledger import Changes
from phiz.audience.totals import EVERYBODY, Group, Key, Shown, Totals
from phiz.cli import app as command_line
from phiz.serve.audience import Audience
from phiz.serve.schema import AudienceReport, ContentReport
from phiz.serve.settings import Settings
from phiz.signage.exposure import Exposure

#: Midnight of Sunday, 22 November 2026, in UTC.
MIDNIGHT = 1_795_305_600
TOKEN = "a-token-of-the-tests"


@pytest.fixture(autouse=True)
def _sunday_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: MIDNIGHT + 43200.0)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("counted") / "audience.db"
    audiences.make(path, MIDNIGHT, days=40, busy=14)
    return path


@pytest.fixture(scope="module")
def client(analyzer: Analyzer, database: Path) -> TestClient:
    return TestClient(make_app(analyzer, settings={"audience": str(database)}))


def printed(database: Path, *options: str) -> list[dict[str, Any]]:
    done = CliRunner().invoke(command_line, ["audience", str(database), "--format", "jsonl", *options])
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("period", ["minute", "hour", "day"])
def test_the_lines_are_those_of_the_command_line(client: TestClient, database: Path, period: str) -> None:
    answer = client.get("/v1/audience", params={"period": period, "from": "2026-11-20", "to": "2026-11-21"})
    assert answer.status_code == 200
    told = answer.json()
    lines = printed(database, "--per", period, "--from", "2026-11-20", "--to", "2026-11-21")
    assert told["lines"] == lines
    assert sum(line["people"] for line in lines) > 50
    assert (told["period"], told["zone"], told["k"]) == (period, "UTC", 5)
    assert (told["from"], told["to"]) == ("2026-11-20T00:00:00+00:00", "2026-11-21T00:00:00+00:00")
    described = client.get("/openapi.json").json()["components"]["schemas"]
    assert set(described["AudienceReport"]["properties"]) == set(told)
    assert set(described["AudienceLine"]["properties"]) == set(told["lines"][0])
    AudienceReport.model_validate(told)


def test_no_line_is_about_fewer_than_k_people(client: TestClient, database: Path) -> None:
    for period in ("minute", "hour", "day"):
        lines = client.get("/v1/audience", params={"period": period}).json()["lines"]
        # A line may have dwell times alone, of people whose own line could not tell them.
        assert min(line["people"] for line in lines if line["people"] is not None) >= 5
        dwell = [
            n for line in lines for name, n in line.items() if name.startswith("dwell") and n is not None
        ]
        assert all(cell == 0 or cell >= 5 for cell in dwell)
        assert any(dwell) == (period != "minute")
    with open_store(database, create=False) as store:
        assert any(key.group == ("mixed", "mixed") for key in store.rows())  # there was something to merge
        assert store.rows(unfinished=True) != store.rows()  # and somebody waits


def test_of_a_day_with_too_few_nothing_is_told(analyzer: Analyzer, tmp_path: Path) -> None:
    audiences.make(tmp_path / "quiet.db", MIDNIGHT, busy=0.9)
    with open_store(tmp_path / "quiet.db") as store:
        assert sum(totals.people for totals in store.rows(unfinished=True).values()) > 0
    client = TestClient(make_app(analyzer, settings={"audience": str(tmp_path / "quiet.db")}))
    for period in ("minute", "hour", "day"):
        assert client.get("/v1/audience", params={"period": period}).json()["lines"] == []


def test_a_running_hour_is_not_told(analyzer: Analyzer, tmp_path: Path) -> None:
    path = tmp_path / "running.db"
    with open_store(path, zone="UTC") as store:
        client = TestClient(make_app(analyzer, settings={"audience": str(path)}))
        now, woman = MIDNIGHT + 10 * 3600, Group("20-39", "female")
        rows = {Key(now, "minute", EVERYBODY): Totals(8), Key(now, "hour", woman): Totals(8)}
        store.write(Changes(rows, until=now + 60))
        ask = {"period": "minute", "from": "2026-11-22"}
        assert client.get("/v1/audience", params=ask).json()["lines"] == []
        store.write(Changes(until=now + 3600))
        assert [line["people"] for line in client.get("/v1/audience", params=ask).json()["lines"]] == [8]


@pytest.mark.parametrize(("period", "days"), [("minute", 2), ("hour", 31), ("day", 731)])
def test_a_report_spans_so_many_days(client: TestClient, database: Path, period: str, days: int) -> None:
    told = client.get("/v1/audience", params={"period": period}).json()
    # Up to the end of today, the 22nd.
    assert told["to"] == "2026-11-23T00:00:00+00:00"
    assert told["lines"] == printed(database, "--per", period, "--from", told["from"])
    within = client.get("/v1/audience", params={"period": period, "from": told["from"], "to": told["to"]})
    assert within.json() == told
    more = client.get("/v1/audience", params={"period": period, "from": "2024-01-01"})
    assert more.status_code == 422
    words = f"expected at most {days} days by the {period}, got more; move from and to closer"
    assert more.json() == {"detail": words, "code": "time_span"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"period": "week"}, "period: expected minute, hour or day, got 'week'"),
        ({"from": "soon"}, "from: expected a date or time such as 2026-11-22T09:30, got 'soon'"),
        ({"to": ""}, "to: expected a date or time such as 2026-11-22T09:30, got ''"),
        ({"to": "0001-01-01"}, "to: expected a date that has 31 days before it, got '0001-01-01'"),
    ],
)
def test_what_is_no_period_or_time_is_refused(client: TestClient, wrong: dict[str, str], words: str) -> None:
    answer = client.get("/v1/audience", params=wrong)
    assert (answer.status_code, answer.json()) == (422, {"detail": words, "code": "bad_time"})


def test_a_service_without_a_database_says_so(analyzer: Analyzer, client: TestClient) -> None:
    bare = TestClient(make_app(analyzer))
    answer = bare.get("/v1/audience")
    assert answer.status_code == 404
    assert answer.json() == {
        "detail": "this service has no audience database; start it with phiz serve --audience DB",
        "code": "no_audience",
    }
    assert [told.get("/v1/models").json()["audience"] for told in (bare, client)] == [False, True]


def test_counts_are_guarded_like_all_else(analyzer: Analyzer, database: Path) -> None:
    client = TestClient(make_app(analyzer, settings={"audience": str(database), "token": TOKEN}))
    for headers in ({}, {"authorization": "Bearer another-token-it-is"}):
        answer = client.get("/v1/audience", headers=headers)
        assert (answer.status_code, "lines" in answer.json()) == (401, False)
    assert client.get("/v1/audience", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_reports_come_one_at_a_time(
    analyzer: Analyzer, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, begun = threading.Event(), []

    def slow(place: str, **options: Any) -> Any:
        begun.append(place)
        assert gate.wait(PATIENCE)
        return open_store(place, **options)

    app = make_app(analyzer, settings={"audience": str(database)}, answer_seconds=0.2)
    monkeypatch.setattr("phiz.serve.audience.open_store", slow)
    with TestClient(app) as client, ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.get, "/v1/audience")
        wait_until(lambda: begun)
        assert client.get("/v1/audience").status_code == 503
        assert len(begun) == 1
        gate.set()
        first.result()
        assert client.get("/v1/audience").status_code == 200


def test_a_database_that_cannot_be_read_is_not_named_to_the_client(
    analyzer: Analyzer,
    database: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    copy = tmp_path / "copy.db"
    copy.write_bytes(database.read_bytes())
    client = TestClient(make_app(analyzer, settings={"audience": str(copy)}))
    monkeypatch.setattr(databases, "PATIENCE", 0.05)
    holder = sqlite3.connect(copy, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    answer = client.get("/v1/audience")
    holder.close()
    assert answer.status_code == 503
    words = "the audience database cannot be read now; the service's log says why"
    assert answer.json() == {"detail": words, "code": "audience_unavailable"}
    assert answer.headers["retry-after"] == "5"
    assert "copy.db: another program has the database locked" in caplog.text
    assert client.get("/v1/audience").status_code == 200


def test_it_is_only_read(client: TestClient, database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = database.read_bytes()
    # A year on every row is past its time: none is told, and the service leaves deleting to phiz watch.
    monkeypatch.setattr("time.time", lambda: MIDNIGHT + 365 * 86400.0)
    assert client.get("/v1/audience", params={"period": "day"}).json()["lines"] == []
    assert database.read_bytes() == before


def test_a_service_does_not_start_without_the_database_it_names(analyzer: Analyzer, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="expected an audience database, got no file; check the path"):
        make_app(analyzer, settings={"audience": str(tmp_path / "absent.db")})
    done = CliRunner().invoke(
        command_line, ["serve", "--port", "0", "--audience", str(tmp_path / "absent.db")]
    )
    assert done.exit_code == 1
    assert "expected an audience database, got no file" in done.output


def test_the_password_of_a_database_is_in_no_text_of_the_settings() -> None:
    assert "hidden" not in repr(Settings(audience="postgresql://phiz:hidden@db/audience"))


def test_the_lines_by_content_are_those_of_the_command_line(analyzer: Analyzer, tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    shop = datetime.fromtimestamp(MIDNIGHT, timezone.utc)
    with open_store(path, zone="UTC") as store, Counter(store, began=MIDNIGHT, shown=store.shown) as counter:
        for minute in range(40):
            start = shop + timedelta(minutes=minute)
            store.on_shown(f"{minute % 2}.mp4", start, start + timedelta(minutes=1))
        play(counter, [Visit(30 * n, 30 * n + 20, facing=1.0) for n in range(80)], range(0, 2401))
    client = TestClient(make_app(analyzer, settings={"audience": str(path)}))
    answer = client.get("/v1/audience/contents", params={"from": "2026-11-20"})
    assert answer.status_code == 200
    told = answer.json()
    assert told["lines"] == printed(path, "--by", "content")
    assert [(line["content"], line["people"], line["age"]) for line in told["lines"]] == [
        *(("0.mp4", 40, "all"), ("0.mp4", 40, "20-39"), ("1.mp4", 40, "all"), ("1.mp4", 40, "20-39")),
    ]
    assert told["lines"][0]["attention_per_second"] == pytest.approx(40 * 20 / 1200, abs=1e-4)
    assert told["cautions"][0].startswith("nothing was shown at random")
    described = client.get("/openapi.json").json()["components"]["schemas"]
    assert set(described["ContentReport"]["properties"]) == set(told)
    assert list(described["ContentLine"]["properties"]) == list(told["lines"][0])
    ContentReport.model_validate(told)
    assert client.get("/v1/audience/contents", params={"from": "never"}).status_code == 422
    assert TestClient(make_app(analyzer)).get("/v1/audience/contents").status_code == 404


def test_what_a_screen_showed_is_kept_for_the_counters(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    open_store(path, zone="UTC").close()
    start = datetime.fromtimestamp(MIDNIGHT, timezone.utc)
    Audience(str(path)).on_shown(Exposure("coffee", start, start + timedelta(seconds=20), random=True))
    with open_store(path) as store:
        (exposure,) = store.shown(MIDNIGHT, MIDNIGHT + 60)
    assert (exposure.end - exposure.start, exposure.shown) == (20, Shown("coffee", random=True))
