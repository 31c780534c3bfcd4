"""The task of attributes: its batches, its loss and its validation score."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from phiz.errors import RecipeError
from phiz.evaluation import metrics
from phiz.networks.attribute_net import AttributeNet
from phiz.training.attribute_answers import predict
from phiz.training.attribute_data import Part, frequencies, of_parts
from phiz.training.attribute_finish import finish
from phiz.training.attribute_recipe import AttributeLoss, AttributeRecipe
from phiz.training.augment import augment
from phiz.training.checkpoint import load_weights
from phiz.training.fingerprint import Fingerprint, of_recipe
from phiz.training.learnt import Learnt
from phiz.training.learnt import of_recipe as learnt_by
from phiz.training.loop import in_batches
from phiz.training.sampling import pick
from phiz.training.sets import under

#: Most that the rarer side of an attribute may count, whatever `balance` says.
MOST = 20.0


class Attributes:
    """What the loop needs to know of attributes; see loop.Task.

    parts: as run.load_parts gives them, "train NAME" and "validation NAME"; none for `blank` alone.
    """

    columns: tuple[str, ...] = ("val_loss", "val_accuracy", "val_balanced_accuracy", "score")

    def __init__(self, recipe: AttributeRecipe, parts: Mapping[str, Part]) -> None:
        self.recipe, self.parts = recipe, parts
        self.seed, self.optimisation = recipe.seed, recipe.optimisation
        self.sets, self.validation = under("train", parts), under("validation", parts)
        if self.sets:
            self.frequency = frequencies(np.concatenate([part.labels for part in self.sets.values()]))
            self.weight = torch.from_numpy(positive_weights(self.frequency, recipe.loss.balance))

    def blank(self) -> AttributeNet:
        """Return the network, to be filled from a checkpoint."""
        recipe = self.recipe
        return AttributeNet(recipe.network, len(recipe.attributes), dropout=recipe.optimisation.dropout)

    def start(self) -> AttributeNet:
        """Return the network that training starts from; its outputs know the attributes' frequencies."""
        recipe = self.recipe
        net = AttributeNet(
            recipe.network,
            len(recipe.attributes),
            dropout=recipe.optimisation.dropout,
            pretrained=recipe.network.pretrained and recipe.start is None,
        )
        net.set_frequencies(torch.from_numpy(self.frequency))
        if recipe.start is not None:
            net.load_state_dict(grown(load_weights(recipe.start), net.state_dict(), recipe))
        return net

    def identity(self) -> Fingerprint:
        """Return the identity of the recipe, the pictures and their labels."""
        return of_recipe(self.recipe) | of_parts(self.parts)

    def learnt(self) -> Learnt:
        """Return all that the network learns from."""
        return learnt_by(self.recipe)

    def order(self, random: torch.Generator) -> list[NDArray[np.int64]]:
        """Return the rows of each batch of an epoch, in random order, counted through all training sets.

        Of each set a share of its rows, drawn anew.
        """
        start, rows = 0, []
        shares = {each.dataset: each.share for each in self.recipe.train}
        for name, part in self.sets.items():
            order = torch.randperm(len(part), generator=random)
            rows.append(start + order[: round(shares[name] * len(part))])
            start += len(part)
        order = torch.cat(rows)
        if len(rows) > 1:
            order = order[torch.randperm(len(order), generator=random)]
        return in_batches(order, self.recipe.optimisation.batch)

    def batches(self, epoch: int, rank: int, world: int) -> Iterator[tuple[Tensor, ...]]:
        """Yield one epoch's batches: crops (B, 3, S, S) and labels (B, A) from 0 to 1, NaN where unknown."""
        recipe, sets = self.recipe, list(self.sets.values())
        random = torch.Generator().manual_seed(recipe.seed * 1_000_003 + epoch)
        mixing = np.random.default_rng((recipe.seed, epoch))
        for rows in self.order(random):
            picked = pick(rows[rank::world], [len(part) for part in sets])
            pixels = np.concatenate([sets[i].crops.pixels[mine] for i, mine in picked])
            labels = np.concatenate([sets[i].labels[mine] for i, mine in picked])
            x = augment(torch.from_numpy(pixels), recipe.network.size, recipe.augmentation, random)
            yield mixed(x, torch.from_numpy(labels), recipe.loss, mixing)

    def loss(self, net: AttributeNet, x: Tensor, *labels: Tensor) -> Tensor:
        """Return the loss of one batch."""
        return attribute_loss(net(x).float(), labels[0], self.weight, self.recipe.loss)

    def validate(self, net: AttributeNet) -> dict[str, float]:
        """Return the validation figures of the final answers, each the mean over data sets.

        Accuracy at 1/2; balanced accuracy at the frequencies in training, at which neither side is favoured.
        score: 1 less the mean of both, so that neither the common nor the rare answers are chosen alone; NaN
        where an answer is no number.
        """
        found = [self._validate(net, part) for part in self.validation.values()]
        return {name: float(np.mean([each[name] for each in found])) for name in self.columns}

    def _validate(self, net: AttributeNet, part: Part) -> dict[str, float]:
        logits = predict(net, part, self.recipe.network.size)
        labels = torch.from_numpy(part.labels)
        value = attribute_loss(logits[-1:], labels, torch.ones_like(self.weight), self.recipe.loss)
        p = logits[-1].sigmoid().numpy()
        accuracy = float(metrics.mean_attribute_accuracy((p >= 0.5).astype(float), part.labels))
        said = (p >= self.frequency).astype(float)
        balanced = float(metrics.mean_attribute_balanced_accuracy(said, part.labels))
        score = 1 - (accuracy + balanced) / 2 if np.isfinite(p).all() else math.nan
        return {
            "val_loss": float(value),
            "val_accuracy": accuracy,
            "val_balanced_accuracy": balanced,
            "score": score,
        }

    def check(self) -> None:
        """Nothing: parts without any label are refused where they are read."""

    def finish(self, net: AttributeNet, output: Path, learnt: Learnt) -> Path:
        """Fit the thresholds and export the network, see attribute_finish.py."""
        return finish(self.recipe, net, self.parts, output, learnt)

    def line(self, row: dict[str, Any]) -> str:
        """Return an epoch's figures as text."""
        return (
            f"validation accuracy {row['val_accuracy']:.2%}, balanced {row['val_balanced_accuracy']:.2%}, "
            f"loss {row['val_loss']:.4f}"
        )


def positive_weights(frequency: NDArray[np.float32], balance: float) -> NDArray[np.float32]:
    """Return how much more a present label counts than an absent one: ((1 - f) / f) ** balance."""
    ratio = ((1 - frequency) / frequency) ** balance
    return np.asarray(np.clip(ratio, 1 / MOST, MOST), dtype=np.float32)


def attribute_loss(logits: Tensor, labels: Tensor, weight: Tensor, how: AttributeLoss) -> Tensor:
    """Return the binary cross-entropy over the known labels, of the first answers plus of the final ones.

    logits: (H, N, A), first and final, or the final ones alone. labels: (N, A) from 0 to 1, NaN where
    unknown. weight: (A,), how much more a present label counts. Returns a scalar, 0 where nothing is known.
    Source: Li et al., ECCV 2022, the losses of the query network and of the language model.
    """
    known = ~torch.isnan(labels)
    target = torch.where(known, labels, 0.5) * (1 - how.smoothing) + 0.5 * how.smoothing
    values = F.binary_cross_entropy_with_logits(
        logits, target.expand_as(logits), pos_weight=weight.to(logits.device), reduction="none"
    )
    each = (values * known).sum((1, 2)) / known.sum().clamp(min=1)
    return (each * each.new_tensor([how.first, how.final][-len(logits) :])).sum()


def mixed(
    x: Tensor, labels: Tensor, how: AttributeLoss, random: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Return a batch, now and then mixed with itself in another order; a label unknown in one is unknown.

    Source: Zhang et al., ICLR 2018 (mixup), arXiv 1710.09412.
    """
    if random.random() >= how.mixup:
        return x, labels
    share, order = float(random.beta(how.beta, how.beta)), torch.from_numpy(random.permutation(len(x)))
    return x.lerp(x[order], share), labels.lerp(labels[order], share)


def grown(weights: dict[str, Tensor], fresh: dict[str, Tensor], recipe: AttributeRecipe) -> dict[str, Tensor]:
    """Return a checkpoint's weights, filled up with fresh rows where the recipe has further attributes.

    Raises: RecipeError where the checkpoint is of another network.
    """
    found: dict[str, Tensor] = {}
    for name, new in fresh.items():
        old = weights.get(name)
        if old is None or old.shape[1:] != new.shape[1:] or len(old.shape) != len(new.shape):
            raise RecipeError(
                f"{recipe.start}: expected a checkpoint of the recipe's network; {name} differs"
            )
        if old.shape == new.shape:
            found[name] = old
        elif len(old) < len(new) == len(recipe.attributes):
            found[name] = torch.cat([old, new[len(old) :]])
        else:
            raise RecipeError(
                f"{recipe.start}: expected {len(recipe.attributes)} attributes or fewer, the first of the "
                f"recipe's; {name} has {len(old)} rows"
            )
    return found
