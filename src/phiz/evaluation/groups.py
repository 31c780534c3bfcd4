"""The same figures for everybody and by age band, gender and group."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..datasets.splits import age_band
from . import metrics
from .metrics import Floats

#: A group of fewer pictures says too little for a figure.
SMALLEST_GROUP = 30
TOO_SMALL = "too small"


@dataclass(frozen=True, slots=True)
class Scored:
    """One picture's labels beside the model's answer; None where there is no label or no face.

    ages: years. genders: "female" or "male". gender_score: probability of the named gender.
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
    whose labels contradict a copy's; the figures without them are given as a group of their own.
    """
    answered = [row for row in scored if row.problem is None]
    found = []
    for kind, name, rows in _groups(answered, contradicting):
        for metric, (compute, members) in _metrics(rows).items():
            n = len(members)
            if n < smallest:
                found.append(
                    Figure(kind, name, metric, None, None, None, n, f"{TOO_SMALL} (under {smallest})")
                )
                continue
            cluster = [row.cluster for row in members]
            low, high = metrics.bootstrap(compute, cluster, seed=seed, resamples=resamples)
            found.append(Figure(kind, name, metric, float(compute(None)), low, high, n))
    return found


def _groups(
    rows: Sequence[Scored], contradicting: Collection[str]
) -> Iterator[tuple[str, str, Sequence[Scored]]]:
    yield "all", "all", rows
    if contradicting:
        yield "all", "without contradicting labels", [r for r in rows if r.file not in contradicting]
    kinds: dict[str, Callable[[Scored], str | None]] = {
        "age band": lambda row: None if row.true_age is None else age_band(row.true_age),
        "gender": lambda row: row.true_gender,
        "group": lambda row: row.group,
    }
    for kind, key in kinds.items():
        for name in sorted({value for row in rows if (value := key(row)) is not None}):
            yield kind, name, [row for row in rows if key(row) == name]


def _metrics(
    rows: Sequence[Scored],
) -> dict[str, tuple[Callable[[Floats | None], Floats], Sequence[Scored]]]:
    """Return, by name, a function of weights and the rows that it is computed over."""
    aged = [row for row in rows if row.true_age is not None]
    known = [row for row in rows if row.true_gender is not None]
    age = np.array([row.age for row in aged], dtype=np.float64)
    true_age = np.array([row.true_age for row in aged], dtype=np.float64)
    gender = np.array([row.gender for row in known], dtype=np.str_)
    true_gender = np.array([row.true_gender for row in known], dtype=np.str_)
    found: dict[str, tuple[Callable[[Floats | None], Floats], Sequence[Scored]]] = {}
    if aged:
        found["mae"] = (lambda w: metrics.mae(age, true_age, w)), aged
        found["rmse"] = (lambda w: metrics.rmse(age, true_age, w)), aged
        found["bias"] = (lambda w: metrics.bias(age, true_age, w)), aged
        found["cs5"] = (lambda w: metrics.cs(age, true_age, 5, w)), aged
        found["ca3"] = (lambda w: metrics.ca(age, true_age, 3, w)), aged
        found["ca5"] = (lambda w: metrics.ca(age, true_age, 5, w)), aged
        found["ca7"] = (lambda w: metrics.ca(age, true_age, 7, w)), aged
    if known:
        found["gender_accuracy"] = (lambda w: metrics.accuracy(gender, true_gender, w)), known
    if len(np.unique(true_gender)) > 1:
        found["gender_balanced_accuracy"] = (
            (lambda w: metrics.balanced_accuracy(gender, true_gender, w)),
            known,
        )
    return found
