"""An age and a gender that settle: the weighted mean of all looks at a face, and how sure that is.

The interval of a look stands for the variance of its error. The variance of the mean of several errors,
independent or not, is the mean of theirs less the mean square by which they lie apart from their mean. So the
interval shrinks by as much as the looks of a track differ, and not at all where frame after frame says the
same: that is one look many times. What looks at one person err by together (`SHARED`) never goes.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from statistics import NormalDist

from ..models.certainty import Caution
from ..types import Face

#: Share of a look's error (as variance) that another look at the same person has too: the intraclass
#: correlation (L. Kish, Survey Sampling, 1965) between photographs of one person within a year, at the upper
#: end of what FG-NET's tuning people leave open (benchmarks/track_coverage.py share).
SHARED = 0.7
#: Standard deviation of a good look's error, years: its worth is 1. One that errs twice as much is worth 1/4.
GOOD = 6.0
#: The worth of all looks together counts for no more than so many good ones: some seconds of video, after
#: which old looks are slowly forgotten, so that a wrong beginning does not stay for ever.
MEMORY = 150.0
#: The named gender changes only once the other one's mean probability exceeds a half by this much.
MARGIN = 0.05


class Steady:
    """The weighted means over a track's looks: of age, its interval, and the probability of female.

    caution: its coverage is that of the looks' intervals; below its min_gender_score no gender is named, but
    looks always name theirs. Looks without an age (strict) tell nothing.
    """

    def __init__(self, caution: Caution) -> None:
        self._quantile = NormalDist().inv_cdf((1 + caution.coverage) / 2)
        self._least = caution.min_gender_score
        self._weight, self._age, self._female = 0.0, 0.0, 0.0
        self._below = self._above = 0.0  # how far the looks' intervals reach from their ages, years
        self._variance = self._spread = 0.0  # of the looks' errors by their intervals; of their ages
        self._gender: str | None = None

    def see(self, face: Face) -> None:
        """Take in one look."""
        if face.age is None or face.gender is None or face.gender_score is None:
            return
        low, high = face.age_interval or (face.age, face.age)
        deviation = (high - low) / 2 / self._quantile
        weight = (GOOD / deviation) ** 2 if deviation else 1.0
        self._weight = min(self._weight, MEMORY) + weight
        share = weight / self._weight
        female = face.gender_score if face.gender == "female" else 1.0 - face.gender_score
        apart = face.age - self._age
        self._spread = (1 - share) * (self._spread + share * apart**2)
        self._age += share * apart
        self._female += share * (female - self._female)
        self._below += share * (face.age - low - self._below)
        self._above += share * (high - face.age - self._above)
        self._variance += share * (deviation**2 - self._variance)
        if self._gender is None or abs(self._female - 0.5) > MARGIN:
            self._gender = "female" if self._female > 0.5 else "male"

    def told(self, face: Face) -> Face:
        """Return the face of the last look with the track's answer in place of its own."""
        if self._gender is None:
            return replace(face, age=None, age_interval=None, gender=None, gender_score=None)
        score = max(0.5, self._female if self._gender == "female" else 1.0 - self._female)
        gender = self._gender if score >= self._least else None
        return replace(face, age=self._age, age_interval=self._interval(), gender=gender, gender_score=score)

    def _interval(self) -> tuple[float, float] | None:
        if not self._variance:
            return None
        narrower = sqrt(max(SHARED, 1 - self._spread / self._variance))
        return max(0.0, self._age - narrower * self._below), self._age + narrower * self._above
