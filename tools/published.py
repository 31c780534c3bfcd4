"""The figures that the papers print, out of docs/published.csv: cells and tables of the pages.

Columns of the file: paper (a key of PAPERS), where it is printed, our table, row, metric, value as printed
and a note. A figure that stands on a page comes from here; none is typed.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

FILE = Path(__file__).resolve().parents[1] / "docs" / "published.csv"
#: What a paper is called on a page; docs/experiments/papers.md names its authors and title.
PAPERS = {
    "journal": "journal paper",
    "conference": "conference paper",
    "efficientnet": "EfficientNet paper",
    "mobilefacenet": "MobileFaceNet paper",
    "label2label": "Label2Label's paper",
}
TITLES = {
    "parameters": "parameters",
    "operations": "operations",
    "mae": "MAE, years",
    "rmse": "RMSE, years",
    "gender_accuracy": "gender, %",
    "cs5": "age within 5 years, %",
    "ca3": "CA(3)",
    "ca5": "CA(5)",
    "mean_accuracy": "mean accuracy",
    "mean_error": "mean error, %",
    "frames_per_second": "frames a second",
    "pictures": "pictures",
    "people": "people",
}
CELL = re.compile(r"(<!--published (.+?); (.+?); (.+?)-->).*?(<!--end-->)")
Row = dict[str, str]


@cache
def rows() -> tuple[Row, ...]:
    """Return every published figure, in the order of the file."""
    with FILE.open(newline="", encoding="utf-8") as file:
        return tuple(csv.DictReader(file))


def figure(table: str, row: str, metric: str) -> str:
    """Return a figure as printed, one a paper where papers differ, "-" where none prints it."""
    key = (table, row, metric)
    found = {r["paper"]: r["value"] for r in rows() if (r["table"], r["row"], r["metric"]) == key}
    if len(set(found.values())) > 1:
        return ", ".join(f"{value} ({PAPERS[paper]})" for paper, value in found.items())
    return next(iter(found.values()), "-")


def names(table: str) -> list[str]:
    """Return the rows of a table, in the order of the file."""
    return list(dict.fromkeys(r["row"] for r in rows() if r["table"] == table))


def metrics(table: str) -> list[str]:
    """Return the metrics that some row of a table has, in the order of TITLES."""
    found = {r["metric"] for r in rows() if r["table"] == table}
    return [metric for metric in TITLES if metric in found]


def note(table: str, row: str) -> str:
    """Return what the papers say of a row, in brackets; "" where they say nothing."""
    notes = dict.fromkeys(r["note"] for r in rows() if (r["table"], r["row"]) == (table, row) and r["note"])
    return f" ({'; '.join(notes)})" if notes else ""


def mean(table: str, metric: str, rows_like: str) -> str:
    """Return the mean of the figures of rows whose name begins so, computed here, to two digits."""
    chosen = [name for name in names(table) if name.startswith(rows_like)]
    values = [float(figure(table, name, metric)) for name in chosen]
    return f"{sum(values) / len(values):.2f}"


def printed_in(table: str) -> str:
    """Return where a table's figures are printed, such as "journal paper, tables 2 and 3"."""
    found: dict[str, list[str]] = {}
    for r in rows():
        if r["table"] == table and r["printed_in"] not in found.setdefault(r["paper"], []):
            found[r["paper"]].append(r["printed_in"])
    return "; ".join(f"{PAPERS[paper]}, {' and '.join(places).lower()}" for paper, places in found.items())


def fill(text: str) -> str:
    """Return a page with its cells <!--published TABLE; ROW; METRIC-->...<!--end--> filled."""
    return CELL.sub(lambda cell: cell[1] + figure(*cell.group(2, 3, 4)) + cell[5], text)
