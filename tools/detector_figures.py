"""Fill the detector's tables in docs/: python tools/detector_figures.py [--check]."""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

from pages import fill_blocks, result, table, update

ROOT = Path(__file__).resolve().parents[1]
POINTS = ("right_eye", "left_eye", "nose", "right_mouth", "left_mouth")
#: Kinds of picture of the first table, and what stands before their rows.
TITLES = {"WIDER FACE": "WIDER FACE, ", "portraits": "pictures of one face, ", "turned": "turned, "}
Row = dict[str, str]


def rows_of(name: str) -> list[Row]:
    with result(name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def detector() -> str:
    """Return what was found, a table for each kind of picture."""
    rows = rows_of("detector_recall")
    parts: dict[str, list[Row]] = {}
    for row in rows:
        parts.setdefault(row["part"], []).append(row)
    head = ["", "number", "found", "other boxes a picture"]
    photos = [
        [f"{title}{row['measure']}", row["number"], percent(row["recall"]), row["false_per_picture"][:5]]
        for part, title in TITLES.items()
        for row in parts[part]
    ]
    pasted = [part for part in parts if part.startswith("pasted in ")]
    blocks = [
        f"`{rows[0]['command']}`, seed {rows[0]['seed']}. Found means an intersection over union of 0.4.",
        table(head, photos),
        "FG-NET and CelebA faces pasted on made backgrounds, some 200 of each size, found:",
        crossed({part.removeprefix("pasted in "): parts[part] for part in pasted}),
        "Groups as UTKFace's file names give them, read only to audit errors; 100 each, found in 640x480:",
        by_group(parts["groups"]),
        "Median distance of the five points to FG-NET's own, as a share of the eyes' distance:",
        points(parts["points, FG-NET"]),
    ]
    return "\n\n".join(block.strip() for block in blocks) + "\n"


def crossed(parts: dict[str, list[Row]]) -> str:
    """Return one row a measure, one column a part."""
    measures = [row["measure"] for row in next(iter(parts.values()))]
    found = {(part, row["measure"]): percent(row["recall"]) for part, rows in parts.items() for row in rows}
    return table(["", *parts], [[each, *(found[part, each] for part in parts)] for each in measures])


def by_group(rows: list[Row]) -> str:
    parts: dict[str, list[Row]] = {}
    for row in rows:
        group, _, what = row["measure"].partition(", ")
        parts.setdefault(group, []).append(row | {"measure": what})
    return crossed(parts)


def points(rows: list[Row]) -> str:
    sizes: dict[str, list[Row]] = {}
    for row in rows:
        sizes.setdefault(row["measure"].rpartition(", ")[0], []).append(row)
    names = [re.sub("_", " ", name) for name in POINTS]
    lines = [[size, found[0]["number"], *(row["error"] for row in found)] for size, found in sizes.items()]
    return table(["", "number", *names], lines)


def before_after() -> str:
    """Return the table of what the change of detector, crop and weights did to answers."""
    head = ["", "validation pictures of", "measure", "number", "before", "after", "difference"]
    keys = ("model", "pictures", "measure", "number", "before", "after")
    rows = rows_of("before_after")
    lines = [[*(row[k] for k in keys), f"{row['difference']} [{row['low']}, {row['high']}]"] for row in rows]
    return table(head, lines, left=3)


def against() -> str:
    """Return the table of times and peak memory before and now."""
    head = ["", "before, ms", "now, ms", "now / before", "peak memory before, MiB", "now"]
    keys = ("picture", "before_median_ms", "median_ms", "ratio", "before_peak_mib", "peak_mib")
    return table(head, [[row[key] for key in keys] for row in rows_of("against")])


def percent(share: str) -> str:
    return f"{100 * float(share):.1f}%" if share else ""


if __name__ == "__main__":
    docs = ROOT / "docs"
    blocks = {
        docs / "figures.md": {"detector": detector},
        docs / "experiments" / "detector.md": {"against": against, "before-after": before_after},
    }
    texts = {page: fill_blocks(page, page.read_text(encoding="utf-8"), made) for page, made in blocks.items()}
    sys.exit(max(update(page, text) for page, text in texts.items()))
