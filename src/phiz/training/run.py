"""One run of a recipe: pictures to crops, crops to a network, the network to the shipped pair."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phiz.datasets import registry
from phiz.datasets.record import FaceRecord
from phiz.datasets.splits import load_conflicts, load_split
from phiz.datasets.table import read_table
from phiz.datasets.utkface import read_utkface
from phiz.errors import RecipeError
from phiz.networks.build import TrainableNet
from phiz.training import decision
from phiz.training.age_gender import GENDER_ONLY, AgeAndGender, combined, domains_of, plain, predict
from phiz.training.checkpoint import check_start
from phiz.training.crops import Crops, load_crops
from phiz.training.decision import Weights
from phiz.training.domains import TUNING_PEOPLE, balance, measure, score
from phiz.training.export import export
from phiz.training.kit import crops_of
from phiz.training.learnt import Learnt
from phiz.training.loop import train
from phiz.training.recipe import Recipe
from phiz.training.taught import load_answers, picture

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
    if crops is None:
        parts = load_parts(recipe, data, cache)
    else:
        parts = crops_of(recipe, crops, cache, fan_file(recipe))
    task = AgeAndGender(recipe, parts)
    learnt = task.learnt()
    net = train(task, output, resume=resume)
    return finish(recipe, net, parts, output, learnt)


def load_parts(
    recipe: Recipe,
    data: Path,
    cache: Path,
    names: Collection[str] = ("train", "validation", "further", "gender"),
) -> dict[str, Crops]:
    """Return the crops of a recipe: "train", "validation", and "gender", "fiw", "turned" where it has these.

    A further data set is a part under its own name; a further domain is "validation NAME".
    names: the parts that are needed ("further" for all further data sets, "gender" for all that teach gender
    alone, "validation" for all domains); the others are neither read nor cut.
    """
    parts: dict[str, Crops] = {}
    if {"train", "validation"} & set(names):
        for part, records in _utkface(recipe, data, names).items():
            parts[part] = _crops(recipe, records, cache, chips=True)
    if "validation" in names:
        for name in recipe.validation.domains:
            if name != "utkface":
                records = _domain(recipe, name, data)
                parts[f"validation {name}"] = _crops(recipe, records, cache, chips=registry.named(name).chips)
    if "further" in names:
        for name in recipe.data.further:
            parts[name] = _crops(
                recipe, _further(recipe, name, data), cache, chips=registry.named(name).chips
            )
    if "gender" in names:
        for part, name in GENDER_ONLY.items():
            if photos := _gender_only(recipe, name, data):
                parts[part] = _crops(recipe, photos, cache, chips=registry.named(name).chips)
    if "train" in names and recipe.data.turned and recipe.data.turned_share > 0:
        parts["turned"] = _crops(recipe, _turned(recipe, parts), cache, chips=False)
    if recipe.data.taught:
        answers = load_answers(recipe.files["data", "taught"])
        parts |= {
            name: answers.of(crops) for name, crops in parts.items() if not name.startswith("validation")
        }
    return parts


def training_records(recipe: Recipe, data: Path) -> list[tuple[list[FaceRecord], bool]]:
    """Return the pictures that a recipe trains on, set by set, and whether a set holds chips."""
    further = [(_further(recipe, name, data), registry.named(name).chips) for name in recipe.data.further]
    alone = [(_gender_only(recipe, name, data), registry.named(name).chips) for name in GENDER_ONLY.values()]
    return [(_utkface(recipe, data, ["train"])["train"], True), *further, *(few for few in alone if few[0])]


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


def _gender_only(recipe: Recipe, name: str, data: Path) -> list[FaceRecord]:
    """Return the training pictures of a data set that teaches gender alone; none where none are drawn."""
    if not getattr(recipe.data, name) or getattr(recipe.data, f"{name}_share") <= 0:
        return []
    return _part(recipe, name, "train", data)


def _turned(recipe: Recipe, parts: dict[str, Crops]) -> list[FaceRecord]:
    """Return the turned faces whose pictures are trained on, by the names that they share with these."""
    folder = recipe.path.parent / recipe.data.turned
    trained = {
        picture(path)
        for name, crops in parts.items()
        if not name.startswith("validation")
        for path in crops.paths.tolist()
    }
    faces = [record for record in read_table(folder) if picture(str(record.path)) in trained]
    if not faces:
        raise RecipeError(
            f"{recipe.path}: [data] turned: none of the faces there is of a training picture; make them by "
            "tools/turn_faces.py"
        )
    return faces


def _domain(recipe: Recipe, name: str, data: Path) -> list[FaceRecord]:
    if name == "fgnet":
        people = [record for record in registry.read(name, data) if record.subject in TUNING_PEOPLE]
        return _spread(people, recipe.data.limit or None)
    return _part(recipe, name, "validation", data)


def _part(recipe: Recipe, name: str, part: str, data: Path) -> list[FaceRecord]:
    drawn = set(load_split(recipe.path.parent / getattr(recipe.data, name)).get(part, ()))
    photos = [record for record in registry.read(name, data) if record.path.name in drawn]
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


def finish(recipe: Recipe, net: TrainableNet, parts: dict[str, Crops], output: Path, learnt: Learnt) -> Path:
    """Choose the branch weights, export the network into `output` and return the ONNX path.

    parts: those of validation. Where there are several branches both kinds of weights are measured and stand
    on the card; the fitted ones are best for all domains together, cells and domains counting alike. What
    validation.json beside the card adds is the figures by cell.
    """
    domains = domains_of(recipe, parts)
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
        short[way] = _on_card(said["utkface"], domains["utkface"], weights)
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
    age, female = (
        np.concatenate([getattr(crops, name) for crops in domains.values()]) for name in ("age", "female")
    )
    counts = [balance(crops) for crops in domains.values()]
    by_age, by_gender = (np.concatenate(values) for values in zip(*counts, strict=True))
    return (
        decision.fit_age_weights(ages, age, by_age) if len(ages) else recipe.decision.age,
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
        figures |= {"age_weights": list(weights[0]), "age_mae": round(found["val_age_mae"], 3)}
    if said[1] is not None:
        accuracy = round(found["val_gender_accuracy"], 4)
        figures |= {"gender_weights": list(weights[1]), "gender_accuracy": accuracy}
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
