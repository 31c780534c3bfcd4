"""Metrics of age, gender and attributes, and their bootstrap intervals.

Every metric takes an optional weight per sample, of shape (n,) or (resamples, n), and returns a
number (or a row of them, where it says so) per row of weights; a bootstrap resample is nothing but
such a row. Where a row of weights leaves nothing to measure the number is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

#: The limits in years of the papers' cumulative score curves.
LIMITS = tuple(range(16))

_CHUNK = 100


def mae(predicted: ArrayLike, true: ArrayLike, weight: Floats | None = None) -> Floats:
    """Return the mean absolute error, in the unit of the input (years for ages).

    >>> float(mae([20, 31], [22, 30]))
    1.5
    """
    return _mean(np.abs(_errors(predicted, true)), weight)


def rmse(predicted: ArrayLike, true: ArrayLike, weight: Floats | None = None) -> Floats:
    """Return the root of the mean squared error, in the unit of the input.

    >>> float(rmse([20, 37, 30], [20, 30, 37]).round(3))  # of 0, 49 and 49
    5.715
    """
    return np.sqrt(_mean(np.square(_errors(predicted, true)), weight))


def bias(predicted: ArrayLike, true: ArrayLike, weight: Floats | None = None) -> Floats:
    """Return the mean of predicted minus true: over zero where ages are guessed too old.

    >>> float(bias([20, 37], [23, 33]))
    0.5
    """
    return _mean(_errors(predicted, true), weight)


def cs(predicted: ArrayLike, true: ArrayLike, limit: float, weight: Floats | None = None) -> Floats:
    """Return the cumulative score: the share in [0, 1] whose absolute error is at most limit.

    >>> float(cs([20, 30, 40, 50], [25, 30, 46, 51], limit=5))
    0.75
    """
    return _mean((np.abs(_errors(predicted, true)) <= limit).astype(np.float64), weight)


def ca(predicted: ArrayLike, true: ArrayLike, limit: float, weight: Floats | None = None) -> Floats:
    """Return the cumulative accuracy: the share in [0, 1] whose absolute error is below limit.

    >>> float(ca([20, 30, 40, 50], [25, 30, 46, 51], limit=5))
    0.5
    """
    return _mean((np.abs(_errors(predicted, true)) < limit).astype(np.float64), weight)


def range_error(
    predicted: ArrayLike, first: ArrayLike, last: ArrayLike, weight: Floats | None = None
) -> Floats:
    """Return the mean number of years by which ages miss their ranges, 0 for one that lies inside.

    predicted: (n,) years. first, last: (n,) a range's first and last year, in whole years completed: 20 and
    29 hold every age from 20 to just below 30.

    >>> round(float(range_error([19.0, 25.0, 32.5], [20, 20, 20], [29, 29, 29])), 2)  # (1 + 0 + 2.5) / 3
    1.17
    """
    below, above = _errors(first, predicted), _errors(predicted, np.asarray(last, dtype=np.float64) + 1)
    return _mean(np.maximum(np.maximum(below, above), 0.0), weight)


def in_range(predicted: ArrayLike, first: ArrayLike, last: ArrayLike, weight: Floats | None = None) -> Floats:
    """Return the share in [0, 1] of ages that lie in their ranges; see `range_error`.

    >>> float(in_range([19.0, 29.9, 30.0, 20.0], [20] * 4, [29] * 4))
    0.5
    """
    over = _errors(predicted, first) >= 0
    under = _errors(predicted, np.asarray(last, dtype=np.float64) + 1) < 0
    return _mean((over & under).astype(np.float64), weight)


def cs_curve(
    predicted: ArrayLike, true: ArrayLike, weight: Floats | None = None, limits: Sequence[float] = LIMITS
) -> Floats:
    """Return the cumulative score CS(t), error at most t, at each limit t: shape (..., limits).

    >>> cs_curve([20, 31], [20, 30], limits=(0, 1)).tolist()
    [0.5, 1.0]
    """
    return np.stack([cs(predicted, true, limit, weight) for limit in limits], axis=-1)


def ca_curve(
    predicted: ArrayLike, true: ArrayLike, weight: Floats | None = None, limits: Sequence[float] = LIMITS
) -> Floats:
    """Return the cumulative accuracy CA(t), error below t, at each limit t: shape (..., limits).

    >>> ca_curve([20, 31], [20, 30], limits=(0, 1, 2)).tolist()
    [0.0, 0.5, 1.0]
    """
    return np.stack([ca(predicted, true, limit, weight) for limit in limits], axis=-1)


def joint_success(
    age: ArrayLike,
    true_age: ArrayLike,
    gender: ArrayLike,
    true_gender: ArrayLike,
    weight: Floats | None = None,
    limit: float = 5,
) -> Floats:
    """Return the share in [0, 1] with the gender right and the age within limit years (at most).

    >>> age, gender = [20, 30, 50], ["male", "female", "female"]
    >>> round(float(joint_success(age, [24, 39, 50], gender, ["male", "female", "male"])), 3)
    0.333
    """
    near = np.abs(_errors(age, true_age)) <= limit
    right = _hits(gender, true_gender)
    _check(near.shape, right.shape)
    return _mean(near * right, weight)


def accuracy(predicted: ArrayLike, true: ArrayLike, weight: Floats | None = None) -> Floats:
    """Return the share in [0, 1] of equal labels.

    >>> float(accuracy(["male", "female"], ["male", "male"]))
    0.5
    """
    return _mean(_hits(predicted, true), weight)


def balanced_accuracy(predicted: ArrayLike, true: ArrayLike, weight: Floats | None = None) -> Floats:
    """Return the mean over the true classes of the share recognised (recall), in [0, 1].

    A class that a row of weights leaves out does not count in that row.

    >>> float(balanced_accuracy(["m", "m", "m", "m"], ["m", "m", "m", "f"]))  # 3 of 3 and 0 of 1
    0.5
    """
    hits, labels = _hits(predicted, true), np.asarray(true)
    weights = np.ones(len(hits)) if weight is None else weight
    members = [(labels == label).astype(np.float64) for label in np.unique(labels)]
    return _mean_known([_ratio(weights @ (hits * member), weights @ member) for member in members])


def attribute_accuracy(predicted: ArrayLike, true: ArrayLike, weight: Floats | None = None) -> Floats:
    """Return each attribute's share of right answers among the labelled samples: shape (..., attributes).

    predicted: (n, attributes) of 0 and 1. true: the same, with NaN where nobody labelled the attribute.
    An attribute without any label is NaN.

    >>> attribute_accuracy([[1, 0], [1, 1]], [[1, 1], [0, np.nan]]).tolist()
    [0.5, 0.0]
    """
    hits, labels = _attributes(predicted, true)
    weights = np.ones(len(hits)) if weight is None else weight
    return _ratio(weights @ hits, weights @ (~np.isnan(labels)).astype(np.float64))


def attribute_balanced_accuracy(
    predicted: ArrayLike, true: ArrayLike, weight: Floats | None = None
) -> Floats:
    """Return each attribute's mean recall of present and absent: shape (..., attributes).

    Input as in `attribute_accuracy`. Where only one of the two occurs, its recall alone counts.

    >>> attribute_balanced_accuracy([[1], [1], [1]], [[1], [1], [0]]).tolist()  # 2 of 2 and 0 of 1
    [0.5]
    """
    hits, labels = _attributes(predicted, true)
    weights = np.ones(len(hits)) if weight is None else weight
    members = [(labels == value).astype(np.float64) for value in (0, 1)]
    return _mean_known([_ratio(weights @ (hits * member), weights @ member) for member in members])


def mean_attribute_accuracy(predicted: ArrayLike, true: ArrayLike, weight: Floats | None = None) -> Floats:
    """Return the mean of `attribute_accuracy` over the attributes that have labels.

    >>> float(mean_attribute_accuracy([[1, 0], [1, 1]], [[1, 1], [0, np.nan]]))
    0.25
    """
    return _mean_known(np.moveaxis(attribute_accuracy(predicted, true, weight), -1, 0))


def mean_attribute_balanced_accuracy(
    predicted: ArrayLike, true: ArrayLike, weight: Floats | None = None
) -> Floats:
    """Return the mean of `attribute_balanced_accuracy` over the attributes that have labels.

    >>> float(mean_attribute_balanced_accuracy([[1, 1], [1, 0]], [[1, 1], [0, 0]]))
    0.75
    """
    return _mean_known(np.moveaxis(attribute_balanced_accuracy(predicted, true, weight), -1, 0))


def expected_calibration_error(
    confidence: ArrayLike, right: ArrayLike, bins: int = 10, weight: Floats | None = None
) -> Floats:
    """Return the mean gap between confidence and accuracy over equal bins (ECE; Guo et al., ICML 2017).

    confidence: probability in [0.5, 1] of the named one of two classes; right: whether it was the true
    one. Each bin counts by its samples. A small sample overstates the error: chance never evens out.

    >>> float(expected_calibration_error([0.75, 0.75, 1.0, 1.0], [1, 0, 1, 1]))  # 2 x 0.25 and 2 x 0
    0.125
    """
    sure, hits = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    weights = np.ones(len(hits)) if weight is None else weight
    number = confidence_bin(sure, bins)
    gaps = [np.abs(weights @ np.where(number == i, sure - hits, 0.0)) for i in range(bins)]
    return _ratio(np.sum(gaps, axis=0), weights.sum(axis=-1))


def confidence_bin(confidence: ArrayLike, bins: int) -> NDArray[np.int64]:
    """Return which of the equal bins of [0.5, 1] each confidence falls into; 1 falls into the last.

    >>> confidence_bin([0.5, 0.74, 0.76, 1.0], bins=2).tolist()
    [0, 0, 1, 1]
    """
    sure = np.asarray(confidence, dtype=np.float64)
    if sure.ndim != 1 or sure.size == 0 or not ((sure >= 0.5) & (sure <= 1)).all():
        raise ValueError(f"expected a not empty row of confidences in [0.5, 1]; got {confidence!r}")
    edges = np.linspace(0.5, 1, bins + 1)[1:-1]
    return np.searchsorted(edges, sure, side="right").astype(np.int64)


def mean_over_folds(
    metric: Callable[[Floats], Floats], fold: ArrayLike, weight: Floats | None = None
) -> Floats:
    """Return the mean of a metric over folds, each fold counting alike however many samples it tests.

    metric: takes weights (rows, n) and returns (rows, ...). fold: the fold of each of n samples. With
    weights a fold counts by the mean weight of its samples: a person drawn twice counts twice.

    >>> errors = np.array([1.0, 1.0, 1.0, 5.0])
    >>> mean = lambda weight: weight @ errors / weight.sum(-1)
    >>> float(mean_over_folds(mean, [0, 0, 0, 1]))  # of 1 and 5
    3.0
    """
    names, code = np.unique(np.asarray(fold), return_inverse=True)
    weights = np.ones((1, len(code))) if weight is None else np.atleast_2d(weight)
    total: Floats | float = 0.0
    times = np.zeros(len(weights))
    for index in range(len(names)):
        member = (code == index).astype(np.float64)
        share = weights @ member / member.sum()
        values = metric(weights * member)
        share = share.reshape(-1, *[1] * (values.ndim - 1))
        total = total + np.where(share > 0, values, 0.0) * share
        times += share.reshape(-1)
    means = _ratio(np.asarray(total), times.reshape(-1, *[1] * (np.ndim(total) - 1)))
    return means[0] if weight is None or weight.ndim == 1 else means


def bootstrap(
    metric: Callable[[Floats], Floats],
    cluster: ArrayLike,
    *,
    seed: int = 0,
    resamples: int = 1000,
    level: float = 0.95,
) -> tuple[float, float]:
    """Return the interval (low, high) of a metric that is one number; see `intervals`.

    >>> bootstrap(lambda weight: weight @ [2.0, 2.0] / weight.sum(-1), [0, 1])  # of one value
    (2.0, 2.0)
    """
    low, high = intervals(metric, cluster, seed=seed, resamples=resamples, level=level)
    return float(low), float(high)


def intervals(
    metric: Callable[[Floats], Floats],
    cluster: ArrayLike,
    *,
    seed: int = 0,
    resamples: int = 1000,
    level: float = 0.95,
) -> tuple[Floats, Floats]:
    """Return the percentile bootstrap intervals (low, high) of a metric (Efron, 1979).

    Whole clusters are drawn with replacement, since pictures of one person are not independent.
    metric: takes weights (rows, n) and returns (rows, ...); low and high have the shape of one row. A
    resample whose value is NaN does not count. cluster: the cluster of each of n samples.

    >>> low, high = intervals(lambda weight: weight @ [0.0, 4.0] / weight.sum(-1), [0, 1])
    >>> float(low), float(high)
    (0.0, 4.0)
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
    low, high = np.nanpercentile(np.concatenate(values), [tail, 100 - tail], axis=0)
    return np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)


def _mean(values: Floats, weight: Floats | None) -> Floats:
    if weight is None:
        return np.asarray(values.mean(), dtype=np.float64)
    return _ratio(weight @ values, weight.sum(axis=-1))


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, NaN where whole is 0."""
    known = np.asarray(whole) > 0
    return np.asarray(np.where(known, part / np.where(known, whole, 1.0), np.nan), dtype=np.float64)


def _mean_known(values: Sequence[Floats] | Floats) -> Floats:
    """Return the mean over the first axis of what is not NaN; NaN where nothing is."""
    stacked = np.stack(list(values))
    known = ~np.isnan(stacked)
    return _ratio(np.where(known, stacked, 0.0).sum(axis=0), known.sum(axis=0).astype(np.float64))


def _attributes(predicted: ArrayLike, true: ArrayLike) -> tuple[Floats, Floats]:
    """Return hits (n, attributes) as 0 and 1, and the labels with NaN for missing."""
    answers, labels = np.asarray(predicted, dtype=np.float64), np.asarray(true, dtype=np.float64)
    if answers.ndim != 2 or answers.shape != labels.shape or answers.size == 0:
        raise ValueError(
            "expected two not empty tables of one shape (n, attributes); "
            f"got {answers.shape} and {labels.shape}"
        )
    if not np.isin(answers, (0, 1)).all() or not (np.isin(labels, (0, 1)) | np.isnan(labels)).all():
        raise ValueError("expected 0 or 1 for absent or present, and NaN for a missing label")
    return (answers == labels).astype(np.float64), labels


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
