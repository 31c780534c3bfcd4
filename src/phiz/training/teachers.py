"""The file of teachers' answers that `phiz teach` writes and a recipe's [data] taught names."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from phiz.errors import RecipeError
from phiz.training.crops import Crops
from phiz.training.fingerprint import of_file

COLUMNS = ("picture", "age", "age_std", "female")
#: Under what the JSON beside the answers has their hash, so that it speaks of these and no others.
SHA256 = "sha256"


@dataclass(frozen=True, slots=True)
class TaughtLabels:
    """Teachers' answers by picture: age, its standard deviation (years), probability of female."""

    path: Path
    rows: dict[str, tuple[float, float, float]]

    def of(self, crops: Crops) -> Crops:
        """Return the crops with their answers, NaN where the file has none.

        Raises RecipeError where it names none of the pictures.
        """
        nothing = (np.nan, np.nan, np.nan)
        values = np.array([self.rows.get(picture(name), nothing) for name in crops.paths], np.float32)
        if np.isnan(values).all():
            raise RecipeError(
                f"{self.path}: names none of the {len(crops)} training pictures; run phiz teach"
            )
        return crops.with_taught(values)


def load_answers(path: Path) -> TaughtLabels:
    """Read a file of answers. Raises RecipeError, naming the line, where it is missing or malformed."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
    except (OSError, ValueError, csv.Error) as error:
        raise RecipeError(f"{path}: expected the teachers' answers of phiz teach: {error}") from error
    if tuple(header) != COLUMNS:
        raise RecipeError(f"{path}:1: expected the columns {', '.join(COLUMNS)}, got {', '.join(header)}")
    answers: dict[str, tuple[float, float, float]] = {}
    for line, row in enumerate(rows, 2):
        try:
            name, age, std, female = row
            answers[name] = (float(age), float(std), float(female))
        except ValueError as error:
            raise RecipeError(f"{path}:{line}: expected a picture and three numbers, got {row}") from error
    return TaughtLabels(path, answers)


def write_answers(
    path: Path, answers: Mapping[str, tuple[float, float, float]], about: Mapping[str, Any]
) -> None:
    """Write teachers' answers by picture; beside them, as JSON, whose they are, for `read_about`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for name, values in sorted(answers.items()):
            writer.writerow([name, *(f"{value:.4g}" for value in values)])
    part.replace(path)
    text = json.dumps({SHA256: of_file(path), **about}, indent=2)
    path.with_name(f"{path.name}.json").write_text(f"{text}\n", encoding="utf-8")


def read_about(path: Path) -> dict[str, Any]:
    """Return what `write_answers` was told about a file of answers; nothing where that is not known."""
    try:
        about = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    known = isinstance(about, dict) and about.get(SHA256) == of_file(path)
    return about if known else {}


def picture(path: str) -> str:
    """Return a picture's name in the file: its data set's folder and its file name, as UTKFace/1.jpg."""
    return "/".join(Path(path).parts[-2:])
