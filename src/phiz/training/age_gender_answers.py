"""What a network of age and gender says of labelled crops, and the figures that choose its epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phiz.networks.build import TrainableNet
from phiz.training.augment import prepare
from phiz.training.crops import Crops
from phiz.training.domains import Figures, measure, poor, score
from phiz.training.figures import PLAIN, plain
from phiz.training.recipe import Recipe
from phiz.training.sets import under


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
