"""Write the tables of docs/robustness.md from results/robustness/: python tools/robustness.py [--check].

`phiz robustness` makes the files. A model that was not measured has no table.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

from pages import fill_blocks, table, update

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "robustness.md"
RESULTS = ROOT / "results" / "robustness"
#: Measures of the summary: title, and 100 for shares in percent.
MEASURES = {
    "error": ("age error, years", 1),
    "added": ("added", 1),
    "right": ("gender right", 100),
    "flipped": ("flipped", 100),
    "covered": ("in the 90% interval", 100),
    "width": ("interval's width, years", 1),
    "flagged": ("flagged", 100),
}
#: Rows of the summary; of a kind with strengths the third and the fifth.
KINDS = (
    "as it is",
    "mean of noise",
    "mean of blur",
    "mean of weather",
    "mean of digital",
    "mean of all of these",
)
OWN = ("JPEG quality", "darkness", "resolution", "rotation", "shift", "scale")
STEADY = ("mirror", "two pixels aside")
Row = dict[str, str]


def read(path: Path) -> dict[tuple[str, int, str], Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return {(row["kind"], int(row["strength"]), row["measure"]): row for row in csv.DictReader(file)}


def cell(row: Row | None, scale: int) -> str:
    if row is None:
        return "-"
    digits, unit = (1, "%") if scale == 100 else (2, "")
    value, low, high = (f"{float(row[key]) * scale:.{digits}f}" for key in ("value", "low", "high"))
    return f"{value}{unit} [{low}, {high}]"


def summary(path: Path) -> str:
    """Return one model's table, its plot and the command."""
    made = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    found = read(path)
    shown = [name for name in MEASURES if any(key[2] == name for key in found)]
    places = [(kind, 0) for kind in KINDS] + [(kind, strength) for kind in OWN for strength in (3, 5)]
    places += [(kind, 0) for kind in STEADY]
    lines = []
    for kind, strength in places:
        setting = next((row["setting"] for key, row in found.items() if key[:2] == (kind, strength)), "")
        title = f"{kind}, {setting}" if strength else kind
        lines.append([title, *(cell(found.get((kind, strength, name)), MEASURES[name][1]) for name in shown)])
    name, pictures = made["model"]["name"], made["pictures"] - made["faces not found"]
    head = f"### `{name}` on {pictures:,} pictures of `{made['protocol']['name']}`\n"
    plot = f"![Added error and flipped genders by kind and strength](../results/robustness/{path.stem}.svg)\n"
    command = f"Made again by\n\n```sh\n{made['command']}\n```\n"
    return "\n".join([head, table(["", *(MEASURES[m][0] for m in shown)], lines), plot, command])


def models() -> str:
    found = sorted(RESULTS.glob("*.csv")) if RESULTS.exists() else []
    return "\n".join(summary(path) for path in found) or "Not measured yet.\n"


def main() -> int:
    return update(PAGE, fill_blocks(PAGE, PAGE.read_text(encoding="utf-8"), {"models": models}))


if __name__ == "__main__":
    sys.exit(main())
