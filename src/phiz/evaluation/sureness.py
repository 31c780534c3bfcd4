"""Fit how sure a model's answers are: the tables of `phiz.models.certainty`, from labelled looks.

The age's scale is a Gamma regression of the absolute error on piecewise-linear tables of the signals; how
many scales an interval reaches is the conformal quantile of errors on people that the scale was not fitted
on, by age (cross-conformal: Vovk, Annals of Mathematics and Artificial Intelligence 74, 2015). Gender is a
logistic regression in which every table multiplies the network's logit. No group label is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import GammaRegressor, LogisticRegression
from sklearn.model_selection import GroupKFold

from ..ages import age_band
from ..models.certainty import Bounds, Curve
from .looks_at_faces import Floats, Looks

#: Share of ages in the interval.
LEVELS = (0.5, 0.8, 0.9)
#: Signals of the tables and the points between which they are straight lines.
SCALE: dict[str, tuple[float, ...]] = {
    "age": (1.0, 5.0, 10.0, 16.0, 25.0, 35.0, 50.0, 70.0),
    "age_std": (3.0, 6.0, 9.0, 12.0, 16.0),
    "age_branches": (0.5, 3.0, 6.0, 12.0),
    "size": (16.0, 32.0, 64.0),
    "sharpness": (0.33, 0.38, 0.45, 0.55),
    "yaw": (15.0, 30.0, 50.0),
}
GENDER: dict[str, tuple[float, ...]] = {
    "gender_logit": (0.0, 1.5, 3.0, 5.0),
    "gender_branches": (0.02, 0.15, 0.4),
    "age": (3.0, 12.0, 20.0, 50.0),
    "size": (16.0, 32.0, 64.0),
    "sharpness": (0.33, 0.38, 0.45, 0.55),
    "brightness": (0.1, 0.25, 0.4, 0.7),
    "yaw": (15.0, 30.0, 50.0),
}
#: Ages at which an interval's reach is told, and how many years around each are looked at.
AGES, AROUND = (2.0, 8.0, 15.0, 24.0, 34.0, 46.0, 60.0, 75.0), 6.0
#: Errors below this count as this: labels are whole years.
LEAST_ERROR = 0.5
FOLDS = 5
#: Looks that a quantile must be worth.
ENOUGH = 60.0
#: Share of the weight that spoilt looks have, of each domain.
SPOILT = 0.5
#: How far weights go towards all age bands counting the same: 0 not at all, 1 wholly.
EVEN = 0.5
#: On the heights of the scale's tables; and its inverse on those of gender's.
PENALTY, STRENGTH = 0.03, 0.3
#: What reaches are multiplied by, since errors are larger on kinds of pictures that nothing was fitted on;
#: found on validation, where FG-NET and UTKFace are left out in turn.
MORE = 1.25
#: The most that a gender score may say: labels themselves are no surer.
HIGHEST = 0.99


def tents(values: Floats, knots: Sequence[float]) -> Floats:
    """Return the columns (N, knots) whose weighted sum is the Curve with those weights as heights.

    Example:
        >>> tents(np.array([0.0, 1.5, np.inf]), (1.0, 2.0)).tolist()
        [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]
    """
    clipped = np.clip(values, knots[0], knots[-1])
    columns = np.eye(len(knots))
    return np.stack([np.interp(clipped, knots, column) for column in columns], axis=1)


@dataclass(frozen=True, slots=True)
class Tables:
    """Tables that are fitted together: their signals, their points, and the columns of each in a design."""

    points: dict[str, tuple[float, ...]]

    def design(self, looks: Looks) -> Floats:
        """Return (N, columns): the tents of every signal side by side."""
        return np.hstack([tents(looks.signal(name), knots) for name, knots in self.points.items()])

    def curves(self, heights: Floats, constant: float = 0.0) -> dict[str, Curve]:
        """Return the tables with these heights; the constant goes to the first."""
        made, start = {}, 0
        for name, knots in self.points.items():
            some = heights[start : start + len(knots)] + constant
            made[name] = Curve(tuple(knots), tuple(np.round(some, 4).tolist()))
            start, constant = start + len(knots), 0.0
        return made


def known(points: dict[str, tuple[float, ...]], looks: Looks) -> Tables:
    """Return the tables whose signals the model tells."""
    told = {name for name in points if np.isfinite(looks.signal(name)).any()}
    return Tables({name: knots for name, knots in points.items() if name in told})


def total(curves: dict[str, Curve], looks: Looks) -> Floats:
    """Return the sum of tables for every look (N,)."""
    return sum((tents(looks.signal(n), c.x) @ np.array(c.y) for n, c in curves.items()), np.zeros(len(looks)))


def weights(looks: Looks, by_age: bool) -> Floats:
    """Return each look's weight (N,), 1 on average: domains weigh the same, and spoilt looks SPOILT of each.

    by_age: age bands weigh more alike, see EVEN.
    """
    weight = np.ones(len(looks))
    for domain in np.unique(looks.domain):
        for spoilt, share in ((False, 1 - SPOILT), (True, SPOILT)):
            rows = (looks.domain == domain) & (looks.spoilt == spoilt)
            weight[rows] = share / max(1, rows.sum())
    if by_age:
        band = np.array([age_band(age) for age in looks.true_age.tolist()])
        for name in np.unique(band):
            weight[band == name] /= (weight[band == name].sum() / weight.sum()) ** EVEN
    return np.asarray(weight / weight.mean())


def fit_scale(looks: Looks, weight: Floats) -> dict[str, Curve]:
    """Return the tables whose sum is the logarithm of the expected absolute error of the age."""
    tables = known(SCALE, looks)
    error = np.maximum(np.abs(looks.age - looks.true_age), LEAST_ERROR)
    model = GammaRegressor(alpha=PENALTY, max_iter=2000).fit(tables.design(looks), error, weight)
    return tables.curves(model.coef_, float(model.intercept_))


def fit_age(looks: Looks) -> tuple[dict[str, Curve], dict[str, Bounds]]:
    """Return the scale's tables and the bounds of each level, from looks of which some have a known age."""
    looks = looks.rows(~np.isnan(looks.true_age))
    weight, scale = weights(looks, by_age=True), np.zeros(len(looks))
    folds = GroupKFold(min(FOLDS, len(set(looks.cluster.tolist()))))
    for train, test in folds.split(scale, groups=looks.cluster):
        scale[test] = np.exp(total(fit_scale(looks.rows(train), weight[train]), looks.rows(test)))
    scaled = (looks.true_age - looks.age) / scale
    bounds = {f"{level:g}": _bounds(looks.age, scaled, weight, level) for level in LEVELS}
    return fit_scale(looks, weight), bounds


def _bounds(age: Floats, scaled: Floats, weight: Floats, level: float) -> Bounds:
    below, above = [], []
    for middle in AGES:
        width, near = AROUND + 0.2 * middle, weight
        while width < 100:
            near = weight * np.exp(-0.5 * ((age - middle) / width) ** 2)
            if effective(near) >= ENOUGH:
                break
            width *= 1.25
        low, high = (quantile(scaled, near, q) for q in ((1 - level) / 2, (1 + level) / 2))
        below.append(max(0.0, -low * MORE))
        above.append(max(0.0, high * MORE))
    return Bounds(*(Curve(AGES, tuple(np.round(reach, 4).tolist())) for reach in (below, above)))


def effective(weight: Floats) -> float:
    """Return of how many equal looks the weights are worth."""
    return float(weight.sum() ** 2 / np.square(weight).sum())


def quantile(values: Floats, weight: Floats, share: float) -> float:
    """Return a weighted quantile, the outer one of two neighbours, as conformal prediction asks for."""
    order = np.argsort(values)
    reached = np.cumsum(weight[order]) / weight.sum()
    wanted = share + (share - 0.5) / (effective(weight) + 1)
    at = int(np.searchsorted(reached, wanted))
    return float(values[order[min(max(at, 0), len(values) - 1)]])


def fit_gender(looks: Looks) -> dict[str, Curve]:
    """Return the tables whose sum multiplies the network's logit, from looks of which some have a gender."""
    looks = looks.rows(~np.isnan(looks.true_female))
    tables, logit = known(GENDER, looks), looks.signal("gender_logit")[:, None]
    # A column of its own for the mean height, which is as good as not penalised
    columns = np.hstack([10 * np.ones((len(looks), 1)), tables.design(looks)]) * logit
    model = LogisticRegression(C=STRENGTH, fit_intercept=False, max_iter=5000)
    model.fit(columns, looks.right.astype(int), sample_weight=weights(looks, by_age=False))
    mean, *heights = model.coef_[0].tolist()
    return tables.curves(np.array(heights), 10 * mean)


def interval(scale_tables: dict[str, Curve], bounds: Bounds, looks: Looks) -> tuple[Floats, Floats]:
    """Return the ends of the interval of every look, years."""
    scale = np.exp(total(scale_tables, looks))
    below, above = (np.interp(looks.age, c.x, c.y) for c in (bounds.below, bounds.above))
    return np.maximum(0, looks.age - below * scale), looks.age + above * scale


def gender_scores(tables: dict[str, Curve], looks: Looks) -> Floats:
    """Return the calibrated score of every look."""
    logit = looks.signal("gender_logit") * np.maximum(0, total(tables, looks))
    return np.minimum(1 / (1 + np.exp(-logit)), HIGHEST)
