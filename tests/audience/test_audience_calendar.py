"""Minutes, hours and days of time zones, also of those with odd offsets and clocks that change."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from phiz.audience.calendar import Calendar, machine_zone
from phiz.errors import PhizError


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp())


@pytest.mark.parametrize(
    ("zone", "period", "start", "end"),
    [
        ("UTC", "minute", "2026-11-22T14:37", "2026-11-22T14:38"),
        ("UTC", "hour", "2026-11-22T14:00", "2026-11-22T15:00"),
        ("UTC", "day", "2026-11-22T00:00", "2026-11-23T00:00"),
        ("Europe/Berlin", "day", "2026-11-21T23:00", "2026-11-22T23:00"),
        ("Asia/Kolkata", "hour", "2026-11-22T14:30", "2026-11-22T15:30"),
        ("Asia/Kathmandu", "hour", "2026-11-22T14:15", "2026-11-22T15:15"),
        ("America/Los_Angeles", "day", "2026-11-22T08:00", "2026-11-23T08:00"),
    ],
)
def test_start_and_end(zone: str, period: str, start: str, end: str) -> None:
    calendar = Calendar(zone)
    assert calendar.start(utc("2026-11-22T14:37:59") + 0.9, period) == utc(start)
    assert calendar.end(utc(start), period) == utc(end)


def test_days_on_which_the_clock_changes() -> None:
    berlin = Calendar("Europe/Berlin")
    for noon, hours in (("2026-03-29T12:00", 23), ("2026-10-25T12:00", 25)):
        start = berlin.start(utc(noon), "day")
        assert berlin.end(start, "day") - start == 3600 * hours
    # Half past two comes twice that night, in two hours of their own.
    first, second = utc("2026-10-25T00:30"), utc("2026-10-25T01:30")
    assert berlin.local(first).hour == berlin.local(second).hour == 2
    assert berlin.start(second, "hour") - berlin.start(first, "hour") == 3600


def test_every_instant_is_in_the_period_that_it_is_said_to_be_in() -> None:
    for zone in ("UTC", "Europe/Berlin", "Asia/Kolkata", "America/Havana", "Australia/Lord_Howe", ""):
        calendar = Calendar(zone)
        for instant in range(utc("2026-01-01"), utc("2027-01-01"), 77_777):
            for period in ("minute", "hour", "day"):
                start = calendar.start(instant, period)
                assert start <= instant < calendar.end(start, period)


def test_a_time_without_an_offset_is_of_the_zone() -> None:
    berlin = Calendar("Europe/Berlin")
    assert berlin.instant(datetime(2026, 11, 22, 1)) == utc("2026-11-22T00:00")
    assert berlin.instant(datetime(2026, 11, 22, 1, tzinfo=timezone.utc)) == utc("2026-11-22T01:00")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "/etc/localtime"])
def test_an_unknown_zone(zone: str) -> None:
    with pytest.raises(PhizError, match="expected a name such as Europe/Berlin or UTC"):
        Calendar(zone)


def test_the_zone_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", ":Asia/Kolkata")
    assert machine_zone() == "Asia/Kolkata"
    monkeypatch.setenv("TZ", "no such zone")
    assert machine_zone() == ""
    monkeypatch.delenv("TZ")
    known = Path("/etc/localtime").resolve().parts
    assert machine_zone() == "" or machine_zone().split("/")[-1] == known[-1]
