"""The crops of a recipe's data sets, part by part, and the pictures behind them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from phiz.datasets.record import FaceRecord
from phiz.datasets.registry import named
from phiz.datasets.table import read_table
from phiz.errors import RecipeError
from phiz.training.crops import Crops, load_crops
from phiz.training.recipe import Recipe
from phiz.training.sections import FaceSet
from phiz.training.sets import BOTH, records_of
from phiz.training.teachers import load_answers, picture


def load_parts(
    recipe: Recipe,
    data: Path,
    cache: Path,
    parts: Collection[str] = BOTH,
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
        fan_weights=recipe.fan_weights,
    )


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
