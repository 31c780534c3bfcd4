"""phiz benchmark: how fast phiz is on this machine, in one table."""

from __future__ import annotations

import csv
import io
from contextlib import nullcontext
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Model

if TYPE_CHECKING:
    from ..benchmark.timing import Row


class Part(str, Enum):
    """The names of --part, those of phiz.benchmark.stages.PARTS."""

    stages = "stages"
    threads = "threads"
    batch = "batch"
    precision = "precision"
    sizes = "sizes"
    faces = "faces"
    calls = "calls"
    rivals = "rivals"
    resources = "resources"


#: The columns of --output, those of a Row; what the run was made with follows.
COLUMNS = ("part", "measure", "unit", "fastest", "median", "p95", "p99", "per_second", "repeats", "note")


def benchmark(
    part: Annotated[
        list[Part] | None, typer.Option(help="Only this part; may be repeated. By default all.")
    ] = None,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the rows as CSV.")] = None,
    model: Model = "multitask-64",
    repeats: Annotated[int, typer.Option(min=3, help="Most timed calls of each thing.")] = 300,
    seconds: Annotated[float, typer.Option(min=0, help="About how long each thing is repeated.")] = 5.0,
    quick: Annotated[
        bool, typer.Option("--quick", help="A few calls of the smallest sizes: does it run, not how fast.")
    ] = False,
) -> None:
    """Measure detector, crop, network and all of it, by threads, faces and sizes; some minutes.

    Milliseconds of single calls after a warm-up, on one thread unless a row says otherwise. Run it on an
    otherwise idle machine: p95 and p99 tell of the neighbours too.
    """
    from ..benchmark.stages import PARTS
    from ..benchmark.timing import Effort
    from ..provenance import cells
    from .output import Sink

    effort = Effort(3, 0.0, quick=True) if quick else Effort(repeats, seconds)
    made = cells()
    with Sink(str(output)) if output is not None else nullcontext() as sink:  # a wrong name fails at once
        typer.echo(f"{made['hardware']}\n{made['versions']}\n")
        typer.echo(_line("", "", "median", "p95", "p99", "fastest", "a second", ""))
        rows: list[Row] = []
        for name in [one.value for one in part] if part else PARTS:
            for row in PARTS[name](model, effort):
                typer.echo(_shown(row))
                rows.append(row)
        if sink is not None:
            sink.write(_csv(rows, made))
            typer.echo(f"written: {output}")


def _shown(row: Row) -> str:
    times = [_number(value) for value in (row.median, row.p95, row.p99, row.fastest)]
    unit = "" if row.unit == "ms" or row.median is None else f"{row.unit} "
    rate = "" if row.per_second is None else f"{row.per_second:.1f}"
    return _line(row.part, row.measure, *times, rate, f"{unit}{row.note}")


def _line(part: str, measure: str, *rest: str) -> str:
    *figures, note = rest
    return f"{part:<12} {measure:<52}{''.join(f'{figure:>10}' for figure in figures)}  {note}".rstrip()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _csv(rows: list[Row], made: dict[str, str]) -> str:
    """Return the table as CSV: a row's own columns, then what all rows were made with."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *made])
    for row in rows:
        values = [getattr(row, name) for name in COLUMNS]
        plain = [_number(value) if isinstance(value, float) else value for value in values]
        writer.writerow([*plain, *made.values()])
    return text.getvalue()
