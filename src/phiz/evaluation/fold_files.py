"""Folds as data, and the file that another tool can read them from."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError

#: How file names, which need not be UTF-8, are written.
ENCODING = ("utf-8", "surrogateescape")
COLUMNS = ("fold", "part", "file")
PARTS = ("train", "test")


@dataclass(frozen=True, slots=True)
class Fold:
    """One division of a data set: keys of the pictures that may train, and of those that test, sorted.

    train is empty where the protocol tests a model that was trained elsewhere.
    """

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]


def save_folds(path: Path | str, made: Iterable[Fold]) -> None:
    """Write folds as CSV (fold, part, file), part being train or test. Raises DataError."""
    try:
        with Path(path).open("w", newline="", encoding=ENCODING[0], errors=ENCODING[1]) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for fold in made:
                for part in PARTS:
                    writer.writerows((fold.name, part, key) for key in getattr(fold, part))
    except OSError as error:
        raise DataError(f"{path}: could not write the folds: {error.strerror}") from error


def load_folds(path: Path | str) -> list[Fold]:
    """Read what `save_folds` wrote, or another tool; DataError names the line that does not fit."""
    found: dict[str, dict[str, str]] = {}
    try:
        with Path(path).open(newline="", encoding=ENCODING[0], errors=ENCODING[1]) as file:
            reader = csv.DictReader(file)
            if not set(COLUMNS) <= set(reader.fieldnames or ()):
                raise DataError(f"{path}: expected columns {', '.join(COLUMNS)}; got {reader.fieldnames}")
            for row in reader:
                fold, part, key = (row[column] for column in COLUMNS)
                where = f"{path}, line {reader.line_num}"
                if not fold or not key or part not in PARTS:
                    raise DataError(
                        f"{where}: expected a fold, train or test, and a file; got {list(row.values())}"
                    )
                if key in found.setdefault(fold, {}):
                    raise DataError(
                        f"{where}: expected each file once in a fold; {key!r} is twice in {fold!r}"
                    )
                found[fold][key] = part
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{path}: expected a CSV file of folds, could not read it: {error}") from error
    return [
        Fold(name, *(tuple(sorted(key for key in parts if parts[key] == part)) for part in PARTS))
        for name, parts in found.items()
    ]
