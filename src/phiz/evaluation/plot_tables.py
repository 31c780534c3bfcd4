"""The numbers behind every plot and table of a report: what is drawn is what the CSV beside it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..datasets.record import Skipped
from . import metrics
from .calibration import Calibration
from .groups import SMALLEST_GROUP, TOO_SMALL, Scored

#: Width of the ages that one point of the error by age stands for, and of a cell of the density; years.
AGE_STEP = 5
CELL = 4


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns; `name` is the CSV's."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def column(self, name: str) -> list[Any]:
        """Return one column's values."""
        index = self.columns.index(name)
        return [row[index] for row in self.rows]


def aged(rows: Sequence[Scored]) -> list[Scored]:
    """Return the rows whose age is known and estimated."""
    return [r for r in rows if r.problem is None and r.age is not None and r.true_age is not None]


def gendered(rows: Sequence[Scored]) -> list[Scored]:
    """Return the rows whose gender is known and estimated."""
    return [r for r in rows if r.problem is None and r.gender is not None and r.true_gender is not None]


def ages(rows: Sequence[Scored]) -> tuple[metrics.Floats, metrics.Floats]:
    """Return predicted and true ages in years, each of shape (n,), of rows that `aged` returned."""
    pairs = np.array([(row.age, row.true_age) for row in rows], dtype=np.float64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def cs_curve(models: Mapping[str, Sequence[Scored]]) -> Table:
    """Return each model's cumulative score at metrics.LIMITS: the share with an error of at most t years."""
    found: list[tuple[Any, ...]] = []
    for name, rows in models.items():
        if chosen := aged(rows):
            predicted, true = ages(chosen)
            curve = metrics.cs_curve(predicted, true).tolist()
            found += [(name, t, cs, len(chosen)) for t, cs in zip(metrics.LIMITS, curve, strict=True)]
    return Table("cs_curve", ("model", "years", "cs", "pictures"), tuple(found))


def error_by_age(
    rows: Sequence[Scored], *, seed: int = 0, resamples: int = 1000, smallest: int = SMALLEST_GROUP
) -> Table:
    """Return mean absolute error and bias, in years, for every AGE_STEP years of true age.

    Fewer pictures than smallest get no figure.
    """
    columns = ("age_from", "age_to", "pictures", "mae", "low", "high", "bias", "note")
    found: list[tuple[Any, ...]] = []
    chosen = aged(rows)
    starts = sorted({int((row.true_age or 0) // AGE_STEP) * AGE_STEP for row in chosen})
    for start in starts:
        members = [r for r in chosen if start <= (r.true_age or 0) < start + AGE_STEP]
        edges = (start, start + AGE_STEP, len(members))
        if len(members) < smallest:
            found.append((*edges, None, None, None, None, f"{TOO_SMALL} (under {smallest})"))
            continue
        predicted, true = ages(members)
        low, high = metrics.bootstrap(
            lambda w, p=predicted, t=true: metrics.mae(p, t, w),  # type: ignore[misc]
            [row.cluster for row in members],
            seed=seed,
            resamples=resamples,
        )
        mae, bias = float(metrics.mae(predicted, true)), float(metrics.bias(predicted, true))
        found.append((*edges, mae, low, high, bias, ""))
    return Table("error_by_age", columns, tuple(found))


def density(rows: Sequence[Scored]) -> Table:
    """Return how many pictures fall into each cell of CELL years of true by CELL years of predicted age."""
    chosen = aged(rows)
    counts = Counter(
        (int((row.true_age or 0) // CELL) * CELL, int((row.age or 0) // CELL) * CELL) for row in chosen
    )
    columns = ("true_from", "true_to", "predicted_from", "predicted_to", "pictures")
    cells = tuple((t, t + CELL, p, p + CELL, n) for (t, p), n in sorted(counts.items()))
    return Table("density", columns, cells)


def reliability(found: Calibration | None) -> Table:
    """Return the bins of a calibration: mean score, share of right answers, and how many."""
    columns = ("score_from", "score_to", "pictures", "score", "accuracy", "low", "high")
    bins = found.bins if found else ()
    rows = tuple((b.start, b.end, b.n, b.confidence, b.accuracy, b.low, b.high) for b in bins)
    return Table("reliability", columns, rows)


def folds(rows: Sequence[Scored]) -> Table:
    """Return the main figures of each fold; no rows where there is but one."""
    columns = ("fold", "pictures", "answered", "mae", "cs5", "gender_accuracy")
    by_fold: dict[str, list[Scored]] = {}
    for row in rows:
        by_fold.setdefault(row.fold, []).append(row)
    if len(by_fold) < 2:
        return Table("folds", columns, ())
    found = tuple(
        (name, len(members), sum(row.problem is None for row in members), *fold_figures(members).values())
        for name, members in by_fold.items()
    )
    return Table("folds", columns, found)


def fold_figures(rows: Sequence[Scored]) -> dict[str, float | None]:
    """Return MAE in years, CS(5) and gender accuracy in [0, 1]; None where no label and answer allow it."""
    predicted, true = ages(aged(rows))
    known = gendered(rows)
    right = np.array([row.gender == row.true_gender for row in known], dtype=np.float64)
    return {
        "mae": float(metrics.mae(predicted, true)) if len(true) else None,
        "cs5": float(metrics.cs(predicted, true, 5)) if len(true) else None,
        "gender_accuracy": float(right.mean()) if known else None,
    }


def left_out(rows: Sequence[Scored], skipped: Sequence[Skipped]) -> Table:
    """Return every picture without a figure, what left it out and why."""
    unanswered = {(row.file, row.problem) for row in rows if row.problem is not None}
    found = [(s.name, "reader", s.reason) for s in skipped]
    found += [(file, "analysis", str(problem)) for file, problem in sorted(unanswered, key=str)]
    return Table("left_out", ("file", "by", "reason"), tuple(found))
