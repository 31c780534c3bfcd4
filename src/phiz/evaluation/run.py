"""From labelled pictures, through the analysis that users get, to rows that metrics can be taken of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from ..datasets.record import FaceRecord
from ..datasets.splits import read_split
from ..errors import DataError
from ..types import Result
from .groups import Scored


class Analyzes(Protocol):
    """The part of `phiz.Analyzer` that an evaluation needs."""

    def analyze_many(self, sources: Iterable[Path]) -> Iterator[Result]:
        """Yield one result per picture, in order."""


def select(
    records: Sequence[FaceRecord], split: Path | None, part: str | None
) -> tuple[list[FaceRecord], dict[str, str]]:
    """Return the records of a split's part, and the cluster of each file name.

    Without a split: all records, clustered by subject, else each on its own. Raises DataError where
    the split has no such part or lists a picture that is not among the records.
    """
    if split is None:
        return list(records), {r.path.name: r.subject or r.path.name for r in records}
    rows = read_split(split)
    clusters = {row.file: str(row.cluster) for row in rows if row.part == part}
    if not clusters:
        parts = ", ".join(sorted({row.part for row in rows}))
        raise DataError(f"{split}: expected a part called {part!r}; it has {parts or 'no rows'}")
    chosen = [record for record in records if record.path.name in clusters]
    if missing := sorted(clusters.keys() - {record.path.name for record in chosen}):
        raise DataError(
            f"{split}: expected all {len(clusters)} pictures of part {part!r}, {len(missing)} are missing, "
            f"the first is {missing[0]!r}; check that the folder is the one the split was made from"
        )
    return chosen, clusters


def score(records: Sequence[FaceRecord], clusters: Mapping[str, str], analyzer: Analyzes) -> Iterator[Scored]:
    """Yield each picture's labels beside what the analyzer says of its largest face."""
    results = analyzer.analyze_many([record.path for record in records])
    for record, result in zip(records, results, strict=True):
        face = result.faces[0] if result.faces else None
        yield Scored(
            file=record.path.name,
            cluster=clusters[record.path.name],
            true_age=record.age,
            true_gender=record.gender,
            group=record.group,
            age=face.age if face else None,
            gender=face.gender if face else None,
            gender_score=face.gender_score if face else None,
            problem=None if face else ("unreadable" if result.error else "no face found"),
        )
