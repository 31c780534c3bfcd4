"""The same figures for everybody and by age band, gender and group."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..ages import age_band
from . import metrics
from .metrics import Floats

#: A group of fewer pictures says too little for a figure.
SMALLEST_GROUP = 30
TOO_SMALL = "too small"


@dataclass(frozen=True, slots=True)
class Scored:
    """One picture's labels beside the model's answer; None where there is no label or no face.

    ages: years. true_first, true_last: the range in whole years that stands where no age is known, see
    metrics.range_error. genders: "female" or "male". gender_score: probability of the named gender.
    cluster: pictures that are not independent share one. problem: why there is no answer.
    fold: the fold whose test part the picture is in; "" where there is but one.
    """

    file: str
    cluster: str
    true_age: float | None
    true_gender: str | None
    group: str | None
    age: float | None = None
    gender: str | None = None
    gender_score: float | None = None
    problem: str | None = None
    fold: str = ""
    true_first: float | None = None
    true_last: float | None = None

    @property
    def band(self) -> str | None:
        """Return the age band of the label; of a range the one that its middle is in."""
        if self.true_age is not None:
            return age_band(self.true_age)
        if self.true_first is None or self.true_last is None:
            return None
        return age_band((self.true_first + self.true_last) / 2)


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of one group of n pictures, with its 95% bootstrap interval.

    value, low, high are None, and note says why, where the group is too small.
    """

    kind: str
    group: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    note: str = ""


#: Every metric: what it is called in a table, and 100 where a share is shown in percent.
TITLES: dict[str, tuple[str, float]] = {
    "mae": ("MAE, years", 1.0),
    "rmse": ("RMSE, years", 1.0),
    "bias": ("bias, years", 1.0),
    "cs5": ("CS(5), %", 100.0),
    "ca3": ("CA(3), %", 100.0),
    "ca5": ("CA(5), %", 100.0),
    "ca7": ("CA(7), %", 100.0),
    "range_error": ("years outside the age range", 1.0),
    "in_range": ("in the age range, %", 100.0),
    "gender_accuracy": ("gender, %", 100.0),
    "gender_balanced_accuracy": ("gender balanced, %", 100.0),
    "joint_success": ("gender right and age within 5 years, %", 100.0),
}
#: Those that are printed where a protocol names none.
SHOWN = ("mae", "cs5", "gender_accuracy")

Compute = Callable[[Floats | None], Floats]
Key = Callable[[Scored], str | None]


@dataclass(frozen=True, slots=True)
class Measures:
    """Metrics that are computed over the same pictures.

    members: the pictures. compute: by metric name, a function of weights (..., n) over the members.
    """

    members: Sequence[Scored]
    compute: dict[str, Compute]

    def together(self, weight: Floats | None) -> Floats:
        """Return every metric, in order, in the last axis: one draw of weights serves them all."""
        return np.stack([compute(weight) for compute in self.compute.values()], axis=-1)


def _pair(first: Key, second: Key) -> Key:
    def key(row: Scored) -> str | None:
        names = first(row), second(row)
        return None if None in names else ", ".join(map(str, names))

    return key


_SINGLE: dict[str, Key] = {
    "age band": lambda row: row.band,
    "gender": lambda row: row.true_gender,
    "group": lambda row: row.group,
}
#: Each way of grouping pictures, and the name of a picture's group; None where a label is missing.
KINDS: dict[str, Key] = _SINGLE | {
    f"{a} and {b}": _pair(_SINGLE[a], _SINGLE[b]) for a, b in combinations(_SINGLE, 2)
}


def figures(
    scored: Sequence[Scored],
    *,
    contradicting: Collection[str] = (),
    seed: int = 0,
    resamples: int = 1000,
    smallest: int = SMALLEST_GROUP,
) -> list[Figure]:
    """Return every metric that the labels allow, for all pictures and for each group of them.

    Pictures without an answer are left out; the caller reports their number. contradicting: files
    whose labels contradict a copy's; the figures without them are given as a group of their own. Where
    there are several folds, the means over folds are given too: each fold counts alike there, and each
    picture elsewhere.
    """
    rows = [row for row in scored if row.problem is None]
    found = []
    for kind, name, members in _groups(rows, contradicting):
        for measured in measures(members):
            found += _figures(kind, name, measured, seed, resamples, smallest)
    folds = len({row.fold for row in rows})
    if folds > 1:
        for measured in measures(rows):
            over = Measures(measured.members, _over_folds(measured))
            note = f"{len({row.fold for row in measured.members})} folds"
            found += _figures("all", "mean over folds", over, seed, resamples, smallest, note)
    return found


def _figures(
    kind: str, name: str, measured: Measures, seed: int, resamples: int, smallest: int, note: str = ""
) -> list[Figure]:
    n = len(measured.members)
    if n < smallest:
        small = f"{TOO_SMALL} (under {smallest})"
        return [Figure(kind, name, metric, None, None, None, n, small) for metric in measured.compute]
    cluster = [row.cluster for row in measured.members]
    values = measured.together(None)
    low, high = metrics.intervals(measured.together, cluster, seed=seed, resamples=resamples)
    return [
        Figure(kind, name, metric, float(values[i]), float(low[i]), float(high[i]), n, note)
        for i, metric in enumerate(measured.compute)
    ]


def _groups(
    rows: Sequence[Scored], contradicting: Collection[str]
) -> Iterator[tuple[str, str, Sequence[Scored]]]:
    yield "all", "all", rows
    if contradicting:
        yield "all", "without contradicting labels", [r for r in rows if r.file not in contradicting]
    for kind, key in KINDS.items():
        groups: dict[str, list[Scored]] = {}
        for row in rows:
            if (name := key(row)) is not None:
                groups.setdefault(name, []).append(row)
        for name in sorted(groups):
            yield kind, name, groups[name]


def measures(rows: Sequence[Scored]) -> list[Measures]:
    """Return the metrics that labels and answers allow: of age, of gender, and of both.

    A model may answer one of the two only; an answer or a label that is None is no wrong answer.
    """
    found = []
    aged = [row for row in rows if row.true_age is not None and row.age is not None]
    if aged:
        age, true_age = _ages(aged)
        of_age: dict[str, Compute] = {
            "mae": lambda w: metrics.mae(age, true_age, w),
            "rmse": lambda w: metrics.rmse(age, true_age, w),
            "bias": lambda w: metrics.bias(age, true_age, w),
            "cs5": lambda w: metrics.cs(age, true_age, 5, w),
            "ca3": lambda w: metrics.ca(age, true_age, 3, w),
            "ca5": lambda w: metrics.ca(age, true_age, 5, w),
            "ca7": lambda w: metrics.ca(age, true_age, 7, w),
        }
        found.append(Measures(aged, of_age))
    ranged = [row for row in rows if row.true_first is not None and row.age is not None]
    if ranged:
        said, first, last = (np.array([getattr(row, name) for row in ranged], float) for name in _OF_RANGE)
        of_range: dict[str, Compute] = {
            "range_error": lambda w: metrics.range_error(said, first, last, w),
            "in_range": lambda w: metrics.in_range(said, first, last, w),
        }
        found.append(Measures(ranged, of_range))
    known = [row for row in rows if row.true_gender is not None and row.gender is not None]
    if known:
        gender, true_gender = _genders(known)
        of_gender: dict[str, Compute] = {
            "gender_accuracy": lambda w: metrics.accuracy(gender, true_gender, w)
        }
        if len(np.unique(true_gender)) > 1:
            of_gender["gender_balanced_accuracy"] = lambda w: metrics.balanced_accuracy(
                gender, true_gender, w
            )
        found.append(Measures(known, of_gender))
    both = [row for row in aged if row.true_gender is not None and row.gender is not None]
    if both:
        labels = (*_ages(both), *_genders(both))
        found.append(Measures(both, {"joint_success": lambda w: metrics.joint_success(*labels, w)}))
    return found


_OF_RANGE = ("age", "true_first", "true_last")


def _ages(rows: Sequence[Scored]) -> tuple[Floats, Floats]:
    return np.array([row.age for row in rows], float), np.array([row.true_age for row in rows], float)


def _genders(rows: Sequence[Scored]) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    return np.array([row.gender for row in rows], str), np.array([row.true_gender for row in rows], str)


def _over_folds(measured: Measures) -> dict[str, Compute]:
    fold = [row.fold for row in measured.members]
    return {
        metric: partial(metrics.mean_over_folds, compute, fold)
        for metric, compute in measured.compute.items()
    }
