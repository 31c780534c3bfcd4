"""The losses of the multi-task network."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from phiz.training.recipe import Loss


def multitask_loss(
    female: Tensor, ages: Tensor, bins: Tensor, age_label: Tensor, female_label: Tensor, weights: Loss
) -> Tensor:
    """Weighted sum over the three output pairs of binary cross-entropy and mean absolute error.

    female: (3, N) logits. ages: (3, N, bins) log-probabilities. bins: (bins,) years.
    age_label: (N,) years, NaN where unknown. female_label: (N,) 1, 0, or NaN where unknown.
    A missing label adds nothing and its mean is taken over the labels present, so a picture that
    lacks one label still teaches the other. Returns a scalar.

    Source: total = main + 0.3 auxiliary + 0.5 ensemble, as in the conference paper.
    """
    branch = torch.tensor([weights.main, weights.auxiliary, weights.ensemble], dtype=female.dtype)
    total = female.new_zeros(())
    known = ~torch.isnan(female_label)
    if known.any():
        target = female_label[known] * (1 - weights.smoothing) + 0.5 * weights.smoothing
        logits = female[:, known]
        cross_entropy = F.binary_cross_entropy_with_logits(logits, target.expand_as(logits), reduction="none")
        total = total + weights.gender * (branch * cross_entropy.mean(1)).sum()
    known = ~torch.isnan(age_label)
    if known.any():
        log_p, target = ages[:, known], age_label[known]
        per_branch = ((log_p.exp() * bins).sum(-1) - target).abs().mean(1)
        if weights.distribution > 0:
            wanted = age_distribution(target, bins, weights.sigma)
            divergence = -(wanted * log_p).sum(-1).mean(1)
            per_branch = per_branch + weights.distribution * divergence
        total = total + weights.age * (branch * per_branch).sum()
    return total


def age_distribution(age: Tensor, bins: Tensor, sigma: float) -> Tensor:
    """Return the discrete normal distribution of width `sigma` round each age: (N,) -> (N, bins).

    All in years. Source: Gao et al. 2018 (DLDL-v2), arXiv 1807.00946.
    """
    return torch.softmax(-((bins - age[:, None]) ** 2) / (2 * sigma**2), dim=1)
