"""The age bands in which splits, figures and audiences are told."""

from __future__ import annotations

#: First and last age in years of each band; the last has no end.
AGE_BANDS = ((0, 12), (13, 19), (20, 39), (40, 59), (60, None))


def age_band(age: float) -> str:
    """Return the name of the age band (0-12, 13-19, 20-39, 40-59, 60+) that an age in years falls into."""
    for low, high in AGE_BANDS:
        if high is None or age < high + 1:
            return f"{low}+" if high is None else f"{low}-{high}"
    raise AssertionError("the last band has no upper end")
