"""FG-NET (Lanitis, Taylor and Cootes, 2002): 82 people over the years; age, subject, 68 points, no gender."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..errors import DataError
from .record import FaceRecord, Skipped, file_names

PICTURES = "images"
POINTS = "points"
POINT_COUNT = 68
#: FG-NET's people on whom settings may be chosen, every seventh from the fourth on; the others are a test.
TUNING_PEOPLE = tuple(f"{person:03}" for person in range(4, 82, 7))

_NAME = re.compile(r"(\d{3})A(\d{2})[a-z]?\.jpg", re.ASCII | re.IGNORECASE)

Points = tuple[tuple[float, float], ...]


def read_fgnet(folder: Path | str, skipped: list[Skipped] | None = None) -> Iterator[FaceRecord]:
    """Yield one record per picture of FG-NET's images folder, sorted by file name.

    File names read 001A02.JPG: subject 001 at age 2 (years); a letter marks another picture at that
    age. Other names are left out and added to skipped. landmarks come from points/001a02.pts; a missing
    or malformed one is added to skipped and its picture kept without landmarks. Raises DataError where
    the folder is missing.
    """
    folder = Path(folder)
    pictures = folder / PICTURES
    if not pictures.is_dir():
        raise DataError(f"{folder}: expected FG-NET's folder with {PICTURES}/ in it, got none")
    left_out = [] if skipped is None else skipped
    return _records(pictures, file_names(pictures), _point_files(folder / POINTS), left_out)


def _point_files(folder: Path) -> dict[str, Path] | None:
    """Return the .pts files by lower-case stem: the release names 001A02.JPG but 001a02.pts."""
    if not folder.is_dir():
        return None
    names = [Path(name) for name in file_names(folder)]
    return {name.stem.lower(): folder / name for name in names if name.suffix.lower() == ".pts"}


def _records(
    pictures: Path, names: list[str], point_files: Mapping[str, Path] | None, skipped: list[Skipped]
) -> Iterator[FaceRecord]:
    if point_files is None:
        skipped.append(Skipped(f"{POINTS}/", "folder missing; every picture is kept, without landmarks"))
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None:
            skipped.append(Skipped(name, "name is not subjectAage.JPG, such as 001A02.JPG"))
            continue
        landmarks = None if point_files is None else _landmarks(name, point_files, skipped)
        yield FaceRecord(
            pictures / name, age=float(match.group(2)), subject=match.group(1), landmarks=landmarks
        )


def _landmarks(name: str, point_files: Mapping[str, Path], skipped: list[Skipped]) -> Points | None:
    path = point_files.get(Path(name).stem.lower())
    if path is None:
        skipped.append(Skipped(f"{POINTS}/ {name}", "no .pts file; the picture is kept, without landmarks"))
        return None
    try:
        return read_points(path)
    except DataError as error:
        reason = "malformed .pts file; the picture is kept, without landmarks"
        skipped.append(Skipped(str(error).removeprefix(str(path.parent.parent)).lstrip("/\\"), reason))
        return None


def read_points(path: Path) -> Points:
    """Return the 68 points (x, y), in pixels, of one of FG-NET's .pts files.

    Raises DataError that names the line where the file is not "version: 1", "n_points: 68", "{", the
    points, "}".
    """
    try:
        rows = path.read_text(encoding="ascii").split("\n")
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: expected a .pts file, could not read it: {error}") from error
    rows = [row.strip() for row in rows]
    expected = {0: "version: 1", 1: f"n_points: {POINT_COUNT}", 2: "{", 3 + POINT_COUNT: "}"}
    for line, text in expected.items():
        got = " ".join(rows[line].split()) if line < len(rows) else "the end"
        if got != text:
            raise DataError(f"{path}:{line + 1}: expected {text!r}, got {got!r}")
    return tuple(_point(path, line, rows[line]) for line in range(3, 3 + POINT_COUNT))


def _point(path: Path, line: int, row: str) -> tuple[float, float]:
    try:
        x, y = map(float, row.split())
    except ValueError:
        x = y = math.nan
    if not (math.isfinite(x) and math.isfinite(y)):
        raise DataError(f"{path}:{line + 1}: expected x and y of a point, got {row!r}")
    return x, y
