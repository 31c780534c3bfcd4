"""Attribute answers beside their labels: files, figures, and what changed from one model to another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from . import metrics
from .metrics import Floats
from .report_files import read_csv, write_csv

#: Columns of a file of answers before those of the attributes.
_KEYS = ("file", "cluster", "group")
FIGURE_COLUMNS = (
    "attribute", "metric", "value", "low", "high", "n", "present", "threshold",
)  # fmt: skip
#: Decided at 1/2, as the papers do.
HALF = 0.5


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model said of N pictures, and their labels.

    names: the A attributes. files, clusters, groups: of each picture; pictures that are not independent
    share a cluster; a group is "" where none is known. probability: (N, A). label: (N, A), 1, 0 or NaN.
    """

    names: tuple[str, ...]
    files: tuple[str, ...]
    clusters: tuple[str, ...]
    groups: tuple[str, ...]
    probability: Floats
    label: Floats

    def of(self, names: Sequence[str]) -> Answers:
        """Return the answers about these attributes alone."""
        at = [self.names.index(name) for name in names]
        return Answers(
            tuple(names),
            self.files,
            self.clusters,
            self.groups,
            self.probability[:, at],
            self.label[:, at],
        )

    def said(self, thresholds: float | Floats = HALF) -> Floats:
        """Return the decisions, (N, A) of 1 and 0: present from the threshold on."""
        return (self.probability >= thresholds).astype(np.float64)


def write_answers(path: Path, answers: Answers) -> None:
    """Write one CSV row per picture: its name, and of each attribute the label and the probability.

    Raises DataError.
    """
    columns = [*_KEYS, *(f"{kind} {name}" for name in answers.names for kind in ("true", "p"))]
    rows = []
    for i, key in enumerate(zip(answers.files, answers.clusters, answers.groups, strict=True)):
        cells: list[object] = []
        for label, p in zip(answers.label[i].tolist(), answers.probability[i].tolist(), strict=True):
            cells += [None if np.isnan(label) else int(label), p]
        rows.append([*key, *cells])
    write_csv(path, columns, rows)


def read_answers(path: Path | str) -> Answers:
    """Read what `write_answers` wrote; DataError, naming the line, where it is something else."""
    lines = list(read_csv(path, _KEYS, "attribute answers"))
    if not lines:
        raise DataError(f"{path}: expected attribute answers, one row per picture; got none")
    names = [column.removeprefix("p ") for column in lines[0][1] if column.startswith("p ")]
    if not names:
        raise DataError(f"{path}: expected columns 'true NAME' and 'p NAME' of attributes; got none")
    probability, label = [], []
    for number, row in lines:
        try:
            probability.append([float(row[f"p {name}"]) for name in names])
            label.append([float(row[f"true {name}"] or "nan") for name in names])
        except (KeyError, ValueError) as error:
            raise DataError(f"{path}, line {number}: expected a label and a probability: {error}") from error
    files, clusters, groups = (tuple(row[key] for _, row in lines) for key in _KEYS)
    return Answers(tuple(names), files, clusters, groups, np.array(probability), np.array(label))


@dataclass(frozen=True, slots=True)
class AttributeFigure:
    """One metric of one attribute, or of the mean over all ("mean"), with its 95% bootstrap interval.

    n: pictures with a label; present: the share of them with the attribute; threshold: at which it was
    decided. None where it does not apply.
    """

    attribute: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    present: float | None
    threshold: float | None


def figures(
    answers: Answers, thresholds: Floats, *, seed: int = 0, resamples: int = 1000
) -> list[AttributeFigure]:
    """Return accuracy and balanced accuracy at 1/2 and at the thresholds: the means, then each attribute.

    thresholds: (A,). An attribute without labels is left out.
    """
    known = [name for i, name in enumerate(answers.names) if not np.isnan(answers.label[:, i]).all()]
    at = [answers.names.index(name) for name in known]
    rows, cut = answers.of(known), thresholds[at]
    each = {
        "accuracy": metrics.attribute_accuracy,
        "balanced accuracy": metrics.attribute_balanced_accuracy,
    }
    n, present = (~np.isnan(rows.label)).sum(0), np.nanmean(rows.label, 0)
    means: list[AttributeFigure] = []
    singles: list[AttributeFigure] = []
    for where, threshold in (("1/2", np.full(len(known), HALF)), ("threshold", cut)):
        said = rows.said(threshold)
        for name, metric in each.items():
            title = f"{name} at {where}"
            compute = partial(_with_mean, metric, said, rows.label)
            values = compute(None)
            low, high = metrics.intervals(compute, rows.clusters, seed=seed, resamples=resamples)
            found = (float(values[0]), float(low[0]), float(high[0]))
            means.append(AttributeFigure("mean", title, *found, len(rows.files), None, None))
            singles += [
                AttributeFigure(
                    name,
                    title,
                    float(values[i + 1]),
                    float(low[i + 1]),
                    float(high[i + 1]),
                    int(n[i]),
                    float(present[i]),
                    float(threshold[i]),
                )
                for i, name in enumerate(known)
            ]
    return means + sorted(singles, key=lambda figure: figure.attribute)


def write_figures(path: Path, found: Sequence[AttributeFigure]) -> None:
    """Write one CSV row per attribute and metric. Raises DataError."""
    write_csv(path, FIGURE_COLUMNS, ([getattr(f, name) for name in FIGURE_COLUMNS] for f in found))


@dataclass(frozen=True, slots=True)
class Change:
    """How a figure of the same pictures changed: before, after, and after less before with its 95% interval.

    what: the figure. n: pictures.
    """

    what: str
    n: int
    before: float
    after: float
    change: float
    low: float
    high: float


def change(
    what: str,
    compute: Callable[[Answers, Floats | None], Floats],
    before: Answers,
    after: Answers,
    *,
    seed: int = 0,
    resamples: int = 1000,
) -> Change:
    """Return the change of one figure from one model's answers to another's, on the pictures of both.

    compute: from answers and weights (rows, n) to the figure, (rows,). Whole clusters are drawn, for both
    alike. Raises DataError where no picture or no attribute is in both.
    """
    first, second = paired(before, after)
    one, two = float(compute(first, None)), float(compute(second, None))
    low, high = metrics.bootstrap(
        lambda w: compute(second, w) - compute(first, w), first.clusters, seed=seed, resamples=resamples
    )
    return Change(what, len(first.files), one, two, two - one, low, high)


def paired(before: Answers, after: Answers) -> tuple[Answers, Answers]:
    """Return both models' answers about the attributes and the pictures that are in both, in one order.

    Raises DataError where there are none, or where the labels differ.
    """
    names = [name for name in before.names if name in after.names]
    place = {file: i for i, file in enumerate(after.files)}
    at = [i for i, file in enumerate(before.files) if file in place]
    if not names or not at:
        raise DataError(
            "expected answers about the same pictures and attributes; none of "
            f"{len(before.files)} pictures and {len(before.names)} attributes is in both"
        )
    first = _rows(before.of(names), at)
    second = _rows(after.of(names), [place[before.files[i]] for i in at])
    if not np.array_equal(first.label, second.label, equal_nan=True):
        raise DataError("expected answers about the same data; the labels differ")
    return first, second


def mean_accuracy(answers: Answers, weight: Floats | None) -> Floats:
    """Return the mean over attributes of the accuracy at 1/2."""
    return metrics.mean_attribute_accuracy(answers.said(), answers.label, weight)


def mean_balanced_accuracy(answers: Answers, weight: Floats | None) -> Floats:
    """Return the mean over attributes of the balanced accuracy at 1/2."""
    return metrics.mean_attribute_balanced_accuracy(answers.said(), answers.label, weight)


def _rows(answers: Answers, at: Sequence[int]) -> Answers:
    def pick(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(values[i] for i in at)

    return Answers(
        answers.names,
        pick(answers.files),
        pick(answers.clusters),
        pick(answers.groups),
        answers.probability[list(at)],
        answers.label[list(at)],
    )


def _with_mean(
    metric: Callable[[Floats, Floats, Floats | None], Floats],
    said: Floats,
    label: NDArray[np.float64],
    weight: Floats | None,
) -> Floats:
    """Return the mean over attributes and then each: (..., 1 + A)."""
    values = metric(said, label, weight)
    known = ~np.isnan(values)
    mean = np.where(known, values, 0.0).sum(-1) / np.maximum(known.sum(-1), 1)
    return np.concatenate([mean[..., None], values], axis=-1)
