"""What a model's certainty is worth: coverage, widths, calibration and risk, domain by domain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..ages import age_band
from ..models.certainty import Bounds, Curve, Flag
from . import metrics, plots
from .flagging import NEAR, RULES, error_ratio
from .looks_at_faces import Floats, Looks
from .sureness import gender_scores, interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Bins of the expected calibration error, and the least score of "right where told".
BINS, TOLD = 15, 0.9
#: Smallest age band whose coverage is told.
SMALLEST = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. fitted: on "other domains" or "all domains". looks: "as they are" or "spoilt".

    measure: such as "coverage 0.9"; band: an age band, or "". n: of how many looks.
    """

    domain: str
    fitted: str
    looks: str
    measure: str
    band: str
    value: float
    n: int


COLUMNS = ("domain", "fitted", "looks", "measure", "band", "value", "n")


def cells(row: Row) -> list[object]:
    """Return a row as its cells under COLUMNS."""
    return [getattr(row, name) if name != "value" else round(row.value, 4) for name in COLUMNS]


def rows(
    looks: Looks, fitted: str, scale: dict[str, Curve], age: Mapping[str, Bounds], gender: dict[str, Curve]
) -> Iterator[Row]:
    """Yield every figure of one domain's looks under these tables."""
    for spoilt, name in ((False, "as they are"), (True, "spoilt")):
        part = looks.rows(looks.spoilt == spoilt)
        if not len(part):
            continue
        place = (str(part.domain[0]), fitted, name)
        known = part.rows(~np.isnan(part.true_age))
        if len(known):
            yield from _ages(known, place, scale, age)
        known = part.rows(~np.isnan(part.true_female))
        if len(known):
            yield from _genders(known, place, gender)


def _ages(
    looks: Looks, place: tuple[str, str, str], scale: dict[str, Curve], age: Mapping[str, Bounds]
) -> Iterator[Row]:
    bands = np.array([age_band(years) for years in looks.true_age.tolist()])
    yield Row(*place, "age error, years", "", float(np.abs(looks.age - looks.true_age).mean()), len(looks))
    for level, bounds in age.items():
        low, high = interval(scale, bounds, looks)
        inside = (looks.true_age >= low) & (looks.true_age <= high)
        yield Row(*place, f"coverage {level}", "", float(inside.mean()), len(looks))
        yield Row(*place, f"width {level}, years", "", float((high - low).mean()), len(looks))
        for band in np.unique(bands).tolist():
            n = int((bands == band).sum())
            if n >= SMALLEST:
                yield Row(*place, f"coverage {level}", band, float(inside[bands == band].mean()), n)


def _genders(looks: Looks, place: tuple[str, str, str], gender: dict[str, Curve]) -> Iterator[Row]:
    score, right, n = gender_scores(gender, looks), looks.right, len(looks)
    told = score >= TOLD
    raw = 1 / (1 + np.exp(-looks.signal("gender_logit")))
    error, before = (float(metrics.expected_calibration_error(s, right, BINS)) for s in (score, raw))
    yield Row(*place, "gender right", "", float(right.mean()), n)
    yield Row(*place, "mean gender score", "", float(score.mean()), n)
    yield Row(*place, "calibration error", "", error, n)
    yield Row(*place, "calibration error of the network", "", before, n)
    yield Row(*place, f"share told at {TOLD}", "", float(told.mean()), n)
    if told.any():
        yield Row(*place, f"right where told at {TOLD}", "", float(right[told].mean()), int(told.sum()))


def risk(looks: Looks, gender: dict[str, Curve], points: int = 50) -> list[tuple[float, float, float]]:
    """Return the risk-coverage curve: share told, share wrong of it and least score, as that score falls."""
    known = looks.rows(~np.isnan(looks.true_female))
    score = gender_scores(gender, known)
    order = np.argsort(-score, kind="stable")
    wrong = np.cumsum(1 - known.right[order])
    counts = np.unique(np.linspace(max(1, len(known) // points), len(known), points).astype(int))
    return [(k / len(known), float(wrong[k - 1] / k), float(score[order[k - 1]])) for k in counts.tolist()]


def risk_plot(curves: Mapping[str, Sequence[tuple[float, float, float]]], title: str) -> str:
    """Return the risk-coverage curves by domain as SVG."""

    def draw(axes: Axes) -> None:
        for i, (name, points) in enumerate(curves.items()):
            xs, ys = [100 * p[0] for p in points], [100 * p[1] for p in points]
            axes.plot(xs, ys, label=name, color=plots.ink(plots.SERIES[i]), linestyle=plots.STYLES[i])
        axes.set_xlabel("faces whose gender is told, %")
        axes.set_ylabel("of these wrong, %")
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False)

    return plots.standalone(plots.drawing(draw, title))


def by_signal(looks: Looks, signal: str, points: int = 40) -> list[tuple[float, float]]:
    """Return (value, errors as a multiple of those of good pictures), a mean over NEAR neighbouring looks."""
    values, ratio = looks.signal(signal), error_ratio(looks)
    some = np.isfinite(values)
    order = np.argsort(values[some])
    middle: Floats = np.convolve(values[some][order], np.ones(NEAR) / NEAR, mode="valid")
    local: Floats = np.convolve(ratio[some][order], np.ones(NEAR) / NEAR, mode="valid")
    at = np.unique(np.linspace(0, len(local) - 1, points).astype(int))
    return list(zip(middle[at].tolist(), local[at].tolist(), strict=True))


def signal_plot(looks: Looks, signal: str, flags: Mapping[str, Flag], title: str) -> str:
    """Return the error against one signal as SVG, with the flags' thresholds."""

    def draw(axes: Axes) -> None:
        points = by_signal(looks, signal)
        axes.plot(*zip(*points, strict=True), color=plots.ink(plots.SERIES[0]))
        for flag in flags.values():
            for limit in (flag.least, flag.most):
                if flag.signal == signal and limit is not None:
                    axes.axvline(limit, color=plots.ink(plots.SERIES[1]), linestyle=plots.STYLES[1])
        axes.set_xlabel(signal)
        axes.set_ylabel("errors, times those of good pictures")
        axes.set_ylim(bottom=0)

    return plots.standalone(plots.drawing(draw, title))


def flagged(looks: Looks, flags: Mapping[str, Flag]) -> Iterator[Row]:
    """Yield how often each flag of a look's own signals is raised, in one domain's looks."""
    for spoilt, name in ((False, "as they are"), (True, "spoilt")):
        part = looks.rows(looks.spoilt == spoilt)
        for flag, signal, *_ in RULES:
            if flag in flags and len(part):
                raised = [flags[flag].raised({signal: v}) for v in part.signal(signal).tolist()]
                place = (str(part.domain[0]), "all domains", name)
                yield Row(*place, f"flagged as {flag}", "", float(np.mean(raised)), len(part))
