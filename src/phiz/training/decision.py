"""How much each of the three branches counts: weights fitted on validation data."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Weights = tuple[float, ...]

#: Weights are multiples of 1 / STEPS; finer ones would only follow the noise of a validation part.
STEPS = 20


def fit_age_weights(ages: NDArray[np.float32], truth: NDArray[np.float32]) -> Weights:
    """Return the branch weights with the least mean absolute error. ages: (3, N), truth: (N,), years."""
    known = ~np.isnan(truth)
    return _best(lambda w: float(np.abs(w @ ages[:, known] - truth[known]).mean()))


def fit_gender_weights(female: NDArray[np.float32], truth: NDArray[np.float32]) -> Weights:
    """Return the branch weights with the least binary cross-entropy.

    female: (3, N) probabilities, truth: (N,) 1, 0 or NaN. Cross-entropy rather than accuracy,
    which moves in steps of one picture and would be fitted to single faces.
    """
    known = ~np.isnan(truth)
    target = truth[known] == 1

    def cross_entropy(weights: NDArray[np.float64]) -> float:
        p = np.clip(weights @ female[:, known], 1e-6, 1 - 1e-6)
        return float(-np.log(np.where(target, p, 1 - p)).mean())

    return _best(cross_entropy)


def _best(error: Callable[[NDArray[np.float64]], float]) -> Weights:
    grid = [
        (a / STEPS, b / STEPS, (STEPS - a - b) / STEPS)
        for a, b in itertools.product(range(STEPS + 1), repeat=2)
        if a + b <= STEPS
    ]
    return min(grid, key=lambda weights: error(np.array(weights)))
