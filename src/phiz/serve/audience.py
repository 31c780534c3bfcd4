"""Reports of an audience database over HTTP: the lines of `phiz audience`, for the page's charts."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime
from typing import Any

import anyio

from ..audience import open_store
from ..audience.calendar import Calendar
from ..audience.effect import effect_report
from ..audience.render import jsonl_text
from ..audience.render_effect import cautions, plain
from ..audience.report import report
from ..audience.store import Settings
from ..audience.totals import DAY, HOUR, MINUTE
from ..signage.exposure import Exposure
from .refusal import Code, Refused

#: Most days that one answer may span, for each period; also what it spans unless told.
SPANS = {MINUTE: 2, HOUR: 31, DAY: 731}


class Audience:
    """An audience database that is only read, but for what a screen showed: see `on_shown`.

    place: a file or a postgresql:// URL. Raises StoreError where there is no such database.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._turn = asyncio.Lock()  # one report at a time: each takes a thread and a connection
        open_store(place, create=False).close()

    def on_shown(self, exposure: Exposure) -> None:
        """Keep what a screen showed, for the counters that write to the database. Raises PhizError."""
        with open_store(self._place, create=False) as store:
            store.on_shown(exposure.content, exposure.start, exposure.end, random=exposure.random)

    async def report(self, period: str, since: str | None, until: str | None) -> dict[str, Any]:
        """Return the lines by the `period` ("minute", "hour", "day") that begin from `since` to `until`.

        Raises Refused for a time that is none or a span that is too long, StoreError where the database
        cannot be read.
        """
        if period not in SPANS:
            raise _bad_time(f"period: expected minute, hour or day, got {period!r}")
        async with self._turn:
            return await anyio.to_thread.run_sync(self._report, period, since, until)

    async def contents(self, since: str | None, until: str | None) -> dict[str, Any]:
        """Return the lines by content of the time from `since` to `until`; raises as `report` does."""
        async with self._turn:
            return await anyio.to_thread.run_sync(self._contents, since, until)

    def _report(self, period: str, since: str | None, until: str | None) -> dict[str, Any]:
        with open_store(self._place, create=False) as store:
            calendar = store.settings.calendar
            start, end = _span(period, since, until, calendar)
            rows = store.rows(start, end)
            settings = store.settings
        lines = report(rows, period, settings.k, calendar, settings.groups_per)
        texts = [json.loads(line) for line in jsonl_text(lines).splitlines()]
        return {"period": period} | _told(settings, start, end) | {"lines": texts}

    def _contents(self, since: str | None, until: str | None) -> dict[str, Any]:
        with open_store(self._place, create=False) as store:
            calendar = store.settings.calendar
            start, end = _span(DAY, since, until, calendar)
            rows = store.effects(start, end)
            settings = store.settings
        lines = effect_report(rows, settings.k, calendar, settings.groups_per)
        texts = [plain(line) for line in lines]
        return _told(settings, start, end) | {"lines": texts, "cautions": cautions(lines)}


def _told(settings: Settings, start: int, end: int) -> dict[str, Any]:
    """Return what every report says of itself."""
    calendar = settings.calendar
    return {
        "from": calendar.local(start).isoformat(),
        "to": calendar.local(end).isoformat(),
        "zone": settings.zone,
        "k": settings.k,
    }


def _span(period: str, since: str | None, until: str | None, calendar: Calendar) -> tuple[int, int]:
    """Return the instants from which and before which lines begin; by default up to the end of today."""
    most = SPANS[period]
    now = int(time.time())
    end = calendar.end(calendar.start(now, DAY), DAY) if until is None else _instant("to", until, calendar)
    start = end - 86400 * most if since is None else _instant("from", since, calendar)
    if end - start > 86400 * most + 3600:  # a span of whole days may have one of 25 hours
        words = f"expected at most {most} days by the {period}, got more; move from and to closer"
        raise Refused(422, Code.time_span, words)
    try:
        calendar.local(start)
    except (ValueError, OverflowError):
        raise _bad_time(f"to: expected a date that has {most} days before it, got {until!r}") from None
    return start, end


def _instant(name: str, text: str, calendar: Calendar) -> int:
    try:
        return calendar.instant(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise _bad_time(f"{name}: expected a date or time such as 2026-11-22T09:30, got {text!r}") from None


def _bad_time(words: str) -> Refused:
    return Refused(422, Code.bad_time, words)
