"""MORPH-II, non-commercial release (Ricanek and Tesafaye, FG 2006): age, gender, subject, group.

Either the release's CSV lists the pictures, or, where there is none, their names are read:
Album2/009055_0M54.JPG is subject 009055, picture 0, male, 54 years.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import DataError
from . import listed
from .listed import LabelError
from .record import FaceRecord, Skipped

LIST = "morph_2008_noncommercial.csv"
GENDERS = {"M": "male", "F": "female"}
GROUPS = {"W": "White", "B": "Black", "A": "Asian", "H": "Hispanic", "O": "Other"}

_NAME = re.compile(r"(\d{5,7})_\d{1,3}([MF])(\d{1,3})\.jpg", re.ASCII | re.IGNORECASE)


def read_morph2(folder: Path | str, skipped: list[Skipped] | None = None) -> Iterator[FaceRecord]:
    """Yield one record per picture of MORPH-II, in the order of its CSV, or sorted by name without one.

    Rows or names that cannot be used are added to skipped. Raises DataError where the folder is missing,
    holds several CSV files of which none is the release's, or its CSV lacks a column.
    """
    folder = Path(folder)
    left_out = [] if skipped is None else skipped
    if not folder.is_dir():
        raise DataError(f"{folder}: expected MORPH-II's folder, got none; check the path")
    table = _table(folder)
    if table is None:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return listed.usable(folder, ((str(p.relative_to(folder)), p) for p in paths), _from_name, left_out)
    rows = listed.csv_rows(table, ("id_num", "age", "gender", "photo"), left_out)
    named = ((f"{where} {row['photo']}", row) for where, row in rows)
    return listed.usable(folder, named, lambda row: _from_row(folder, row), left_out)


def _table(folder: Path) -> Path | None:
    tables = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".csv")
    official = [path for path in tables if path.name.lower() == LIST]
    if len(tables) > 1 and len(official) != 1:
        names = ", ".join(path.name for path in tables)
        raise DataError(f"{folder}: expected one CSV file, such as {LIST}; got {names}; keep one of them")
    return next(iter(official or tables), None)


def _from_name(path: Path) -> FaceRecord:
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise LabelError("name is not subject_pictureGenderAge.JPG, such as 009055_0M54.JPG")
    subject, gender, age = match.groups()
    return FaceRecord(path, listed.age(age), GENDERS[gender.upper()], subject.zfill(6))


def _from_row(folder: Path, row: dict[str, str]) -> FaceRecord:
    return FaceRecord(
        listed.inside(folder, row["photo"]),
        listed.age(row["age"]),
        listed.coded(row["gender"].upper(), GENDERS, "gender"),
        row["id_num"].zfill(6) or None,
        GROUPS.get(row.get("race", "").upper()),
    )
