"""Metrics of age and gender, and their bootstrap intervals.

Every metric takes an optional weight per sample, of shape (n,) or (resamples, n), and returns a
number per row of weights; a bootstrap resample is nothing but such a row.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_CHUNK = 100


def mae(predicted: ArrayLike, true: ArrayLike, weight: Floats | None = None) -> Floats:
    """Return the mean absolute error, in the unit of the input (years for ages)."""
    return _mean(np.abs(_errors(predicted, true)), weight)


def rmse(predicted: ArrayLike, true: ArrayLike, weight: Floats | None = None) -> Floats:
    """Return the root of the mean squared error, in the unit of the input."""
    return np.sqrt(_mean(np.square(_errors(predicted, true)), weight))


def bias(predicted: ArrayLike, true: ArrayLike, weight: Floats | None = None) -> Floats:
    """Return the mean of predicted minus true: over zero where ages are guessed too old."""
    return _mean(_errors(predicted, true), weight)


def cs(predicted: ArrayLike, true: ArrayLike, limit: float, weight: Floats | None = None) -> Floats:
    """Return the cumulative score: the share in [0, 1] whose absolute error is at most limit."""
    return _mean((np.abs(_errors(predicted, true)) <= limit).astype(np.float64), weight)


def ca(predicted: ArrayLike, true: ArrayLike, limit: float, weight: Floats | None = None) -> Floats:
    """Return the cumulative accuracy: the share in [0, 1] whose absolute error is below limit."""
    return _mean((np.abs(_errors(predicted, true)) < limit).astype(np.float64), weight)


def accuracy(predicted: ArrayLike, true: ArrayLike, weight: Floats | None = None) -> Floats:
    """Return the share in [0, 1] of equal labels."""
    return _mean(_hits(predicted, true), weight)


def balanced_accuracy(predicted: ArrayLike, true: ArrayLike, weight: Floats | None = None) -> Floats:
    """Return the mean over the true classes of the share recognised (recall), in [0, 1].

    A class that a row of weights leaves out does not count in that row.
    """
    hits, labels = _hits(predicted, true), np.asarray(true)
    weights = np.ones(len(hits)) if weight is None else weight
    recalls = []
    for label in np.unique(labels):
        member = (labels == label).astype(np.float64)
        total = weights @ member
        recalls.append(np.where(total > 0, (weights @ (hits * member)) / np.maximum(total, 1e-12), np.nan))
    return np.asarray(np.nanmean(np.stack(recalls), axis=0), dtype=np.float64)


def bootstrap(
    metric: Callable[[Floats], Floats],
    cluster: ArrayLike,
    *,
    seed: int = 0,
    resamples: int = 1000,
    level: float = 0.95,
) -> tuple[float, float]:
    """Return the percentile bootstrap interval (low, high) of a metric (Efron, 1979).

    Whole clusters are drawn with replacement, since pictures of one person are not independent.
    metric: takes weights (rows, n) and returns (rows,). cluster: the cluster of each of n samples.
    """
    names, code = np.unique(np.asarray(cluster), return_inverse=True)
    rng = np.random.default_rng(seed)
    values = []
    for start in range(0, resamples, _CHUNK):
        rows = min(_CHUNK, resamples - start)
        drawn = rng.integers(len(names), size=(rows, len(names)))
        drawn += np.arange(rows)[:, None] * len(names)  # one range of numbers per row: a single bincount
        times = np.bincount(drawn.ravel(), minlength=rows * len(names)).reshape(rows, len(names))
        values.append(metric(times[:, code].astype(np.float64)))
    tail = 50 * (1 - level)
    low, high = np.percentile(np.concatenate(values), [tail, 100 - tail])
    return float(low), float(high)


def _mean(values: Floats, weight: Floats | None) -> Floats:
    if weight is None:
        return np.asarray(values.mean(), dtype=np.float64)
    return np.asarray((weight @ values) / weight.sum(axis=-1), dtype=np.float64)


def _errors(predicted: ArrayLike, true: ArrayLike) -> Floats:
    a, b = np.asarray(predicted, dtype=np.float64), np.asarray(true, dtype=np.float64)
    _check(a.shape, b.shape)
    return np.asarray(a - b, dtype=np.float64)


def _hits(predicted: ArrayLike, true: ArrayLike) -> Floats:
    a, b = np.asarray(predicted), np.asarray(true)
    _check(a.shape, b.shape)
    return np.asarray(np.equal(a, b), dtype=np.float64)


def _check(predicted: tuple[int, ...], true: tuple[int, ...]) -> None:
    if len(predicted) != 1 or predicted != true or predicted[0] == 0:
        raise ValueError(f"expected two equally long, not empty rows; got shapes {predicted} and {true}")
