"""Results as text (table, JSON lines, CSV) and the place that the text goes to."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import Enum
from types import MappingProxyType, TracebackType

from ..errors import OutputError, PhizError
from ..files import SUFFIX, InUseError, open_shared_part
from ..image import display_name
from ..types import QUALITY, Face, Result
from ..words import age_words, gender_words, sure_words


def named_format(output: str | None) -> str | None:
    """Return the format that the name of an output ends in: csv, jsonl, parquet, or None.

    Raises PhizError on .json, which no list of results in phiz is.
    """
    suffix = os.path.splitext(output or "")[1].lower()
    if suffix == ".json":
        raise PhizError(
            f"--output {display_name(output or '')}: phiz writes one JSON object a line; name it .jsonl, or "
            "say --format jsonl"
        )
    return {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}.get(suffix)


def format_of(asked: Format | None, output: str | None) -> Format:
    """Return the asked format, else what the name of the output says, else a table.

    Raises PhizError on a name that promises what is not written.
    """
    if asked is not None:
        return asked
    name = named_format(output)
    if name == "parquet":
        raise PhizError(f"--output {display_name(output or '')}: Parquet needs --engine ray (extra scale)")
    return Format(name or "table")


class Format(str, Enum):
    """How results are written; the names are those of --format."""

    table = "table"
    jsonl = "jsonl"
    csv = "csv"


CSV_COLUMNS = (
    "path",
    "width",
    "height",
    "face",
    "box_x",
    "box_y",
    "box_width",
    "box_height",
    "score",
    "age",
    "age_low",
    "age_high",
    "gender",
    "gender_score",
    *(f"quality_{name}" for name in QUALITY),
    "flags",
    "error",
)
#: No attributes are told.
NONE: Mapping[str, float] = MappingProxyType({})
# The picture's name comes last, so that names of any length need no cutting and lines can be streamed.
TABLE_ROW = "{:<18}  {:<15}  {:>4}  {:>12}  {:>9}  {}\n"


def header(format: Format, thresholds: Mapping[str, float] = NONE) -> str:
    """Return the text that comes before the first result; thresholds as in `render`."""
    if format is Format.table:
        picture = "picture: attributes" if thresholds else "picture"
        return TABLE_ROW.format("age", "gender", "sure", "face at x,y", "size", picture)
    return _csv_row((*CSV_COLUMNS, *thresholds)) if format is Format.csv else ""


def render(result: Result, format: Format, thresholds: Mapping[str, float] = NONE) -> str:
    """Return one result as text that ends in a newline.

    jsonl: one line per picture. csv and table: one line per face, or one for a picture without.
    thresholds: the attributes that are told. In CSV each is a column of probabilities; the table names those
    that reach their threshold.
    """
    if format is Format.jsonl:
        return json.dumps(result.to_dict(), ensure_ascii=False, allow_nan=False) + "\n"
    line = _table_line if format is Format.table else _csv_line
    if not result.faces:
        return line(result, None, None, thresholds)
    return "".join(line(result, number, face, thresholds) for number, face in enumerate(result.faces, 1))


def _table_line(
    result: Result, number: int | None, face: Face | None, thresholds: Mapping[str, float]
) -> str:
    name = result.path or ""
    if face is None:
        # An error's text begins with the picture's name.
        return TABLE_ROW.format(*"-----", result.error or f"{name}: no face found")
    x, y, width, height = (round(value) for value in face.box)
    sure = sure_words(face.gender_score)
    values = (age_words(face), gender_words(face), sure, f"{x},{y}", f"{width}x{height}")
    if face.flags:
        name += f" ({', '.join(face.flags)})"
    if thresholds:
        told = face.attributes or {}
        name += ": " + (", ".join(what for what, least in thresholds.items() if told[what] >= least) or "-")
    return TABLE_ROW.format(*values, name)


def _csv_line(result: Result, number: int | None, face: Face | None, thresholds: Mapping[str, float]) -> str:
    plain = face.to_dict() if face else {}
    box = plain.get("box", (None,) * 4)
    age = (plain.get("age"), *(plain.get("age_interval") or (None, None)))
    gender = (plain.get("gender"), plain.get("gender_score"))
    quality = (plain.get("quality", {}).get(name) for name in QUALITY)
    flags = ";".join(plain["flags"]) if face else None
    told = plain.get("attributes", {})
    start = (result.path, result.width, result.height, number, *box, plain.get("score"), *age, *gender)
    start = (*start, *quality, flags, result.error)
    return _csv_row((*start, *(told.get(name) for name in thresholds)))


def _csv_row(values: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()


class Sink:
    """Where results go: standard output, or a file that bears its name only once it is complete.

    A file is written as NAME.part and renamed at the end. Where the run ends early (a full disk,
    Ctrl-C) NAME stays what it was, and NAME.part keeps the whole lines written so far. A second run
    that writes the same NAME is refused meanwhile. A device or a pipe is written directly. Every write
    reaches the operating system before `write` returns.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._part: str | None = None
        self._good = 0  # bytes up to the end of the last whole write
        if path is None:
            if sys.stdout is None:
                raise OutputError("standard output is closed; give --output FILE")
            return
        if not _is_special(path):
            self._target = os.path.realpath(path)  # a link keeps pointing to the file it names
            self._part = self._target + SUFFIX
        try:
            # Unbuffered: after a failed write nothing may linger and be written later.
            self._file = open_shared_part(self._target) if self._part else io.FileIO(path, "w")
        except InUseError as error:
            raise OutputError(f"cannot write {display_name(path)}: {error}") from error
        except OSError as error:
            raise self._failure(error) from error

    def write(self, text: str) -> None:
        """Write whole lines as UTF-8. Raises OutputError, or BrokenPipeError where the reader is gone."""
        data = text.encode("utf-8", "backslashreplace")
        try:
            if self._path is None:
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
            else:
                self._write_file(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failure(error) from error

    def _write_file(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except BaseException:
            if self._part:
                with suppress(OSError):
                    self._file.truncate(self._good)
            raise
        self._good += len(data)

    def _failure(self, error: OSError) -> OutputError:
        where = "standard output" if self._path is None else display_name(self._path)
        return OutputError(f"cannot write {where}: {error.strerror}")

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._path is None:
            return
        try:
            if self._part and kind is None and os.name == "posix":
                os.fsync(self._file.fileno())  # a full disk may show only now
                os.replace(self._part, self._target)  # while the lock still holds
            self._file.close()
            if self._part and kind is None and os.name != "posix":  # Windows renames no open file
                os.replace(self._part, self._target)
        except OSError as failure:
            raise self._failure(failure) from failure
        if self._part and kind is not None:
            print(f"phiz: not complete; the lines so far are in {display_name(self._part)}", file=sys.stderr)


def _is_special(path: str) -> bool:
    """Whether the path is an existing device, pipe or the like, which cannot be replaced by a rename."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False
