"""From a trained network of age and gender to the shipped pair: branch weights, figures, export."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phiz.networks.build import TrainableNet
from phiz.training import decision
from phiz.training.age_gender_answers import combined, domains_of, predict
from phiz.training.crops import Crops
from phiz.training.decision import Weights
from phiz.training.domains import balance, measure, score
from phiz.training.export import export
from phiz.training.figures import plain
from phiz.training.learnt import Learnt
from phiz.training.recipe import Recipe

#: Answers of a network's branches, (B, N).
Answers = NDArray[np.float32]


def finish(recipe: Recipe, net: TrainableNet, parts: dict[str, Crops], output: Path, learnt: Learnt) -> Path:
    """Choose the branch weights, export the network into `output` and return the ONNX path.

    parts: those of validation; the card has the plain figures of the first. Where there are several branches
    both kinds of weights are measured and stand on the card; the fitted ones are best for all domains
    together, cells and domains counting alike. What validation.json beside the card adds is the figures by
    cell.
    """
    domains = domains_of(recipe, parts)
    first = recipe.validation[0].dataset
    answers: dict[str, tuple[Answers, Answers]] = {}
    for name, crops in domains.items():
        age, female = predict(net, crops, recipe.network.size)
        answers[name] = age.numpy(), female.numpy()
    ways = {"fixed": (recipe.decision.age, recipe.decision.gender)}
    if recipe.network.branches > 1:
        ways["fitted"] = _fitted(recipe, answers, domains)
    short, whole = {}, {}
    for way, weights in ways.items():
        said = {name: _combined(*answers[name], *weights) for name in domains}
        figures = {name: measure(*said[name], crops) for name, crops in domains.items()}
        short[way] = _on_card(said[first], domains[first], weights)
        short[way]["score"] = round(score(figures), 3)
        cells = {name: asdict(found) | {"worst": found.worst()} for name, found in figures.items()}
        whole[way] = short[way] | {"domains": cells}
    output.mkdir(parents=True, exist_ok=True)
    (output / "validation.json").write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    by_age, by_gender = ways[recipe.decision.weights]
    return export(net, recipe, by_age, by_gender, {"validation": short}, output, learnt)


def _fitted(
    recipe: Recipe, answers: dict[str, tuple[Answers, Answers]], domains: dict[str, Crops]
) -> tuple[Weights, Weights]:
    """Return the branch weights that are best for all domains together; the fixed ones of a task left out."""
    ages, females = (np.concatenate(values, axis=1) for values in zip(*answers.values(), strict=True))
    span, female = (
        np.concatenate([getattr(crops, name) for crops in domains.values()]) for name in ("span", "female")
    )
    counts = [balance(crops) for crops in domains.values()]
    by_age, by_gender = (np.concatenate(values) for values in zip(*counts, strict=True))
    return (
        decision.fit_age_weights(ages, span, by_age) if len(ages) else recipe.decision.age,
        decision.fit_gender_weights(females, female, by_gender) if len(females) else recipe.decision.gender,
    )


def _combined(
    age: Answers, female: Answers, by_age: Weights, by_gender: Weights
) -> tuple[Answers | None, Answers | None]:
    """Return age and gender, the branches combined by these weights; None of a task that is left out."""
    return (
        combined(by_age, age) if len(age) else None,
        combined(by_gender, female) if len(female) else None,
    )


def _on_card(
    said: tuple[Answers | None, Answers | None], crops: Crops, weights: tuple[Weights, Weights]
) -> dict[str, Any]:
    """Return what the card says of one way to combine the branches."""
    found = plain(*said, crops)
    figures: dict[str, Any] = {}
    if said[0] is not None:
        figures["age_weights"] = list(weights[0])
        figures |= {name: round(found[name], 3) for name in ("age_mae", "age_range_error") if name in found}
    if said[1] is not None:
        figures["gender_weights"] = list(weights[1])
        figures |= {name: round(found[name], 4) for name in ("gender_accuracy",) if name in found}
    return figures
