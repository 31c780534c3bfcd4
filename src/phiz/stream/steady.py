"""An age and a gender that settle: the weighted mean of all looks at a face."""

from __future__ import annotations

from ..types import Face

#: The worth of all looks together counts for no more than so many perfect ones: some seconds of video, after
#: which old looks are slowly forgotten, so that a wrong beginning does not stay for ever.
MEMORY = 150.0
#: Even a poor look counts a little: it is all there is where no better one comes.
LEAST = 0.01
#: The named gender changes only once the other one's mean probability exceeds a half by this much.
MARGIN = 0.05


class Steady:
    """The mean of age and of the probability of female over a track's looks, weighted by their worth."""

    def __init__(self, face: Face, worth: float) -> None:
        self._weight, self._age, self._female = 0.0, 0.0, 0.0
        assert face.gender is not None  # a stream asks for an answer to every look
        self._gender = face.gender
        self.see(face, worth)

    def see(self, face: Face, worth: float) -> None:
        """Take in one look; worth in 0..1."""
        assert face.age is not None
        assert face.gender_score is not None
        weight = max(worth, LEAST)
        self._weight = min(self._weight, MEMORY) + weight
        share = weight / self._weight
        female = face.gender_score if face.gender == "female" else 1.0 - face.gender_score
        self._age += share * (face.age - self._age)
        self._female += share * (female - self._female)
        if abs(self._female - 0.5) > MARGIN:
            self._gender = "female" if self._female > 0.5 else "male"

    def answer(self) -> tuple[float, str, float]:
        """Return age in years, gender and the probability of that gender, at least 0.5."""
        named = self._female if self._gender == "female" else 1.0 - self._female
        return self._age, self._gender, max(0.5, named)
