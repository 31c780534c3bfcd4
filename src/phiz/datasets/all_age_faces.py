"""All-Age-Faces (Cheng et al., Tsinghua Science and Technology, 2019): 13,322 people, one picture each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..errors import DataError
from . import listed
from .listed import LabelError
from .record import FaceRecord, Skipped, file_names

#: The folders that may hold the pictures, the first present one counts; the archive misspells the second.
PICTURES = ("original images", "aglined faces", "aligned faces")
SETS = {"train": "train.txt", "validation": "val.txt"}
LAST_FEMALE, LAST = 7380, 13321
GENDERS = {"0": "female", "1": "male"}

_NAME = re.compile(r"(\d{5})A(\d{2,3})\.jpg", re.ASCII | re.IGNORECASE)


def read_all_age_faces(folder: Path | str, skipped: list[Skipped] | None = None) -> Iterator[FaceRecord]:
    """Yield one record per picture of All-Age-Faces, sorted by file name.

    00000A02.jpg is person 00000 at 2 years; serials up to 7380 are female, those up to 13321 male. part is
    that of "image sets/", where it lists the picture. Other names are added to skipped, and so are rows of
    "image sets/" without a picture or with a gender other than the serial's. Raises DataError where there
    is no folder of pictures.
    """
    folder = Path(folder)
    pictures = next((folder / name for name in PICTURES if (folder / name).is_dir()), None)
    if pictures is None:
        raise DataError(f"{folder}: expected All-Age-Faces with a folder {PICTURES[0]!r} in it, got none")
    left_out = [] if skipped is None else skipped
    names = file_names(pictures)
    parts = _parts(folder / "image sets", set(names), left_out)
    return listed.usable(
        folder, ((name, name) for name in names), lambda name: _record(pictures / name, parts), left_out
    )


def _record(path: Path, parts: Mapping[str, str]) -> FaceRecord:
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise LabelError("name is not serialAage.jpg, such as 00000A02.jpg")
    serial, age = match.groups()
    if int(serial) > LAST:
        raise LabelError(f"serial over {LAST}")
    gender = _gender(serial)
    return FaceRecord(path, listed.age(age), gender, subject=serial, part=parts.get(path.name))


def _gender(serial: str) -> str:
    return "female" if int(serial) <= LAST_FEMALE else "male"


def _parts(folder: Path, present: set[str], skipped: list[Skipped]) -> dict[str, str]:
    """Return the official part by file name, from lines such as "00000A02.jpg 0"."""
    parts: dict[str, str] = {}
    for part, name in SETS.items():
        path = folder / name
        if not path.is_file():
            continue
        for number, line in enumerate(listed.lines(path, "All-Age-Faces' list"), start=1):
            file, _, code = line.strip().rpartition(" ")
            if not line.strip():
                continue
            file = file.strip() if file.strip().lower().endswith(".jpg") else f"{file.strip()}.jpg"
            reason = _why_wrong(file, code, present, parts)
            if reason is None:
                parts[file] = part
            else:
                skipped.append(Skipped(f"image sets/{name}:{number} {file}", reason))
    return parts


def _why_wrong(file: str, code: str, present: set[str], parts: Mapping[str, str]) -> str | None:
    match = _NAME.fullmatch(file)
    if match is None or code not in GENDERS:
        return "line is not a file name and a gender, 0 or 1"
    if file not in present:
        return "picture missing"
    if file in parts:
        return "listed twice, the first row counts"
    if GENDERS[code] != _gender(match.group(1)):
        return "gender is not that of the serial; the picture has no part"
    return None
