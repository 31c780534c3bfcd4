"""The file of teachers' answers that `phiz teach` writes and a recipe's [data] taught names."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phiz.errors import RecipeError
from phiz.training.crops import Crops

COLUMNS = ("picture", "age", "age_std", "female")


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


def picture(path: str) -> str:
    """Return a picture's name in the file: its data set's folder and its file name, as UTKFace/1.jpg."""
    return "/".join(Path(path).parts[-2:])
