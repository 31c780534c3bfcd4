"""What the pages of landmarks promise: figures straight from results/, and the mapping as the code has it."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from phiz.landmarks.mesh import POINTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "landmarks.md").read_text(encoding="utf-8")
MEASURED = (ROOT / "docs" / "experiments" / "landmarks.md").read_text(encoding="utf-8")


def rows(name: str) -> list[dict[str, str]]:
    with (ROOT / "results" / "detection" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def percent(row: dict[str, str], digits: int = 2) -> str:
    value, low, high = (f"{100 * float(row[key]):.{digits}f}" for key in ("nme", "low", "high"))
    return f"{value} [{low}, {high}]"


def places_table() -> list[str]:
    lines = []
    for row in rows("landmarks"):
        if not row["nme"]:
            lines.append(f"| {row['finder']} | {row['points']} | not measured, see below | - |")
        elif row["ages"] == "all":
            median = f"{100 * float(row['median']):.2f}"
            lines.append(f"| {row['finder']} | {row['points']} | {percent(row)} | {median} |")
    return lines


def ages_table() -> list[str]:
    by_points = {name: [] for name in ("all", "without the jaw")}
    for row in rows("landmarks"):
        if row["nme"] and row["points"] in by_points:
            by_points[row["points"]].append(row)
    return [
        f"| {row['finder']} | {row['ages']} | {int(row['pictures']):,} | {percent(row)} | {percent(other)} "
        f"| {row['none']} | {row['failures']} |"
        for row, other in zip(*by_points.values(), strict=True)
    ]


def aligners_table() -> list[str]:
    measured = {row["measure"]: row for row in rows("alignment_fgnet")}

    def years(measure: str) -> str:
        row = measured.get(measure)
        return (
            "{:.2f} [{:.2f}, {:.2f}]".format(*(float(row[k]) for k in ("value", "low", "high")))
            if row
            else "-"
        )

    def distance(name: str, point: str) -> str | None:
        row = measured.get(f"{name}: distance of {point}, share of eye distance")
        return f"{100 * float(row['value']):.1f}" if row else None

    lines = []
    for name in re.findall(r"age MAE, ([^,]*), years", "\n".join(measured)):
        if "less" in name:
            continue
        off = [distance(name, point) for point in ("right_eye", "left_eye", "right_mouth", "left_mouth")]
        shown = ", ".join(off) if all(off) else "-"
        own, less = years(f"age MAE, {name}, years"), years(f"age MAE, {name} less detector, years")
        lines.append(f"| {name} | {own} | {less} | {shown} |")
    return lines


def test_tables_are_those_of_results() -> None:
    for line in (*places_table(), *ages_table(), *aligners_table()):
        assert line in MEASURED.splitlines()


def test_the_mapping_on_the_page_is_the_codes() -> None:
    table = dict(re.findall(r"^\| (nose|eyes|outer lips|inner lips) [\d-]+ \| (.*) \|$", PAGE, re.M))
    parts = {"nose": (27, 36), "eyes": (36, 48), "outer lips": (48, 60), "inner lips": (60, 68)}
    for part, (start, end) in parts.items():
        told = sorted(int(number) for number in re.findall(r"\d+", table[part]))
        assert told == sorted(point for group in POINTS[start:end] for point in group), part
    assert "to the chin (152)" in PAGE
    assert POINTS[8] == (152,)
