"""phiz audience: reports of what `phiz watch --audience` counted."""

from __future__ import annotations

import sys
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import PhizError
from .output import Sink, named_format

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..audience.calendar import Calendar
    from ..audience.effect import EffectLine
    from ..audience.report import Line
    from ..audience.store import Settings


class Per(str, Enum):
    """Periods of a report; the names are those of --per."""

    minute = "minute"
    hour = "hour"
    day = "day"


class By(str, Enum):
    """What a report divides; the names are those of --by."""

    group = "group"
    content = "content"


class Format(str, Enum):
    """How a report is written; the names are those of --format."""

    table = "table"
    csv = "csv"
    parquet = "parquet"
    jsonl = "jsonl"


def audience(
    database: Annotated[
        str,
        typer.Argument(metavar="DB", help="The file or postgresql:// URL that phiz watch --audience fed."),
    ],
    by: Annotated[
        By, typer.Option(help="Tell of groups by the period, or of the contents of a screen in all the time.")
    ] = By.group,
    per: Annotated[Per | None, typer.Option(help="Length of the periods, by group; default: hour.")] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="2026-11-22 or 2026-11-22T09:30, and later.")
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="TIME", help="Before that time.")] = None,
    running: Annotated[
        bool,
        typer.Option(
            "--running",
            help="Tell of hours that are not over, too; two such reports may differ by one person.",
        ),
    ] = False,
    k: Annotated[
        int | None, typer.Option(min=2, help="Fewest people to a line; default and least: as stored.")
    ] = None,
    tz: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Time zone of the report, such as Europe/Berlin.")
    ] = None,
    format: Annotated[
        Format | None,
        typer.Option(
            help="A table to read, or a file for other tools; by default what --output's name ends in "
            "(.csv, .jsonl, .parquet), else a table."
        ),
    ] = None,
    output: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write there; the file appears once it is complete.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Instead of a report, change what the database keeps, or make it: retention=DAYS, k=PEOPLE, "
            "groups=hour|day (time that a group has to reach k), tz=ZONE. May be repeated.",
        ),
    ] = None,
) -> None:
    """Say how many people a screen had, how long and how attentive, by age band and gender, or by content.

    Exit status: 0 done, 1 the database or the output could not be read or written, 2 wrong usage.
    """
    from ..audience.calendar import Calendar
    from ..audience.database import StoreError
    from ..audience.effect import effect_report
    from ..audience.report import report
    from ..audience.store import open_store

    if set_:
        print(_describe(_set(database, set_)))
        return
    format = format or Format(named_format(output) or "table")
    if format is Format.parquet and output is None:
        raise PhizError("--format parquet needs --output FILE")
    if by is By.content and (per or running):
        raise PhizError(
            "--by content tells of all the time, and of nothing that runs; leave --per and --running"
        )
    with open_store(database, create=False) as store:
        calendar = Calendar(store.settings.zone if tz is None else tz)
        since, before = _instant(from_, calendar, "--from"), _instant(to, calendar, "--to")
        rows = store.rows(since, before, unfinished=running)
        effects = store.effects(since, before)
        settings = store.settings
        try:
            store.tidy()
        except StoreError as error:
            print(f"phiz: rows past {settings.retention} days are not deleted yet: {error}", file=sys.stderr)
    if k is not None and k < settings.k:
        raise PhizError(f"--k {k}: expected {settings.k} or more, because smaller groups are not stored")
    least = k or settings.k
    if by is By.content:
        _write_effects(effect_report(effects, least, calendar, settings.groups_per), least, format, output)
        return
    period = per or Per.hour
    lines = report(rows, period.value, least, calendar, settings.groups_per)
    _write(lines, period, least, format, output)
    if format is Format.table:
        print(_describe(settings) if lines else f"phiz: {_NOBODY}", file=sys.stderr)


def _write(lines: list[Line], per: Per, k: int, format: Format, output: str | None) -> None:
    from ..audience import render

    _render(
        {
            Format.table: lambda: render.table(lines, per.value, k),
            Format.csv: lambda: render.csv_text(lines),
            Format.jsonl: lambda: render.jsonl_text(lines),
        },
        lambda path: render.write_parquet(lines, path),
        format,
        output,
    )


def _write_effects(lines: list[EffectLine], k: int, format: Format, output: str | None) -> None:
    from ..audience import render_effect as render

    _render(
        {
            Format.table: lambda: render.table(lines, k),
            Format.csv: lambda: render.csv_text(lines),
            Format.jsonl: lambda: render.jsonl_text(lines),
        },
        lambda path: render.write_parquet(lines, path),
        format,
        output,
    )
    if format is Format.table:
        for sentence in render.cautions(lines) if lines else [_NOBODY]:
            print(f"phiz: {sentence}", file=sys.stderr)


def _render(
    texts: dict[Format, Callable[[], str]],
    write_parquet: Callable[[str], None],
    format: Format,
    output: str | None,
) -> None:
    if format is Format.parquet:
        assert output is not None
        try:
            write_parquet(output)
        except ModuleNotFoundError as error:
            raise PhizError(f'--format parquet needs {error.name}: pip install "phiz[scale]"') from error
        return
    with Sink(output) as sink:
        sink.write(texts[format]())


def _instant(text: str | None, calendar: Calendar, option: str) -> int | None:
    if text is None:
        return None
    try:
        return calendar.instant(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise PhizError(f"{option} {text}: expected a date or time such as 2026-11-22T09:30") from error


def _set(database: str, assignments: list[str]) -> Settings:
    from ..audience.store import open_store

    values: dict[str, Any] = {}
    for assignment in assignments:
        name, _, value = assignment.partition("=")
        if name not in _SETTINGS or not value:
            raise PhizError(f"--set {assignment}: expected NAME=VALUE, NAME one of {', '.join(_SETTINGS)}")
        field, kind = _SETTINGS[name]
        try:
            values[field] = kind(value)
        except ValueError as error:
            raise PhizError(f"--set {assignment}: expected a whole number") from error
    with open_store(database, **values) as store:
        store.change(**values)
        return store.settings


_NOBODY = "nobody was counted in that time, or too few to tell yet (see docs/audience.md)"
_SETTINGS: dict[str, tuple[str, Any]] = {
    "retention": ("retention", int),
    "k": ("k", int),
    "groups": ("groups_per", str),
    "tz": ("zone", str),
}


def _describe(settings: Settings) -> str:
    return (
        f"groups of at least {settings.k} people per {settings.groups_per}, "
        f"kept for {settings.retention} days, hours and days of {settings.zone or 'this machine'}"
    )
