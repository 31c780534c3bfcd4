"""How often each picture is drawn: rare cells of age band and gender more, suspected labels less."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from phiz.datasets.splits import table
from phiz.training.crops import Crops
from phiz.training.domains import cells


def weights(
    crops: Crops, balance: float, suspects: Collection[str], suspect_weight: float
) -> NDArray[np.float64]:
    """Return how often each picture is drawn, in proportion: (N,).

    balance: 0 draws all alike, 1 every cell of age band and gender alike; a cell of n pictures weighs
    n ** (1 - balance). suspects: file names drawn suspect_weight times as often as others.
    """
    _, cell, counts = np.unique(cells(crops), return_inverse=True, return_counts=True)
    found = counts[cell].astype(np.float64) ** -balance
    doubted = [Path(path).name in suspects for path in crops.paths.tolist()]
    found[doubted] *= suspect_weight
    return found


def draw(weight: NDArray[np.float64], count: int, random: torch.Generator) -> NDArray[np.int64]:
    """Return `count` rows drawn by their weights, in random order.

    A row that is due 1.3 times comes once or twice, in every epoch at least once: of alike weights, and
    as many rows as there are, each comes once.
    """
    order: NDArray[np.int64] = torch.randperm(len(weight), generator=random).numpy()
    due = np.cumsum(weight[order])
    if not count or not len(due) or due[-1] <= 0:
        return np.empty(0, np.int64)
    at = np.arange(count) + float(torch.rand(1, generator=random, dtype=torch.float64)) * 0.998 + 0.001
    picked: NDArray[np.int64] = order[np.searchsorted(due * (count / due[-1]), at).clip(max=len(order) - 1)]
    shuffled: NDArray[np.int64] = picked[torch.randperm(count, generator=random).numpy()]
    return shuffled


def pick(rows: NDArray[np.int64], sizes: Sequence[int]) -> list[tuple[int, NDArray[np.int64]]]:
    """Return the rows of each of several sets that lie one after the other: (set, rows within it).

    rows: (N,) sorted, counted through all sets. sizes: how many rows each set has.
    """
    starts = np.cumsum([0, *sizes])
    ends = pairwise(np.searchsorted(rows, starts))
    return [(i, rows[a:b] - starts[i]) for i, (a, b) in enumerate(ends)]


def load_suspects(path: Path) -> dict[str, set[str]]:
    """Return the file names with suspected labels, by data set. Raises DataError where there is no file."""
    found: dict[str, set[str]] = {}
    for row in table(path, "dataset", "file"):
        found.setdefault(row["dataset"], set()).add(row["file"])
    return found
