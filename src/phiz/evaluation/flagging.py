"""Where a look is too poor: the thresholds of flags, from the errors measured on each side of them."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from ..ages import age_band
from ..models.certainty import COVERED, Curve, Flag
from .looks_at_faces import Floats, Looks
from .sureness import known, total

#: A look is flagged where errors are this many times those of good looks.
BOUND = 1.5
#: Looks over which an error is a mean.
NEAR = 100
#: Flag, its signal, whether low or high is bad, and the mildest threshold that may come out: good data sets
#: differ in more than these signals, and a difference between them must not flag half of one.
RULES = (
    ("small", "size", False, 48.0),
    ("blurred", "sharpness", False, 0.36),
    ("profile", "yaw", True, 30.0),
    ("dark", "brightness", False, 0.2),
    ("bright", "brightness", True, 0.75),
    ("cut off", "inside", False, 0.9),
)
#: What is said to be covered: this share of faces that are not.
FALSE_ALARMS = 0.05
COVER: dict[str, tuple[float, ...]] = {
    "age_std": (3.0, 6.0, 9.0, 12.0, 16.0),
    "age_branches": (0.5, 3.0, 6.0, 12.0),
    "gender_branches": (0.02, 0.15, 0.4),
    "gender_logit": (0.0, 1.5, 3.0, 5.0),
    "age": (5.0, 20.0, 40.0, 70.0),
}


def error_ratio(looks: Looks) -> Floats:
    """Return each look's error as a multiple of its kind's in good pictures (N,).

    Age by band, gender by domain; where both are known, their mean.
    """
    ratio = np.full((2, len(looks)), np.nan)
    error = np.abs(looks.age - looks.true_age)
    bands = np.array(["" if np.isnan(age) else age_band(age) for age in looks.true_age.tolist()])
    for values, kind, row in ((error, bands, 0), (1 - looks.right, looks.domain, 1)):
        for name in np.unique(kind):
            rows = (kind == name) & ~np.isnan(values)
            good = rows & ~looks.spoilt
            if good.any() and values[good].mean() > 0:
                ratio[row, rows] = values[rows] / values[good].mean()
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(ratio, axis=0) / np.maximum(1, (~np.isnan(ratio)).sum(axis=0)))


def thresholds(looks: Looks) -> dict[str, Flag]:
    """Return the rules of all flags but "covered".

    From the bad end on, the first value at which errors fall below BOUND times those of good pictures; where
    they are below it at once, nearly the last value, since nothing was measured further out.
    """
    ratio, found = error_ratio(looks), {}
    for name, signal, high, mildest in RULES:
        values = looks.signal(signal) * (-1 if high else 1)
        some = np.isfinite(values)
        order = np.argsort(values[some])
        rising, errors = values[some][order], ratio[some][order]
        local = np.convolve(errors, np.ones(NEAR) / NEAR, mode="valid")
        worse = int(np.argmax(local < BOUND)) if (local < BOUND).any() else len(local)
        at = rising[worse + NEAR // 2] if worse else rising[NEAR // 10]
        value = float(np.round(max(-at, mildest) if high else min(at, mildest), 3))
        found[name] = Flag(signal, most=value) if high else Flag(signal, least=value)
    return found


def fit_covered(bare: Looks, covered: Looks) -> tuple[dict[str, Curve], Flag]:
    """Return the tables of the log-odds that a face is covered, and the flag, from looks with and without."""
    tables = known(COVER, bare)
    design = np.vstack([tables.design(bare), tables.design(covered)])
    label = np.repeat([0, 1], [len(bare), len(covered)])
    model = LogisticRegression(C=1.0, max_iter=2000, class_weight="balanced").fit(design, label)
    curves = tables.curves(model.coef_[0], float(model.intercept_[0]))
    return curves, Flag(COVERED, most=float(np.round(np.quantile(total(curves, bare), 1 - FALSE_ALARMS), 3)))
