"""Write the table of the papers' networks in docs/experiments/ from results/ and docs/published.csv.

    python tools/age_network_figures.py          rewrite the page
    python tools/age_network_figures.py --check  say whether the page is up to date (exit status 1 if not)

Sizes and checks: results/networks/age_networks.csv (tools/check_age_networks.py). Those trained at a size
for CPUs: results/tried/NAME-cpu.csv, the log, and results/evaluations/NAME-cpu_utkface-test.csv, the
evaluation.
"""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

import published
from pages import fill_blocks, table, update
from protocol_figures import ABSENT, figure

from phiz.training.recipe import load_recipe

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "experiments" / "age-networks.md"
RECIPES = ROOT / "recipes" / "comparison"
#: The papers' names of networks, which ours are without capitals and hyphens.
PUBLISHED = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in published.names("age-networks")}
HEAD = [
    *(
        "network",
        "parameters",
        "multiply-adds",
        "learns a batch; ONNX agrees",
        "trained here",
        "UTKFace test",
    ),
    *("FG-NET MAE, published", "FG-NET RMSE, published"),
]


def rows() -> list[dict[str, str]]:
    """Return a row per network that was checked, least parameters first."""
    with (ROOT / "results" / "networks" / "age_networks.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def stem(network: str) -> str:
    """Return the name of a network's recipe; that of its fine-tuning has the same and "-fgnet"."""
    return min((p.stem for p in RECIPES.glob("*.toml") if load_recipe(p).network.name == network), key=len)


def trained(name: str) -> str:
    """Say at which size, how long and on what a network was trained, or that it was not."""
    log = ROOT / "results" / "tried" / f"{name}-cpu.csv"
    if not log.exists():
        return "no: needs a GPU"
    with log.open(newline="", encoding="utf-8") as file:
        epochs = list(csv.DictReader(file))
    hours = sum(float(epoch["seconds"]) for epoch in epochs) / 3600
    size = load_recipe(RECIPES / "cpu" / f"{name}.toml").network.size
    return f"{size} pixels, {len(epochs)} epochs, {hours:.1f} hours on one CPU core"


def line(row: dict[str, str]) -> list[str]:
    """Return a network's line of the table."""
    name = stem(row["network"])
    measured = figure(f"{name}-cpu_utkface-test", "all", "all", "mae")
    theirs = PUBLISHED[re.sub(r"[^a-z0-9]", "", row["network"])]
    return [
        f"`{name}`",
        f"{int(row['parameters']) / 1e6:.1f}M",
        f"{int(row['multiply_adds']) / 1e9:.2f}G",
        f"{row['steps']} steps, {row['mae_before']} -> {row['mae_after']} years; {row['onnx']}",
        trained(name),
        "-" if measured == ABSENT else measured,
        *(published.figure("age-networks", theirs, metric) for metric in ("mae", "rmse")),
    ]


def main() -> int:
    text = PAGE.read_text(encoding="utf-8")
    blocks = {"networks": lambda: table(HEAD, [line(row) for row in rows()])}
    return update(PAGE, fill_blocks(PAGE, text, blocks))


if __name__ == "__main__":
    sys.exit(main())
