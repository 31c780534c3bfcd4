"""FairFace (Karkkainen and Joo, WACV 2021): faces with gender and an age that is a range, under CC BY 4.0."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ..errors import DataError
from . import listed
from .listed import OLDEST, LabelError
from .record import FaceRecord, Skipped

LISTS = {"train": "fairface_label_train.csv", "validation": "fairface_label_val.csv"}
GENDERS = {"female": "female", "male": "male"}

_RANGE = re.compile(r"(\d{1,3})-(\d{1,3})", re.ASCII)
_OPEN = re.compile(r"(?:more than (\d{1,3})|(\d{1,3})\+)", re.ASCII)


def read_fairface(folder: Path | str, skipped: list[Skipped] | None = None) -> Iterator[FaceRecord]:
    """Yield one record per usable row of the lists, those of training first.

    Columns used: file (such as train/1.jpg), age (20-29, or more than 70), gender, and race where present,
    which is kept as the group and read only to audit errors. age is None, since no list has one: age_range is
    the first and the last year, in whole years completed. Rows that cannot be used are added to skipped.
    Raises DataError where neither list is there, or one lacks a column.
    """
    folder = Path(folder)
    left_out = [] if skipped is None else skipped
    rows = []
    for part, name in LISTS.items():
        if (folder / name).is_file():
            found = listed.csv_rows(folder / name, ("file", "age", "gender"), left_out)
            rows += [(f"{where} {row['file']}", (part, row)) for where, row in found]
    if not any((folder / name).is_file() for name in LISTS.values()):
        raise DataError(f"{folder}: expected FairFace with {' or '.join(LISTS.values())} in it, got neither")
    return listed.usable(folder, rows, partial(_record, folder), left_out)


def _record(folder: Path, row: tuple[str, dict[str, str]]) -> FaceRecord:
    part, cells = row
    return FaceRecord(
        listed.inside(folder, cells["file"]),
        gender=listed.coded(cells["gender"].lower(), GENDERS, "gender"),
        group=cells.get("race") or None,
        part=part,
        age_range=years(cells["age"]),
    )


def years(text: str) -> tuple[float, float]:
    """Return a range's first and last year: "20-29" is (20, 29), "more than 70" (70, OLDEST)."""
    if match := _RANGE.fullmatch(text):
        low, high = float(match[1]), float(match[2])
    elif match := _OPEN.fullmatch(text):
        low, high = float(match[1] or match[2]), float(OLDEST)
    else:
        raise LabelError(f"age {text!r} is not a range, such as 20-29 or more than 70")
    if not low <= high <= OLDEST:
        raise LabelError(f"age {text!r} is not a range within 0 to {OLDEST}")
    return low, high
