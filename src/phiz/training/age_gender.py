"""The task of age and gender: its batches, its loss and its validation score."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phiz.networks.build import TrainableNet, build
from phiz.training.augment import augment, prepare
from phiz.training.checkpoint import load_weights
from phiz.training.crops import Crops, of_crops
from phiz.training.fingerprint import Fingerprint, of_recipe
from phiz.training.learnt import Learnt
from phiz.training.learnt import of_recipe as learnt_by
from phiz.training.loop import filled, in_batches
from phiz.training.losses import multitask_loss, taught_loss
from phiz.training.recipe import Optimisation, Recipe


class AgeAndGender:
    """What the loop needs to know of age and gender; see loop.Task.

    parts: as run.load_parts gives them: "train", "validation" unless nothing is validated, "gender" for
    crops whose gender alone is known, and further data sets under their names.
    """

    columns: tuple[str, ...] = ("val_age_mae", "val_gender_accuracy", "score")

    def __init__(self, recipe: Recipe, parts: dict[str, Crops]) -> None:
        self.recipe, self.parts = recipe, parts

    @property
    def seed(self) -> int:
        """Return the recipe's seed."""
        return self.recipe.seed

    @property
    def optimisation(self) -> Optimisation:
        """Return the recipe's optimisation."""
        return self.recipe.optimisation

    def blank(self) -> TrainableNet:
        """Return the network, to be filled from a checkpoint."""
        return build(self.recipe.network, pretrained=False)

    def start(self) -> TrainableNet:
        """Return the network that training starts from."""
        recipe = self.recipe
        net = build(recipe.network, recipe.optimisation.dropout, pretrained=False if recipe.start else None)
        if recipe.start is not None:
            net.load_state_dict(load_weights(recipe.start))
        return net

    def identity(self) -> Fingerprint:
        """Return the identity of the recipe, the pictures and their labels."""
        recipe = self.recipe
        fan = recipe.files.get(("data", "fan_weights"))
        return of_recipe(recipe) | of_crops(self.parts, recipe.data.aligner, fan)

    def learnt(self) -> Learnt:
        """Return all that the network learns from."""
        return learnt_by(self.recipe)

    def order(self, random: torch.Generator) -> list[NDArray[np.int64]]:
        """Return the rows of each batch, see epoch_order."""
        return epoch_order(self.recipe, self.parts, random)

    def batches(self, epoch: int, rank: int, world: int) -> Iterator[tuple[Tensor, ...]]:
        """Yield one epoch's batches, see batches."""
        return batches(self.recipe, self.parts, epoch, rank, world)

    def loss(self, net: TrainableNet, x: Tensor, *labels: Tensor) -> Tensor:
        """Return the loss of one batch, by its labels and, where there are, by its teachers' answers."""
        age, female, taught = labels
        weights, ages = self.recipe.loss, net.ages
        said, log_p = (value.float() for value in net(x))
        if not self.recipe.data.taught:
            return multitask_loss(said, log_p, ages, age, female, weights, net.branches)
        by_age, by_gender = weights.taught_age, weights.taught_gender
        by_labels = replace(weights, age=(1 - by_age) * weights.age, gender=(1 - by_gender) * weights.gender)
        by_teachers = replace(weights, age=by_age * weights.age, gender=by_gender * weights.gender)
        return multitask_loss(said, log_p, ages, age, female, by_labels, net.branches) + taught_loss(
            said, log_p, ages, taught, by_teachers, net.branches
        )

    def validate(self, net: TrainableNet) -> dict[str, float]:
        """Return the validation figures, see validate."""
        return validate(net, self.parts["validation"], self.recipe)

    def line(self, row: dict[str, Any]) -> str:
        """Return an epoch's figures as text."""
        return f"validation age MAE {row['val_age_mae']:.3f}, gender {row['val_gender_accuracy']:.2%}"


def best_network(recipe: Recipe, output: Path) -> TrainableNet:
    """Return the best network of a run's folder."""
    return filled(AgeAndGender(recipe, {}).blank(), output)


def learnt(parts: dict[str, Crops]) -> list[Crops]:
    """Return the parts that are trained on, in the order in which rows count through them: "gender" last."""
    whole = [crops for name, crops in parts.items() if name not in ("validation", "gender")]
    return [*whole, *([parts["gender"]] if "gender" in parts else [])]


def epoch_order(recipe: Recipe, parts: dict[str, Crops], random: torch.Generator) -> list[NDArray[np.int64]]:
    """Return the rows of each batch of an epoch, in random order, counted through all that is learnt."""
    extra = parts.get("gender")
    whole = sum(len(crops) for crops in learnt(parts) if crops is not extra)
    order = torch.randperm(whole, generator=random)
    if extra is not None and recipe.data.celeba_share > 0:
        drawn = torch.randperm(len(extra), generator=random)[: round(len(extra) * recipe.data.celeba_share)]
        order = torch.cat([order, whole + drawn])
        order = order[torch.randperm(len(order), generator=random)]
    return in_batches(order, recipe.optimisation.batch)


def batches(
    recipe: Recipe, parts: dict[str, Crops], epoch: int, rank: int = 0, world: int = 1
) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Yield one epoch's augmented batches, in random order.

    Each is crops (B, 3, S, S), age (B,), female (B,) and teachers' answers (B, 3), see losses.taught_loss.
    rank, world: of several processes that train together, each takes every world-th row of every batch.
    """
    random = torch.Generator().manual_seed(recipe.seed * 1_000_003 + epoch)
    sets = learnt(parts)
    starts = np.cumsum([0, *map(len, sets)])
    for rows in epoch_order(recipe, parts, random):
        rows = rows[rank::world]
        ends = np.searchsorted(rows, starts)  # the rows of a batch are sorted
        picked = [
            (part, rows[a:b] - start) for part, start, a, b in zip(sets, starts, ends, ends[1:], strict=False)
        ]
        pixels, age, female, taught = (
            torch.from_numpy(np.concatenate([getattr(part, name)[index] for part, index in picked]))
            for name in ("pixels", "age", "female", "taught")
        )
        yield augment(pixels, recipe.network.size, recipe.augmentation, random), age, female, taught


@torch.no_grad()
def predict(net: TrainableNet, crops: Crops, size: int, batch: int = 256) -> tuple[Tensor, Tensor]:
    """Return (ages (B, N) in years, female probabilities (B, N)) of the canonical crops, one row a branch.

    size: side of the network's input in pixels.
    """
    net.eval()
    device = net.ages.device
    ages, females = [], []
    for start in range(0, len(crops), batch):
        pixels = torch.from_numpy(np.array(crops.pixels[start : start + batch]))
        x = prepare(pixels, size).contiguous(memory_format=torch.channels_last)
        female, age = net(x.to(device))
        ages.append(net.expected_age(age).cpu())
        females.append(female.sigmoid().cpu())
    return torch.cat(ages, 1), torch.cat(females, 1)


def validate(net: TrainableNet, crops: Crops, recipe: Recipe) -> dict[str, float]:
    """Return validation figures, the branches weighted as the recipe's fixed decision says.

    score is what the best epoch has least of: years of age error plus a fifth of a year for each
    hundredth of gender error, so that neither task is chosen at the other's cost.
    """
    age, female = predict(net, crops, recipe.network.size)
    by_age, by_gender = (
        torch.tensor(w, dtype=torch.float32) for w in (recipe.decision.age, recipe.decision.gender)
    )
    known = ~np.isnan(crops.age)
    mae = float((by_age @ age - torch.from_numpy(crops.age)).abs()[known].mean()) if len(age) else math.nan
    if not len(female):  # a network without gender
        return {"val_age_mae": mae, "val_gender_accuracy": math.nan, "score": mae}
    labelled = ~np.isnan(crops.female)
    right = ((by_gender @ female >= 0.5) == (torch.from_numpy(crops.female) == 1)).float()[labelled]
    accuracy = float(right.mean())
    score = 20 * (1 - accuracy) + (mae if len(age) else 0.0)
    return {"val_age_mae": mae, "val_gender_accuracy": accuracy, "score": score}
