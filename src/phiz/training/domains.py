"""Validation on several domains: kinds of pictures, each also as a poor camera would see it.

The score of a run, of which the best epoch has the least, is A + 20 (1 - G). A is the mean absolute error in
years and G the share of right genders, each a mean over domains of means over cells of age band and gender: a
large easy cell hides no small bad one. A domain without ages counts for G alone, one without genders for A.
Of a range of ages the error is by how many years it is missed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from phiz.ages import age_band
from phiz.training.augment import augment
from phiz.training.crops import Crops
from phiz.training.figures import missed
from phiz.training.sections import Augmentation

#: Cells of fewer pictures say too little one by one: together they are the cell FEW, which is left out of the
#: means where even that is small and there are others.
SMALLEST_CELL = 10
FEW = "few"
#: Years of age error that the score holds as bad as answering every gender wrong.
GENDER = 20.0
#: How a poor camera sees: half of the pictures with few pixels, most with noise and JPEG, in any light.
POOR = Augmentation(
    flip=False,
    rotation=0.0,
    scale=0.0,
    shift=0.0,
    brightness=0.0,
    contrast=0.2,
    saturation=0.3,
    grey=0.05,
    blur=0.0,
    noise=0.0,
    erase=0.0,
    keypoints=0.015,
    exposure=1.5,
    cast=0.3,
    light=0.5,
    lens=0.3,
    motion=0.2,
    shrink=0.5,
    sensor=0.7,
    jpeg=0.7,
)
POOR_SEED = 20_240_601
_BATCH = 256


@dataclass(frozen=True, slots=True)
class Figures:
    """A domain's figures by cell, such as "60+ female": years of error, and shares of right genders."""

    age: dict[str, float]
    gender: dict[str, float]

    @property
    def age_mae(self) -> float:
        """Return the mean over cells of their mean absolute errors, years; NaN without ages."""
        return _mean(self.age)

    @property
    def gender_accuracy(self) -> float:
        """Return the mean over cells of their shares of right genders; NaN without genders."""
        return _mean(self.gender)

    def worst(self) -> dict[str, str]:
        """Return the name of the worst cell of each task that has any."""
        found = {"age": max(self.age, key=self.age.__getitem__, default="")}
        found["gender"] = min(self.gender, key=self.gender.__getitem__, default="")
        return {task: cell for task, cell in found.items() if cell}


def cells(crops: Crops) -> NDArray[np.str_]:
    """Return each picture's age band and gender, as far as known: "20-39 female", "male", "60+", "".

    A range of ages is in the band of its middle.
    """
    genders = {1.0: "female", 0.0: "male"}
    ages = np.where(np.isnan(crops.age), crops.age_range.mean(1), crops.age)
    return np.array(
        [
            " ".join(filter(None, ("" if math.isnan(age) else age_band(age), genders.get(female, ""))))
            for age, female in zip(ages.tolist(), crops.female.tolist(), strict=True)
        ],
        dtype=np.str_,
    )


def poor(crops: Crops, size: int) -> Crops:
    """Return the canonical crops as a poor camera sees them, the same ones each time."""
    random = torch.Generator().manual_seed(POOR_SEED)
    seen = []
    for start in range(0, len(crops), _BATCH):
        pixels = torch.from_numpy(np.array(crops.pixels[start : start + _BATCH]))
        x = augment(pixels, size, POOR, random)
        seen.append(x.add_(1).mul_(127.5).round_().to(torch.uint8).permute(0, 2, 3, 1).numpy())
    return replace(crops, pixels=np.concatenate(seen))


def measure(age: NDArray[np.float32] | None, female: NDArray[np.float32] | None, crops: Crops) -> Figures:
    """Return a domain's figures. age: (N,) years; female: (N,) probabilities; None where nothing says it.

    An answer that is no number makes its cell's figure none, so that no network of such answers is best.
    """
    by_age, by_gender = {}, {}
    if age is not None:
        by_age = _by_cell(crops, missed(age, crops.span), crops.aged)
    if female is not None:
        right = np.where(np.isnan(female), np.nan, (female >= 0.5) == (crops.female == 1))
        by_gender = _by_cell(crops, right, ~np.isnan(crops.female))
    return Figures(by_age, by_gender)


def score(domains: Mapping[str, Figures]) -> float:
    """Return what the best epoch has least of, see the module; tasks that no domain measures add nothing.

    NaN where a measured figure is.
    """
    ages = {name: figures.age_mae for name, figures in domains.items() if figures.age}
    genders = {name: figures.gender_accuracy for name, figures in domains.items() if figures.gender}
    return (_mean(ages) if ages else 0.0) + (GENDER * (1 - _mean(genders)) if genders else 0.0)


def balance(crops: Crops) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each picture's weights (N,) for age and for gender: cells weigh the same, 1 together."""
    found = []
    for known in (crops.aged, ~np.isnan(crops.female)):
        weight = np.zeros(len(crops))
        counted = _counted(crops, known)
        for rows in counted.values():
            weight[rows] = 1 / (len(counted) * len(rows))
        found.append(weight)
    return found[0], found[1]


def _counted(crops: Crops, known: NDArray[np.bool_]) -> dict[str, NDArray[np.int64]]:
    """Return the rows of each cell that counts, of the pictures whose label is known."""
    named = cells(crops)
    rows = {cell: np.flatnonzero(known & (named == cell)) for cell in np.unique(named[known]).tolist()}
    counted = {cell: found for cell, found in rows.items() if len(found) >= SMALLEST_CELL}
    few = np.array(sorted(set(np.flatnonzero(known)).difference(*map(set, counted.values()))), np.int64)
    if len(few) >= SMALLEST_CELL or (len(few) and not counted):
        counted[FEW] = few
    return counted


def _by_cell(crops: Crops, values: NDArray[np.floating], known: NDArray[np.bool_]) -> dict[str, float]:
    return {cell: float(values[rows].mean()) for cell, rows in _counted(crops, known).items()}


def _mean(values: Mapping[str, float]) -> float:
    return float(np.mean(list(values.values()))) if values else math.nan
