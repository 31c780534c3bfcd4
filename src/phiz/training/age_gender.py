"""The task of age and gender: its batches, its loss and its validation score."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
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
from phiz.training.augment import at_epoch, augment, prepare
from phiz.training.checkpoint import load_weights
from phiz.training.crops import Crops, of_crops
from phiz.training.domains import Figures, measure, poor, score
from phiz.training.figures import PLAIN, plain, said
from phiz.training.fingerprint import Fingerprint, of_recipe
from phiz.training.learnt import Learnt
from phiz.training.learnt import of_recipe as learnt_by
from phiz.training.loop import filled, in_batches
from phiz.training.losses import multitask_loss, taught_loss
from phiz.training.recipe import Recipe
from phiz.training.sampling import draw, load_suspects, pick, weights
from phiz.training.sections import Optimisation
from phiz.training.sets import under


class AgeAndGender:
    """What the loop needs to know of age and gender; see loop.Task.

    parts: as run.load_parts gives them, "train NAME" and, unless nothing is validated, "validation NAME".
    """

    def __init__(self, recipe: Recipe, parts: dict[str, Crops]) -> None:
        self.recipe, self.parts = recipe, parts

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
            net.load_state_dict(_held(net, recipe.start))
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

    def line(self, row: dict[str, Any]) -> str:
        """Return an epoch's figures as text."""
        figures = {name: row[f"val_{name}"] for name in PLAIN}
        return f"validation {said({name: v for name, v in figures.items() if not math.isnan(v)})}"


def best_network(recipe: Recipe, output: Path) -> TrainableNet:
    """Return the best network of a run's folder."""
    return filled(AgeAndGender(recipe, {}).blank(), output)


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


def validate(net: TrainableNet, domains: Mapping[str, Crops], recipe: Recipe) -> dict[str, float]:
    """Return validation figures by domain, the branches weighted as the recipe's fixed decision says.

    val_age_mae, val_age_range_error, val_gender_accuracy: `plain` of the first data set, NaN where that has
    none; of each domain the means over its cells; score: see domains.py.
    """
    found: dict[str, float] = {}
    figures: dict[str, Figures] = {}
    for name, crops in domains.items():
        ages, females = (values.numpy() for values in predict(net, crops, recipe.network.size))
        age = combined(recipe.decision.age, ages) if len(ages) else None
        female = combined(recipe.decision.gender, females) if len(females) else None
        figures[name] = measure(age, female, crops)
        if not found:
            first = plain(age, female, crops)
            found = {f"val_{figure}": first.get(figure, math.nan) for figure in PLAIN}
    for name, of_domain in figures.items():
        found |= {f"{name}_age_mae": of_domain.age_mae, f"{name}_gender": of_domain.gender_accuracy}
    return found | {"score": score(figures)}


def combined(weights: Sequence[float], branches: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the branches' answers combined by their weights: (B,), (B, N) -> (N,)."""
    return np.asarray(weights, np.float32) @ branches


def domains_of(recipe: Recipe, parts: Mapping[str, Crops]) -> dict[str, Crops]:
    """Return what is validated on by name, each domain again as NAME_poor where the recipe wants it."""
    found = under("validation", parts)
    for each in recipe.validation:
        if each.poor:
            found[f"{each.dataset}_poor"] = poor(found[each.dataset], recipe.network.size)
    return found
