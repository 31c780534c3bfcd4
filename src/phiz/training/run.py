"""One run of a recipe: pictures to crops, crops to a network, the network to the shipped pair."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phiz.datasets.record import FaceRecord
from phiz.datasets.registry import named
from phiz.datasets.table import read_table
from phiz.errors import RecipeError
from phiz.networks.build import TrainableNet
from phiz.training import decision
from phiz.training.age_gender import AgeAndGender, check_heads, combined, domains_of, predict
from phiz.training.checkpoint import check_start
from phiz.training.crops import Crops, load_crops
from phiz.training.decision import Weights
from phiz.training.domains import balance, measure, score
from phiz.training.export import export
from phiz.training.figures import plain
from phiz.training.kit import crops_of
from phiz.training.learnt import Learnt
from phiz.training.loop import train
from phiz.training.recipe import Recipe
from phiz.training.sections import FaceSet
from phiz.training.sets import records_of
from phiz.training.teachers import load_answers, picture

#: Answers of a network's branches, (B, N).
Answers = NDArray[np.float32]


def run(
    recipe: Recipe, data: Path, output: Path, cache: Path, *, resume: bool = False, crops: Path | None = None
) -> Path:
    """Train `recipe` on the data sets in `data` (UTKFace/, CelebA/, ...) and return the exported ONNX path.

    output: folder for log, checkpoints and the exported pair. cache: folder for the cut crops. crops: a file
    of `phiz crops` to train from alone; data is not looked at then.
    Raises: DataError where pictures or split files are missing; RecipeError, before any work, where the
    checkpoint to start from is.
    """
    check_start(recipe)
    if not (recipe.train and recipe.validation):
        raise RecipeError(
            f"{recipe.path}: expected data sets under [[train]] and [[validation]]; a recipe without trains "
            "the folds of a protocol: phiz evaluate RECIPE --protocol FILE"
        )
    if crops is None:
        parts = load_parts(recipe, data, cache)
    else:
        parts = crops_of(recipe, crops, cache, fan_file(recipe))
    check_heads(recipe, parts)
    task = AgeAndGender(recipe, parts)
    learnt = task.learnt()
    net = train(task, output, resume=resume)
    return finish(recipe, net, parts, output, learnt)


def load_parts(
    recipe: Recipe,
    data: Path,
    cache: Path,
    parts: Collection[str] = ("train", "validation"),
    but: str = "",
) -> dict[str, Crops]:
    """Return the crops of a recipe's data sets as "train NAME" and "validation NAME", in the recipe's order.

    "train turned" are the turned faces of a recipe that draws any. parts: which of the two kinds; the other
    is neither read nor cut. but: a data set that does not train.
    """
    found: dict[str, Crops] = {}
    if "train" in parts:
        for each in recipe.train:
            if each.dataset != but:
                found[f"train {each.dataset}"] = _of_set(recipe, each, "train", data, cache)
        if found and recipe.data.turned and recipe.data.turned_share > 0:
            found["train turned"] = _crops(recipe, _turned(recipe, found), cache, chips=False)
        if recipe.data.taught:
            answers = load_answers(recipe.files["data", "taught"])
            found = {name: answers.of(crops) for name, crops in found.items()}
    if "validation" in parts:
        for domain in recipe.validation:
            found[f"validation {domain.dataset}"] = _of_set(recipe, domain, "validation", data, cache)
    return found


def training_records(recipe: Recipe, data: Path) -> list[tuple[list[FaceRecord], bool]]:
    """Return the pictures that a recipe trains on, set by set, and whether a set holds chips."""
    return [(_records(recipe, each, "train", data), named(each.dataset).chips) for each in recipe.train]


def _of_set(recipe: Recipe, chosen: FaceSet, part: str, data: Path, cache: Path) -> Crops:
    records = _records(recipe, chosen, part, data)
    return _crops(recipe, records, cache, chips=named(chosen.dataset).chips)


def _records(recipe: Recipe, chosen: FaceSet, part: str, data: Path) -> list[FaceRecord]:
    return records_of(chosen, part, recipe.path.parent, data, recipe.data.limit)


def _crops(recipe: Recipe, records: list[FaceRecord], cache: Path, *, chips: bool) -> Crops:
    return load_crops(
        records,
        chips=chips,
        template=recipe.crop,
        size=recipe.network.size,
        cache=cache,
        aligner=recipe.data.aligner,
        fan_weights=fan_file(recipe),
    )


def fan_file(recipe: Recipe) -> Path | None:
    """Return the file of FAN's weights that a recipe names, if any."""
    return recipe.files.get(("data", "fan_weights"))


def _turned(recipe: Recipe, parts: dict[str, Crops]) -> list[FaceRecord]:
    """Return the turned faces whose pictures are trained on, by the names that they share with these."""
    folder = recipe.path.parent / recipe.data.turned
    trained = {picture(path) for crops in parts.values() for path in crops.paths.tolist()}
    faces = [record for record in read_table(folder) if picture(str(record.path)) in trained]
    if not faces:
        raise RecipeError(
            f"{recipe.path}: [data] turned: none of the faces there is of a training picture; make them by "
            "tools/turn_faces.py"
        )
    return faces


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


def with_seed(recipe: Recipe, seed: int | None) -> Recipe:
    """Return the recipe under another seed, for the runs that measure how much the seed matters."""
    return recipe if seed is None else replace(recipe, seed=seed)


def with_fan_weights(recipe: Recipe, file: Path | None) -> Recipe:
    """Return the recipe with this file of FAN's weights, which need not lie where the recipe does."""
    if file is None:
        return recipe
    return replace(recipe, data=replace(recipe.data, fan_weights=str(file.absolute())))


def with_weights(recipe: Recipe, weights: str | None) -> Recipe:
    """Return the recipe with "fixed" or "fitted" branch weights, its name saying so where they differ.

    Raises RecipeError on another word.
    """
    if weights is None or weights == recipe.decision.weights:
        return recipe
    if weights not in ("fixed", "fitted"):
        raise RecipeError(f'branch weights must be "fixed" or "fitted", got {weights!r}')
    return replace(
        recipe, name=f"{recipe.name}-{weights}", decision=replace(recipe.decision, weights=weights)
    )
