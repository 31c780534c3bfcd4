"""Training on the folds of a protocol: every picture is answered by a network that never saw its fold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from phiz import jobs as engines
from phiz.datasets import registry
from phiz.datasets.record import FaceRecord
from phiz.datasets.splits import load_conflicts
from phiz.errors import DataError, RecipeError
from phiz.evaluation import protocols, report_files
from phiz.evaluation.answering import labelled
from phiz.evaluation.fold_files import Fold
from phiz.evaluation.groups import Scored
from phiz.training.age_gender import AgeAndGender
from phiz.training.age_gender_answers import predict
from phiz.training.age_gender_data import load_parts
from phiz.training.checkpoint import check_kept, check_start
from phiz.training.crops import Crops, load_crops, of_crops
from phiz.training.fingerprint import digest, of_recipe
from phiz.training.loop import train_to_the_end
from phiz.training.recipe import Recipe, load_recipe, with_fan_weights
from phiz.training.toml_settings import check_one_device


@dataclass(frozen=True, slots=True)
class Job:
    """One network to train, ready to be sent to a worker: its fold and the pictures that train and test."""

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]


def run_folds(
    recipe_path: Path,
    protocol_path: Path,
    data: Path,
    output: Path,
    cache: Path,
    *,
    engine: str = "serial",
    workers: int | None = None,
    address: str | None = None,
    fan_weights: Path | None = None,
) -> list[Scored]:
    """Train by a recipe on each fold of a protocol and return the answers on the test pictures.

    data: folder of the data sets. output: folder that keeps the answers of each finished fold; a run
    that was killed goes on with the folds that it lacks. cache: folder of the cut crops. fan_weights: see
    recipe.with_fan_weights. engine, workers, address: see engine.run; the answers are the same whatever they
    are, since each fold trains on one thread and its randomness follows from the recipe's seed alone.
    A fold that tests a picture on which no face was found says so in `problem`.
    Raises: RecipeError, DataError; DataError too where `output` holds folds that were made by anything else.
    """
    recipe = with_fan_weights(load_recipe(recipe_path), fan_weights)
    check_start(recipe)
    check_one_device(recipe.path, recipe.optimisation.devices)
    protocol = protocols.load_protocol(protocol_path)
    records = registry.read(protocol.dataset, data)
    folder = data / registry.named(protocol.dataset).folder
    by_key = {registry.key(record, folder): record for record in records}
    folds = protocols.folds(protocol, records, folder)
    clusters = protocols.clusters(protocol, records, folder)
    if not any(fold.train for fold in folds):
        raise DataError(
            f"{protocol_path}: this protocol has no training pictures; give a model, not a recipe"
        )
    others = [name for name in recipe.data_sets if name != protocol.dataset]
    if shared := [name for name in others if registry.share(name, protocol.dataset)]:
        raise RecipeError(
            f"{recipe_path}: [[train]] names {shared[0]}, whose pictures {protocol_path} tests on; "
            f"name {protocol.dataset} instead, in whose place the folds stand, or leave it out"
        )
    # Once, before the workers start: they find every crop in the cache.
    parts = {
        protocol.dataset: _cut(recipe, protocol.dataset, records, data, cache),
        **_beside(recipe, protocol.dataset, data, cache),
    }
    without = recipe.files.get(("[train]", f"without of {protocol.dataset}"))
    left_out = load_conflicts(without) if without else set()
    kept = output / "folds"
    report_files.make_folder(kept)
    made_by = of_recipe(recipe) | of_crops(parts, recipe.data.aligner, recipe.fan_weights)
    made_by["protocol"] = digest([[fold.name, fold.train, fold.test] for fold in folds])
    check_kept(kept, made_by, "folds")
    # Folds that train on the same pictures (repeated draws of test pictures) share one network.
    sharing: dict[tuple[str, ...], list[Fold]] = {}
    for fold in folds:
        if not (kept / f"{fold.name}.csv").exists():
            sharing.setdefault(fold.train, []).append(fold)
    groups = list(sharing.values())
    jobs = [
        Job(
            name=group[0].name,
            train=tuple(key for key in group[0].train if key not in left_out),
            test=tuple(sorted({key for fold in group for key in fold.test})),
        )
        for group in groups
    ]
    work = partial(answer, recipe=recipe, dataset=protocol.dataset, data=data, cache=cache)
    for index, answers in engines.run(work, jobs, engine=engine, workers=workers, address=address):
        for fold in groups[index]:
            rows = [_scored(by_key[k], k, clusters[k], fold.name, answers.get(k)) for k in fold.test]
            part = kept / f"{fold.name}.part"
            report_files.write_predictions(part, rows)
            part.replace(kept / f"{fold.name}.csv")
    return [row for fold in folds for row in report_files.read_predictions(kept / f"{fold.name}.csv")]


def answer(
    job: Job, *, recipe: Recipe, dataset: str, data: Path, cache: Path
) -> dict[str, tuple[float, float]]:
    """Train on one fold; return (age in years, probability of female or NaN) of each test face."""
    torch.set_num_threads(1)  # the same sums in the same order, however many workers there are
    folder = data / registry.named(dataset).folder
    records = registry.read(dataset, data)
    crops = _cut(recipe, dataset, records, data, cache)
    row = {str(path): i for i, path in enumerate(crops.paths)}
    by_key = {registry.key(r, folder): row[str(r.path)] for r in records if str(r.path) in row}
    train, test = ([key for key in keys if key in by_key] for keys in (job.train, job.test))
    if not test:  # no face was found on any of them: nothing to train for
        return {}
    if not train:
        raise DataError(f"expected faces on the {len(job.train)} pictures that train, found none")
    own = crops.rows(np.array([by_key[key] for key in train]))
    parts = {f"train {dataset}": own, **_beside(recipe, dataset, data, cache)}
    net = train_to_the_end(AgeAndGender(recipe, parts))
    tested = crops.rows(np.array([by_key[key] for key in test]))
    age, female = (values.numpy() for values in predict(net, tested, recipe.network.size))
    ages = np.array(recipe.decision.age) @ age if len(age) else np.full(len(test), np.nan)
    females = np.array(recipe.decision.gender) @ female if len(female) else np.full(len(test), np.nan)
    if np.isnan(own.female).all() and not any((~np.isnan(p.female)).any() for p in parts.values()):
        females[:] = np.nan  # a head that no label trained has no answer
    return dict(zip(test, zip(ages.tolist(), females.tolist(), strict=True), strict=True))


def _beside(recipe: Recipe, dataset: str, data: Path, cache: Path) -> dict[str, Crops]:
    """Return what trains beside every fold: the recipe's data sets but the one that the folds are of."""
    return load_parts(recipe, data, cache, ["train"], but=dataset)


def _cut(recipe: Recipe, dataset: str, records: list[FaceRecord], data: Path, cache: Path) -> Crops:
    return load_crops(
        records,
        chips=registry.named(dataset).chips,
        template=recipe.crop,
        size=recipe.network.size,
        cache=cache,
        aligner=recipe.data.aligner,
        fan_weights=recipe.fan_weights,
    )


def _scored(
    record: FaceRecord, key: str, cluster: str, fold: str, answer: tuple[float, float] | None
) -> Scored:
    row = labelled(key, cluster, record, fold)
    if answer is None:
        return replace(row, problem="no face found")
    age, female = answer
    if not np.isnan(age):  # a network of gender alone has none
        row = replace(row, age=age)
    if np.isnan(female):  # a network without gender
        return row
    gender = "female" if female >= 0.5 else "male"
    return replace(row, gender=gender, gender_score=max(female, 1 - female))
