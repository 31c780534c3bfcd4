"""Write the tables of docs/experiments/attributes.md from results/ and docs/published.csv.

python tools/attribute_figures.py          rewrite the page
python tools/attribute_figures.py --check  say whether the page is up to date (exit status 1 if not)
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path

import published
from pages import fill_blocks, result, table, update

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "experiments" / "attributes.md"
NETWORKS = {"plain head": "attributes-112", "Label2Label": "label2label-112"}
#: Our network that a published row is compared with.
THEIRS = {"MobileFaceNet (to a vector of 128)": "MobileFaceNet", "ResNet-50, Label2Label": "ResNet-50"}
HALF, FITTED = "at 1/2", "at threshold"
Row = dict[str, str]


def read(name: str) -> list[Row]:
    with result(name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def percent(row: Row, key: str = "value") -> str:
    value, low, high = (f"{100 * float(row[one]):.1f}" for one in (key, "low", "high"))
    return f"{value} [{low}, {high}]"


def figures(name: str) -> dict[tuple[str, str], Row]:
    return {(row["attribute"], row["metric"]): row for row in read(f"{name}_celeba-test")}


def means() -> str:
    """Both heads on the test part, and how they differ."""
    metrics = [f"{what} {where}" for where in (HALF, FITTED) for what in ("accuracy", "balanced accuracy")]
    found = {head: figures(name) for head, name in NETWORKS.items()}
    rows = [[head, *(percent(rows["mean", metric]) for metric in metrics)] for head, rows in found.items()]
    text = table(["head", *(f"mean {metric}, %" for metric in metrics)], rows) + "\n"
    for row in read("attributes_plain-against-label2label"):
        change, low, high = (f"{100 * float(row[key]):+.2f}" for key in ("difference", "low", "high"))
        text += f"- Label2Label less plain head, {row['figure']} at 1/2: {change} points [{low}, {high}].\n"
    return text


def each() -> str:
    """Every attribute, on the test part; the threshold is the shipped network's."""
    plain, theirs = (figures(name) for name in NETWORKS.values())
    rows = []
    for name in dict.fromkeys(name for name, _ in plain if name != "mean"):
        row = plain[name, f"balanced accuracy {FITTED}"]
        cells = [name, f"{100 * float(row['present']):.1f}", f"{float(row['threshold']):.2f}"]
        cells += [f"{100 * float(found[name, f'accuracy {HALF}']['value']):.1f}" for found in (plain, theirs)]
        rows.append([*cells, percent(row)])
    head = [
        "attribute",
        "present, %",
        "threshold",
        "plain head, accuracy at 1/2",
        "Label2Label, accuracy at 1/2",
    ]
    return table([*head, "plain head, balanced accuracy at the threshold"], rows)


def bias() -> str:
    """Accuracy by group before and after fine-tuning."""
    found = read("fairness_bias-1")
    models = list(dict.fromkeys(row["model"] for row in found))
    by_row: dict[tuple[str, str], dict[str, Row]] = {}
    for row in found:
        by_row.setdefault((row["attribute"], row["group"]), {})[row["model"]] = row
    rows = []
    for (attribute, group), by_model in by_row.items():
        cells = [f"{attribute}, {group}", next(iter(by_model.values()))["n"]]
        for model in models:
            row = by_model[model]
            cells.append(
                percent(row, "accuracy") + (f" {100 * float(row['change']):+.1f}" if row["change"] else "")
            )
        rows.append(cells)
    return table(["accuracy, %", "pictures", *models], rows)


def sizes() -> str:
    """What the networks hold and do, the papers' figures in columns of their own."""
    rows = []
    for row in read("attribute_networks"):
        work = int(row["multiply_adds"]) / 1e9
        ours = [f"{int(row['parameters']) / 1e6:.2f}M", f"{work:.3f}G", f"{2 * work:.2f}G"]
        named = THEIRS.get(row["network"], "")
        rows.append(
            [
                row["network"],
                *ours,
                *(published.figure("attribute-networks", named, m) for m in ("parameters", "operations")),
            ]
        )
    head = ["network", "parameters", "multiply-adds", "operations"]
    return table([*head, "parameters, published", "operations, published"], rows)


BLOCKS: dict[str, Callable[[], str]] = {"sizes": sizes, "means": means, "each": each, "bias": bias}


def main() -> int:
    text = PAGE.read_text(encoding="utf-8")
    return update(PAGE, fill_blocks(PAGE, text, BLOCKS))


if __name__ == "__main__":
    sys.exit(main())
