"""The files of an evaluation: figures and predictions as CSV, what made them as JSON, an index of all."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..files import own_part
from .groups import SHOWN, TITLES, Figure, Scored

FIGURE_COLUMNS = ("group_kind", "group_value", "metric", "value", "low", "high", "n", "note")
#: Columns that a file of predictions must have; the others of `Scored` may be absent.
NEEDED = ("file", "true_age", "true_gender", "age", "gender")
INDEX = "evaluations.csv"


def write_figures(path: Path, rows: Iterable[Figure]) -> None:
    """Write one CSV row per group and metric; numbers to four decimals. Raises DataError."""
    write_csv(
        path,
        FIGURE_COLUMNS,
        ((r.kind, r.group, r.metric, r.value, r.low, r.high, r.n, r.note) for r in rows),
    )


def write_predictions(path: Path, rows: Iterable[Scored]) -> None:
    """Write one CSV row per picture: file name, labels and answers, no picture. Raises DataError."""
    columns = [field.name for field in fields(Scored)]
    write_csv(path, columns, ([getattr(row, name) for name in columns] for row in rows))


def write_answers(path: Path, rows: Sequence[Scored]) -> None:
    """Write what `read_predictions` needs, and no column that is empty. Raises DataError."""
    chosen = [
        field.name
        for field in fields(Scored)
        if field.name in NEEDED or any(getattr(row, field.name) not in (None, "") for row in rows)
    ]
    write_csv(path, chosen, ([getattr(row, name) for name in chosen] for row in rows))


def read_predictions(path: Path | str) -> list[Scored]:
    """Read predictions, as write_predictions or another tool wrote them; an empty field is no value.

    Needs the columns NEEDED; without `cluster` each picture stands for itself. A row without any
    answer gets a problem. Raises DataError naming file and line where a column is missing, a value
    is no number or no known gender, or a picture comes twice in a fold.
    """
    found: dict[tuple[str, str], Scored] = {}
    for number, row in read_csv(path, NEEDED, "predictions"):
        where = f"{path}, line {number}"
        scored = _scored(row, where)
        if (scored.fold, scored.file) in found:
            raise DataError(f"{where}: expected each picture once in a fold; {scored.file!r} comes twice")
        found[scored.fold, scored.file] = scored
    if not found:
        raise DataError(f"{path}: expected predictions, one row per picture; got none")
    return list(found.values())


def write_provenance(path: Path, facts: Mapping[str, Any]) -> None:
    """Write what made the figures as JSON. Raises DataError."""
    write_text(path, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")


def add_to_index(folder: Path, line: Mapping[str, Any]) -> None:
    """Add an evaluation's line to the folder's evaluations.csv, or replace that of its model and protocol.

    Columns that the file lacks are added; lines stay sorted. Raises DataError.
    """
    path, key = folder / INDEX, ("model", "protocol")
    lines = [row for _, row in read_csv(path, key, "an index of evaluations")] if path.exists() else []
    lines = [row for row in lines if any(row[name] != line[name] for name in key)]
    lines.append({name: _plain(value) for name, value in line.items()})
    lines.sort(key=lambda row: [row[name] for name in key])
    columns = list(dict.fromkeys(name for row in (line, *lines) for name in row))
    write_csv(path, columns, ([row.get(name, "") for name in columns] for row in lines))


def make_folder(folder: Path) -> None:
    """Make a folder for results, with those above it. Raises DataError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: could not make the folder for the results: {error.strerror}") from error


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a table as CSV; numbers to four decimals, None as nothing. Raises DataError."""
    part = own_part(path)
    try:
        with part.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([_plain(value) for value in row] for row in rows)
        os.replace(part, path)  # a reader, or a kill, never meets half a file
    except OSError as error:
        raise _unwritten(path, error) from error


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8. Raises DataError."""
    part = own_part(path)
    try:
        part.write_text(text, encoding="utf-8", errors="surrogateescape")
        os.replace(part, path)
    except OSError as error:
        raise _unwritten(path, error) from error


def table(rows: Sequence[Figure], metrics: Sequence[str] = SHOWN) -> str:
    """Return figures of these metrics as text, one line per group: value and [95% interval]."""
    by_group: dict[tuple[str, str], dict[str, Figure]] = {}
    for row in rows:
        by_group.setdefault((row.kind, row.group), {})[row.metric] = row
    shown = [(name, *TITLES[name]) for name in metrics if any(name in found for found in by_group.values())]
    lines = [["", "n", *(title for _, title, _ in shown)]]
    for (kind, group), found in by_group.items():
        label = group if kind == "all" else f"{kind}: {group}"
        n = max(figure.n for figure in found.values())
        lines.append([label, str(n), *(cell(found.get(name), scale) for name, _, scale in shown)])
    return aligned(lines)


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Return lines of cells as text in columns."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def cell(figure: Figure | None, scale: float) -> str:
    """Return a figure as text, such as "4.97 [4.74, 5.20]"; scale 100 turns shares into percent."""
    if figure is None:
        return "-"
    if figure.value is None:
        return figure.note
    digits = 2 if scale == 1 else 1
    value = f"{figure.value * scale:.{digits}f}"
    if figure.low is None or figure.high is None:
        return value
    return f"{value} [{figure.low * scale:.{digits}f}, {figure.high * scale:.{digits}f}]"


def _scored(row: Mapping[str, str], where: str) -> Scored:
    name = row["file"]
    if not name:
        raise DataError(f"{where}: expected a file name in column file; got nothing")
    age, gender = _number(row, "age", where), _gender(row, "gender", where)
    problem = row.get("problem") or None
    if age is None and gender is None and problem is None:
        problem = "no answer"
    score = _number(row, "gender_score", where)
    if score is not None and not 0.5 <= score <= 1:
        raise DataError(
            f"{where}: gender_score: expected the named gender's probability, 0.5 to 1; got {score:g}"
        )
    return Scored(
        file=name,
        cluster=row.get("cluster") or name,
        true_age=_number(row, "true_age", where),
        true_gender=_gender(row, "true_gender", where),
        group=row.get("group") or None,
        age=age,
        gender=gender,
        gender_score=score,
        problem=problem,
        fold=row.get("fold") or "",
        true_first=_number(row, "true_first", where),
        true_last=_number(row, "true_last", where),
    )


def _number(row: Mapping[str, str], column: str, where: str) -> float | None:
    text = row.get(column)
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{where}: {column}: expected a number or nothing; got {text!r}")
    return value


def _gender(row: Mapping[str, str], column: str, where: str) -> str | None:
    text = row.get(column)
    if text and text not in ("female", "male"):
        raise DataError(f"{where}: {column}: expected female, male or nothing; got {text!r}")
    return text or None


def read_csv(path: Path | str, columns: Sequence[str], what: str) -> Iterable[tuple[int, dict[str, str]]]:
    """Yield (line number, row) of a CSV file of `what`; DataError where it cannot be one."""
    try:
        with Path(path).open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            reader = csv.DictReader(file)
            if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
                raise DataError(
                    f"{path}: expected {what} with columns {', '.join(columns)}; {', '.join(missing)} "
                    f"missing, got {', '.join(reader.fieldnames or ()) or 'an empty file'}"
                )
            for row in reader:
                if None in row or None in row.values():
                    raise DataError(
                        f"{path}, line {reader.line_num}: expected {len(reader.fieldnames or ())} fields, "
                        f"as in the first line"
                    )
                yield reader.line_num, row
    except OSError as error:
        raise DataError(f"{path}: expected {what}, could not read the file: {error.strerror}") from error
    except csv.Error as error:
        raise DataError(f"{path}: expected {what} as CSV: {error}") from error


def _plain(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def _unwritten(path: Path, error: OSError) -> DataError:
    return DataError(f"{path}: could not write the results: {error.strerror}")
