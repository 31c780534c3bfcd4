"""Evaluation protocols: which pictures train and which test, as data.

A protocol file (TOML) names a data set and how it is divided; `folds` turns it and the data set's
records into folds. Every division follows from the file and the records alone.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fold:
    """One division of a data set: file names that may train, and file names that test.

    train is empty where the protocol tests a model that was trained elsewhere.
    """

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]
