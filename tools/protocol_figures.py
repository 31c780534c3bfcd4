"""Put the figures of results/ into the marked cells of docs/protocols.md.

    python tools/protocol_figures.py          rewrite the page
    python tools/protocol_figures.py --check  say whether the page is up to date (exit status 1 if not)

A cell is <!--figure NAME; KIND; GROUP; METRIC-->...<!--end-->, NAME being a file of results/ without .csv.
"""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

from pages import update

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "protocols.md"
CELL = re.compile(r"(<!--figure (.+?); (.+?); (.+?); (.+?)-->).*?(<!--end-->)")
ABSENT = "not measured yet"
YEARS = ("mae", "rmse", "bias")


def figure(name: str, kind: str, group: str, metric: str) -> str:
    """Return value and interval as a cell shows them, or that there is no such figure yet."""
    path = ROOT / "results" / f"{name}.csv"
    if not path.exists():
        return ABSENT
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if (row["group_kind"], row["group_value"], row["metric"]) == (kind, group, metric):
                scale, digits, unit = (1, 2, "") if metric in YEARS else (100, 1, "%")
                value, low, high = (
                    f"{float(row[key]) * scale:.{digits}f}" for key in ("value", "low", "high")
                )
                return f"{value}{unit} [{low}, {high}]"
    return ABSENT


def main() -> int:
    text = PAGE.read_text(encoding="utf-8")
    new = CELL.sub(lambda cell: cell[1] + figure(*cell.group(2, 3, 4, 5)) + cell[6], text)
    return update(PAGE, new)


if __name__ == "__main__":
    sys.exit(main())
