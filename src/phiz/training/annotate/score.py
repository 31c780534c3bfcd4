"""How right an annotator is, where the data set has genders that it did not look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from phiz.datasets.record import FaceRecord
from phiz.errors import DataError
from phiz.evaluation import metrics, report_files
from phiz.training.annotate.answers import Answer

COLUMNS = ("who", "metric", "value", "low", "high", "n")


def score(
    answers: Sequence[Answer],
    networks: Sequence[str],
    decided: Mapping[str, str],
    records: Mapping[str, FaceRecord],
) -> list[tuple[str, str, float, float, float, int]]:
    """Return the rows of COLUMNS, shares in [0, 1] with 95% bootstrap intervals over people.

    The share of pictures on which all agree (coverage), how often those are right, each network alone on all
    pictures and on those agreed on, and, of those that a person decided, how often that was right.
    Raises DataError where no picture has a gender.
    """
    known = [answer for answer in answers if records[answer.file].gender is not None]
    if not known:
        raise DataError("expected genders in the data set to score against, got none")
    truth = [records[answer.file].gender for answer in known]
    cluster = [records[answer.file].subject or answer.file for answer in known]
    agreed = np.array([answer.agreed is not None for answer in known])
    right = np.array([answer.agreed == gender for answer, gender in zip(known, truth, strict=True)])
    everybody = np.ones(len(known), bool)
    rows = [_row("all networks", "coverage", agreed, everybody, cluster)]
    rows += [_row("all networks", "accuracy among agreed", right, agreed, cluster)] if agreed.any() else []
    for i, name in enumerate(networks):
        own = np.array([(a.female[i] >= 0.5) == (g == "female") for a, g in zip(known, truth, strict=True)])
        rows.append(_row(name, "accuracy", own, everybody, cluster))
    reviewed = np.array([decided.get(answer.file) in ("female", "male") for answer in known])
    if reviewed.any():
        by_hand = np.array([decided.get(a.file) == g for a, g in zip(known, truth, strict=True)])
        rows.append(_row("a person", "accuracy among reviewed", by_hand, reviewed, cluster))
    return rows


def _row(
    who: str, metric: str, hits: np.ndarray, member: np.ndarray, cluster: Sequence[str]
) -> tuple[str, str, float, float, float, int]:
    values, weight = hits.astype(np.float64), member.astype(np.float64)

    def share(rows: metrics.Floats) -> metrics.Floats:
        counted = rows * weight
        return np.asarray(counted @ values / np.maximum(counted.sum(axis=-1), 1e-12))

    low, high = metrics.bootstrap(share, cluster)
    return who, metric, float(share(np.ones((1, len(values))))[0]), low, high, int(member.sum())


def write_scores(path: Path, rows: Sequence[tuple[str, str, float, float, float, int]]) -> None:
    """Write the rows as CSV. Raises DataError."""
    report_files.write_csv(path, COLUMNS, rows)
