"""From which probability an attribute counts as present: fitted on the validation part, one each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phiz.evaluation import metrics

Floats = NDArray[np.float64]


def fit_threshold(probability: NDArray[np.float32], label: NDArray[np.float32]) -> float:
    """Return the threshold that tells the rarer answer best: (N,), (N,) of 1, 0 or NaN -> a probability.

    Best is the highest F1 of "present", or of "absent" where most have the attribute: balanced accuracy would
    rather call two hatless people hatted than miss one hat. The threshold lies halfway between two scores
    that occur; among equally good ones the one nearest to 1/2 counts. 1/2 where only one of the two labels
    occurs, so that nothing can be fitted.
    """
    known = ~np.isnan(label)
    p, present = probability[known].astype(np.float64), label[known] == 1
    if not present.any() or present.all():
        return 0.5
    scores = np.unique(p)
    between = (scores[1:] + scores[:-1]) / 2
    if not len(between):
        return 0.5
    # Both sides at every threshold at once, from the sorted scores of each side.
    missed = np.searchsorted(np.sort(p[present]), between)
    passed = np.searchsorted(np.sort(p[~present]), between)
    if present.mean() <= 0.5:
        right, wrong = present.sum() - missed, missed + (~present).sum() - passed
    else:
        right, wrong = passed, missed + (~present).sum() - passed
    f1 = np.round(2 * right / (2 * right + wrong), 9)
    best = between[f1 == f1.max()]
    return float(best[np.argmin(np.abs(best - 0.5))])


def fit_thresholds(probability: NDArray[np.float32], labels: NDArray[np.float32]) -> Floats:
    """Return each attribute's threshold: (N, A), (N, A) -> (A,)."""
    pairs = zip(probability.T, labels.T, strict=True)
    return np.array([fit_threshold(p, label) for p, label in pairs])


def balanced_accuracies(
    probability: NDArray[np.float32], labels: NDArray[np.float32], thresholds: Floats
) -> Floats:
    """Return each attribute's balanced accuracy at its threshold, NaN where it lacks one of the labels."""
    said = (probability >= thresholds).astype(np.float64)
    found = metrics.attribute_balanced_accuracy(said, labels)
    both = ((labels == 1).any(0)) & ((labels == 0).any(0))
    return np.where(both, found, np.nan)
