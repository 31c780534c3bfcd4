"""Write the measured figures of results/ into README.md, between its two marker lines.

    python tools/figures.py          rewrite README.md
    python tools/figures.py --check  say whether README.md is up to date (exit status 1 if not)

No figure in README is typed by hand: change the measurement, run this.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

from pages import update

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- figures: made by tools/figures.py -->", "<!-- end of figures -->"
TEST = "multitask-64_utkface-test"
METRICS = (
    ("mae", "age MAE, years", 1, 2),
    ("cs5", "within 5 years", 100, 1),
    ("gender_accuracy", "gender", 100, 1),
)
#: Parts of `phiz benchmark` that README shows; results/speed.csv holds all of them.
SPEED_PARTS = ("stages", "threads", "batch", "precision")
#: Groups of the table; pairs of groups, gaps and folds stay in results/.
KINDS = ("all", "age band", "gender", "group")
NAMES = {"all": "**all**", "without contradicting labels": "without contradicting labels"}


def figures(name: str) -> dict[tuple[str, str], dict[str, dict[str, str]]]:
    found: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
    with (ROOT / "results" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault((row["group_kind"], row["group_value"]), {})[row["metric"]] = row
    return found


def cell(row: dict[str, str] | None, scale: int, digits: int) -> str:
    if row is None:
        return "-"
    if not row["value"]:
        return row["note"]
    value, low, high = (f"{float(row[key]) * scale:.{digits}f}" for key in ("value", "low", "high"))
    unit = "%" if scale == 100 else ""
    return f"{value}{unit} [{low}, {high}]"


def groups_table() -> list[str]:
    lines = [
        "| | pictures | " + " | ".join(title for _, title, _, _ in METRICS) + " |",
        "| --- | ---: | --- | --- | --- |",
    ]
    for (kind, group), rows in figures(TEST).items():
        if kind not in KINDS:
            continue
        name = NAMES.get(group, group) if kind == "all" else f"{kind}: {group}"
        cells = [cell(rows.get(metric), scale, digits) for metric, _, scale, digits in METRICS]
        lines.append(
            f"| {name} | {max(int(row['n']) for row in rows.values()):,} | " + " | ".join(cells) + " |"
        )
    return lines


def models_table() -> list[str]:
    lines = [
        "| model, pictures | pictures | age MAE, years | within 5 years | gender |",
        "| --- | ---: | --- | --- | --- |",
    ]
    for name in ("multitask-64", "age-accurate"):
        card = ROOT / "src" / "phiz" / "models" / "weights" / f"{name}.json"
        other = json.loads(card.read_text(encoding="utf-8")).get("gender_from")  # whose gender answers
        for title, protocol in (
            ("UTKFace test", "utkface-test"),
            ("FG-NET, whole photos, no fine-tuning", "fgnet-cross-dataset"),
            ("CelebA, people left out of training, whole photos", "celeba-validation"),
        ):
            rows = figures(f"{name}_{protocol}")["all", "all"]
            cells = [cell(rows.get(metric), scale, digits) for metric, _, scale, digits in METRICS]
            if other and cells[-1] != "-":
                cells[-1] += f", `{other}`'s"
            count = max(int(row["n"]) for row in rows.values())
            lines.append(f"| `{name}`, {title} | {count:,} | " + " | ".join(cells) + " |")
    return lines


def speed_table() -> list[str]:
    lines = ["| speed and size | median | 95th percentile | fastest |", "| --- | ---: | ---: | ---: |"]
    for row in [*rows_of("speed"), *rows_of("size")]:
        if row.get("part", SPEED_PARTS[0]) in SPEED_PARTS:
            cells = (f"{row[key]} {row['unit']}" if row[key] else "" for key in ("median", "p95", "fastest"))
            lines.append(f"| {row['measure']} | " + " | ".join(cells) + " |")
    return lines


def rows_of(name: str) -> list[dict[str, str]]:
    path = ROOT / "results" / f"{name}.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def block() -> str:
    made = json.loads((ROOT / "results" / f"{TEST}.json").read_text(encoding="utf-8"))
    where = f"{made['hardware']['cpu']}, {made['hardware']['cores']} cores"
    command = ["```sh", made["command"], "```"]
    parts = [groups_table(), ["Made again by:", "", *command], models_table(), speed_table()]
    parts.append([f"Measured on {where}. Each result's `.json` has its command, seed, versions and commit."])
    return "\n\n".join("\n".join(part) for part in parts)


def main() -> int:
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    new = f"{before}{BEGIN}\n\n{block()}\n\n{END}{after}"
    return update(readme, new)


if __name__ == "__main__":
    sys.exit(main())
