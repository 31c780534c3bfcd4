"""One run of a recipe: pictures to crops, crops to a network, the network to the shipped pair."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from phiz.datasets.celeba import read_celeba
from phiz.datasets.record import FaceRecord
from phiz.datasets.splits import load_conflicts, load_split
from phiz.datasets.utkface import read_utkface
from phiz.errors import RecipeError
from phiz.networks.multitask import INPUT_SIZE, MultiTaskNet
from phiz.training import decision
from phiz.training.crops import Crops, load_crops
from phiz.training.export import export
from phiz.training.loop import predict, train
from phiz.training.recipe import Recipe


def run(recipe: Recipe, data: Path, output: Path, cache: Path, *, resume: bool = False) -> Path:
    """Train `recipe` on the data sets in `data` (UTKFace/, CelebA/) and return the exported ONNX path.

    output: folder for log, checkpoints and the exported pair. cache: folder for the cut crops.
    Raises: DataError where pictures or split files are missing.
    """
    parts = load_parts(recipe, data, cache)
    net = train(recipe, parts, output, resume=resume)
    return finish(recipe, net, parts["validation"], output)


def load_parts(
    recipe: Recipe, data: Path, cache: Path, names: Collection[str] = ("train", "validation", "gender")
) -> dict[str, Crops]:
    """Return the crops of a recipe: "train", "validation", and "gender" where it names CelebA.

    names: the parts that are needed; the others are neither read nor cut.
    """
    folder, limit = recipe.path.parent, recipe.data.limit or None
    parts: dict[str, Crops] = {}
    if {"train", "validation"} & set(names):
        parts = _utkface_parts(recipe, data, cache, names)
    if "gender" in names and recipe.data.celeba and recipe.data.celeba_share > 0:
        drawn = set(load_split(folder / recipe.data.celeba)["train"])
        photos = [record for record in read_celeba(data / "CelebA") if record.path.name in drawn]
        photos = _spread(photos, limit)
        parts["gender"] = load_crops(photos, chips=False, template=recipe.crop, size=INPUT_SIZE, cache=cache)
    return parts


def _utkface_parts(recipe: Recipe, data: Path, cache: Path, names: Collection[str]) -> dict[str, Crops]:
    if not recipe.data.utkface:
        raise RecipeError(
            f"{recipe.path}: [data] utkface must name a split file to train by; a recipe without one trains "
            "the folds of a protocol: phiz evaluate RECIPE --protocol FILE"
        )
    folder, limit = recipe.path.parent, recipe.data.limit or None
    left_out = load_conflicts(folder / recipe.data.conflicts) if recipe.data.conflicts else set()
    split = load_split(folder / recipe.data.utkface, data / "UTKFace")
    records = {record.path.name: record for record in read_utkface(data / "UTKFace")}

    def chips(part: str, without: set[str]) -> Crops:
        chosen = [records[name] for name in split[part] if name in records and name not in without]
        return load_crops(
            _spread(chosen, limit), chips=True, template=recipe.crop, size=INPUT_SIZE, cache=cache
        )

    without = {"train": left_out, "validation": set()}
    return {part: chips(part, without[part]) for part in without if part in names}


def finish(recipe: Recipe, net: MultiTaskNet, validation: Crops, output: Path) -> Path:
    """Choose the branch weights, export the network into `output` and return the ONNX path.

    Both kinds of weights are measured on validation and stand on the card; validation.json
    beside it repeats them.
    """
    age, female = (values.numpy() for values in predict(net, validation))
    fixed = recipe.decision.age, recipe.decision.gender
    fitted = (
        decision.fit_age_weights(age, validation.age),
        decision.fit_gender_weights(female, validation.female),
    )
    figures = {}
    for name, (by_age, by_gender) in (("fixed", fixed), ("fitted", fitted)):
        error = np.abs(np.array(by_age) @ age - validation.age).mean()
        right = ((np.array(by_gender) @ female >= 0.5) == (validation.female == 1)).mean()
        figures[name] = {
            "age_weights": list(by_age),
            "gender_weights": list(by_gender),
            "age_mae": round(float(error), 3),
            "gender_accuracy": round(float(right), 4),
        }
    output.mkdir(parents=True, exist_ok=True)
    (output / "validation.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    by_age, by_gender = fitted if recipe.decision.weights == "fitted" else fixed
    return export(net, recipe, by_age, by_gender, {"validation": figures}, output)


def with_seed(recipe: Recipe, seed: int | None) -> Recipe:
    """Return the recipe under another seed, for the runs that measure how much the seed matters."""
    return recipe if seed is None else replace(recipe, seed=seed)


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
