"""How sure an answer is: from what the network says and how good the look is, by tables on the card.

`tools/fit_certainty.py` fits the tables. Everything is sums, products, exp, log and straight lines between
points, so that other languages find the same.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ModelError
from ..types import QUALITY, Estimate

#: What `signals` tells. Beside quality: the age in years, the spread of the network's distribution over ages
#: (years), how far its branches lie apart (years; probability), and the logit of its gender, at least 0.
SIGNALS = (*QUALITY, "age", "age_std", "age_branches", "gender_branches", "gender_logit")
#: Added to what `signals` tells: log-odds of a covered face.
COVERED = "covered"
#: Why a face may be hard to read, in the order told.
FLAGS = ("small", "blurred", "profile", "dark", "bright", "cut off", "covered")
#: No probability from the network is taken as nearer to 1 than this.
_SUREST = 1e-6


@dataclass(frozen=True, slots=True)
class Curve:
    """Straight lines between the points (x, y), x rising; beyond the ends, the end's y."""

    x: tuple[float, ...]
    y: tuple[float, ...]

    def __call__(self, value: float) -> float:
        """Return the height at a value, which may be infinite."""
        x, y = self.x, self.y
        if value <= x[0]:
            return y[0]
        if value >= x[-1]:
            return y[-1]
        i = bisect_right(x, value) - 1
        return y[i] + (y[i + 1] - y[i]) * ((value - x[i]) / (x[i + 1] - x[i]))


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far below and above the age an interval reaches, in multiples of the scale, by the age in years."""

    below: Curve
    above: Curve


@dataclass(frozen=True, slots=True)
class Flag:
    """What is flagged: a signal (of `SIGNALS`, or `COVERED`) under `least` or over `most`."""

    signal: str
    least: float | None = None
    most: float | None = None

    def raised(self, signals: Mapping[str, float]) -> bool:
        """Whether these signals are flagged; one that is not known is not."""
        value = signals.get(self.signal)
        if value is None:
            return False
        return (self.least is not None and value < self.least) or (
            self.most is not None and value > self.most
        )


@dataclass(frozen=True, slots=True)
class Certainty:
    """What a card says of how sure the model's answers are; each table is by the names of signals.

    scale: their sum is the logarithm of the age's scale in years, about the expected error.
    age: by coverage ("0.9"), how many scales an interval reaches. gender: their sum is what the logit of the
    network's gender is multiplied by; `highest` is the most that a score may say. covered: their sum is the
    log-odds that something covers the face. flags: by name, of FLAGS. fit: where and how all of it was
    fitted, free in form.
    """

    scale: dict[str, Curve]
    age: dict[str, Bounds]
    gender: dict[str, Curve]
    highest: float
    covered: dict[str, Curve]
    flags: dict[str, Flag]
    fit: dict[str, Any] = field(default_factory=dict)

    def problem(self) -> str:
        """Return what is wrong with the tables, "" where nothing is."""
        names = [*self.scale, *self.gender, *self.covered, *(flag.signal for flag in self.flags.values())]
        if unknown := sorted(set(names) - {*SIGNALS, COVERED}):
            return f"unknown signals {', '.join(unknown)}; known: {', '.join((*SIGNALS, COVERED))}"
        if unknown := sorted(set(self.flags) - set(FLAGS)):
            return f"unknown flags {', '.join(unknown)}; known: {', '.join(FLAGS)}"
        bounds = [curve for each in self.age.values() for curve in (each.below, each.above)]
        for curve in (*self.scale.values(), *self.gender.values(), *self.covered.values(), *bounds):
            rising = all(a < b for a, b in zip(curve.x, curve.x[1:], strict=False))
            if not curve.x or len(curve.x) != len(curve.y) or not rising:
                return f"tables need rising x and as many y, got x {list(curve.x)[:8]}, y {list(curve.y)[:8]}"
        for level in self.age:
            try:
                if level != f"{float(level):g}" or not 0 < float(level) < 1:
                    raise ValueError
            except ValueError:
                return f'a coverage must be written as "0.9" and lie between 0 and 1, got {level!r}'
        return "" if 0.5 <= self.highest <= 1 else f"highest must be from 0.5 to 1, got {self.highest}"


@dataclass(frozen=True, slots=True)
class Caution:
    """How cautious answers shall be.

    coverage: the share of people whose age lies in the interval; one of the levels on the card.
    min_gender_score: below this score the gender is None. strict: a face with a flag gets no answer.
    Raises ValueError where a number is out of range.
    """

    coverage: float = 0.9
    min_gender_score: float = 0.5
    strict: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.coverage < 1:
            raise ValueError(f"coverage: expected a number between 0 and 1, got {self.coverage}")
        if not 0.5 <= self.min_gender_score <= 1:
            raise ValueError(f"min_gender_score: expected 0.5 to 1, got {self.min_gender_score}")


def check_coverage(certainty: Certainty | None, coverage: float, name: str) -> None:
    """Raise ModelError where a model has intervals, and none of this coverage; `name` is the model's."""
    if certainty is not None and f"{coverage:g}" not in certainty.age:
        raise ModelError(f"{name}: expected a coverage of {', '.join(certainty.age)}, got {coverage:g}")


def signals(estimate: Estimate, quality: Mapping[str, float], certainty: Certainty) -> dict[str, float]:
    """Return everything that tells how sure an answer is; yaw and roll without their sign."""
    found = {**quality, **estimate.signals, "age": estimate.age}
    for angle in ("yaw", "roll"):
        if angle in found:
            found[angle] = abs(found[angle])
    if estimate.gender_score is not None:
        score = min(estimate.gender_score, 1 - _SUREST)
        found["gender_logit"] = math.log(score / (1 - score))
    if certainty.covered:
        found[COVERED] = total(certainty.covered, found)
    return found


def total(tables: Mapping[str, Curve], found: Mapping[str, float]) -> float:
    """Return the sum of tables; a signal that is not known counts as infinite, as bad as they come."""
    return sum(curve(found.get(name, math.inf)) for name, curve in tables.items())


def age_interval(certainty: Certainty, found: Mapping[str, float], coverage: float) -> tuple[float, float]:
    """Return the years between which the age lies with this coverage. found: see `signals`."""
    age, bounds = found["age"], certainty.age[f"{coverage:g}"]
    scale = math.exp(total(certainty.scale, found))
    return max(0.0, age - bounds.below(age) * scale), age + bounds.above(age) * scale


def gender_score(certainty: Certainty, found: Mapping[str, float]) -> float:
    """Return the probability that the likelier gender is right, 0.5 to `certainty.highest`."""
    logit = found["gender_logit"] * max(0.0, total(certainty.gender, found))
    return min(1 / (1 + math.exp(-logit)), certainty.highest)


def flags(certainty: Certainty, found: Mapping[str, float]) -> tuple[str, ...]:
    """Return why the face may be hard to read, in the order of FLAGS."""
    rules = certainty.flags
    return tuple(name for name in FLAGS if name in rules and rules[name].raised(found))
