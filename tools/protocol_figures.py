"""Put the figures of results/ and docs/published.csv into docs/: cells of every page, tables of papers.md.

    python tools/protocol_figures.py          rewrite the pages
    python tools/protocol_figures.py --check  say whether the pages are up to date (exit status 1 if not)

A cell is <!--figure NAME; KIND; GROUP; METRIC-->...<!--end-->, NAME being a file of results/ without .csv, or
<!--published TABLE; ROW; METRIC-->...<!--end--> (tools/published.py). The papers' own tables are blocks.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import published
from pages import fill_blocks, result, table, update

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "experiments" / "papers.md"
CELL = re.compile(r"(<!--figure (.+?); (.+?); (.+?); (.+?)-->).*?(<!--end-->)")
ABSENT = "not measured yet"
#: The tables that the light network's papers and the MobileFaceNet paper print.
PRINTED = ("data", "morph2", "morph2-age", "fgnet", "megaage-asian", "imdb-wiki", "celeba", "aihub-korean")
#: The recipes of published networks that phiz has.
RECIPES = {
    "Proposed": "papers/light-folds.toml",
    "MV": "comparison/vgg16.toml",
    "MobileNet-V1": "comparison/small/mobilenet-v1.toml",
    "DenseNet": "comparison/small/densenet.toml",
    "SSR-Net": "comparison/small/ssr-net.toml",
    "ResNet-50": "label2label-resnet50-celeba.toml",
    "MobileFaceNet": "label2label-mobilefacenet-celeba.toml",
    "MobileFaceNet, before fine-tuning": "label2label-mobilefacenet-celeba.toml",
    "MobileFaceNet, after fine-tuning": "label2label-mobilefacenet-aihub.toml",
}
#: What trains the light network on the tables' data sets without genders.
AGES_ALONE = {"fgnet": "multitask-fgnet.toml", "megaage-asian": "papers/light-ages-folds.toml"}
YEARS = ("mae", "rmse", "bias")


def figure(name: str, kind: str, group: str, metric: str) -> str:
    """Return value and interval as a cell shows them, or that there is no such figure yet."""
    path = result(name)
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


def fill_figures(text: str) -> str:
    """Return a page with its measured cells filled."""
    return CELL.sub(lambda cell: cell[1] + figure(*cell.group(2, 3, 4, 5)) + cell[6], text)


def papers_table(name: str) -> str:
    """Return a table as the papers print it: a line a row, a column a metric, and what trains it here."""
    metrics = published.metrics(name)
    rows = [
        [
            row + published.note(name, row),
            recipe(name, row),
            *(published.figure(name, row, metric) for metric in metrics),
        ]
        for row in published.names(name)
    ]
    if name == "imdb-wiki":
        means = [
            published.mean(name, m, "board") if m in ("gender_accuracy", "cs5") else "-" for m in metrics
        ]
        rows.append(["mean of the five boards, computed here", "", *means])
    head = ["as printed", "recipe here", *(published.TITLES[metric] for metric in metrics)]
    return f"Published ({published.printed_in(name)}):\n\n" + table(head, rows, left=2)


def age_networks() -> str:
    """Return the EfficientNet paper's networks, published beside what was measured on FG-NET here."""
    rows = []
    for row in published.names("age-networks"):
        stem = re.sub(r"resnet-|vgg-", lambda prefix: prefix[0][:-1], row.lower())
        made = f"{stem}-fgnet_fgnet-leave-one-person-out"
        measured = [figure(made, "all", "all", metric) for metric in ("mae", "rmse", "cs5")]
        rows.append(
            [
                row,
                f"`comparison/{stem}-fgnet.toml`",
                *(published.figure("age-networks", row, metric) for metric in ("mae", "rmse")),
                *(["needs a GPU", "", ""] if measured[0] == ABSENT else measured),
            ]
        )
    head = ["network", "recipe", "published MAE", "published RMSE", "MAE", "RMSE", "CS(5)"]
    return table(head, rows, left=2)


def recipe(name: str, row: str) -> str:
    """Return the recipe that trains a published row's network here, "-" where phiz has none."""
    if row == "Proposed" and name in AGES_ALONE:
        return f"`{AGES_ALONE[name]}`"
    return f"`{RECIPES[row]}`" if row in RECIPES else "-"


BLOCKS: dict[str, Callable[[], str]] = {
    **{name: partial(papers_table, name) for name in PRINTED},
    "age-networks": age_networks,
}


def main() -> int:
    """Fill the cells of every page, and the blocks of docs/experiments/papers.md."""
    stale = 0
    for page in sorted((ROOT / "docs").rglob("*.md")):
        text = published.fill(fill_figures(page.read_text(encoding="utf-8")))
        stale += update(page, fill_blocks(page, text, BLOCKS) if page == PAGE else text)
    return int(stale > 0)


if __name__ == "__main__":
    sys.exit(main())
