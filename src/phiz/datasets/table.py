"""A user's own pictures, listed in a plain CSV file; docs/datasets.md gives its columns."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from . import listed
from .attribute_names import CELEBA, MASK
from .listed import LabelError
from .record import FaceRecord, Skipped

LIST = "faces.csv"
GENDERS = {"female": "female", "male": "male", "f": "female", "m": "male"}
PARTS = {part: part for part in ("train", "validation", "test")}
ATTRIBUTES = (*(name for name in CELEBA if name != "Male"), MASK)
#: gender_by says who gave the gender, as `phiz annotate` writes it; no reader of labels asks.
COLUMNS = ("file", "age", "gender", "subject", "group", "part", "gender_by")


def read_table(folder: Path | str, skipped: list[Skipped] | None = None) -> Iterator[FaceRecord]:
    """Yield one record per usable row of faces.csv in folder, or of the CSV file itself, in its order.

    file is a path within the CSV's folder; age is in years; an empty cell is no label. Rows that cannot be
    used are added to skipped. Raises DataError where the file is missing or has an unknown column.
    """
    path = Path(folder)
    path = path if path.suffix.lower() == ".csv" else path / LIST
    left_out = [] if skipped is None else skipped
    rows = listed.csv_rows(path, ("file",), left_out, allowed=(*COLUMNS, *ATTRIBUTES))
    named = ((f"{where} {row['file']}", row) for where, row in rows)
    return listed.usable(path.parent, named, partial(_record, path.parent), left_out)


def _record(folder: Path, row: dict[str, str]) -> FaceRecord:
    attributes = {name: listed.flag(row[name], name) for name in ATTRIBUTES if row.get(name)}
    if not row["file"]:
        raise LabelError("no file name")
    return FaceRecord(
        listed.inside(folder, row["file"]),
        listed.age(row["age"]) if row.get("age") else None,
        listed.coded(row["gender"].lower(), GENDERS, "gender") if row.get("gender") else None,
        row.get("subject") or None,
        row.get("group") or None,
        attributes or None,
        part=listed.coded(row["part"].lower(), PARTS, "part") if row.get("part") else None,
    )
