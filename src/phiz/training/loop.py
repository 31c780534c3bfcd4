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
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from phiz.errors import RecipeError
from phiz.networks.age import AgeNet
from phiz.networks.build import TrainableNet, build
from phiz.training.augment import augment, prepare
from phiz.training.crops import Crops
from phiz.training.losses import multitask_loss, taught_loss
from phiz.training.recipe import Optimisation, Recipe

LOG_COLUMNS = ("epoch", "loss", "val_age_mae", "val_gender_accuracy", "score", "learning_rate", "seconds")


def train(recipe: Recipe, parts: dict[str, Crops], output: Path, *, resume: bool = False) -> TrainableNet:
    """Train by `recipe` and return the weight-averaged network of the epoch that was best on validation.

    parts: "train" and "validation", and "gender" for crops whose gender alone is known.
    output: folder for log.csv, last.pt (to resume from) and best.pt. Everything random in an
    epoch follows from the seed and the epoch's number, so a run that was killed and resumed gives
    the same weights as one that was not.
    """
    output.mkdir(parents=True, exist_ok=True)
    run = Run(recipe, parts)
    start, best, best_epoch = 0, math.inf, 0
    if resume and (output / "last.pt").exists():
        state = torch.load(output / "last.pt", weights_only=True, map_location="cpu")
        run.load_state(state)
        start, best, best_epoch = state["epoch"], state["best"], state["best_epoch"]
    log = _open_log(output / "log.csv", keep=start)
    for epoch in range(start, recipe.optimisation.epochs):
        if 0 < recipe.optimisation.patience <= epoch - best_epoch:
            tqdm.write(f"stopped: {recipe.optimisation.patience} epochs without a better validation score")
            break
        began = time.perf_counter()
        loss = run.epoch(epoch)
        scores = validate(run.average.module, parts["validation"], recipe)
        if scores["score"] < best:
            best, best_epoch = scores["score"], epoch + 1
            _save(output / "best.pt", {"net": run.average.module.state_dict(), "epoch": epoch + 1, **scores})
        _save(output / "last.pt", run.state() | {"epoch": epoch + 1, "best": best, "best_epoch": best_epoch})
        row = {"epoch": epoch + 1, "loss": loss, **scores}
        row |= {"learning_rate": run.schedule.get_last_lr()[0], "seconds": time.perf_counter() - began}
        log.append(row)
        _write_log(output / "log.csv", log)
        left = (recipe.optimisation.epochs - epoch - 1) * row["seconds"] / 60
        tqdm.write(
            f"epoch {epoch + 1}/{recipe.optimisation.epochs}: loss {loss:.4f}, validation age MAE "
            f"{row['val_age_mae']:.3f}, gender {row['val_gender_accuracy']:.2%}, {left:.0f} min left"
        )
    return best_network(recipe, output)


def train_to_the_end(recipe: Recipe, parts: dict[str, Crops]) -> TrainableNet:
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
        self.net = build(recipe.network, opt.dropout, pretrained=False if recipe.start else None)
        if recipe.start is not None:
            self.net.load_state_dict(load_weights(recipe.start))
        # Colours last in memory: depthwise convolutions train 1.5 times as fast on a CPU
        self.net = self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.fabric = Fabric(accelerator=opt.device, devices=opt.devices, precision=opt.precision)
        self.fabric.launch()
        self.net = self.fabric.to_device(self.net)
        self.average = AveragedModel(self.net, multi_avg_fn=_averaging(opt.average), use_buffers=True)
        self.optimizer = torch.optim.AdamW(_groups(self.net, opt), lr=opt.learning_rate)
        self.wrapped, self.optimizer = self.fabric.setup(self.net, self.optimizer)
        self.steps = len(epoch_order(recipe, parts, torch.Generator()))
        warmup, total = round(opt.warmup_epochs * self.steps), opt.epochs * self.steps
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: _rate(step, warmup, total)
        )

    def epoch(self, epoch: int) -> float:
        """Train for one epoch (counted from 0) and return its mean loss."""
        recipe, losses = self.recipe, []
        torch.manual_seed(recipe.seed * 100_003 + epoch)  # dropout
        self.wrapped.train()
        bar = tqdm(
            batches(recipe, self.parts, epoch, self.fabric.global_rank, self.fabric.world_size),
            total=self.steps,
            desc=f"epoch {epoch + 1}/{recipe.optimisation.epochs}",
            leave=False,
            disable=True if self.quiet or self.fabric.global_rank else None,
        )
        for x, *labels in bar:
            x = x.contiguous(memory_format=torch.channels_last)
            loss = self.loss(*self.fabric.to_device((x, *labels)))
            self.optimizer.zero_grad()
            self.fabric.backward(loss)
            self.fabric.clip_gradients(self.wrapped, self.optimizer, max_norm=5.0)
            self.optimizer.step()
            self.schedule.step()
            self.average.update_parameters(self.net)
            losses.append(loss.item())
        return float(np.mean(losses))

    def loss(self, x: Tensor, age: Tensor, female: Tensor, taught: Tensor) -> Tensor:
        """Return the loss of one batch, by its labels and, where there are, by its teachers' answers."""
        weights, ages = self.recipe.loss, self.net.ages
        answers = [value.float() for value in self.wrapped(x)]
        if not self.recipe.data.taught:
            return multitask_loss(*answers, ages, age, female, weights)
        by_labels = multitask_loss(*answers, ages, age, female, weights)
        by_teachers = taught_loss(*answers, ages, taught, weights)
        return (1 - weights.taught) * by_labels + weights.taught * by_teachers

    def state(self) -> dict[str, Any]:
        """Return all that a resumed run needs."""
        return {name: getattr(self, name).state_dict() for name in _STATE}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over what `state` returned."""
        for name in _STATE:
            getattr(self, name).load_state_dict(state[name])


_STATE = ("net", "average", "optimizer", "schedule")


def best_network(recipe: Recipe, output: Path) -> TrainableNet:
    """Return the best network of a run's folder."""
    net = build(recipe.network, pretrained=False)
    net.load_state_dict(load_weights(output / "best.pt"))
    return net.eval()


def load_weights(path: Path) -> dict[str, Tensor]:
    """Return a checkpoint's network weights, by parameter. Raises RecipeError where it cannot be read."""
    try:
        return torch.load(path, weights_only=True, map_location="cpu")["net"]  # type: ignore[no-any-return]
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


def batches(
    recipe: Recipe, parts: dict[str, Crops], epoch: int, rank: int = 0, world: int = 1
) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Yield one epoch's augmented batches, in random order.

    Each is crops (B, 3, S, S), age (B,), female (B,) and teachers' answers (B, 3), see losses.taught_loss.
    rank, world: of several processes that train together, each takes every world-th row of every batch.
    """
    random = torch.Generator().manual_seed(recipe.seed * 1_000_003 + epoch)
    main, extra = parts["train"], parts.get("gender")
    for rows in epoch_order(recipe, parts, random):
        rows = rows[rank::world]
        own, other = rows[rows < len(main)], rows[rows >= len(main)] - len(main)
        picked = [(main, own)] + ([(extra, other)] if extra is not None and len(other) else [])
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
    mae = float((by_age @ age - torch.from_numpy(crops.age)).abs().mean())
    if not len(female):  # a network without gender
        return {"val_age_mae": mae, "val_gender_accuracy": math.nan, "score": mae}
    right = ((by_gender @ female >= 0.5) == (torch.from_numpy(crops.female) == 1)).float()
    accuracy = float(right.mean())
    return {"val_age_mae": mae, "val_gender_accuracy": accuracy, "score": mae + 20 * (1 - accuracy)}


def _groups(net: TrainableNet, opt: Optimisation) -> list[dict[str, Any]]:
    """Decay matrices and filters, leave biases and normalisation alone; layer by layer where rates differ."""
    if opt.layer_decay < 1 and isinstance(net, AgeNet):
        from timm.optim import param_groups_layer_decay

        groups = param_groups_layer_decay(net.backbone, opt.weight_decay, layer_decay=opt.layer_decay)
        for group in groups:
            group["lr"] = opt.learning_rate * group["lr_scale"]
        outputs = [module for module in (net.years, net.female) if module is not None]
    else:
        groups, outputs = [], [net]
    rest = [p for module in outputs for p in module.parameters()]
    decay = {"params": [p for p in rest if p.ndim > 1], "weight_decay": opt.weight_decay}
    return [*groups, decay, {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0}]


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
