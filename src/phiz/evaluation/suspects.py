"""Suspected labels: those that networks which never saw the picture contradict, clearly and all alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..ages import age_band
from .groups import Scored

#: A gender is suspected where the mean probability of the other one is at least this.
SURE = 0.95
#: Nobody whom the label or, without one, the networks hold to be younger is suspected for the gender:
#: networks are wrong about children, and leaving them out would remove exactly the hard cases.
GROWN = 16.0
#: An age is suspected where it is off by at least so many years, and so many times its age band's median.
YEARS, TIMES = 15.0, 4.0


@dataclass(frozen=True, slots=True)
class Suspect:
    """One picture whose label is suspected. reason: "age", "gender" or "age+gender"."""

    file: str
    reason: str


def suspects(predictions: Sequence[Sequence[Scored]]) -> list[Suspect]:
    """Return the suspected labels of a data set, by file name.

    predictions: of one or several cross-validations, each with an answer per picture by a network that did
    not train on it. Answers of several are averaged, so that one network's mistake is no suspicion.
    """
    answers: dict[str, list[Scored]] = {}
    for row in (row for rows in predictions for row in rows if row.problem is None):
        answers.setdefault(row.file, []).append(row)
    errors = {file: error for file, rows in answers.items() if (error := _error(rows)) is not None}
    usual: dict[str, list[float]] = {}
    for file, error in errors.items():
        usual.setdefault(_band(answers[file]), []).append(error)
    median = {band: float(np.median(values)) for band, values in usual.items()}
    found = []
    for file, rows in sorted(answers.items()):
        reasons = []
        error = errors.get(file)
        if error is not None and error >= max(YEARS, TIMES * median[_band(rows)]):
            reasons.append("age")
        if _contradicted(rows):
            reasons.append("gender")
        if reasons:
            found.append(Suspect(file, "+".join(reasons)))
    return found


def _error(rows: Sequence[Scored]) -> float | None:
    """Return by how many years the mean answer misses the label, None without both."""
    said, label = _mean(row.age for row in rows), rows[0].true_age
    return None if said is None or label is None else abs(said - label)


def _band(rows: Sequence[Scored]) -> str:
    return "" if rows[0].true_age is None else age_band(rows[0].true_age)


def _contradicted(rows: Sequence[Scored]) -> bool:
    label = rows[0].true_gender
    age = _mean(row.age for row in rows) if rows[0].true_age is None else rows[0].true_age
    if label is None or (age is not None and age < GROWN):
        return False
    other = _mean(
        None
        if row.gender is None or row.gender_score is None
        else (1 - row.gender_score if row.gender == label else row.gender_score)
        for row in rows
    )
    return other is not None and other >= SURE


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
