"""One labelled picture, as every reader yields it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import DataError


@dataclass(frozen=True, slots=True)
class FaceRecord:
    """A picture of a face with the labels its data set gives; None where it gives none.

    path: the picture file.
    age: years.
    gender: "female" or "male", whatever code the data set uses.
    subject: the person's identity within the data set.
    family: the family that the person belongs to, where the data set is of families.
    group: the data set's own group name, read only to audit errors by group.
    attributes: name to present or absent, in CelebA's names; an attribute nobody labelled is missing.
    landmarks: 68 points (x, y) in pixels, in the data set's own order (FG-NET's), where it has them.
    part: "train", "validation" or "test" where the data set has an official partition.
    age_range: first and last year, in whole years completed, where the data set gives no age but a range.
    """

    path: Path
    age: float | None = None
    gender: str | None = None
    subject: str | None = None
    group: str | None = None
    attributes: Mapping[str, bool] | None = field(default=None, compare=False, repr=False)
    landmarks: tuple[tuple[float, float], ...] | None = field(default=None, compare=False, repr=False)
    part: str | None = field(default=None, compare=False)
    family: str | None = field(default=None, compare=False)
    age_range: tuple[float, float] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or a row that a reader left out, and why; a row is named LIST:LINE PICTURE."""

    name: str
    reason: str


def file_names(folder: Path) -> list[str]:
    """Return the names of the files directly in a folder, sorted; DataError where it is no folder."""
    if not folder.is_dir():
        raise DataError(f"{folder}: expected a folder of pictures, got none; check the path")
    try:
        return sorted(entry.name for entry in folder.iterdir() if entry.is_file())
    except OSError as error:
        raise DataError(f"{folder}: expected a folder of pictures, could not list it: {error}") from error


#: Folders that hold all pictures of a data set; they say nothing, so a picture's key leaves them out.
PICTURE_FOLDERS = frozenset(
    (
        "images",
        "Img",
        "img_align_celeba",
        "original images",
        "aglined faces",
        "aligned faces",
        "faces",
        "lag_benchmark",
        "lfw",
        "Album2",
    )
)


def key(record: FaceRecord, folder: Path | str) -> str:
    """Return the name by which splits, folds and predictions know a picture of a data set's folder.

    That is its path within the folder in posix form, less the folder that holds all pictures: the
    plain file name for most data sets, "train/1.jpg" where names repeat across folders.
    """
    try:
        parts = list(record.path.relative_to(folder).parts)
    except ValueError:
        return record.path.name
    while len(parts) > 1 and parts[0] in PICTURE_FOLDERS:
        del parts[0]
    return "/".join(parts)
