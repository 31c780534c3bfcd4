"""Check every network of recipes/comparison: learns one batch by heart, exports with parity; write its size.

    python tools/check_age_networks.py                      # all; about fifteen minutes and 8 GB on two cores
    python tools/check_age_networks.py efficientnet-b0 resnet18

Random weights, since it is the code that is checked. One batch of 8 made pictures is learnt at 64 pixels, or
at the recipe's size where that is smaller; parameters, multiply-adds and parity are of the recipe's own size.
Writes results/networks/age_networks.csv, in the order of parameters.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import tempfile
import time
from pathlib import Path

import torch

from phiz.networks.build import build
from phiz.networks.layers import count
from phiz.provenance import commit, cpu
from phiz.training.export import export
from phiz.training.losses import age_loss
from phiz.training.recipe import Recipe, load_recipe

ROOT = Path(__file__).resolve().parents[1]
RECIPES = ROOT / "recipes" / "comparison"
COLUMNS = (
    *(
        "network",
        "size",
        "parameters",
        "multiply_adds",
        "steps",
        "mae_before",
        "mae_after",
        "onnx",
        "seconds",
    ),
    *("torch", "cpu", "commit"),
)
LEARNING = 64
STEPS = 400
LEARNT = 1.0


def learn(recipe: Recipe) -> tuple[int, float, float]:
    """Return the steps taken and the mean absolute error of one batch, in years, before and after them.

    Raises RuntimeError where it is still LEARNT years or more after STEPS.
    """
    torch.manual_seed(0)
    size = min(recipe.network.size, LEARNING)
    net = build(dataclasses.replace(recipe.network, size=size), pretrained=False)
    coarse = torch.rand(8, 3, 4, 4) * 2 - 1
    x = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bilinear")
    age = torch.arange(8.0) * 10

    def error() -> float:
        return (net.expected_age(net(x)[1]) - age).abs().mean().item()

    before = error()
    # AlexNet and VGG have no normalisation and diverge at the rate that suits the others
    rate = 1e-4 if recipe.network.name.startswith(("alexnet", "vgg")) else 3e-3
    optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    for step in range(1, STEPS + 1):
        loss = age_loss(net(x)[1], net.ages, age, recipe.loss).sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        if step % 10 == 0 and (after := error()) < LEARNT:
            return step, before, after
    raise RuntimeError(
        f"{recipe.path}: expected a batch learnt to {LEARNT} years within {STEPS} steps, it is at {after:.2f}"
    )


def check(recipe: Recipe) -> dict[str, object]:
    """Return a network's row.

    Raises RuntimeError where a batch is not learnt or ONNX Runtime answers otherwise.
    """
    began = time.perf_counter()
    steps, before, after = learn(recipe)
    net = build(recipe.network, pretrained=False).eval()
    size = count(net, recipe.network.size)
    with tempfile.TemporaryDirectory() as folder:
        export(net, recipe, *((1.0,), (1.0,)), {}, Path(folder))
    row = {"network": recipe.network.name, "size": recipe.network.size, "parameters": size.parameters}
    row |= {"multiply_adds": size.multiply_adds, "steps": steps, "mae_before": f"{before:.2f}"}
    row |= {"mae_after": f"{after:.2f}", "onnx": "agrees", "seconds": f"{time.perf_counter() - began:.0f}"}
    return row | {"torch": torch.__version__, "cpu": cpu(), "commit": commit() or "unknown"}


def main() -> None:
    """Check the named networks, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="recipes in recipes/comparison, without .toml")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "networks" / "age_networks.csv")
    options = parser.parse_args()
    names = options.names or sorted(p.stem for p in RECIPES.glob("*.toml") if not p.stem.endswith("-fgnet"))
    rows = []
    if options.output.exists():
        with options.output.open(newline="") as file:
            rows = list(csv.DictReader(file))
    for name in names:
        row = check(load_recipe(RECIPES / f"{name}.toml"))
        print(", ".join(f"{key} {value}" for key, value in row.items()), flush=True)
        rows = [old for old in rows if old["network"] != row["network"]] + [row]
        rows.sort(key=lambda each: int(each["parameters"]))
        with options.output.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
