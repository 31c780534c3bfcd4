"""Write the table of the papers' networks in docs/age-networks.md from results/.

    python tools/age_network_figures.py          rewrite the page
    python tools/age_network_figures.py --check  say whether the page is up to date (exit status 1 if not)

Sizes and checks: results/age_networks.csv (tools/check_age_networks.py). Those trained at a size for CPUs:
results/tried/NAME-cpu.csv, the log, and results/NAME-cpu_utkface-test.csv, the evaluation.
"""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

from pages import update
from protocol_figures import ABSENT, figure

from phiz.training.recipe import load_recipe

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "age-networks.md"
RECIPES = ROOT / "recipes" / "comparison"
BLOCK = re.compile(r"(<!-- networks -->\n).*?(<!-- end of networks -->)", re.DOTALL)
#: Mean absolute error in years, FG-NET, one person left out, as the papers print it.
PUBLISHED = {"efficientnet_b0": 3.06, "efficientnet_b1": 3.09, "efficientnet_b7": 2.85}
PUBLISHED |= {"resnet34": 3.02, "alexnet": 4.47}
HEAD = (
    "| network | parameters | multiply-adds | learns a batch; ONNX agrees | trained here "
    "| UTKFace test | FG-NET, published |\n| --- | ---: | ---: | --- | --- | --- | ---: |\n"
)


def rows() -> list[dict[str, str]]:
    """Return a row per network that was checked, least parameters first."""
    with (ROOT / "results" / "age_networks.csv").open(newline="", encoding="utf-8") as file:
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


def line(row: dict[str, str]) -> str:
    """Return a network's line of the table."""
    name = stem(row["network"])
    measured = figure(f"{name}-cpu_utkface-test", "all", "all", "mae")
    cells = [
        f"`{name}`",
        f"{int(row['parameters']) / 1e6:.1f}M",
        f"{int(row['multiply_adds']) / 1e9:.2f}G",
        f"{row['steps']} steps, {row['mae_before']} -> {row['mae_after']} years; {row['onnx']}",
        trained(name),
        "-" if measured == ABSENT else measured,
        f"{PUBLISHED[row['network']]:.2f}" if row["network"] in PUBLISHED else "-",
    ]
    return "| " + " | ".join(cells) + " |\n"


def main() -> int:
    text = PAGE.read_text(encoding="utf-8")
    table = HEAD + "".join(line(row) for row in rows())
    new = BLOCK.sub(lambda block: block[1] + table + block[2], text)
    return update(PAGE, new)


if __name__ == "__main__":
    sys.exit(main())
