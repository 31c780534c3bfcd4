"""The losses: of age as a distribution, of gender, and of both over a network's output pairs.

Every age loss takes log-probabilities `log_p` of shape (..., N, bins) over the ages `bins` (bins,) in years
and the labels `age` (N,) in years, and returns the mean over the N faces, of shape (...). Below p is
exp(log_p), m the mean and v the variance of the distribution: m = sum_b p_b b, v = sum_b p_b (b - m)^2.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from phiz.networks.multitask import BRANCHES
from phiz.training.recipe import Loss


def absolute_loss(log_p: Tensor, bins: Tensor, age: Tensor) -> Tensor:
    """Mean absolute error of the expected age: 1/N sum_i |m_i - y_i|. In years.

    >>> bins, half = torch.tensor([20.0, 30.0]), torch.tensor([[0.5, 0.5]]).log()
    >>> float(absolute_loss(half, bins, torch.tensor([28.0])))  # 25 for 28
    3.0
    """
    return (expected(log_p, bins) - age).abs().mean(-1)


def cross_entropy_loss(log_p: Tensor, bins: Tensor, age: Tensor) -> Tensor:
    """Softmax cross-entropy Ls = -1/N sum_i log p_i(y_i), the class y_i being the bin nearest to the age.

    >>> bins, half = torch.tensor([20.0, 30.0]), torch.tensor([[0.5, 0.5]]).log()
    >>> round(float(cross_entropy_loss(half, bins, torch.tensor([28.0]))), 4)  # -log 0.5
    0.6931
    """
    label = (bins - age[:, None]).abs().argmin(1)
    return -log_p.gather(-1, label.expand(log_p.shape[:-1]).unsqueeze(-1)).squeeze(-1).mean(-1)


def mean_loss(log_p: Tensor, bins: Tensor, age: Tensor) -> Tensor:
    """Lm = 1/2N sum_i (m_i - y_i)^2. In years squared.

    Source: Pan et al., CVPR 2018, equation 4. With cross-entropy the whole loss is L = Ls + 0.2 Lm + 0.05 Lv.

    >>> bins, half = torch.tensor([20.0, 30.0]), torch.tensor([[0.5, 0.5]]).log()
    >>> float(mean_loss(half, bins, torch.tensor([28.0])))  # 3 squared, halved
    4.5
    """
    return (expected(log_p, bins) - age).square().mean(-1) / 2


def variance_loss(log_p: Tensor, bins: Tensor) -> Tensor:
    """Lv = 1/N sum_i v_i: a distribution narrow round its mean, wherever that is. In years squared.

    Source: Pan et al., CVPR 2018, equation 5.

    >>> bins, half = torch.tensor([20.0, 30.0]), torch.tensor([[0.5, 0.5]]).log()
    >>> float(variance_loss(half, bins))  # 5 years from the mean, both
    25.0
    """
    mean = expected(log_p, bins)
    return (log_p.exp() * (bins - mean.unsqueeze(-1)).square()).sum(-1).mean(-1)


def distribution_loss(log_p: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy -1/N sum_i sum_b q_i(b) log p_i(b) to the distributions `wanted`, (N, bins).

    With `age_distribution` and `absolute_loss` this is DLDL-v2 (Gao et al. 2018, arXiv 1807.00946): the
    divergence from q to p and the cross-entropy differ by q's entropy, which no weight changes.

    >>> round(float(distribution_loss(torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.2, 0.8]]))), 4)
    0.6931
    """
    return -(wanted * log_p).sum(-1).mean(-1)


def range_loss(log_p: Tensor, bins: Tensor, age_range: Tensor) -> Tensor:
    """Return -1/N sum_i log P_i(range): the likelihood of the range in which the age lies.

    age_range: (N, 2) first and last year, in whole years completed. A bin is of the range where it is the
    nearest to one of its years, as a single age has its class in `cross_entropy_loss`. Of a network with a
    single bin (SSR-Net): the mean of the years outside [first, last + 1), 0 inside.

    >>> bins = torch.tensor([0.0, 10.0, 20.0, 30.0])
    >>> log_p = torch.tensor([[0.1, 0.2, 0.3, 0.4]]).log()
    >>> round(range_loss(log_p, bins, torch.tensor([[16.0, 29.0]])).item(), 4)  # -log(0.3 + 0.4)
    0.3567
    """
    first, last = age_range.unbind(1)
    if len(bins) == 1:
        age = expected(log_p, bins)
        return torch.maximum((first - age).clamp(min=0), age - last - 1).mean(-1)
    low, high = ((bins - end[:, None]).abs().argmin(1, keepdim=True) for end in (first, last))
    number = torch.arange(len(bins), device=bins.device)
    outside = (number < low) | (number > high)
    return -log_p.masked_fill(outside, -torch.inf).logsumexp(-1).mean(-1)


def expected(log_p: Tensor, bins: Tensor) -> Tensor:
    """Return the mean of each distribution in years: (..., bins) -> (...).

    Of a network with a single bin (SSR-Net) the answer is the age itself, in years.

    >>> bins, half = torch.tensor([20.0, 30.0]), torch.tensor([[0.5, 0.5]]).log()
    >>> expected(half, bins).tolist()
    [25.0]
    """
    return log_p.squeeze(-1) if len(bins) == 1 else (log_p.exp() * bins).sum(-1)


def age_distribution(age: Tensor, bins: Tensor, sigma: float | Tensor) -> Tensor:
    """Return the discrete normal distribution of width `sigma` round each age: (N,) -> (N, bins).

    sigma: one width, or one a face (N,). All in years. Source: Gao et al. 2018 (DLDL-v2), arXiv 1807.00946.

    >>> age_distribution(torch.tensor([25.0]), torch.tensor([20.0, 30.0]), sigma=2.0).tolist()
    [[0.5, 0.5]]
    """
    width = sigma[:, None] if isinstance(sigma, Tensor) else sigma
    return torch.softmax(-((bins - age[:, None]) ** 2) / (2 * width**2), dim=1)


def age_loss(log_p: Tensor, bins: Tensor, age: Tensor, weights: Loss) -> Tensor:
    """Return the age task's terms, each times its weight, of every branch: (B, N, bins) -> (B,).

    >>> bins, half = torch.tensor([20.0, 30.0]), torch.tensor([[0.5, 0.5]]).log()
    >>> terms = Loss(absolute=1.0, distribution=0.0, variance=0.5)
    >>> age_loss(half[None], bins, torch.tensor([28.0]), terms).tolist()  # 3 + 0.5 x 25
    [15.5]
    """
    total = log_p.new_zeros(log_p.shape[0])
    if weights.absolute > 0:
        total = total + weights.absolute * absolute_loss(log_p, bins, age)
    if weights.distribution > 0:
        wanted = age_distribution(age, bins, weights.sigma)
        total = total + weights.distribution * distribution_loss(log_p, wanted)
    if weights.cross_entropy > 0:
        total = total + weights.cross_entropy * cross_entropy_loss(log_p, bins, age)
    if weights.mean > 0:
        total = total + weights.mean * mean_loss(log_p, bins, age)
    if weights.variance > 0:
        total = total + weights.variance * variance_loss(log_p, bins)
    return total


def multitask_loss(
    female: Tensor,
    ages: Tensor,
    bins: Tensor,
    age_label: Tensor,
    female_label: Tensor,
    weights: Loss,
    branches: Sequence[str] | None = None,
    age_range: Tensor | None = None,
) -> Tensor:
    """Weighted sum over the output pairs of binary cross-entropy for gender and `age_loss`.

    female: (B, N) logits; (0, N) of a network without gender. ages: (B, N, bins) log-probabilities; (0, N,
    bins) without age. bins: (bins,) years. age_label: (N,) years, NaN where unknown. female_label: (N,) 1, 0,
    or NaN. age_range: (N, 2) of faces whose age is a range, see `range_loss`, which is their age loss; NaN
    for others. branches: the output pair of each row. The weights of absent ones are left out, not given to
    others. A missing label adds nothing and its mean is taken over the labels present, so a picture that
    lacks one label still teaches the other. Returns a scalar.

    Source: total = main + 0.3 auxiliary + 0.5 ensemble, as in the conference paper.

    >>> bins, half = torch.tensor([20.0, 30.0]), torch.tensor([[0.5, 0.5]]).log()
    >>> terms = Loss(absolute=1.0, distribution=0.0, gender=2.0, age=1.0, smoothing=0.0)
    >>> labels = torch.tensor([28.0]), torch.tensor([1.0])
    >>> round(float(multitask_loss(torch.zeros(1, 1), half[None], bins, *labels, terms)), 4)  # 3 + 2 log 2
    4.3863
    """
    branch = _of_branches(weights, branches, max(len(female), len(ages)), ages)
    total = ages.new_zeros(())
    known = ~torch.isnan(female_label)
    if known.any() and len(female):
        target = female_label[known] * (1 - weights.smoothing) + 0.5 * weights.smoothing
        logits = female[:, known]
        cross_entropy = F.binary_cross_entropy_with_logits(logits, target.expand_as(logits), reduction="none")
        total = total + weights.gender * (branch * cross_entropy.mean(1)).sum()
    known = ~torch.isnan(age_label)
    ranged = torch.zeros_like(known) if age_range is None else ~known & ~torch.isnan(age_range).any(1)
    if len(ages) and (labelled := int((known | ranged).sum())):
        per_branch = ages.new_zeros(len(ages))
        if known.any():
            share = known.sum() / labelled
            per_branch += share * age_loss(ages[:, known], bins, age_label[known], weights)
        if age_range is not None and ranged.any():
            within = range_loss(ages[:, ranged], bins, age_range[ranged])
            per_branch += ranged.sum() / labelled * weights.range * within
        total = total + weights.age * (branch * per_branch).sum()
    return total


def taught_loss(
    female: Tensor,
    ages: Tensor,
    bins: Tensor,
    taught: Tensor,
    weights: Loss,
    branches: Sequence[str] | None = None,
) -> Tensor:
    """The same sum with teachers' answers for labels: distributions for ages, probabilities for gender.

    taught: (N, 3): the teachers' age and its deviation in years, and their probability of female; NaN where
    they said nothing. The age term is the absolute error from the teachers' age and, times
    weights.distribution, the cross-entropy to the normal distribution of their deviation. Returns a scalar.
    Source: Hinton et al. 2015, arXiv 1503.02531, without a temperature: the deviation keeps what it is for.

    >>> bins, half = torch.tensor([20.0, 30.0]), torch.tensor([[0.5, 0.5]]).log()
    >>> terms = Loss(absolute=1.0, distribution=0.0, gender=2.0, age=1.0)
    >>> taught = torch.tensor([[28.0, 1.0, 0.5]])
    >>> round(float(taught_loss(torch.zeros(1, 1), half[None], bins, taught, terms)), 4)  # 3 + 2 log 2
    4.3863
    """
    branch = _of_branches(weights, branches, max(len(female), len(ages)), ages)
    known = ~torch.isnan(taught).any(1)
    if not known.any():
        return ages.new_zeros(())
    age, deviation, share = taught[known].unbind(1)
    log_p, logits = ages[:, known], female[:, known]
    wanted = age_distribution(age, bins, deviation.clamp(min=1.0))
    years = weights.absolute * absolute_loss(log_p, bins, age) + weights.distribution * distribution_loss(
        log_p, wanted
    )
    total = weights.age * (branch * years).sum() if len(ages) else ages.new_zeros(())
    if len(logits):
        gender = F.binary_cross_entropy_with_logits(logits, share.expand_as(logits), reduction="none").mean(1)
        total = total + weights.gender * (branch * gender).sum()
    return total


def _of_branches(weights: Loss, branches: Sequence[str] | None, rows: int, like: Tensor) -> Tensor:
    """Return the weight of each row's output pair, (rows,)."""
    return like.new_tensor([getattr(weights, name) for name in branches or BRANCHES[:rows]])
