"""LAGENDA (Kuprashevich and Tolstykh 2023, arXiv 2307.04616): people in photos of Open Images."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from . import listed
from .listed import LabelError
from .record import FaceRecord, Skipped

LIST = "lagenda_annotation.csv"
FACE = ("face_x0", "face_y0", "face_x1", "face_y1")
COLUMNS = ("img_name", "age", "gender", *FACE)
GENDERS = {"F": "female", "M": "male"}
#: What stands where nothing is known.
UNKNOWN = "-1"

Row = dict[str, str]


def read_lagenda(folder: Path | str, skipped: list[Skipped] | None = None) -> Iterator[FaceRecord]:
    """Yield one record per photo whose largest marked face has an age and a gender, in the table's order.

    The table has a row per person, several of a photo; -1 is unknown. Analysis takes a photo's largest face,
    so that one counts, and a photo in which it has no label is left out. Photos and rows that cannot be used
    are added to skipped. Raises DataError where the table is missing or lacks a column.
    """
    folder = Path(folder)
    left_out = [] if skipped is None else skipped
    photos: dict[str, tuple[str, list[Row]]] = {}
    for where, row in listed.csv_rows(folder / LIST, COLUMNS, left_out):
        photos.setdefault(row["img_name"], (f"{where} {row['img_name']}", []))[1].append(row)
    return listed.usable(folder, photos.values(), partial(_record, folder), left_out)


def _record(folder: Path, rows: list[Row]) -> FaceRecord:
    row = max(rows, key=_area)
    if not _area(row):
        raise LabelError("no face is marked")
    if UNKNOWN in (row["age"], row["gender"]):
        raise LabelError("the largest face has no label")
    return FaceRecord(
        listed.inside(folder, row["img_name"]),
        listed.age(row["age"]),
        listed.coded(row["gender"].upper(), GENDERS, "gender"),
    )


def _area(row: Row) -> float:
    """Return the area of a row's face in pixels, 0 where it has none."""
    left, top, right, bottom = (listed.number(row[name], "face") for name in FACE)
    return max(0.0, right - left) * max(0.0, bottom - top)
