"""Copies of one photo within and across data sets, and splits that keep them on one side."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import DataError
from . import near_duplicates
from .splits import SplitRow, table

#: A picture by its data set's name and its file name.
Picture = tuple[str, str]

COLUMNS = ("dataset", "file", "other_dataset", "other_file", "correlation")
#: The parts in the order in which they claim copies: what may have been trained on never becomes a test.
CLAIMS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Copy:
    """Two pictures of one photo, and the correlation of their crops' fingerprints."""

    first: Picture
    second: Picture
    correlation: float


def together(
    splits: Mapping[str, Sequence[SplitRow]],
    copies: Iterable[Copy],
    followers: Iterable[str] = (),
) -> dict[str, list[SplitRow]]:
    """Return the splits, by data set, with all copies of one photo on one side.

    A pair with a picture that no split lists is passed over. Clusters with a copy in common, directly or
    through others, go to the first of train, validation and test that any of them was in: pictures leave the
    test part, and what may have been trained on never joins it.
    followers: data sets without a say: their clusters go where those of the other data sets are, and decide
    only among themselves. All other pictures stay where they were. Joined clusters
    share the smallest of their numbers.
    """
    known = {(name, row.file): (name, row.cluster) for name, rows in splits.items() for row in rows}
    names = list(dict.fromkeys(known.values()))
    index = {cluster: i for i, cluster in enumerate(names)}
    pairs = [
        (index[known[copy.first]], index[known[copy.second]])
        for copy in copies
        if copy.first in known and copy.second in known
    ]
    root = near_duplicates.clusters(len(names), pairs)
    claims: dict[int, set[str]] = defaultdict(set)
    following: dict[int, set[str]] = defaultdict(set)
    for name, rows in splits.items():
        for row in rows:
            said = following if name in followers else claims
            said[root[index[name, row.cluster]]].add(row.part)
    part = {number: min(claims.get(number) or following[number], key=CLAIMS.index) for number in set(root)}
    joined = {}
    for name, rows in splits.items():
        roots = {row.cluster: root[index[name, row.cluster]] for row in rows}
        smallest: dict[int, int] = {}
        for cluster in sorted(roots):
            smallest.setdefault(roots[cluster], cluster)
        joined[name] = [
            replace(row, part=part[roots[row.cluster]], cluster=smallest[roots[row.cluster]]) for row in rows
        ]
    return joined


def write_copies(path: Path, copies: Sequence[Copy], header: str) -> None:
    """Write copies as CSV, one pair a row, under a comment line."""
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(f"# {header}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((*copy.first, *copy.second, f"{copy.correlation:.3f}") for copy in copies)


def read_copies(path: Path | str) -> list[Copy]:
    """Read a file of copies; DataError where it is missing, has other columns or a row is malformed."""
    copies = []
    for row in table(path, *COLUMNS):
        name, file, other, other_file, correlation = (row[column] for column in COLUMNS)
        try:
            copies.append(Copy((name, file), (other, other_file), float(correlation)))
        except (TypeError, ValueError) as error:
            raise DataError(f"{path}: expected a number as correlation, got {correlation!r}") from error
    return copies
