"""The training loop, readable from top to bottom."""

from __future__ import annotations

import csv
import math
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from phiz.errors import RecipeError
from phiz.networks.multitask import INPUT_SIZE, MultiTaskNet
from phiz.training.augment import augment, prepare
from phiz.training.crops import Crops
from phiz.training.losses import multitask_loss
from phiz.training.recipe import Recipe

LOG_COLUMNS = ("epoch", "loss", "val_age_mae", "val_gender_accuracy", "score", "learning_rate", "seconds")


def train(recipe: Recipe, parts: dict[str, Crops], output: Path, *, resume: bool = False) -> MultiTaskNet:
    """Train by `recipe` and return the weight-averaged network of the epoch that was best on validation.

    parts: "train" and "validation", and "gender" for crops whose gender alone is known.
    output: folder for log.csv, last.pt (to resume from) and best.pt. Everything random in an
    epoch follows from the seed and the epoch's number, so a run that was killed and resumed gives
    the same weights as one that was not.
    """
    output.mkdir(parents=True, exist_ok=True)
    run = Run(recipe, parts)
    start, best = 0, math.inf
    if resume and (output / "last.pt").exists():
        state = torch.load(output / "last.pt", weights_only=True)
        run.load_state(state)
        start, best = state["epoch"], state["best"]
    log = _open_log(output / "log.csv", keep=start)
    for epoch in range(start, recipe.optimisation.epochs):
        began = time.perf_counter()
        loss = run.epoch(epoch)
        scores = validate(run.average.module, parts["validation"], recipe)
        if scores["score"] < best:
            best = scores["score"]
            _save(output / "best.pt", {"net": run.average.module.state_dict(), "epoch": epoch + 1, **scores})
        _save(output / "last.pt", run.state() | {"epoch": epoch + 1, "best": best})
        row = {"epoch": epoch + 1, "loss": loss, **scores}
        row |= {"learning_rate": run.schedule.get_last_lr()[0], "seconds": time.perf_counter() - began}
        log.append(row)
        _write_log(output / "log.csv", log)
        left = (recipe.optimisation.epochs - epoch - 1) * row["seconds"] / 60
        tqdm.write(
            f"epoch {epoch + 1}/{recipe.optimisation.epochs}: loss {loss:.4f}, validation age MAE "
            f"{row['val_age_mae']:.3f}, gender {row['val_gender_accuracy']:.2%}, {left:.0f} min left"
        )
    return best_network(output)


def train_to_the_end(recipe: Recipe, parts: dict[str, Crops]) -> MultiTaskNet:
    """Train by `recipe` without a validation part and return the weight average of the last step.

    For folds of a protocol, whose pictures either train or test: nothing is chosen, nothing kept.
    """
    run = Run(recipe, parts, quiet=True)
    for epoch in range(recipe.optimisation.epochs):
        run.epoch(epoch)
    return run.average.module.eval()  # type: ignore[no-any-return]


class Run:
    """A network in training: its weights, their average, the optimizer and the schedule."""

    def __init__(self, recipe: Recipe, parts: dict[str, Crops], *, quiet: bool = False) -> None:
        torch.manual_seed(recipe.seed)
        opt = recipe.optimisation
        self.recipe, self.parts, self.quiet = recipe, parts, quiet
        self.net = MultiTaskNet(dropout=opt.dropout)
        if recipe.start is not None:
            self.net.load_state_dict(load_weights(recipe.start))
        # Colours last in memory: depthwise convolutions train 1.5 times as fast on a CPU
        self.net = self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = AveragedModel(self.net, multi_avg_fn=_averaging(opt.average), use_buffers=True)
        self.optimizer = torch.optim.AdamW(_groups(self.net, opt.weight_decay), lr=opt.learning_rate)
        self.steps = len(epoch_order(recipe, parts, torch.Generator()))
        warmup, total = round(opt.warmup_epochs * self.steps), opt.epochs * self.steps
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: _rate(step, warmup, total)
        )

    def epoch(self, epoch: int) -> float:
        """Train for one epoch (counted from 0) and return its mean loss."""
        recipe, net, losses = self.recipe, self.net, []
        torch.manual_seed(recipe.seed * 100_003 + epoch)  # dropout
        net.train()
        bar = tqdm(
            batches(recipe, self.parts, epoch),
            total=self.steps,
            desc=f"epoch {epoch + 1}/{recipe.optimisation.epochs}",
            leave=False,
            disable=True if self.quiet else None,
        )
        for x, age, female in bar:
            x = x.contiguous(memory_format=torch.channels_last)
            loss = multitask_loss(*net(x), net.ages, age, female, recipe.loss)
            self.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            self.optimizer.step()
            self.schedule.step()
            self.average.update_parameters(net)
            losses.append(loss.item())
        return float(np.mean(losses))

    def state(self) -> dict[str, Any]:
        """Return all that a resumed run needs."""
        return {name: getattr(self, name).state_dict() for name in _STATE}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over what `state` returned."""
        for name in _STATE:
            getattr(self, name).load_state_dict(state[name])


_STATE = ("net", "average", "optimizer", "schedule")


def best_network(output: Path) -> MultiTaskNet:
    """Return the best network of a run's folder."""
    net = MultiTaskNet()
    net.load_state_dict(load_weights(output / "best.pt"))
    return net.eval()


def load_weights(path: Path) -> dict[str, Tensor]:
    """Return a checkpoint's network weights, by parameter. Raises RecipeError where it cannot be read."""
    try:
        return torch.load(path, weights_only=True)["net"]  # type: ignore[no-any-return]
    except (OSError, KeyError, RuntimeError, pickle.UnpicklingError) as error:
        raise RecipeError(f"{path}: expected a checkpoint that phiz train wrote: {error}") from error


def epoch_order(recipe: Recipe, parts: dict[str, Crops], random: torch.Generator) -> list[NDArray[np.int64]]:
    """Return the rows of each batch of an epoch, in random order; rows past "train" are those of "gender"."""
    main, extra = parts["train"], parts.get("gender")
    order = torch.randperm(len(main), generator=random)
    if extra is not None and recipe.data.celeba_share > 0:
        drawn = torch.randperm(len(extra), generator=random)[: round(len(extra) * recipe.data.celeba_share)]
        order = torch.cat([order, len(main) + drawn])
        order = order[torch.randperm(len(order), generator=random)]
    size = recipe.optimisation.batch
    end = len(order) - len(order) % size or len(order)  # a last small batch would disturb the batch norms
    return [np.sort(order[start : start + size].numpy()) for start in range(0, end, size)]


def batches(recipe: Recipe, parts: dict[str, Crops], epoch: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield one epoch's augmented batches: crops (B,3,64,64), age (B,), female (B,), in random order."""
    random = torch.Generator().manual_seed(recipe.seed * 1_000_003 + epoch)
    main, extra = parts["train"], parts.get("gender")
    for rows in epoch_order(recipe, parts, random):
        own, other = rows[rows < len(main)], rows[rows >= len(main)] - len(main)
        picked = [(main, own)] + ([(extra, other)] if extra is not None and len(other) else [])
        pixels, age, female = (
            torch.from_numpy(np.concatenate([getattr(part, name)[index] for part, index in picked]))
            for name in ("pixels", "age", "female")
        )
        yield augment(pixels, INPUT_SIZE, recipe.augmentation, random), age, female


@torch.no_grad()
def predict(net: MultiTaskNet, crops: Crops, batch: int = 256) -> tuple[Tensor, Tensor]:
    """Return (ages (3, N) in years, female probabilities (3, N)) of the canonical crops."""
    net.eval()
    ages, females = [], []
    for start in range(0, len(crops), batch):
        female, age = net(
            prepare(torch.from_numpy(np.array(crops.pixels[start : start + batch])), INPUT_SIZE)
        )
        ages.append(net.expected_age(age))
        females.append(female.sigmoid())
    return torch.cat(ages, 1), torch.cat(females, 1)


def validate(net: MultiTaskNet, crops: Crops, recipe: Recipe) -> dict[str, float]:
    """Return validation figures, the branches weighted as the recipe's fixed decision says.

    score is what the best epoch has least of: years of age error plus a fifth of a year for each
    hundredth of gender error, so that neither task is chosen at the other's cost.
    """
    age, female = predict(net, crops)
    by_age, by_gender = (
        torch.tensor(w, dtype=torch.float32) for w in (recipe.decision.age, recipe.decision.gender)
    )
    mae = float((by_age @ age - torch.from_numpy(crops.age)).abs().mean())
    right = ((by_gender @ female >= 0.5) == (torch.from_numpy(crops.female) == 1)).float()
    accuracy = float(right.mean())
    return {"val_age_mae": mae, "val_gender_accuracy": accuracy, "score": mae + 20 * (1 - accuracy)}


def _groups(net: torch.nn.Module, decay: float) -> list[dict[str, Any]]:
    """Decay matrices and filters; leave biases and normalisation alone."""
    matrices = [p for p in net.parameters() if p.ndim > 1]
    rest = [p for p in net.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": decay}, {"params": rest, "weight_decay": 0.0}]


def _averaging(decay: float) -> Callable[[Sequence[Tensor], Sequence[Tensor], int], None]:
    """Return the exponential average's update; its memory grows with the steps, to forget the start."""

    @torch.no_grad()
    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], count: int) -> None:
        keep = min(decay, (1 + count) / (10 + count))
        for mean, now in zip(averaged, current, strict=True):
            if mean.is_floating_point():
                mean.lerp_(now, 1 - keep)
            else:  # a counter of batch normalisation
                mean.copy_(now)

    return update


def _rate(step: int, warmup: int, total: int) -> float:
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup))) + 1e-3


def _save(path: Path, state: dict[str, Any]) -> None:
    """Write beside and rename, so that a kill leaves the old checkpoint or the new, never half of one."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def _open_log(path: Path, keep: int) -> list[dict[str, Any]]:
    if keep == 0 or not path.exists():
        return []
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file) if int(row["epoch"]) <= keep]


def _write_log(path: Path, rows: list[dict[str, Any]]) -> None:
    part = path.with_suffix(".part")
    with part.open("w", newline="") as file:
        writer = csv.DictWriter(file, LOG_COLUMNS)
        writer.writeheader()
        for row in rows:
            writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
    part.replace(path)
