"""How much each of the branches counts: weights fitted on validation data."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from phiz.training.figures import missed

Weights = tuple[float, ...]

#: Weights are multiples of 1 / STEPS; finer ones would only follow the noise of a validation part.
STEPS = 20


def fit_age_weights(
    ages: NDArray[np.float32], span: NDArray[np.float32], counts: NDArray[np.float64]
) -> Weights:
    """Return the branch weights with the least mean absolute error.

    ages: (B, N) years. span: (N, 2) between which years each label lies, an age twice. counts: (N,) how much
    each picture counts.
    """
    known = ~np.isnan(span).any(1) & (counts > 0)
    count = counts[known]
    return _best(len(ages), lambda w: float(missed(w @ ages[:, known], span[known]) @ count))


def fit_gender_weights(
    female: NDArray[np.float32], truth: NDArray[np.float32], counts: NDArray[np.float64]
) -> Weights:
    """Return the branch weights with the least binary cross-entropy.

    female: (B, N) probabilities, truth: (N,) 1, 0 or NaN. counts: (N,) how much each picture counts.
    Cross-entropy rather than accuracy, which moves in steps of one picture and would be fitted to single
    faces.
    """
    known = ~np.isnan(truth) & (counts > 0)
    count = counts[known]
    target = truth[known] == 1

    def cross_entropy(weights: NDArray[np.float64]) -> float:
        p = np.clip(weights @ female[:, known], 1e-6, 1 - 1e-6)
        return float(-np.log(np.where(target, p, 1 - p)) @ count)

    return _best(len(female), cross_entropy)


def _best(branches: int, error: Callable[[NDArray[np.float64]], float]) -> Weights:
    """Return the weights of so many branches, in steps of 1 / STEPS and summing to 1, of the least error."""
    parts = itertools.product(range(STEPS + 1), repeat=branches - 1)
    grid = [
        tuple(share / STEPS for share in (*some, STEPS - sum(some))) for some in parts if sum(some) <= STEPS
    ]
    return min(grid, key=lambda weights: error(np.array(weights)))
