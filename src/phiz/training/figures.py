"""Plain figures of a network's answers on labelled crops, each over all pictures that have the label."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phiz.training.crops import Crops

#: The plain figures, and how a line of text says them.
PLAIN = {
    "age_mae": ("age MAE", ".3f"),
    "age_range_error": ("years outside the age range", ".3f"),
    "gender_accuracy": ("gender", ".2%"),
}


def missed(age: NDArray[np.floating], span: NDArray[np.float32]) -> NDArray[np.floating]:
    """Return by how many years ages (..., N) miss their spans (N, 2), NaN where no label is known."""
    return np.asarray(np.maximum(np.maximum(span[:, 0] - age, age - span[:, 1]), 0))


def plain(
    age: NDArray[np.float32] | None, female: NDArray[np.float32] | None, crops: Crops
) -> dict[str, float]:
    """Return those of PLAIN that the answers and the labels allow.

    age: (N,) years. female: (N,) probabilities. age_mae: of pictures whose age is known, years.
    age_range_error: of those of a range, years outside it.
    """
    found = {}
    exact, ranged = ~np.isnan(crops.age), ~np.isnan(crops.age_range).any(1)
    for name, known in (("age_mae", exact), ("age_range_error", ranged & ~exact)):
        if age is not None and known.any():
            found[name] = float(missed(age, crops.span)[known].mean())
    labelled = ~np.isnan(crops.female)
    if female is not None and labelled.any():
        found["gender_accuracy"] = float(((female >= 0.5) == (crops.female == 1))[labelled].mean())
    return found


def said(figures: dict[str, float]) -> str:
    """Return figures as text, such as "age MAE 4.970, gender 92.40%"."""
    return ", ".join(
        f"{text} {figures[name]:{form}}" for name, (text, form) in PLAIN.items() if name in figures
    )
