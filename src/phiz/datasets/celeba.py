"""CelebA (Liu et al., ICCV 2015): gender from the attribute Male, subject from the identity list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..errors import DataError
from .record import FaceRecord, Skipped, file_names

PICTURES = "img_align_celeba"
ATTRIBUTES = "list_attr_celeba.txt"
IDENTITIES = "identity_CelebA.txt"
GENDERS = {"1": "male", "-1": "female"}


def read_celeba(folder: Path | str, skipped: list[Skipped] | None = None) -> Iterator[FaceRecord]:
    """Yield one record per listed and present picture of CelebA, sorted by file name.

    Rows without a picture, without an identity or with a value other than 1 and -1 are left out
    and added to skipped with the reason. CelebA has no ages. Raises DataError where a list is
    missing or its header is not CelebA's.
    """
    folder = Path(folder)
    present = set(file_names(folder / PICTURES))
    identities = _identities(folder / IDENTITIES)
    male = _attribute(folder / ATTRIBUTES, "Male")
    left_out = [] if skipped is None else skipped
    return _records(folder / PICTURES, present, identities, male, left_out)


def _records(
    pictures: Path,
    present: set[str],
    identities: dict[str, str],
    male: dict[str, str],
    skipped: list[Skipped],
) -> Iterator[FaceRecord]:
    for name in sorted(male):
        if name not in present:
            skipped.append(Skipped(name, "picture missing"))
        elif name not in identities:
            skipped.append(Skipped(name, "no identity"))
        elif male[name] not in GENDERS:
            skipped.append(Skipped(name, "attribute Male is not 1 or -1"))
        else:
            yield FaceRecord(pictures / name, gender=GENDERS[male[name]], subject=identities[name])


def _lines(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: expected CelebA's text list, could not read it: {error}") from error
    return [line.split() for line in text.splitlines() if line.strip()]


def _identities(path: Path) -> dict[str, str]:
    rows = _lines(path)
    wrong = next((row for row in rows if len(row) != 2), None)
    if wrong is not None:
        raise DataError(f"{path}: expected 'file identity' on each line, found {' '.join(wrong)!r}")
    return {name: identity for name, identity in rows}


def _attribute(path: Path, attribute: str) -> dict[str, str]:
    rows = _lines(path)
    names = rows[1] if len(rows) > 1 else []
    if attribute not in names:
        raise DataError(f"{path}: expected a count, then attribute names with {attribute!r}; found none")
    wrong = next((row for row in rows[2:] if len(row) != len(names) + 1), None)
    if wrong is not None:
        raise DataError(f"{path}: expected {len(names)} values after {wrong[0]!r}, found {len(wrong) - 1}")
    column = names.index(attribute) + 1
    return {row[0]: row[column] for row in rows[2:]}
