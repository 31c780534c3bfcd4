"""Which photographs the films of `track_coverage.py` show: one of a person, or several of nearly one age."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phiz.datasets.celeba import read_celeba
from phiz.datasets.fgnet import TUNING_PEOPLE, read_fgnet
from phiz.datasets.record import FaceRecord

#: Years by which the photographs of one film may differ at most, and how many there are at most.
APART, MOST = 1.0, 4


@dataclass(frozen=True, slots=True)
class Part:
    """The photographs of one film.

    domain: "fgnet tuning", "fgnet test" or "celeba validation". person: its name there.
    age: mean of the photographs' in years, or None. gender: or None.
    """

    domain: str
    person: str
    photos: tuple[Path, ...]
    age: float | None
    gender: str | None

    @property
    def looks(self) -> int:
        """How many photographs there are: looks that do not depend on each other but for the person."""
        return len(self.photos)


def fgnet(folder: Path, random: np.random.Generator, singles: int) -> Iterator[Part]:
    """Yield a film of each of so many photographs, and of all that one person has of nearly one age.

    Twice as many of the test's people as of the tuning people are filmed.
    """
    people: dict[str, list[FaceRecord]] = defaultdict(list)
    for record in read_fgnet(folder, []):
        people[record.subject or ""].append(record)
    by_domain: dict[str, list[Part]] = {"fgnet tuning": [], "fgnet test": []}
    for person, records in people.items():
        domain = f"fgnet {'tuning' if person in TUNING_PEOPLE else 'test'}"
        by_domain[domain] += [_part(domain, person, [one]) for one in records]
        yield from (_part(domain, person, run) for run in _runs(records) if len(run) > 1)
    for parts, count in zip(by_domain.values(), (singles // 3, singles - singles // 3), strict=True):
        yield from _some(parts, count, random)


def celeba(folder: Path, split: Path, random: np.random.Generator, singles: int) -> Iterator[Part]:
    """Yield a film of one photograph of each of so many validation people, of several of each of half."""
    with split.open(encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        kept = {row["file"] for row in rows if row["part"] == "validation"}
    people: dict[str, list[FaceRecord]] = defaultdict(list)
    for record in read_celeba(folder, []):
        if record.path.name in kept:
            people[record.subject or ""].append(record)
    ones = [_part("celeba validation", person, records[:1]) for person, records in people.items()]
    more = [
        _part("celeba validation", person, records[:MOST])
        for person, records in people.items()
        if len(records) > 2
    ]
    yield from _some(ones, singles, random)
    yield from _some(more, singles // 2, random)


def _runs(records: Sequence[FaceRecord]) -> Iterator[list[FaceRecord]]:
    """Yield a person's photographs in groups within APART years, each in one group."""
    run: list[FaceRecord] = []
    for record in sorted(records, key=lambda one: (one.age or 0.0, one.path.name)):
        if run and (len(run) == MOST or (record.age or 0.0) - (run[0].age or 0.0) > APART):
            yield run
            run = []
        run.append(record)
    yield run


def _part(domain: str, person: str, records: Sequence[FaceRecord]) -> Part:
    ages = [record.age for record in records if record.age is not None]
    photos = tuple(record.path for record in records)
    return Part(domain, person, photos, float(np.mean(ages)) if ages else None, records[0].gender)


def _some(parts: Sequence[Part], count: int, random: np.random.Generator) -> Iterator[Part]:
    chosen = random.permutation(len(parts))[:count]
    yield from (parts[index] for index in sorted(chosen))
