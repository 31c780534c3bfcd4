"""FG-NET (Lanitis, Taylor and Cootes, 2002): 82 people over the years; ages and subjects, no gender."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import DataError
from .record import FaceRecord, Skipped, file_names

PICTURES = "images"

_NAME = re.compile(r"(\d{3})A(\d{2})[a-z]?\.jpg", re.ASCII | re.IGNORECASE)


def read_fgnet(folder: Path | str, skipped: list[Skipped] | None = None) -> Iterator[FaceRecord]:
    """Yield one record per picture of FG-NET's images folder, sorted by file name.

    File names read 001A02.JPG: subject 001 at age 2 (years); a letter marks another picture at that
    age. Other names are left out and added to skipped. Raises DataError where the folder is missing.
    """
    pictures = Path(folder) / PICTURES
    if not pictures.is_dir():
        raise DataError(f"{folder}: expected FG-NET's folder with {PICTURES}/ in it, found none")
    return _records(pictures, file_names(pictures), [] if skipped is None else skipped)


def _records(pictures: Path, names: list[str], skipped: list[Skipped]) -> Iterator[FaceRecord]:
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None:
            skipped.append(Skipped(name, "name is not subjectAage.JPG, such as 001A02.JPG"))
        else:
            yield FaceRecord(pictures / name, age=float(match.group(2)), subject=match.group(1))
