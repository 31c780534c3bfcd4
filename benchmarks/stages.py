"""Compare two checkpoints of a recipe on its validation domains, each also as a poor camera sees it.

    python benchmarks/stages.py RECIPE BEFORE.pt AFTER.pt --data DIR --output results/training/stages_NAME.csv

Branches are combined by the recipe's fixed weights. The differences are paired: same pictures, 95% bootstrap
intervals over people or families, where they are known. Needs the extras train and eval.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phiz.datasets import registry
from phiz.evaluation.metrics import bootstrap
from phiz.evaluation.report_files import write_csv
from phiz.networks.build import build
from phiz.provenance import cells
from phiz.training.age_gender_answers import combined, domains_of, predict
from phiz.training.checkpoint import load_weights
from phiz.training.crops import Crops
from phiz.training.domains import measure
from phiz.training.recipe import Recipe, load_recipe
from phiz.training.run import load_parts

COLUMNS = (
    "domain",
    "measure",
    "number",
    "before",
    "after",
    "difference",
    "low",
    "high",
    "cells_before",
    "cells_after",
)
#: Ages, and probabilities of female, (N,) each.
Answers = tuple[NDArray[np.float32], NDArray[np.float32]]


def answers(recipe: Recipe, checkpoint: Path, domains: dict[str, Crops]) -> dict[str, Answers]:
    """Return ages and probabilities of female, (N,) each, by domain."""
    net = build(recipe.network, pretrained=False)
    net.load_state_dict(load_weights(checkpoint))
    found = {}
    for name, crops in domains.items():
        age, female = predict(net, crops, recipe.network.size)
        found[name] = (
            combined(recipe.decision.age, age.numpy()),
            combined(recipe.decision.gender, female.numpy()),
        )
    return found


def rows(
    name: str, crops: Crops, clusters: NDArray[np.str_], before: Answers, after: Answers
) -> list[list[object]]:
    """Return a domain's rows, one a task that it labels."""
    figures = measure(*before, crops), measure(*after, crops)
    found: list[list[object]] = []
    for task, label in (("age error, years", crops.age), ("gender right", crops.female)):
        known = ~np.isnan(label)
        if not known.any():
            continue
        if label is crops.age:
            values = [np.abs(said[0] - label)[known] for said in (before, after)]
            by_cell = [each.age_mae for each in figures]
        else:
            values = [((said[1] >= 0.5) == (label == 1))[known].astype(float) for said in (before, after)]
            by_cell = [each.gender_accuracy for each in figures]
        apart = values[1] - values[0]
        low, high = interval(apart, clusters[known])
        numbers = [
            values[0].mean(),
            values[1].mean(),
            apart.mean(),
            low,
            high,
            *by_cell,
        ]
        found.append([name, task, int(known.sum()), *(f"{number:.4f}" for number in numbers)])
    return found


def interval(values: NDArray[np.floating], clusters: NDArray[np.str_]) -> tuple[float, float]:
    """Return the 95% bootstrap interval of a mean over clusters."""
    return bootstrap(lambda weight: weight @ values / weight.sum(-1), clusters)


def clusters_of(crops: Crops, dataset: str, data: Path) -> NDArray[np.str_]:
    """Return whom each picture shows, as far as the data set says; else the picture itself. (N,)"""
    whom = {str(record.path): record.subject for record in registry.read(dataset, data)}
    return np.array([whom.get(path) or path for path in crops.paths.tolist()])


def main() -> None:
    """Measure both and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"))
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    recipe = load_recipe(options.recipe)
    recipe = replace(recipe, validation=tuple(replace(each, poor=True) for each in recipe.validation))
    domains = domains_of(recipe, load_parts(recipe, options.data, options.cache, ("validation",)))
    before, after = (answers(recipe, file, domains) for file in (options.before, options.after))
    how = cells("torch", "numpy")
    table = []
    for name, crops in domains.items():
        whom = clusters_of(crops, name.removesuffix("_poor"), options.data)
        table += rows(name, crops, whom, before[name], after[name])
    write_csv(options.output, (*COLUMNS, *how), [[*row, *how.values()] for row in table])
    for row in table:
        print(*row)


if __name__ == "__main__":
    main()
