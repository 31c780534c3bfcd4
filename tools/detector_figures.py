"""Fill docs/detector.md and a table of docs/training.md: python tools/detector_figures.py [--check]."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from pages import fill_blocks, table, update

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "detector.md"
RESULTS = ROOT / "results" / "detector_recall.csv"
TITLES = {
    "WIDER FACE": "**Photos of WIDER FACE** (the part at hand, some 1024 pixels wide)",
    "portraits": "**Pictures of one face**",
    "groups": "**Groups** as UTKFace's file names give them, read only to audit errors; chips whole, "
    "and pasted on a made background",
    "turned": "**Turned pictures**",
    "without faces": "**Made backgrounds without a face**",
    "points, FG-NET": "**Points**: median distance to FG-NET's own, as a share of the eyes' distance",
}


def figures() -> str:
    """Return one table for each part of the results."""
    with RESULTS.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    made = rows[0]
    parts = dict.fromkeys(row["part"] for row in rows)
    blocks = [
        f"`results/detector_recall.csv`, made by `python benchmarks/detector_recall.py --data DIR`, seed "
        f"{made['seed']}. Found means an intersection over union of 0.4."
    ]
    for part in parts:
        title = TITLES.get(part, f"**FG-NET and CelebA faces {part}**")
        lines = [
            [
                row["measure"],
                row["number"],
                percent(row["recall"]),
                row["false_per_picture"][:5],
                row["error"],
            ]
            for row in rows
            if row["part"] == part
        ]
        head = ["", "number", "found", "other boxes a picture", "error"]
        used = [0, 1, *(i for i in (2, 3, 4) if any(line[i] for line in lines))]
        blocks.append(
            f"{title}\n\n" + table([head[i] for i in used], [[line[i] for i in used] for line in lines])
        )
    return "\n\n".join(block.strip() for block in blocks) + "\n"


def before_after() -> str:
    """Return the table of what the change of detector, crop and weights did to answers."""
    with (ROOT / "results" / "before_after.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    head = ["", "validation pictures of", "measure", "number", "before", "after", "difference"]
    keys = ("model", "pictures", "measure", "number", "before", "after")
    lines = [[*(row[k] for k in keys), f"{row['difference']} [{row['low']}, {row['high']}]"] for row in rows]
    return table(head, lines, left=3)


def against() -> str:
    """Return the table of times and peak memory before and now."""
    with (ROOT / "results" / "against.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    head = ["", "before, ms", "now, ms", "now / before", "peak memory before, MiB", "now"]
    keys = ("picture", "before_median_ms", "median_ms", "ratio", "before_peak_mib", "peak_mib")
    return table(head, [[row[key] for key in keys] for row in rows])


def percent(share: str) -> str:
    return f"{100 * float(share):.1f}%" if share else ""


if __name__ == "__main__":
    training = ROOT / "docs" / "training.md"
    blocks = {PAGE: {"figures": figures, "against": against}, training: {"before-after": before_after}}
    texts = {page: fill_blocks(page, page.read_text(encoding="utf-8"), made) for page, made in blocks.items()}
    sys.exit(max(update(page, text) for page, text in texts.items()))
