"""What the readers of listed data sets share: numbered rows, checked labels, one loop that counts."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TypeVar

from ..errors import DataError
from .record import FaceRecord, Skipped, key

OLDEST = 120

Row = TypeVar("Row")


class LabelError(ValueError):
    """Why one row cannot be used; `usable` turns it into a Skipped."""


def usable(
    folder: Path,
    rows: Iterable[tuple[str, Row]],
    make: Callable[[Row], FaceRecord],
    skipped: list[Skipped],
) -> Iterator[FaceRecord]:
    """Yield make(row) of each (where, row) whose picture is there and whose key came not before.

    The other rows are added to skipped under the name `where`, such as "train.txt:7 a.jpg". folder: the
    data set's.
    """
    seen: dict[str, Path] = {}
    for where, row in rows:
        try:
            record = make(row)
            name = key(record, folder)
            if name in seen:
                same = seen[name] == record.path
                raise LabelError("listed twice, the first row counts" if same else "name of another picture")
            if not os.path.isfile(record.path):  # unlike Path.is_file, False for a name that is too long
                raise LabelError("picture missing")
        except LabelError as reason:
            skipped.append(Skipped(where, str(reason)))
            continue
        seen[name] = record.path
        yield record


def lines(path: Path, what: str) -> list[str]:
    """Return a text file's lines; DataError where it cannot be read as UTF-8 text. what: its content."""
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, or a NUL in the path
        raise DataError(f"{path}: expected {what}, could not read it: {error}") from error


def csv_rows(
    path: Path,
    required: Collection[str],
    skipped: list[Skipped],
    allowed: Collection[str] | None = None,
) -> list[tuple[str, dict[str, str]]]:
    """Return (where, row) of a CSV file with a header; column names are lower-cased unless allowed has them.

    Rows of another length than the header are added to skipped. Raises DataError where the file is not
    CSV text, where a required column is missing, one comes twice, or one is not allowed.
    """
    known = {name.lower(): name for name in allowed or ()}
    reader = csv.reader(lines(path, "a CSV file with a header"), strict=True)
    header: list[str] | None = None
    rows = []
    try:
        for values in reader:
            if not values or values[0].startswith("#"):
                continue
            if header is None:
                header = [known.get(name.strip().lower(), name.strip().lower()) for name in values]
                _check_header(path, header, required, allowed)
            elif len(values) != len(header):
                reason = f"expected {len(header)} values, as the header has"
                skipped.append(Skipped(f"{path.name}:{reader.line_num}", reason))
            else:
                row = {name: value.strip() for name, value in zip(header, values, strict=True)}
                rows.append((f"{path.name}:{reader.line_num}", row))
    except csv.Error as error:
        raise DataError(
            f"{path}:{reader.line_num}: expected CSV, got a line it cannot be: {error}"
        ) from error
    if header is None:
        raise DataError(f"{path}: expected a header with the columns {', '.join(required)}; got no row")
    return rows


def _check_header(
    path: Path, header: list[str], required: Collection[str], allowed: Collection[str] | None
) -> None:
    missing = [name for name in required if name not in header]
    if missing:
        raise DataError(
            f"{path}: expected a column {', '.join(map(repr, missing))}; got {', '.join(map(repr, header))}"
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"{path}: expected each column once, {twice[0]!r} comes twice; rename one")
    unknown = [] if allowed is None else [name for name in header if name not in allowed]
    if unknown:
        columns = ", ".join(allowed or ())
        raise DataError(f"{path}: expected the columns {columns}; got {unknown[0]!r}; rename or remove it")


def inside(folder: Path, name: str) -> Path:
    """Return the path that a list names within folder, whichever way its slashes lean."""
    parts = PurePosixPath(name.replace("\\", "/"))
    if not parts.parts or parts.is_absolute() or ".." in parts.parts or "\0" in name:
        raise LabelError(f"{name!r} is not the path of a picture in the data set's folder")
    return folder / parts


def number(text: str | float, what: str) -> float:
    """Return a number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise LabelError(f"{what} {text!r} is not a number")
    return value


def age(text: str | float) -> float:
    """Return an age in years."""
    years = number(text, "age")
    if not 0 <= years <= OLDEST:
        raise LabelError(f"age {years:g} is outside 0 to {OLDEST}")
    return years


def coded(code: str, names: Mapping[str, str], what: str) -> str:
    """Return the name that a code stands for."""
    if code not in names:
        raise LabelError(f"{what} {code!r} is not one of {', '.join(names)}")
    return names[code]


def flag(text: str, what: str) -> bool:
    """Return whether an attribute is present: 1, or else 0 or -1."""
    if text not in ("1", "0", "-1"):
        raise LabelError(f"{what} {text!r} is not 1, 0 or -1")
    return text == "1"
