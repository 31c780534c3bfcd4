"""CelebA (Liu et al., ICCV 2015): 40 attributes, gender from Male, identity, the official partition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from ..errors import DataError
from . import listed
from .listed import LabelError
from .record import FaceRecord, Skipped, file_names

PICTURES = "img_align_celeba"
ATTRIBUTES = "list_attr_celeba.txt"
IDENTITIES = "identity_CelebA.txt"
PARTITION = "list_eval_partition.txt"
PARTS = {"0": "train", "1": "validation", "2": "test"}
#: The official archive's folders; the files may also lie side by side.
FOLDERS = ("", "Img", "Anno", "Eval")
FLAGS = {"1": True, "-1": False}


def read_celeba(folder: Path | str, skipped: list[Skipped] | None = None) -> Iterator[FaceRecord]:
    """Yield one record per listed and present picture of CelebA, sorted by file name.

    Rows without a picture, without an identity or with a value other than 1 and -1 are left out
    and added to skipped with the reason. part is the official one where list_eval_partition.txt is
    present. CelebA has no ages. Raises DataError where a list is missing or is not CelebA's.
    """
    folder = Path(folder)
    pictures = _find(folder, PICTURES)
    present = set(file_names(pictures))
    identities = _pairs(_find(folder, IDENTITIES), "identity")
    partition = _find(folder, PARTITION)
    parts = _pairs(partition, "partition") if partition.is_file() else {}
    wrong = next((name for name, code in parts.items() if code not in PARTS), None)
    if wrong is not None:
        raise DataError(f"{partition}: expected 0, 1 or 2 after {wrong!r}, got {parts[wrong]!r}")
    names, rows = _attributes(_find(folder, ATTRIBUTES))
    make = partial(_record, pictures, present, identities, parts, names)
    return listed.usable(folder, rows, make, [] if skipped is None else skipped)


def _find(folder: Path, name: str) -> Path:
    """Return where a file of the release lies; directly in folder where it lies nowhere."""
    places = [folder / place / name for place in FOLDERS]
    return next((path for path in places if path.exists()), places[0])


def _record(
    pictures: Path,
    present: set[str],
    identities: Mapping[str, str],
    parts: Mapping[str, str],
    names: list[str],
    line: str,
) -> FaceRecord:
    file, *values = line.split()
    if file not in present:
        raise LabelError("picture missing")
    if file not in identities:
        raise LabelError("no identity")
    wrong = next((name for name, value in zip(names, values, strict=True) if value not in FLAGS), None)
    if wrong is not None:
        raise LabelError(f"attribute {wrong} is not 1 or -1")
    attributes = {name: FLAGS[value] for name, value in zip(names, values, strict=True)}
    return FaceRecord(
        pictures / file,
        gender="male" if attributes["Male"] else "female",
        subject=identities[file],
        attributes=attributes,
        part=PARTS[parts[file]] if file in parts else None,
    )


def _lines(path: Path) -> list[tuple[int, str]]:
    numbered = enumerate(listed.lines(path, "CelebA's text list"), start=1)
    return [(number, line) for number, line in numbered if line.strip()]


def _pairs(path: Path, what: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for number, line in _lines(path):
        row = line.split()
        if len(row) != 2:
            raise DataError(f"{path}:{number}: expected 'file {what}' on each line, got {line.strip()!r}")
        if row[0] in pairs:
            raise DataError(f"{path}:{number}: expected each file once, {row[0]!r} is listed twice")
        pairs[row[0]] = row[1]
    return pairs


def _attributes(path: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the attribute names, and (where, line) sorted by file name; a line is far smaller unsplit."""
    numbered = _lines(path)
    names = numbered[1][1].split() if len(numbered) > 1 else []
    if "Male" not in names:
        raise DataError(f"{path}: expected a count, then attribute names with 'Male'; got none")
    rows = []
    for number, line in numbered[2:]:
        file, *values = line.split()
        if len(values) != len(names):
            raise DataError(
                f"{path}:{number}: expected {len(names)} values after {file!r}, got {len(values)}"
            )
        rows.append((file, f"{path.name}:{number} {file}", line))
    return names, [(where, line) for _, where, line in sorted(rows, key=lambda row: row[0])]
