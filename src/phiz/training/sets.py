"""The pictures that a recipe's data sets stand for: each divided into training, validation and test parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from phiz.datasets import near_duplicates, registry
from phiz.datasets.fgnet import TUNING_PEOPLE
from phiz.datasets.record import FaceRecord
from phiz.datasets.splits import assign, load_conflicts, read_split
from phiz.errors import DataError
from phiz.training.sections import OFFICIAL, PERSON, TUNING, FaceSet, TrainingSet

T = TypeVar("T")

PARTS = ("train", "validation", "test")
#: The parts that a run needs.
BOTH = ("train", "validation")
#: Shares of the parts that are drawn of what a data set does not publish; the first has what is left of few.
SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


@dataclass(frozen=True, slots=True)
class Divided:
    """A data set by parts: records of each, and of each picture's key the person or the copies of a photo."""

    name: str
    folder: Path
    split: str
    records: dict[str, list[FaceRecord]]
    clusters: dict[str, str]

    def part(self, name: str) -> list[FaceRecord]:
        """Return the records of one of PARTS. Raises DataError where it has none."""
        if not self.records[name]:
            ways = f'; split = "{PERSON}" draws parts by person' if self.split == OFFICIAL else ""
            raise DataError(
                f"{self.folder}: expected pictures in the {name} part of {self.name}, by "
                f"{self.split}, got none{ways}"
            )
        return self.records[name]


def divided(chosen: FaceSet, recipes: Path, root: Path) -> Divided:
    """Divide a data set under root as `split` says; see sections.FaceSet. recipes: the recipe's folder.

    Raises: DataError where the data set or the split is missing, or lists a picture that is not there.
    """
    folder = root / registry.named(chosen.dataset).folder
    records = registry.read(chosen.dataset, root)
    by_key = {registry.key(record, folder): record for record in records}
    if chosen.split == OFFICIAL:
        part = {key: record.part or "train" for key, record in by_key.items()}
        cluster = {key: record.subject or key for key, record in by_key.items()}
    elif chosen.split == TUNING:
        part = {k: "validation" if r.subject in TUNING_PEOPLE else "train" for k, r in by_key.items()}
        cluster = {key: str(record.subject) for key, record in by_key.items()}
    elif chosen.split == PERSON:
        part, cluster = _by_person(by_key)
    else:
        rows = read_split(recipes / chosen.split)
        if missing := [row.file for row in rows if row.file not in by_key]:
            raise DataError(
                f"{recipes / chosen.split}: expected all {len(rows)} listed pictures in {folder}, "
                f"{len(missing)} are missing, the first is {missing[0]!r}; check that this is the folder the "
                "split was made from"
            )
        part, cluster = {r.file: r.part for r in rows}, {r.file: str(r.cluster) for r in rows}
    found = {name: [by_key[key] for key in part if part[key] == name] for name in PARTS}
    return Divided(registry.named(chosen.dataset).title, folder, chosen.split, found, cluster)


def records_of(chosen: FaceSet, part: str, recipes: Path, root: Path, limit: int = 0) -> list[FaceRecord]:
    """Return the pictures of one part of a data set, at most `limit` of them where that is not 0.

    recipes: the recipe's folder. root: of the data sets. Raises DataError where there are none.
    """
    records = divided(chosen, recipes, root).part(part)
    if isinstance(chosen, TrainingSet) and chosen.without:
        left_out = load_conflicts(recipes / chosen.without)
        folder = root / registry.named(chosen.dataset).folder
        records = [record for record in records if registry.key(record, folder) not in left_out]
    return spread(records, limit)


def spread(records: Sequence[FaceRecord], limit: int) -> list[FaceRecord]:
    """Take at most `limit` records, 0 for all, evenly from the whole sorted list (so from all ages)."""
    if not limit or len(records) <= limit:
        return list(records)
    return [records[i * len(records) // limit] for i in range(limit)]


def _by_person(by_key: dict[str, FaceRecord]) -> tuple[dict[str, str], dict[str, str]]:
    """Return each picture's part and cluster; a picture whose person is not known is a person of its own.

    Published validation and test parts stay what they are, and only what is not published is drawn.
    """
    names = list(by_key)
    numbers = near_duplicates.number([by_key[key].subject or key for key in names])
    part = {key: by_key[key].part or "train" for key in names}
    shares = {name: share for name, share in SHARES.items() if name == "train" or name not in part.values()}
    shares["train"] = 1 - sum(share for name, share in shares.items() if name != "train")
    drawn = [i for i, key in enumerate(names) if part[key] == "train"]
    rows = assign([by_key[names[i]] for i in drawn], [numbers[i] for i in drawn], shares, seed=0)
    part |= {names[i]: row.part for i, row in zip(drawn, rows, strict=True)}
    return part, {key: str(number) for key, number in zip(names, numbers, strict=True)}


def under(part: str, parts: Mapping[str, T]) -> dict[str, T]:
    """Return what a run has under "PART NAME", by NAME, in order: the data sets of one of PARTS."""
    before = f"{part} "
    return {name.removeprefix(before): each for name, each in parts.items() if name.startswith(before)}
