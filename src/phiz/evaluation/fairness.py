"""How unequal the errors are: the group that does worst, by each metric, and its gap to the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import metrics
from .groups import KINDS, Compute, Figure, Scored, measures
from .metrics import Floats

#: Metrics that can name a worst group, and whether more is better. Bias has no better side.
MORE_IS_BETTER = {
    "mae": False,
    "rmse": False,
    "cs5": True,
    "ca3": True,
    "ca5": True,
    "ca7": True,
    "gender_accuracy": True,
    "gender_balanced_accuracy": True,
    "joint_success": True,
}


@dataclass(frozen=True, slots=True)
class Gap:
    """The worst and the best group of one kind by one metric, and how far they are apart.

    gap: not negative, in the metric's unit; low and high: its 95% bootstrap interval for these two
    groups. compared: groups large enough for a figure; too_small: names of the others.
    """

    kind: str
    metric: str
    worst: Figure
    best: Figure
    gap: float
    low: float
    high: float
    compared: int
    too_small: tuple[str, ...]

    def figure(self) -> Figure:
        """Return the gap as one row of figures, n being the pictures of the two groups."""
        note = f"worst {self.worst.group}; best {self.best.group}"
        n = self.worst.n + self.best.n
        return Figure("gap", self.kind, self.metric, self.gap, self.low, self.high, n, note)


def gaps(
    scored: Sequence[Scored], figures: Sequence[Figure], *, seed: int = 0, resamples: int = 1000
) -> list[Gap]:
    """Return the gap for every kind of group and metric with two groups or more to compare.

    figures: what groups.figures returned for the same rows; its too small groups are not compared.
    Clusters are drawn from both groups together, so a person in both does not count as two. Worst and
    best are picked by the same pictures that measure them: among many groups the gap looks larger than
    it is, and the interval does not take that back.
    """
    rows = [row for row in scored if row.problem is None]
    found = []
    for kind, key in KINDS.items():
        for metric, more_is_better in MORE_IS_BETTER.items():
            of_kind = [row for row in figures if (row.kind, row.metric) == (kind, metric)]
            measured = [(row.value, row) for row in of_kind if row.value is not None]
            if len(measured) < 2:
                continue
            in_order = [row for _, row in sorted(measured, key=lambda pair: pair[0], reverse=more_is_better)]
            best, worst = in_order[0], in_order[-1]
            members = [[row for row in rows if key(row) == figure.group] for figure in (best, worst)]
            sign = 1.0 if more_is_better else -1.0
            value, low, high = _difference(metric, members, sign, seed, resamples)
            small = tuple(row.group for row in of_kind if row.value is None)
            found.append(Gap(kind, metric, worst, best, value, low, high, len(measured), small))
    return found


def _difference(
    metric: str, members: Sequence[Sequence[Scored]], sign: float, seed: int, resamples: int
) -> tuple[float, float, float]:
    """Return sign times (metric of the first group less that of the second), with its interval."""
    (first, rows), (second, other_rows) = (_metric(metric, group) for group in members)

    def difference(weight: Floats) -> Floats:
        return np.asarray(sign * (first(weight[..., : len(rows)]) - second(weight[..., len(rows) :])))

    cluster = [row.cluster for row in (*rows, *other_rows)]
    low, high = metrics.bootstrap(difference, cluster, seed=seed, resamples=resamples)
    return float(difference(np.ones(len(cluster)))), low, high


def _metric(name: str, group: Sequence[Scored]) -> tuple[Compute, Sequence[Scored]]:
    measured = next(measured for measured in measures(group) if name in measured.compute)
    return measured.compute[name], measured.members
