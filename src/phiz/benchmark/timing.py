"""Timed calls, and the rows of the table."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

#: Calls before the first timed one.
WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was measured in which part, and the figure.

    median, p95, p99, fastest: of the timed calls, in `unit`; a figure that is no time stands in median alone.
    per_second: pictures, or what the row counts, a second at the median. repeats: timed calls.
    note: what else is to be said, such as why there is no figure.
    """

    part: str
    measure: str
    unit: str
    fastest: float | None = None
    median: float | None = None
    p95: float | None = None
    p99: float | None = None
    per_second: float | None = None
    repeats: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure: at most `repeats` calls of each thing, about `seconds`, but at least three calls.

    quick: only the smallest sizes of each part, to see that everything runs.
    """

    repeats: int = 300
    seconds: float = 5.0
    quick: bool = False


def timed(function: Callable[[], object], effort: Effort) -> list[float]:
    """Return the seconds of each call, one after another, after a warm-up."""
    return times_in_turn([function], effort)[0]


def times_in_turn(functions: Sequence[Callable[[], object]], effort: Effort) -> list[list[float]]:
    """Return the seconds of each call of each function, called in turn so that all are disturbed alike."""
    for function in functions:
        for _ in range(1 if effort.quick else WARM_UP):
            function()
    seconds: list[list[float]] = [[] for _ in functions]
    begun = time.perf_counter()
    while len(seconds[0]) < effort.repeats:
        if len(seconds[0]) >= 3 and time.perf_counter() - begun > effort.seconds * len(functions):
            break
        for function, kept in zip(functions, seconds, strict=True):
            start = time.perf_counter()
            function()
            kept.append(time.perf_counter() - start)
    return seconds


def row(part: str, measure: str, seconds: Sequence[float], *, count: int = 1, note: str = "") -> Row:
    """Return the row of timed calls, in milliseconds; `count` things are done in each call."""
    milliseconds = np.array(seconds) * 1000
    median, p95, p99 = (float(np.percentile(milliseconds, share)) for share in (50, 95, 99))
    fastest = float(milliseconds.min())
    return Row(part, measure, "ms", fastest, median, p95, p99, count * 1000 / median, len(seconds), note)
