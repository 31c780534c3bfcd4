"""Splits that keep near-duplicates, or one person's pictures, on one side; and their files."""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..ages import age_band
from ..errors import DataError
from . import near_duplicates
from .record import FaceRecord

#: Correlation from which two pictures are kept on one side; chosen by looking at pairs, on the safe side.
KEEP_TOGETHER = 0.75
#: Correlation from which two pictures are taken for the same photo when their labels are compared.
SAME_PHOTO = 0.80
#: Ages of one photo further apart than this many years contradict each other.
AGE_TOLERANCE = 5.0

UTKFACE_SHARES = {"test": 0.1, "validation": 0.1, "train": 0.8}
CELEBA_SHARES = {"validation": 0.1, "train": 0.9}
#: What is validation above is the test part here, so that both keep the same people out of training.
CELEBA_TEST_SHARES = {"test": 0.1, "validation": 0.1, "train": 0.8}
FIW_SHARES = {"test": 0.15, "validation": 0.15, "train": 0.7}


@dataclass(frozen=True, slots=True)
class Conflict:
    """One picture of a photo whose copies carry labels that contradict each other."""

    file: str
    cluster: int
    age: float | None
    gender: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class SplitRow:
    """One picture of a split: file name, part, and the cluster that moves as one."""

    file: str
    part: str
    cluster: int


def split_utkface(
    records: Sequence[FaceRecord], seed: int, known_copies: Sequence[tuple[int, int]] = ()
) -> tuple[list[SplitRow], list[Conflict]]:
    """Split UTKFace 80/10/10 by near-duplicate clusters and list the contradicting labels.

    known_copies: index pairs of pictures that are copies for another reason; their labels are compared too.
    Reads every picture. The same records and seed give the same rows.
    """
    small = near_duplicates.shrink(record.path for record in records)
    pairs = list(near_duplicates.matches(small, KEEP_TOGETHER))
    cluster = near_duplicates.clusters(len(records), ((i, j) for i, j, _ in pairs))
    same_photo = [(i, j) for i, j, alike in pairs if alike >= SAME_PHOTO]
    same_photo += known_copies
    rows = assign(records, cluster, UTKFACE_SHARES, seed)
    return rows, conflicts(records, same_photo)


def split_celeba(records: Sequence[FaceRecord], seed: int, *, test: bool = False) -> list[SplitRow]:
    """Split CelebA 90/10 into train and validation by identity, or 80/10/10 with a test part.

    The test part is the validation part of the split without one, of the same seed.
    """
    cluster = near_duplicates.number([record.subject for record in records])
    return assign(records, cluster, CELEBA_TEST_SHARES if test else CELEBA_SHARES, seed)


def split_fiw(records: Sequence[FaceRecord], seed: int) -> list[SplitRow]:
    """Split Families in the Wild 70/15/15 by family."""
    cluster = near_duplicates.number([record.family for record in records])
    return assign(records, cluster, FIW_SHARES, seed)


def assign(
    records: Sequence[FaceRecord], cluster: Sequence[int], shares: Mapping[str, float], seed: int
) -> list[SplitRow]:
    """Give each cluster a part, whole, so that each age band and gender meets the shares roughly.

    A cluster counts as its first picture's band and gender. Within those, clusters are taken in the
    order of the SHA-256 of "seed:first file name", which no library version can change.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for index, number in enumerate(cluster):
        members[number].append(index)
    strata: dict[tuple[str, str], list[list[int]]] = defaultdict(list)
    for group in members.values():
        first = records[group[0]]
        strata["" if first.age is None else age_band(first.age), first.gender or ""].append(group)

    part = [""] * len(records)
    for groups in strata.values():
        groups.sort(key=lambda group: _digest(seed, records[group[0]].path.name))
        total, placed = sum(map(len, groups)), 0
        for group in groups:
            chosen = _part_at(placed / total, shares)
            for index in group:
                part[index] = chosen
            placed += len(group)
    return [SplitRow(r.path.name, part[i], cluster[i]) for i, r in enumerate(records)]


def conflicts(records: Sequence[FaceRecord], same_photo: Sequence[tuple[int, int]]) -> list[Conflict]:
    """List every picture of a photo whose copies differ by over 5 years of age, or in gender.

    same_photo: index pairs of pictures that are copies of one photo.
    """
    cluster = near_duplicates.clusters(len(records), same_photo)
    members: dict[int, list[FaceRecord]] = defaultdict(list)
    for number, record in zip(cluster, records, strict=True):
        members[number].append(record)
    found = []
    for number, copies in members.items():
        ages = [record.age for record in copies if record.age is not None]
        reasons = []
        if ages and max(ages) - min(ages) > AGE_TOLERANCE:
            reasons.append("age")
        if len({record.gender for record in copies if record.gender is not None}) > 1:
            reasons.append("gender")
        if reasons:
            found += [Conflict(r.path.name, number, r.age, r.gender, "+".join(reasons)) for r in copies]
    return found


def _digest(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def _part_at(position: float, shares: Mapping[str, float]) -> str:
    end = 0.0
    for part, share in shares.items():
        end += share
        if position < end - 1e-9:
            return part
    return part


def write_split(path: Path, rows: Sequence[SplitRow], header: str) -> None:
    """Write a split as CSV (file, part, cluster) under a comment line."""
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(f"# {header}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "part", "cluster"])
        writer.writerows([row.file, row.part, row.cluster] for row in rows)


def write_conflicts(path: Path, rows: Sequence[Conflict], header: str) -> None:
    """Write conflicts as CSV (file, cluster, age, gender, reason) under a comment line."""
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(f"# {header}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "cluster", "age", "gender", "reason"])
        for row in rows:
            writer.writerow([row.file, row.cluster, row.age, row.gender, row.reason])


def read_split(path: Path | str) -> list[SplitRow]:
    """Read a split file; DataError where it is missing, has other columns or lists a file twice."""
    rows: dict[str, SplitRow] = {}
    for line in table(path, "file", "part", "cluster"):
        name, part, cluster = line["file"], line["part"], line["cluster"]
        if not (name and part and cluster and cluster.isdecimal() and len(cluster) < 19):
            raise DataError(f"{path}: expected file, part and cluster number; got {list(line.values())}")
        if name in rows:
            raise DataError(f"{path}: expected each file once, {name!r} is listed twice")
        rows[name] = SplitRow(name, part, int(cluster))
    return list(rows.values())


def load_split(path: Path | str, folder: Path | str | None = None) -> dict[str, list[str]]:
    """Return the file names of each part of a split.

    With folder, raises DataError where a listed picture is not in it.
    """
    rows = read_split(path)
    if folder is not None:
        missing = [row.file for row in rows if not (Path(folder) / row.file).is_file()]
        if missing:
            raise DataError(
                f"{path}: expected all {len(rows)} listed pictures in {folder}, {len(missing)} are missing, "
                f"the first is {missing[0]!r}; check that this is the folder the split was made from"
            )
    parts: dict[str, list[str]] = {}
    for row in rows:
        parts.setdefault(row.part, []).append(row.file)
    return parts


def load_conflicts(path: Path | str) -> set[str]:
    """Return the file names that a conflicts file lists; training leaves these out."""
    return {row["file"] for row in table(path, "file", "reason")}


def table(path: Path | str, *columns: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file with comment lines; DataError where a column is missing."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        reader = csv.DictReader([line for line in lines if not line.startswith("#")])
        names, rows = reader.fieldnames, list(reader)
    except (OSError, ValueError, csv.Error) as error:  # ValueError: no UTF-8, or a NUL in the path
        raise DataError(f"{path}: expected a CSV file, could not read it: {error}") from error
    if not set(columns) <= set(names or ()):
        raise DataError(f"{path}: expected columns {', '.join(columns)}; got {names}")
    return rows
