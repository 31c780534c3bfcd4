"""Lines of a report as a table to read, CSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from typing import Any

from ..errors import OutputError
from ..files import own_part
from ..image import display_name
from .report import Line
from .tables import DWELL_COLUMNS
from .totals import DAY, DWELL_NAMES, HOUR, NO_DWELL, Totals

_TEXTS = ("start", "end", "period", "age", "gender")
_FIGURES = ("people", "presence_seconds", "attention_seconds", *DWELL_COLUMNS)
_UNTOLD = (None,) * len(_FIGURES)
_WIDTHS = "{:<29}  {:<8}  {:<8}  {:>6}  {:>9}  {:>6}" + "  {:>8}" * len(DWELL_NAMES)


def table(lines: Sequence[Line], per: str, k: int) -> str:
    """Return the lines as a table, with a sum under every period that has several."""
    out = [_WIDTHS.format("when", "age", "gender", "people", "mean time", "facing", *DWELL_NAMES)]
    for _, group in groupby(lines, key=lambda line: (line.start, line.end)):
        of_period = list(group)
        out += [_table_row(_when(line, per), line.age, line.gender, line.totals, k) for line in of_period]
        if len(of_period) > 1:
            total = sum((line.totals or Totals() for line in of_period), Totals())
            if not all(line.totals and any(line.totals.dwell) for line in of_period):
                total = replace(total, dwell=NO_DWELL)  # they would be of some people only
            out.append(_table_row(_when(of_period[0], per), "all", "all", total, k))
    return "".join(f"{line.rstrip()}\n" for line in out)


def _table_row(when: str, age: str, gender: str, totals: Totals | None, k: int) -> str:
    if totals is None:
        return _WIDTHS.format(when, age, gender, f"<{k}", *["-"] * (2 + len(DWELL_NAMES)))
    people, mean = (
        (totals.people, f"{totals.presence / totals.people / 1000:.1f} s") if totals.people else "--"
    )
    facing = f"{totals.attention / totals.presence:.0%}" if totals.presence else "-"
    return _WIDTHS.format(
        when, age, gender, people, mean, facing, *(_dwell(totals) or "-" * len(DWELL_NAMES))
    )


def _when(line: Line, per: str) -> str:
    if line.period == DAY:
        return f"{line.start:%Y-%m-%d}" + ("" if per == DAY else ", any hour")
    when = f"{line.start:%Y-%m-%d %H:%M}"
    return f"{when}, any minute" if line.period == HOUR != per else when


def csv_text(lines: Iterable[Line]) -> str:
    """Return a header and the lines as CSV; figures are empty where they are not told."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_TEXTS + _FIGURES)
    for line in _plain(lines):
        writer.writerow(line.values())
    return text.getvalue()


def jsonl_text(lines: Iterable[Line]) -> str:
    """Return one JSON object per line; figures are null where they are not told."""
    return "".join(json.dumps(line) + "\n" for line in _plain(lines))


def _plain(lines: Iterable[Line]) -> Iterator[dict[str, Any]]:
    for line in lines:
        texts = (line.start.isoformat(), line.end.isoformat(), line.period, line.age, line.gender)
        yield dict(zip(_TEXTS, texts, strict=True)) | _figures(line.totals)


def _figures(totals: Totals | None) -> dict[str, Any]:
    if totals is None:
        return dict.fromkeys(_FIGURES)
    people = (
        (totals.people, totals.presence / 1000, totals.attention / 1000) if totals.people else _UNTOLD[:3]
    )
    return dict(zip(_FIGURES, (*people, *(_dwell(totals) or _UNTOLD[3:])), strict=True))


def _dwell(totals: Totals) -> tuple[int, ...] | None:
    """Return the dwell times, or None where they are not told: the report then has all of them 0."""
    return totals.dwell if any(totals.dwell) else None


def write_parquet(lines: Sequence[Line], path: str) -> None:
    """Write the lines to a Parquet file, times in UTC, which appears once complete. Raises OutputError."""
    import pyarrow as pa

    moment, seconds = pa.timestamp("ms", tz="UTC"), pa.float64()
    types = {"start": moment, "end": moment, "presence_seconds": seconds, "attention_seconds": seconds}
    texts = {name: types.get(name, pa.string()) for name in _TEXTS}
    schema = pa.schema(texts | {name: types.get(name, pa.int64()) for name in _FIGURES})
    rows = [
        plain | {"start": line.start, "end": line.end}
        for line, plain in zip(lines, _plain(lines), strict=True)
    ]
    save_parquet(pa.Table.from_pylist(rows, schema=schema), path)


def save_parquet(table: Any, path: str) -> None:
    """Write a table of pyarrow's to a file, which appears once complete. Raises OutputError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    part = own_part(path)
    try:
        pq.write_table(table, part)
        os.replace(part, path)
    except (OSError, pa.ArrowException) as error:
        with suppress(OSError):
            os.unlink(part)
        raise OutputError(f"cannot write {display_name(path)}: {error}") from error
