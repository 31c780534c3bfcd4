"""IMDB-WIKI (Rothe, Timofte and Van Gool, IJCV 2018): age from date of birth and year of the photo.

The pictures whose gender is labelled and that show exactly one face are kept, as the papers do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from ..errors import DataError
from . import listed, matfile
from .listed import LabelError
from .record import FaceRecord, Skipped

FIELDS = ("dob", "photo_taken", "full_path", "gender", "name", "face_score", "second_face_score")
#: The usual folders of the two halves.
HALVES = {"imdb": "imdb_crop", "wiki": "wiki_crop"}
GENDERS = {0.0: "female", 1.0: "male"}
#: Matlab counts days from year 0, Python from year 1.
MATLAB_DAYS = 366


def read_imdb_wiki(
    folder: Path | str, skipped: list[Skipped] | None = None, *, source: str = "imdb"
) -> Iterator[FaceRecord]:
    """Yield one record per usable entry of imdb.mat or wiki.mat, in the file's order.

    source: "imdb" or "wiki", the name of the .mat file and of the variable in it. Ages are whole years
    completed by 1 July of the year in which the photo was taken, as that year's middle is all that is
    known. subject is the person's name. Entries that cannot be used are added to skipped. Raises
    DataError where the .mat file is missing, damaged or not IMDB-WIKI's.
    """
    folder = Path(folder)
    path = folder / f"{source}.mat"
    fields = matfile.columns(path, FIELDS, struct=source)
    counts = {name: values.shape for name, values in fields.items()}
    if any(shape != counts["full_path"] for shape in counts.values()):
        raise DataError(f"{path}: expected fields of one length each; got {counts}; copy it again")
    for name in FIELDS:
        if (fields[name].dtype.kind in "iufb") == (name in ("full_path", "name")):
            raise DataError(f"{path}: expected text in full_path and name, numbers elsewhere; {name} has not")
    rows = (
        (f"{path.name}:{entry} {values[2]}", dict(zip(FIELDS, values, strict=True)))
        for entry, values in enumerate(zip(*(fields[name] for name in FIELDS), strict=True), start=1)
    )
    return listed.usable(folder, rows, partial(_record, folder), [] if skipped is None else skipped)


def read_imdb_and_wiki(folder: Path | str, skipped: list[Skipped] | None = None) -> Iterator[FaceRecord]:
    """Yield the records of both halves as one pool, IMDB's first.

    folder: that holds imdb_crop/ and wiki_crop/; see `read_imdb_wiki`. A name that both halves have is one
    person.
    """
    return chain(
        *[read_imdb_wiki(Path(folder) / half, skipped, source=source) for source, half in HALVES.items()]
    )


def _record(folder: Path, row: dict[str, Any]) -> FaceRecord:
    if math.isnan(row["gender"]):
        raise LabelError("no gender label")
    if float(row["gender"]) not in GENDERS:
        raise LabelError("gender is not 0 or 1")
    if not math.isfinite(row["face_score"]):
        raise LabelError("no face")
    if not math.isnan(row["second_face_score"]):
        raise LabelError("more than one face")
    age = listed.age(float(completed_years(row["dob"], row["photo_taken"])))
    path = listed.inside(folder, str(row["full_path"]))
    return FaceRecord(path, age, GENDERS[float(row["gender"])], str(row["name"]) or None)


def completed_years(born: float, taken: float) -> int:
    """Return the years that someone born on a Matlab serial date completed by 1 July of the year taken."""
    try:
        day = date.fromordinal(int(born) - MATLAB_DAYS)
        year = int(taken)
    except (ValueError, OverflowError):
        raise LabelError("date of birth or year of the photo is not a date") from None
    return year - day.year - ((day.month, day.day) > (7, 1))
