"""Families in the Wild (Robinson et al., PAMI 2018): faces of relatives; gender from kinship, no ages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from . import listed
from .listed import LabelError
from .record import FaceRecord, Skipped

PICTURES = "faces"
LIST = "labels.csv"
COLUMNS = ("file", "family", "person", "gender")
GENDERS = {"female": "female", "male": "male"}


def read_fiw(folder: Path | str, skipped: list[Skipped] | None = None) -> Iterator[FaceRecord]:
    """Yield one record per usable row of labels.csv, in its order; the pictures lie in faces/.

    subject is FAMILY/PERSON, since persons are numbered within their family, and family is FAMILY. The gender
    follows from lists of kinship (father, daughter, ...), not from the face. Pictures are 112x112, turned so
    that the eyes are level, and black where the photo ended. Rows that cannot be used are added to skipped.
    Raises DataError where the list is missing or lacks a column.
    """
    folder = Path(folder)
    left_out = [] if skipped is None else skipped
    rows = listed.csv_rows(folder / LIST, COLUMNS, left_out)
    named = ((f"{where} {row['file']}", row) for where, row in rows)
    return listed.usable(folder, named, partial(_record, folder / PICTURES), left_out)


def _record(pictures: Path, row: dict[str, str]) -> FaceRecord:
    if not (row["family"] and row["person"]):
        raise LabelError("no family or no person")
    return FaceRecord(
        listed.inside(pictures, row["file"]),
        gender=listed.coded(row["gender"].lower(), GENDERS, "gender"),
        subject=f"{row['family']}/{row['person']}",
        family=row["family"],
    )
