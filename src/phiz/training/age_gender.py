"""The task of age and gender: its batches, its loss and its validation score."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phiz.errors import RecipeError
from phiz.networks.build import TrainableNet, build
from phiz.training.age_gender_answers import domains_of, validate
from phiz.training.age_gender_finish import finish
from phiz.training.augment import at_epoch, augment
from phiz.training.checkpoint import load_weights
from phiz.training.crops import Crops, of_crops
from phiz.training.figures import PLAIN, said
from phiz.training.fingerprint import Fingerprint, of_recipe
from phiz.training.learnt import Learnt
from phiz.training.learnt import of_recipe as learnt_by
from phiz.training.loop import in_batches
from phiz.training.losses import multitask_loss, taught_loss
from phiz.training.recipe import Recipe
from phiz.training.sampling import draw, load_suspects, pick, weights
from phiz.training.sets import under


class AgeAndGender:
    """What the loop needs to know of age and gender; see loop.Task.

    parts: as run.load_parts gives them, "train NAME" and, unless nothing is validated, "validation NAME".
    """

    def __init__(self, recipe: Recipe, parts: dict[str, Crops]) -> None:
        self.recipe, self.parts = recipe, parts
        self.seed, self.optimisation = recipe.seed, recipe.optimisation

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the figures of `validate`, in order."""
        chosen = self.recipe.validation
        names = [each.dataset for each in chosen] + [f"{each.dataset}_poor" for each in chosen if each.poor]
        figures = (f"{name}_{figure}" for name in names for figure in ("age_mae", "gender"))
        return (*(f"val_{figure}" for figure in PLAIN), *figures, "score")

    @cached_property
    def domains(self) -> dict[str, Crops]:
        """Return what is validated on, see domains_of."""
        return domains_of(self.recipe, self.parts)

    def blank(self) -> TrainableNet:
        """Return the network, to be filled from a checkpoint."""
        return build(self.recipe.network, pretrained=False)

    def start(self) -> TrainableNet:
        """Return the network that training starts from."""
        recipe = self.recipe
        net = build(recipe.network, recipe.optimisation.dropout, pretrained=False if recipe.start else None)
        if recipe.start is not None:
            net.load_state_dict(_held(net, recipe.start))
        return net

    def identity(self) -> Fingerprint:
        """Return the identity of the recipe, the pictures and their labels."""
        recipe = self.recipe
        return of_recipe(recipe) | of_crops(self.parts, recipe.data.aligner, recipe.fan_weights)

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
        age, female, taught, age_range = labels
        weights, ages = self.recipe.loss, net.ages
        said, log_p = (value.float() for value in net(x))
        if not self.recipe.data.taught:
            return multitask_loss(said, log_p, ages, age, female, weights, net.branches, age_range)
        by_age, by_gender = weights.taught_age, weights.taught_gender
        by_labels = replace(weights, age=(1 - by_age) * weights.age, gender=(1 - by_gender) * weights.gender)
        by_teachers = replace(weights, age=by_age * weights.age, gender=by_gender * weights.gender)
        return multitask_loss(
            said, log_p, ages, age, female, by_labels, net.branches, age_range
        ) + taught_loss(said, log_p, ages, taught, by_teachers, net.branches)

    def validate(self, net: TrainableNet) -> dict[str, float]:
        """Return the validation figures, see validate."""
        return validate(net, self.domains, self.recipe)

    def check(self) -> None:
        """See check_heads."""
        check_heads(self.recipe, self.parts)

    def finish(self, net: TrainableNet, output: Path, learnt: Learnt) -> Path:
        """Choose the branch weights and export the network, see age_gender_finish.py."""
        return finish(self.recipe, net, self.parts, output, learnt)

    def line(self, row: dict[str, Any]) -> str:
        """Return an epoch's figures as text."""
        figures = {name: row[f"val_{name}"] for name in PLAIN}
        return f"validation {said({name: v for name, v in figures.items() if not math.isnan(v)})}"


def _held(net: TrainableNet, start: Path) -> dict[str, Tensor]:
    """Return a checkpoint's weights of what the network has; a head that a recipe leaves out is passed over.

    Raises RecipeError where the checkpoint lacks anything.
    """
    weights, own = load_weights(start), net.state_dict()
    if missing := [name for name in own if name not in weights or weights[name].shape != own[name].shape]:
        raise RecipeError(
            f"{start}: expected a checkpoint of the recipe's network; {missing[0]} is not there or another"
        )
    return {name: weights[name] for name in own}


def check_heads(recipe: Recipe, parts: Mapping[str, Crops]) -> None:
    """Raise RecipeError where a head has no label to learn from: what is not trained is not answered."""
    sets = under("train", parts).values()
    taught = recipe.loss.taught_age > 0, recipe.loss.taught_gender > 0
    known = {
        "age": any((~np.isnan(part.span)).any() or (taught[0] and _any(part.taught[:, 0])) for part in sets),
        "gender": any(_any(part.female) or (taught[1] and _any(part.taught[:, 2])) for part in sets),
    }
    for task, learnt in known.items():
        if getattr(recipe.network, task) and not learnt:
            raise RecipeError(
                f"{recipe.path}: [network] {task}: no training picture has this label; leave the head out "
                f"with {task} = false"
            )


def _any(label: NDArray[np.float32]) -> bool:
    return bool((~np.isnan(label)).any())


def epoch_order(recipe: Recipe, parts: dict[str, Crops], random: torch.Generator) -> list[NDArray[np.int64]]:
    """Return the rows of each batch of an epoch, in random order, counted through all that is learnt.

    Of each part so many rows as it has, or a share of it, drawn by their weights; see sampling.
    """
    data, start, rows = recipe.data, 0, []
    suspects = load_suspects(recipe.files["data", "suspects"]) if data.suspects else {}
    shares = {each.dataset: each.share for each in recipe.train} | {"turned": data.turned_share}
    for name, crops in under("train", parts).items():
        weight = weights(crops, data.balance, suspects.get(name, ()), data.suspect_weight)
        rows.append(start + draw(weight, round(shares.get(name, 1.0) * len(crops)), random))
        start += len(crops)
    order = torch.from_numpy(np.concatenate(rows))
    return in_batches(order[torch.randperm(len(order), generator=random)], recipe.optimisation.batch)


def batches(
    recipe: Recipe, parts: dict[str, Crops], epoch: int, rank: int = 0, world: int = 1
) -> Iterator[tuple[Tensor, ...]]:
    """Yield one epoch's augmented batches, in random order.

    Each is crops (B, 3, S, S), age (B,), female (B,), teachers' answers (B, 3), see losses.taught_loss, and
    age ranges (B, 2).
    rank, world: of several processes that train together, each takes every world-th row of every batch.
    """
    random = torch.Generator().manual_seed(recipe.seed * 1_000_003 + epoch)
    how = at_epoch(recipe.augmentation, epoch, recipe.optimisation.epochs)
    sets = list(under("train", parts).values())
    for rows in epoch_order(recipe, parts, random):
        picked = pick(rows[rank::world], [len(part) for part in sets])
        pixels, *labels = (
            torch.from_numpy(np.concatenate([getattr(sets[i], name)[index] for i, index in picked]))
            for name in ("pixels", "age", "female", "taught", "age_range")
        )
        yield augment(pixels, recipe.network.size, how, random), *labels
