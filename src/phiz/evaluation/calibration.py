"""Whether the gender score means what it says: of the answers given at 90%, are 90% right?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from . import metrics
from .groups import SMALLEST_GROUP, Scored


@dataclass(frozen=True, slots=True)
class Bin:
    """The answers of one stretch of the gender score, a bar of a reliability plot.

    start, end: the stretch; end belongs to the next bin, but in the last one. confidence: mean score.
    accuracy: share of right answers, low and high its 95% bootstrap interval. None where n is 0, and
    low and high None too where n is too small for an interval.
    """

    start: float
    end: float
    n: int
    confidence: float | None
    accuracy: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """Expected calibration error of the gender score in [0, 1], with its 95% bootstrap interval.

    confidence: mean score; accuracy: share of right answers; a score that is too sure has more of the
    former. A resample adds chance of its own, which raises its error, so the interval is moved back by as
    much as the resamples' median exceeds the sample's error.
    """

    error: float
    low: float
    high: float
    confidence: float
    accuracy: float
    n: int
    bins: tuple[Bin, ...]


def gender_calibration(
    scored: Sequence[Scored],
    *,
    bins: int = 10,
    seed: int = 0,
    resamples: int = 1000,
    smallest: int = SMALLEST_GROUP,
) -> Calibration | None:
    """Return the calibration of the gender score over equal bins of [0.5, 1] (Guo et al., ICML 2017).

    Pictures without an answer or without a gender label are left out; None where fewer than smallest
    are left. Whole clusters are drawn for the intervals, as everywhere.
    """
    found = [(r, r.gender_score) for r in scored if r.problem is None and r.true_gender and r.gender_score]
    if len(found) < smallest:
        return None
    sure = np.array([score for _, score in found])
    right = np.array([row.gender == row.true_gender for row, _ in found], dtype=np.float64)
    cluster = np.array([row.cluster for row, _ in found])
    compute = partial(metrics.expected_calibration_error, sure, right, bins)
    error = float(compute(None))
    low, high = metrics.bootstrap(compute, cluster, seed=seed, resamples=resamples)
    median, _ = metrics.bootstrap(compute, cluster, seed=seed, resamples=resamples, level=0)
    number = metrics.confidence_bin(sure, bins)
    edges = np.linspace(0.5, 1, bins + 1).tolist()
    made = []
    for i in range(bins):
        inside = number == i
        n = int(inside.sum())
        if n == 0:
            made.append(Bin(edges[i], edges[i + 1], 0, None, None, None, None))
            continue
        hits = right[inside]
        interval: tuple[float | None, float | None] = (None, None)
        if n >= smallest:
            interval = metrics.bootstrap(
                partial(metrics.accuracy, hits, np.ones(n)),
                cluster[inside],
                seed=seed,
                resamples=resamples,
            )
        made.append(Bin(edges[i], edges[i + 1], n, float(sure[inside].mean()), float(hits.mean()), *interval))
    return Calibration(
        error=error,
        low=max(0.0, low - (median - error)),
        high=high - (median - error),
        confidence=float(sure.mean()),
        accuracy=float(right.mean()),
        n=len(found),
        bins=tuple(made),
    )
