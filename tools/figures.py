"""Write the measured figures of results/ into README.md (five rows) and docs/figures.md (all of them).

    python tools/figures.py          rewrite the pages
    python tools/figures.py --check  say whether the pages are up to date (exit status 1 if not)

No figure there is typed by hand: change the measurement, run this.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

from pages import fill_blocks, result, table, update
from protocol_figures import fill_figures

ROOT = Path(__file__).resolve().parents[1]
README, FIGURES = ROOT / "README.md", ROOT / "docs" / "figures.md"
#: The model that is used where none is named.
MODEL = "multitask-64"
METRICS = (
    ("mae", "age MAE, years", 1, 2),
    ("cs5", "within 5 years", 100, 1),
    ("gender_accuracy", "gender", 100, 1),
)
#: What each shipped model was measured on, by protocol.
PROTOCOLS = {
    "utkface-test": "UTKFace test",
    "fgnet-cross-dataset": "FG-NET, whole photos, no fine-tuning",
    "celeba-validation": "CelebA, people left out of training, whole photos",
}
#: The level of the interval that is told, and the data sets on which it was measured.
LEVEL, DOMAINS = "0.9", ("UTKFace", "FG-NET")
ABSENT = "not measured yet"

Metrics = dict[str, dict[str, str]]


def figures(name: str) -> dict[tuple[str, str], Metrics]:
    found: dict[tuple[str, str], Metrics] = {}
    for row in rows_of(name):
        found.setdefault((row["group_kind"], row["group_value"]), {})[row["metric"]] = row
    return found


def rows_of(name: str) -> list[dict[str, str]]:
    path = result(name)
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def cell(row: dict[str, str] | None, scale: int, digits: int) -> str:
    if row is None:
        return "-"
    if not row["value"]:
        return row["note"]
    value, low, high = (f"{float(row[key]) * scale:.{digits}f}" for key in ("value", "low", "high"))
    unit = "%" if scale == 100 else ""
    return f"{value}{unit} [{low}, {high}]"


def front() -> str:
    """Return README's five rows."""
    chips, photos, others = (figures(f"{MODEL}_{protocol}")["all", "all"] for protocol in PROTOCOLS)
    speed = {row["measure"]: row for row in rows_of("speed")}
    size = {row["measure"]: row["median"] for row in rows_of("size")}
    network = (ROOT / "src" / "phiz" / "models" / "weights" / f"{MODEL}.onnx").stat().st_size / 1e6
    tests = f"{int(chips['mae']['n']):,} test pictures of UTKFace"
    people = f"{int(others['gender_accuracy']['n']):,} photos of CelebA, people not trained on"
    rows = [
        [
            "mean age error",
            f"{cell(chips['mae'], 1, 2)} years; {cell(photos['mae'], 1, 2)} years",
            f"{tests}; {int(photos['mae']['n']):,} of FG-NET, not trained on, but 151 of them chose "
            "the epoch",
        ],
        [
            "gender right",
            f"{cell(chips['gender_accuracy'], 100, 1)}; {cell(others['gender_accuracy'], 100, 1)}",
            f"{tests}; {people}",
        ],
        ["true age inside the 90% interval, and its mean width", *coverage()],
        [
            "one photo, end to end",
            f"{float(speed['end to end, from a JPEG']['median']):.1f} ms, the network "
            f"{float(speed[f'network {MODEL}: one face']['median']):.2f} of them",
            "a 640x480 JPEG with one face, one thread",
        ],
        [
            "size",
            f"{network:.1f} MB the network, {size['the package']} MB the package, "
            f"{float(size['base install: the package and all it needs']):.0f} MB all that pip installs",
            "",
        ],
    ]
    return table(["", "measured", "on"], rows, left=3)


def coverage() -> tuple[str, str]:
    """Return how often the true age lies in the interval, and on which pictures."""
    rows = {
        (row["domain"], row["measure"]): row
        for row in rows_of(f"certainty_{MODEL}")
        if (row["fitted"], row["looks"], row["band"]) == ("other domains", "as they are", "")
    }
    found = [(name, rows.get((name, f"coverage {LEVEL}"))) for name in DOMAINS]
    measured = [(name, row, rows[name, f"width {LEVEL}, years"]) for name, row in found if row is not None]
    cells = [
        f"{float(row['value']):.1%}, {float(width['value']):.0f} years wide" for _, row, width in measured
    ]
    counts = [f"{int(row['n']):,} of {name}" for name, row, _ in measured]
    if not cells:
        return ABSENT, ""
    return "; ".join(cells), "; ".join([*counts, "each left out of what the interval is made by"])


def models() -> str:
    rows = []
    for name in (MODEL, "age-accurate"):
        card = ROOT / "src" / "phiz" / "models" / "weights" / f"{name}.json"
        other = json.loads(card.read_text(encoding="utf-8")).get("gender_from")  # whose gender answers
        for protocol, title in PROTOCOLS.items():
            measured = figures(f"{name}_{protocol}")["all", "all"]
            cells = [cell(measured.get(metric), scale, digits) for metric, _, scale, digits in METRICS]
            if other and cells[-1] != "-":
                cells[-1] += f", `{other}`'s"
            count = max(int(row["n"]) for row in measured.values())
            rows.append([f"`{name}`, {title}", f"{count:,}", *cells])
    return table(["model, pictures", "pictures", *(title for _, title, _, _ in METRICS)], rows)


def speed() -> str:
    columns = ("fastest", "median", "p95")
    rows = [
        [row["measure"], *(f"{row[key]} {row['unit']}" if row[key] else "" for key in columns)]
        for row in [*rows_of("speed"), *rows_of("size")]
        if row.get("part") != "operators" and row["median"]
    ]
    lines = [f"`{name[0]['command']}`" for name in (rows_of("speed"), rows_of("size"))]
    where = rows_of("speed")[0]
    made = f"{' and '.join(lines)}, on {where['hardware']}; {where['versions']}."
    return f"{made}\n\n" + table(["", "fastest", "median", "95th percentile"], rows)


def main() -> int:
    blocks = {README: {"figures": front}, FIGURES: {"models": models, "speed": speed}}
    texts = {page: fill_blocks(page, page.read_text(encoding="utf-8"), made) for page, made in blocks.items()}
    return max(update(page, fill_figures(text)) for page, text in texts.items())


if __name__ == "__main__":
    sys.exit(main())
