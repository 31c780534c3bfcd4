"""MegaAge-Asian (Zhang, Liu, Li and Loy, BMVC 2017): 40,000 training and 3,945 test faces; ages only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..errors import DataError
from . import listed
from .record import FaceRecord, Skipped

PARTS = ("train", "test")


def read_megaage_asian(folder: Path | str, skipped: list[Skipped] | None = None) -> Iterator[FaceRecord]:
    """Yield one record per listed picture, those of train/ first, in the order of the lists.

    Line n of list/train_name.txt names a picture of train/ and line n of list/train_age.txt its age in
    years; likewise for test. part is the official one. Rows that cannot be used are added to skipped.
    Raises DataError where a list is missing or the two of a part differ in length.
    """
    folder = Path(folder)
    rows = [row for part in PARTS for row in _rows(folder, part)]
    return listed.usable(folder, rows, lambda row: _record(folder, *row), [] if skipped is None else skipped)


def _rows(folder: Path, part: str) -> list[tuple[str, tuple[str, str, str]]]:
    name_list, age_list = (folder / "list" / f"{part}_{what}.txt" for what in ("name", "age"))
    names = _until_blank_end(listed.lines(name_list, "MegaAge-Asian's list of file names"))
    ages = _until_blank_end(listed.lines(age_list, "MegaAge-Asian's list of ages"))
    if len(names) != len(ages):
        raise DataError(
            f"{age_list}: expected {len(names)} ages, as {name_list.name} has lines; got {len(ages)}; "
            "copy the lists again"
        )
    return [
        (f"list/{name_list.name}:{line} {name.strip()}", (part, name.strip(), age.strip()))
        for line, (name, age) in enumerate(zip(names, ages, strict=True), start=1)
    ]


def _until_blank_end(rows: list[str]) -> list[str]:
    """Drop the blank lines at the end alone: the others hold a place."""
    while rows and not rows[-1].strip():
        rows.pop()
    return rows


def _record(folder: Path, part: str, name: str, age: str) -> FaceRecord:
    return FaceRecord(listed.inside(folder / part, name), listed.age(age), part=part)
