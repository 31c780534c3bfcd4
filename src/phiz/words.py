"""An answer in words for people: a range of ages first, and no surer than it is."""

from __future__ import annotations

from math import floor

from .types import Face

#: From which gender_score the gender is said outright, and from which as probable; below it is "not sure".
SURE, PROBABLE = 0.9, 0.7
NOT_SURE = "not sure"


def age_words(face: Face) -> str:
    """Return the age as "30 to 41, about 35", as "35" without an interval, "-" where it is not told."""
    if face.age is None:
        return "-"
    return f"{age_range(face)}, about {whole(face.age)}" if face.age_interval else age_range(face)


def age_range(face: Face) -> str:
    """Return the age as "30 to 41", as "35" without an interval, "-" where it is not told."""
    if face.age is None:
        return "-"
    if face.age_interval is None:
        return str(whole(face.age))
    low, high = map(whole, face.age_interval)
    return f"{low} to {high}"


def gender_words(face: Face) -> str:
    """Return "female", "probably female", or "not sure"; "-" where it is not told, with a flag as reason."""
    if face.gender_score is None:
        return "-"
    if face.gender is None or face.gender_score < PROBABLE:
        return NOT_SURE
    return face.gender if face.gender_score >= SURE else f"probably {face.gender}"


def sure_words(score: float | None) -> str:
    """Return a probability in percent, at most "99%"; "-" for None."""
    return "-" if score is None else f"{min(99, whole(100 * score))}%"


def whole(value: float) -> int:
    """Return the nearest whole number, a half upwards, as JavaScript rounds."""
    return floor(value + 0.5)
