"""UTKFace (Zhang, Song and Qi, CVPR 2017): labels in the file name, no identities."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .record import FaceRecord, Skipped, file_names

GENDERS = {"0": "male", "1": "female"}
GROUPS = {"0": "White", "1": "Black", "2": "Asian", "3": "Indian", "4": "Other"}
MAX_AGE = 120

_NAME = re.compile(r"(\d{1,3})_(\d)_(\d)_(\d+)\.jpg(\.chip\.jpg)?", re.ASCII)
_NO_GROUP = re.compile(r"\d{1,3}_\d_\d{5,}\.jpg(\.chip\.jpg)?", re.ASCII)


def read_utkface(folder: Path | str, skipped: list[Skipped] | None = None) -> Iterator[FaceRecord]:
    """Yield one record per well-named picture of a UTKFace folder, sorted by file name.

    File names read age_gender_group_date.jpg.chip.jpg; ages are years. Files whose names do not
    are left out and added to skipped with the reason. Raises DataError where there is no folder.
    """
    folder = Path(folder)
    names = file_names(folder)
    left_out = [] if skipped is None else skipped
    return _records(folder, names, left_out)


def _records(folder: Path, names: list[str], skipped: list[Skipped]) -> Iterator[FaceRecord]:
    for name in names:
        match = _NAME.fullmatch(name)
        reason = _why_malformed(name) if match is None else _why_wrong(*match.group(1, 2, 3))
        if match is None or reason is not None:
            skipped.append(Skipped(name, reason or "not readable"))
            continue
        age, gender, group = match.group(1, 2, 3)
        yield FaceRecord(folder / name, age=float(age), gender=GENDERS[gender], group=GROUPS[group])


def _why_malformed(name: str) -> str:
    if " " in name:
        return "space in the name"
    if _NO_GROUP.fullmatch(name):
        return "no group field"
    return "name is not age_gender_group_date.jpg.chip.jpg"


def _why_wrong(age: str, gender: str, group: str) -> str | None:
    if int(age) > MAX_AGE:
        return f"age over {MAX_AGE}"
    if gender not in GENDERS:
        return "gender code is not 0 or 1"
    if group not in GROUPS:
        return "group code is not 0 to 4"
    return None
