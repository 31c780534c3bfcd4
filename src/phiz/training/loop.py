"""The training loop, readable from top to bottom."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from phiz.errors import RecipeError
from phiz.training.checkpoint import MADE_BY, check_same, load_checkpoint, load_weights, save
from phiz.training.fingerprint import Fingerprint
from phiz.training.learnt import KEY as LEARNT
from phiz.training.learnt import Learnt, to_plain
from phiz.training.memory import keep_freed_memory
from phiz.training.sections import Optimisation

Net = TypeVar("Net", bound=nn.Module)


class Task(Protocol[Net]):
    """What is learnt: everything about a run that the loop need not know.

    columns: of log.csv, the figures that `validate` returns, in order; "score" is among them.
    """

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of the figures, see the class."""

    @property
    def seed(self) -> int:
        """Return what everything random follows from."""

    @property
    def optimisation(self) -> Optimisation:
        """Return how to optimise."""

    def blank(self) -> Net:
        """Return the network, to be filled from a checkpoint."""

    def start(self) -> Net:
        """Return the network that training starts from, in training mode, on the CPU."""

    def identity(self) -> Fingerprint:
        """Return what a checkpoint must have been made by to be gone on from: recipe, pictures, labels."""

    def learnt(self) -> Learnt:
        """Return all that the network learns from, what it starts from included."""

    def order(self, random: torch.Generator) -> list[NDArray[np.int64]]:
        """Return the rows of each batch of an epoch."""

    def batches(self, epoch: int, rank: int, world: int) -> Iterator[tuple[Tensor, ...]]:
        """Yield one epoch's batches: augmented crops (B, 3, S, S), then what `loss` needs of their labels.

        rank, world: of several processes that train together, each takes every world-th row of every batch.
        """

    def loss(self, net: Net, x: Tensor, *labels: Tensor) -> Tensor:
        """Return the loss of one batch, a scalar."""

    def validate(self, net: Net) -> dict[str, float]:
        """Return the validation figures; the best epoch is the one with the least "score"."""

    def line(self, row: dict[str, Any]) -> str:
        """Return an epoch's figures as text."""

    def check(self) -> None:
        """Raise RecipeError where the pictures cannot teach what the recipe wants."""

    def finish(self, net: Net, output: Path, learnt: Learnt) -> Path:
        """Decide what is left open by the validation parts, export into output and return the ONNX path.

        learnt: what the network has learnt from, for the card.
        """


def train(task: Task[Net], output: Path, *, resume: bool = False) -> Net:
    """Train a task and return the weight-averaged network of the epoch that was best on validation.

    output: folder for log.csv, last.pt (to resume from) and best.pt. Everything random in an
    epoch follows from the seed and the epoch's number, so a run that was killed and resumed gives
    the same weights as one that was not.
    On several devices each has a process of its own; all but the first end here.
    Raises: RecipeError where the checkpoint to resume from is another recipe's or of other pictures, or
    where no epoch has a score that is a number.
    """
    output.mkdir(parents=True, exist_ok=True)
    how = task.optimisation
    run = Run(task)
    made_by, learnt = task.identity(), to_plain(task.learnt())
    start, best, best_epoch = 0, math.inf, 0
    if resume and (output / "last.pt").exists():
        state = load_checkpoint(output / "last.pt")
        check_same(made_by, state, output / "last.pt")
        run.load_state(state)
        start, best, best_epoch = state["epoch"], state["best"], state["best_epoch"]
    first = run.fabric.is_global_zero  # of several processes one alone validates and writes
    if first and best_epoch == 0:  # whatever lies there is not this run's
        (output / "best.pt").unlink(missing_ok=True)
    about = {MADE_BY: made_by, LEARNT: learnt}
    log = _open_log(output / "log.csv", keep=start)
    for epoch in range(start, how.epochs):
        if 0 < how.patience <= epoch - best_epoch:
            tqdm.write(f"stopped: {how.patience} epochs without a better validation score")
            break
        began = time.perf_counter()
        loss = run.epoch(epoch)
        if first:
            scores = task.validate(cast(Net, run.average.module))
            if scores["score"] < best:
                best, best_epoch = scores["score"], epoch + 1
                net = run.average.module.state_dict()
                save(output / "best.pt", {"net": net, "epoch": epoch + 1, **scores, **about})
            row: dict[str, Any] = {"epoch": epoch + 1, "loss": loss, **scores}
            row |= {"learning_rate": run.schedule.get_last_lr()[0], "seconds": time.perf_counter() - began}
            log.append(row)
            # The checkpoint last: a kill in between leaves a row too many, which resuming drops.
            _write_log(output / "log.csv", log, task.columns)
            reached = {"epoch": epoch + 1, "best": best, "best_epoch": best_epoch}
            save(output / "last.pt", {**run.state(), **reached, **about})
            left = (how.epochs - epoch - 1) * row["seconds"] / 60
            said = f"loss {loss:.4f}, {task.line(row)}, {left:.0f} min left"
            tqdm.write(f"epoch {epoch + 1}/{how.epochs}: {said}")
        best_epoch = run.fabric.broadcast(best_epoch)  # so that patience ends all of them at once
    if not first:
        raise SystemExit  # a process that helped to train; what follows is the first one's
    if best_epoch == 0:
        raise RecipeError(
            f"{output}: expected a validation score, got none that is a number in {how.epochs} epochs; "
            "nothing is kept as best: look at log.csv, lower the learning rate and start again"
        )
    return filled(task.blank(), output)


def in_batches(order: Tensor, size: int) -> list[NDArray[np.int64]]:
    """Return an epoch's rows in batches of `size`, sorted within a batch; fewer than `size` are one batch.

    order: (N,). A last small batch is left out: it would disturb the batch norms.
    """
    end = len(order) - len(order) % size or len(order)
    return [np.sort(order[start : start + size].numpy()) for start in range(0, end, size)]


def train_to_the_end(task: Task[Net]) -> Net:
    """Train a task without a validation part and return the weight average of the last step.

    For folds of a protocol, whose pictures either train or test: nothing is chosen, nothing kept.
    """
    run = Run(task, quiet=True)
    for epoch in range(task.optimisation.epochs):
        run.epoch(epoch)
    return cast(Net, run.average.module.eval())


class Run:
    """A network in training: its weights, their average, the optimizer and the schedule."""

    def __init__(self, task: Task[Any], *, quiet: bool = False) -> None:
        keep_freed_memory()
        torch.manual_seed(task.seed)
        opt = task.optimisation
        self.task, self.quiet = task, quiet
        # Colours last in memory: depthwise convolutions train 1.5 times as fast on a CPU
        self.net: nn.Module = task.start().to(memory_format=torch.channels_last)
        self.frozen = _freeze(self.net, opt.frozen)
        self.fabric = Fabric(accelerator=opt.device, devices=opt.devices, precision=cast(Any, opt.precision))
        self.fabric.launch()
        self.net = self.fabric.to_device(self.net)
        self.average = AveragedModel(self.net, multi_avg_fn=_averaging(opt.average), use_buffers=True)
        self.optimizer = torch.optim.AdamW(_groups(self.net, opt), lr=opt.learning_rate)
        self.wrapped, self.optimizer = self.fabric.setup(self.net, self.optimizer)
        self.steps = len(task.order(torch.Generator()))
        warmup, total = round(opt.warmup_epochs * self.steps), opt.epochs * self.steps
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: _rate(step, warmup, total)
        )

    def epoch(self, epoch: int) -> float:
        """Train for one epoch (counted from 0) and return its mean loss."""
        task, losses = self.task, []
        torch.manual_seed(task.seed * 100_003 + epoch)  # dropout and what else the network draws
        self.wrapped.train()
        for part in self.frozen:
            part.eval()
        bar = tqdm(
            task.batches(epoch, self.fabric.global_rank, self.fabric.world_size),
            total=self.steps,
            desc=f"epoch {epoch + 1}/{task.optimisation.epochs}",
            leave=False,
            disable=True if self.quiet or self.fabric.global_rank else None,
        )
        for x, *labels in bar:
            x = x.contiguous(memory_format=torch.channels_last)
            loss = task.loss(self.wrapped, *self.fabric.to_device((x, *labels)))
            self.optimizer.zero_grad()
            self.fabric.backward(loss)
            self.fabric.clip_gradients(self.wrapped, self.optimizer, max_norm=5.0)
            self.optimizer.step()
            self.schedule.step()
            self.average.update_parameters(self.net)
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


def filled(net: Net, output: Path) -> Net:
    """Return the network with the best weights of a run's folder, for use."""
    net.load_state_dict(load_weights(output / "best.pt"))
    return net.eval()


def _freeze(net: nn.Module, names: Sequence[str]) -> list[nn.Module]:
    """Take the named parts out of training and return them. Raises RecipeError for a name of none."""
    parts = dict(net.named_modules())
    for name in names:
        if name not in parts:
            known = ", ".join(part for part in parts if part and part.count(".") < 2)
            raise RecipeError(f"[optimisation] frozen: the network has no part {name!r}; it has {known}")
        parts[name].requires_grad_(False)
    return [parts[name] for name in names]


def _groups(net: nn.Module, opt: Optimisation) -> list[dict[str, Any]]:
    """Decay matrices and filters, leave biases and normalisation alone; layer by layer where rates differ."""
    groups: list[dict[str, Any]] = []
    rest = [p for p in net.parameters() if p.requires_grad]
    if opt.layer_decay < 1 and isinstance(backbone := getattr(net, "backbone", None), nn.Module):
        from timm.optim import param_groups_layer_decay

        groups = param_groups_layer_decay(backbone, opt.weight_decay, layer_decay=opt.layer_decay)
        for group in groups:
            group["lr"] = opt.learning_rate * group["lr_scale"]
        inside = set(backbone.parameters())
        rest = [p for p in rest if p not in inside]
    decay = {"params": [p for p in rest if p.ndim > 1], "weight_decay": opt.weight_decay}
    return [*groups, decay, {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0}]


def _averaging(decay: float) -> Callable[[Sequence[Tensor], Sequence[Tensor], Tensor | int], None]:
    """Return the exponential average's update; its memory grows with the steps, to forget the start."""

    @torch.no_grad()
    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], count: Tensor | int) -> None:
        keep = min(decay, (1 + int(count)) / (10 + int(count)))
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


def _open_log(path: Path, keep: int) -> list[dict[str, Any]]:
    if keep == 0 or not path.exists():
        return []
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file) if int(row["epoch"]) <= keep]


def _write_log(path: Path, rows: list[dict[str, Any]], figures: Sequence[str]) -> None:
    part = path.with_suffix(".part")
    with part.open("w", newline="") as file:
        writer = csv.DictWriter(file, ("epoch", "loss", *figures, "learning_rate", "seconds"))
        writer.writeheader()
        for row in rows:
            writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
    part.replace(path)
