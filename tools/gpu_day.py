"""A day with a rented GPU: what to train, in order of worth, from files of crops and without the pictures.

    python tools/gpu_day.py list                                      # the runs, their estimated minutes
    python tools/gpu_day.py pack --data DIR --kit kit                 # here: a file for each set of crops
    python tools/gpu_day.py run --kit kit --runs runs --hours 24      # there: train in order, until time is
    up

A run that was killed goes on from its last checkpoint, one that is exported is left alone. Minutes are
estimated, not measured: three times the multiply-adds of a forward pass, two operations each, for every crop
of every epoch, at so many operations a second as --tflops says.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from phiz.networks.attribute_net import AttributeNet
from phiz.networks.build import build
from phiz.networks.layers import count
from phiz.training.attribute_recipe import AttributeRecipe
from phiz.training.fingerprint import digest
from phiz.training.kit import identity
from phiz.training.recipe import Recipe
from phiz.training.run import load_any_recipe

ROOT = Path(__file__).resolve().parents[1]
RECIPES = ROOT / "recipes"
#: Most worth first: teachers of the network that ships, the paper's own attribute backbone, the comparison.
RUNS = (
    *("gpu/teacher-efficientnet-b0", "gpu/teacher-efficientnet-lite2", "label2label-resnet50-celeba"),
    *(
        "comparison/efficientnet-b0",
        "comparison/resnet34",
        "comparison/resnet18",
        "comparison/efficientnet-b1",
    ),
    *("comparison/resnet50", "comparison/alexnet", "comparison/vgg16", "comparison/resnet101"),
    *("comparison/resnet152", "comparison/vgg19", "comparison/efficientnet-b7"),
)
#: Training crops of an epoch, by the data set that a recipe learns from; for the estimate alone.
PICTURES = {"utkface": 15_000, "celeba": 10_500}
#: Operations a second that training is assumed to keep up, in 1e12.
TFLOPS = 20.0
#: Seconds that a step and a crop are assumed to cost besides: launching, augmentation.
STEP, CROP = 0.04, 0.001


@dataclass(frozen=True, slots=True)
class Planned:
    """One run: its recipe, the name and seed of its folder, its file of crops in the kit, its work."""

    recipe: Path
    folder: str
    name: str
    crops: str
    operations: float
    seen: int
    batches: int

    def minutes(self, tflops: float) -> float:
        """Return the estimated minutes at so many 1e12 operations a second."""
        return (self.operations / (tflops * 1e12) + STEP * self.batches + CROP * self.seen) / 60


def plan(names: Sequence[str] = RUNS, recipes: Path = RECIPES) -> list[Planned]:
    """Return the runs in order; recipes with the same data and crop share a file."""
    return [_planned(recipes / f"{name}.toml") for name in names]


def _pictures(recipe: Recipe | AttributeRecipe) -> int:
    """Return how many pictures an epoch draws."""
    return round(sum(PICTURES[each.dataset] * each.share for each in recipe.train))


def _planned(path: Path) -> Planned:
    with torch.device("meta"):  # shapes are all that is counted
        recipe = load_any_recipe(path)
        size = recipe.network.size
        if isinstance(recipe, AttributeRecipe):
            net: torch.nn.Module = AttributeNet(recipe.network, len(recipe.attributes))
        else:
            net = build(recipe.network, pretrained=False)
        work = count(net, size).multiply_adds
    seen = _pictures(recipe) * recipe.optimisation.epochs
    batches = seen // recipe.optimisation.batch
    crops = f"crops-{size}-{digest(identity(recipe))[:8]}.zip"
    folder = f"{recipe.name}-{recipe.seed}"
    return Planned(path, folder, recipe.name, crops, 6.0 * work * seen, seen, batches)


def pack(runs: Sequence[Planned], data: Path, kit: Path, cache: Path) -> None:
    """Write every file of crops that the runs need and the kit lacks."""
    for run in runs:
        if not (kit / run.crops).exists():
            where = ["--data", str(data), "--cache", str(cache), "--output", str(kit / run.crops)]
            _phiz("crops", str(run.recipe), *where)


def train(runs: Sequence[Planned], kit: Path, folder: Path, seconds: float, tflops: float) -> list[str]:
    """Train in order and return the names of the runs that are done; none begins after the time is up.

    Raises SystemExit where a file of crops is missing, before any work.
    """
    if missing := sorted({run.crops for run in runs if not (kit / run.crops).exists()}):
        raise SystemExit(f"{kit}: expected {', '.join(missing)}; python tools/gpu_day.py pack writes them")
    began, done = time.monotonic(), []
    for run in runs:
        output = folder / run.folder
        if not (output / f"{run.name}.json").exists():  # the card is written last
            if time.monotonic() - began >= seconds:
                print(f"time is up before {run.folder}", flush=True)
                break
            print(f"{run.folder}: about {run.minutes(tflops):.0f} minutes", flush=True)
            where = [
                "--crops",
                str(kit / run.crops),
                "--output",
                str(output),
                "--cache",
                str(folder / "cache"),
            ]
            _phiz("train", str(run.recipe), *where, "--resume")
        done.append(run.folder)
    return done


def _phiz(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "phiz", *arguments], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("list", "pack", "run"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the data sets")
    parser.add_argument("--kit", type=Path, default=Path("kit"), help="folder of the files of crops")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the runs")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="folder of the cut crops")
    parser.add_argument("--hours", type=float, default=24.0, help="begin no run after so long")
    parser.add_argument(
        "--tflops", type=float, default=TFLOPS, help="1e12 operations a second, for the estimate"
    )
    options = parser.parse_args()
    runs = plan()
    if options.what == "pack":
        pack(runs, options.data, options.kit, options.cache)
    elif options.what == "run":
        train(runs, options.kit, options.runs, 3600 * options.hours, options.tflops)
    else:
        for run in runs:
            print(f"{run.minutes(options.tflops):8.0f} min  {run.recipe.relative_to(ROOT)}  {run.crops}")


if __name__ == "__main__":
    main()
