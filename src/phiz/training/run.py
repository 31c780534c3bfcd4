"""One run of a recipe: pictures to crops, crops to a network, the network to the shipped pair."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phiz.datasets import registry
from phiz.datasets.celeba import read_celeba
from phiz.datasets.record import FaceRecord
from phiz.datasets.splits import load_conflicts, load_split
from phiz.datasets.utkface import read_utkface
from phiz.errors import RecipeError
from phiz.networks.build import TrainableNet
from phiz.training import decision
from phiz.training.age_gender import AgeAndGender, predict
from phiz.training.checkpoint import check_start
from phiz.training.crops import Crops, load_crops
from phiz.training.decision import Weights
from phiz.training.export import export
from phiz.training.learnt import Learnt
from phiz.training.loop import train
from phiz.training.recipe import Recipe
from phiz.training.taught import load_answers


def run(recipe: Recipe, data: Path, output: Path, cache: Path, *, resume: bool = False) -> Path:
    """Train `recipe` on the data sets in `data` (UTKFace/, CelebA/) and return the exported ONNX path.

    output: folder for log, checkpoints and the exported pair. cache: folder for the cut crops.
    Raises: DataError where pictures or split files are missing; RecipeError, before any work, where the
    checkpoint to start from is.
    """
    check_start(recipe)
    parts = load_parts(recipe, data, cache)
    task = AgeAndGender(recipe, parts)
    learnt = task.learnt()
    net = train(task, output, resume=resume)
    return finish(recipe, net, parts["validation"], output, learnt)


def load_parts(
    recipe: Recipe,
    data: Path,
    cache: Path,
    names: Collection[str] = ("train", "validation", "further", "gender"),
) -> dict[str, Crops]:
    """Return the crops of a recipe: "train", "validation", and "gender" where it names CelebA.

    A further data set is a part under its own name.
    names: the parts that are needed ("further" for all further data sets); the others are neither read nor
    cut.
    """
    parts: dict[str, Crops] = {}
    if {"train", "validation"} & set(names):
        for part, records in _utkface(recipe, data, names).items():
            parts[part] = _crops(recipe, records, cache, chips=True)
    if "further" in names:
        for name in recipe.data.further:
            chips = registry.named(name).chips
            parts[name] = _crops(recipe, _further(recipe, name, data), cache, chips=chips)
    if "gender" in names and (photos := _celeba(recipe, data)):
        parts["gender"] = _crops(recipe, photos, cache, chips=False)
    if recipe.data.taught:
        answers = load_answers(recipe.files["data", "taught"])
        parts |= {name: answers.of(crops) for name, crops in parts.items() if name != "validation"}
    return parts


def training_records(recipe: Recipe, data: Path) -> list[tuple[list[FaceRecord], bool]]:
    """Return the pictures that a recipe trains on, set by set, and whether a set holds chips."""
    further = [(_further(recipe, name, data), registry.named(name).chips) for name in recipe.data.further]
    return [(_utkface(recipe, data, ["train"])["train"], True), *further, (_celeba(recipe, data), False)]


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


def _celeba(recipe: Recipe, data: Path) -> list[FaceRecord]:
    if not recipe.data.celeba or recipe.data.celeba_share <= 0:
        return []
    drawn = set(load_split(recipe.path.parent / recipe.data.celeba)["train"])
    photos = [record for record in read_celeba(data / "CelebA") if record.path.name in drawn]
    return _spread(photos, recipe.data.limit or None)


def _further(recipe: Recipe, name: str, data: Path) -> list[FaceRecord]:
    records = [record for record in registry.read(name, data) if record.part in (None, "train")]
    return _spread(records, recipe.data.limit or None)


def _utkface(recipe: Recipe, data: Path, names: Collection[str]) -> dict[str, list[FaceRecord]]:
    if not recipe.data.utkface:
        raise RecipeError(
            f"{recipe.path}: [data] utkface must name a split file to train by; a recipe without one trains "
            "the folds of a protocol: phiz evaluate RECIPE --protocol FILE"
        )
    folder = recipe.path.parent
    left_out = load_conflicts(folder / recipe.data.conflicts) if recipe.data.conflicts else set()
    split = load_split(folder / recipe.data.utkface, data / "UTKFace")
    records = {record.path.name: record for record in read_utkface(data / "UTKFace")}
    without = {"train": left_out, "validation": set()}
    parts = {
        part: [records[name] for name in split[part] if name in records and name not in without[part]]
        for part in without
        if part in names
    }
    return {part: _spread(chosen, recipe.data.limit or None) for part, chosen in parts.items()}


def finish(recipe: Recipe, net: TrainableNet, validation: Crops, output: Path, learnt: Learnt) -> Path:
    """Choose the branch weights, export the network into `output` and return the ONNX path.

    Where there are several branches both kinds of weights are measured on validation and stand on the card;
    validation.json beside it repeats them. learnt: what the network has learnt from.
    """
    age, female = (values.numpy() for values in predict(net, validation, recipe.network.size))
    fixed = recipe.decision.age, recipe.decision.gender
    ways = {"fixed": fixed}
    if recipe.network.branches > 1:
        ways["fitted"] = (
            decision.fit_age_weights(age, validation.age) if len(age) else fixed[0],
            decision.fit_gender_weights(female, validation.female) if len(female) else fixed[1],
        )
    figures = {name: _measured(age, female, validation, *weights) for name, weights in ways.items()}
    output.mkdir(parents=True, exist_ok=True)
    (output / "validation.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    by_age, by_gender = ways[recipe.decision.weights]
    return export(net, recipe, by_age, by_gender, {"validation": figures}, output, learnt)


def _measured(
    age: NDArray[np.float32], female: NDArray[np.float32], crops: Crops, by_age: Weights, by_gender: Weights
) -> dict[str, Any]:
    """Return the validation figures of the branches combined by these weights."""
    figures: dict[str, Any] = {}
    if len(age):
        error = np.nanmean(np.abs(np.array(by_age) @ age - crops.age))
        figures |= {"age_weights": list(by_age), "age_mae": round(float(error), 3)}
    if len(female):
        right = ((np.array(by_gender) @ female >= 0.5) == (crops.female == 1)).mean()
        figures |= {"gender_weights": list(by_gender), "gender_accuracy": round(float(right), 4)}
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


def _spread(records: Sequence[FaceRecord], limit: int | None) -> list[FaceRecord]:
    """Take at most `limit` records, evenly from the whole sorted list (so from all ages)."""
    if limit is None or len(records) <= limit:
        return list(records)
    return [records[i * len(records) // limit] for i in range(limit)]
