"""What an evaluation leaves behind: figures as tidy CSV, where they come from as JSON, a table to read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..errors import DataError
from .groups import Figure, Scored

FIGURE_COLUMNS = ("group_kind", "group_value", "metric", "value", "low", "high", "n", "note")


def write_figures(path: Path, rows: Iterable[Figure]) -> None:
    """Write one CSV row per group and metric; numbers to four decimals. Raises DataError."""
    _write_csv(
        path,
        FIGURE_COLUMNS,
        ((r.kind, r.group, r.metric, *map(_number, (r.value, r.low, r.high)), r.n, r.note) for r in rows),
    )


def write_predictions(path: Path, rows: Iterable[Scored]) -> None:
    """Write one CSV row per picture: file name, labels and answers, no picture. Raises DataError."""
    columns = [field.name for field in fields(Scored)]
    _write_csv(path, columns, ([_number(getattr(row, name)) for name in columns] for row in rows))


def write_provenance(path: Path, facts: dict[str, Any]) -> None:
    """Write what made the figures as JSON. Raises DataError."""
    _write(path, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")


def table(rows: Sequence[Figure]) -> str:
    """Return the main figures as text, one line per group: value and [95% interval]."""
    by_group: dict[tuple[str, str], dict[str, Figure]] = {}
    for row in rows:
        by_group.setdefault((row.kind, row.group), {})[row.metric] = row
    shown = [
        (name, title, scale)
        for name, title, scale in (
            ("mae", "MAE, years", 1.0),
            ("cs5", "within 5 years, %", 100.0),
            ("gender_accuracy", "gender, %", 100.0),
        )
        if any(name in metrics for metrics in by_group.values())
    ]
    lines = [["", "n", *(title for _, title, _ in shown)]]
    for (kind, group), metrics in by_group.items():
        label = group if kind == "all" else f"{kind}: {group}"
        n = max(figure.n for figure in metrics.values())
        lines.append([label, str(n), *(_cell(metrics.get(name), scale) for name, _, scale in shown)])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _cell(figure: Figure | None, scale: float) -> str:
    if figure is None:
        return "-"
    if figure.value is None or figure.low is None or figure.high is None:
        return figure.note
    digits = 2 if scale == 1 else 1
    value, low, high = (f"{number * scale:.{digits}f}" for number in (figure.value, figure.low, figure.high))
    return f"{value} [{low}, {high}]"


def _number(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    try:
        with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)
    except OSError as error:
        raise DataError(f"{path}: could not write the results: {error.strerror}") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise DataError(f"{path}: could not write the results: {error.strerror}") from error
