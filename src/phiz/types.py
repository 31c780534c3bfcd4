"""What phiz returns: small frozen records, plain numbers, units in the docstrings.

Coordinates everywhere are pixels of the upright picture (after EXIF rotation), x to the right,
y down, the centre of the top-left pixel at (0.5, 0.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Box = tuple[float, float, float, float]
Point = tuple[float, float]

#: Order of the five keypoints of a Detection or Face; right and left are the person's own, the mouth's points
#: its corners.
KEYPOINT_NAMES = ("right_eye", "left_eye", "nose", "right_mouth", "left_mouth")


@dataclass(frozen=True, slots=True)
class Detection:
    """One face found in a picture.

    box: (x, y, width, height) in pixels; may reach past the picture's edge.
    score: detector confidence in [0, 1].
    keypoints: five (x, y) in pixels, in the order of KEYPOINT_NAMES.
    """

    box: Box
    score: float
    keypoints: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a network says of one face crop.

    age: years.
    gender: "female" or "male"; None from a network that estimates age alone.
    gender_score: probability in [0.5, 1] of the named gender, or None.
    """

    age: float
    gender: str | None
    gender_score: float | None


@dataclass(frozen=True, slots=True)
class Face:
    """One analysed face: where it is (see Detection) and what was estimated (see Estimate).

    score is None where no detector ran or none found the face (an already cropped chip); the
    box is then the whole picture and keypoints is empty.
    attributes: probability in [0, 1] of each that was asked for, by name; None where none was. From which
    one counts as present its model's card says, see `phiz.models.attributes`.
    """

    box: Box
    score: float | None
    keypoints: tuple[Point, ...]
    age: float
    gender: str
    gender_score: float
    attributes: Mapping[str, float] | None = field(default=None, hash=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the face as JSON-ready plain values, rounded to what they are worth."""
        plain: dict[str, Any] = {
            "box": [round(v, 1) for v in self.box],
            "score": None if self.score is None else round(self.score, 4),
            "keypoints": [[round(x, 1), round(y, 1)] for x, y in self.keypoints],
            "age": round(self.age, 1),
            "gender": self.gender,
            "gender_score": round(self.gender_score, 4),
        }
        if self.attributes is not None:
            plain["attributes"] = {name: round(p, 4) for name, p in self.attributes.items()}
        return plain


@dataclass(frozen=True, slots=True)
class Result:
    """One picture's answer.

    path: what the caller named the picture, "-" for standard input, None for an array.
    width, height: pixels of the upright picture; None where it could not be read.
    faces: the faces, largest first; empty where there is none or on an error.
    error: None, or why the picture could not be read.
    """

    path: str | None
    width: int | None
    height: int | None
    faces: tuple[Face, ...]
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the result as one JSON-ready dictionary (the command line's JSON line)."""
        return {
            "path": self.path,
            "width": self.width,
            "height": self.height,
            "faces": [face.to_dict() for face in self.faces],
            "error": self.error,
        }
