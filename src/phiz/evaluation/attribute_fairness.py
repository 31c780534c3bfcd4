"""Attributes by group, before and after a change: accuracy, the gap between groups, what was forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import numpy as np

from ..errors import DataError
from . import metrics
from .attribute_figures import Answers, change, mean_accuracy, paired
from .groups import SMALLEST_GROUP
from .metrics import Floats
from .report_files import aligned, write_csv

#: Names, in place of an attribute's, of the mean over all of them, and of the gap between groups.
MEAN = "mean"
GAP = "gap"
#: In place of a group's name: all pictures; all pictures of the data set that the model was trained on first.
ALL, SOURCE = "all", "source data"


@dataclass(frozen=True, slots=True)
class Line:
    """Accuracy at 1/2 of one model on one group, with 95% intervals by bootstrap over clusters.

    group: a group's name, ALL, SOURCE, or GAP: the best group's accuracy less the worst's, which `note`
    names. change: from the first model, paired; None for the first itself and for gaps.
    """

    model: str
    attribute: str
    group: str
    n: int
    accuracy: float
    low: float
    high: float
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None
    note: str = ""


def lines(
    models: Mapping[str, Answers],
    attributes: Sequence[str],
    source: Mapping[str, Answers] | None = None,
    *,
    seed: int = 0,
    resamples: int = 1000,
    smallest: int = SMALLEST_GROUP,
) -> list[Line]:
    """Compare models by group; the first is what the others differ from.

    models: answers on the same pictures, by the model's name. attributes: which to compare. source:
    answers of the same models, by the same names, on the data that they were first trained on; there all
    attributes count. Raises DataError where an attribute or the groups are missing, or where the models
    answer different pictures.
    """
    first, *_ = models.values()
    if missing := [name for name in attributes if any(name not in a.names for a in models.values())]:
        raise DataError(f"expected answers about {missing[0]} of every model; one lacks them")
    groups = sorted({g for g in first.groups if g and first.groups.count(g) >= smallest})
    if len(groups) < 2:
        raise DataError(f"expected at least two groups of {smallest} pictures to compare; got {groups}")
    options = {"seed": seed, "resamples": resamples}
    found: list[Line] = []
    for model, answers in models.items():
        before = None if answers is first else first.of(attributes)
        for attribute in (MEAN, *attributes):
            names = attributes if attribute == MEAN else [attribute]
            for group in (ALL, *groups):
                base = None if before is None else in_group(before.of(names), group)
                found.append(
                    _line(model, attribute, group, in_group(answers.of(names), group), base, **options)
                )
            found.append(_gap(model, attribute, answers.of(names), groups, **options))
    if source:
        (base_name, base_source), *_ = source.items()
        for model, answers in source.items():
            before = None if model == base_name else base_source
            found.append(_line(model, MEAN, SOURCE, answers, before, **options))
    return found


def worst_group(
    answers: Answers, attributes: Sequence[str], smallest: int = SMALLEST_GROUP
) -> tuple[str, dict[str, float]]:
    """Return the group with the least mean accuracy, and each group's. Raises DataError without groups."""
    rows = answers.of(attributes)
    groups = sorted({g for g in rows.groups if g and rows.groups.count(g) >= smallest})
    if not groups:
        raise DataError(f"expected groups of at least {smallest} pictures, got none")
    means = {group: float(mean_accuracy(in_group(rows, group), None)) for group in groups}
    return min(means, key=lambda name: means[name]), means


def in_group(answers: Answers, group: str) -> Answers:
    """Return the answers on one group's pictures, or on all of them."""
    if group == ALL:
        return answers
    at = np.array([g == group for g in answers.groups])

    def pick(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(value for value, ok in zip(values, at, strict=True) if ok)

    return Answers(
        answers.names,
        pick(answers.files),
        pick(answers.clusters),
        pick(answers.groups),
        answers.probability[at],
        answers.label[at],
    )


def write_lines(path: Path, found: Sequence[Line]) -> None:
    """Write one CSV row per line. Raises DataError."""
    columns = [field.name for field in fields(Line)]
    write_csv(path, columns, ([getattr(line, name) for name in columns] for line in found))


def text(found: Sequence[Line]) -> str:
    """Return the lines as a table: a row per attribute and group, a column per model; in percent."""
    models = list(dict.fromkeys(line.model for line in found))
    rows: dict[tuple[str, str], dict[str, Line]] = {}
    for line in found:
        rows.setdefault((line.attribute, line.group), {})[line.model] = line
    table = [["attribute", "group", "n", *models]]
    for (attribute, group), by_model in rows.items():
        n = str(next(iter(by_model.values())).n)
        table.append([attribute, group, n, *(_cell(by_model.get(model)) for model in models)])
    return aligned(table)


def _cell(line: Line | None) -> str:
    if line is None:
        return "-"
    value = f"{100 * line.accuracy:.1f} [{100 * line.low:.1f}, {100 * line.high:.1f}]"
    if line.group == GAP:
        return f"{value} ({line.note})"
    if line.change is None or line.change_low is None or line.change_high is None:
        return value
    low, high = 100 * line.change_low, 100 * line.change_high
    return f"{value}  {100 * line.change:+.1f} [{low:+.1f}, {high:+.1f}]"


def _line(
    model: str,
    attribute: str,
    group: str,
    answers: Answers,
    before: Answers | None,
    *,
    seed: int,
    resamples: int,
) -> Line:
    low, high = metrics.bootstrap(
        partial(mean_accuracy, answers), answers.clusters, seed=seed, resamples=resamples
    )
    value = float(mean_accuracy(answers, None))
    line = (model, attribute, group, len(answers.files), value, low, high)
    if before is None:
        return Line(*line)
    if not len(paired(before, answers)[0].files) == len(answers.files) == len(before.files):
        raise DataError(f"expected {model} to answer the same pictures as the first model")
    what = change(group, mean_accuracy, before, answers, seed=seed, resamples=resamples)
    return Line(*line, what.change, what.low, what.high)


def _gap(
    model: str, attribute: str, answers: Answers, groups: Sequence[str], *, seed: int, resamples: int
) -> Line:
    """Best group less worst; both picked by the same pictures, so among many groups it looks too large."""
    means = {group: float(mean_accuracy(in_group(answers, group), None)) for group in groups}
    worst, best = min(means, key=lambda g: means[g]), max(means, key=lambda g: means[g])
    member = {name: np.array([g == name for g in answers.groups], dtype=np.float64) for name in (worst, best)}

    def difference(weight: Floats) -> Floats:
        return mean_accuracy(answers, weight * member[best]) - mean_accuracy(answers, weight * member[worst])

    low, high = metrics.bootstrap(difference, answers.clusters, seed=seed, resamples=resamples)
    n = sum(g in (worst, best) for g in answers.groups)
    note = f"worst {worst}, best {best}"
    return Line(model, attribute, GAP, n, means[best] - means[worst], low, high, note=note)
