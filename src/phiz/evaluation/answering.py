"""From labelled pictures, through the analysis that users get, to rows that metrics can be taken of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol as Interface

from ..datasets import registry
from ..datasets.record import FaceRecord
from ..errors import DataError
from ..types import Result
from . import protocols
from .groups import Scored
from .protocols import Fold, Protocol


class Analyzes(Interface):
    """The part of `phiz.Analyzer` that an evaluation needs."""

    def analyze_many(self, sources: Iterable[Path]) -> Iterator[Result]:
        """Yield one result per picture, in order."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a protocol tests: its folds, the records of all test pictures and the cluster of each, by key."""

    folds: Sequence[Fold]
    records: Mapping[str, FaceRecord]
    clusters: Mapping[str, str]


def plan(protocol: Protocol, records: Sequence[FaceRecord], folder: Path) -> Plan:
    """Return what is to be tested; a picture that several folds test is in `records` once.

    folder: the data set's folder. Raises DataError where the pictures are not what the protocol needs.
    """
    folds = protocols.folds(protocol, records, folder)
    by_key = {registry.key(record, folder): record for record in records}
    tested = dict.fromkeys(key for fold in folds for key in fold.test)
    if not tested:
        raise DataError(f"{protocol.path}: expected pictures to test on, got none in {folder}")
    return Plan(folds, {key: by_key[key] for key in tested}, protocols.clusters(protocol, records, folder))


def score(plan: Plan, analyzer: Analyzes) -> Iterator[Scored]:
    """Yield each test picture's labels beside what the analyzer says of its largest face."""
    results = analyzer.analyze_many([record.path for record in plan.records.values()])
    for key, result in zip(plan.records, results, strict=True):
        row = labels(plan, key)
        if result.faces:
            face = result.faces[0]
            yield replace(row, age=face.age, gender=face.gender, gender_score=face.gender_score)
        else:
            yield replace(row, problem="unreadable" if result.error else "no face found")


def labels(plan: Plan, key: str) -> Scored:
    """Return a test picture's labels, without an answer."""
    record = plan.records[key]
    return labelled(key, plan.clusters[key], record)


def labelled(key: str, cluster: str, record: FaceRecord, fold: str = "") -> Scored:
    """Return a record's labels, without an answer."""
    first, last = record.age_range or (None, None)
    return Scored(
        key,
        cluster,
        record.age,
        record.gender,
        record.group,
        fold=fold,
        true_first=first,
        true_last=last,
    )


def spread(rows: Iterable[Scored], folds: Sequence[Fold]) -> list[Scored]:
    """Return the rows fold by fold, a picture once for each fold that tests it; one fold has no name."""
    by_key = {row.file: row for row in rows}
    if len(folds) == 1:
        return [by_key[key] for key in folds[0].test]
    return [replace(by_key[key], fold=fold.name) for fold in folds for key in fold.test]
