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

#: What a Face's quality tells, in this order.
QUALITY = ("size", "sharpness", "brightness", "yaw", "pitch", "roll", "inside")
#: Digits after the point that a quality is worth, where not three.
_DIGITS = {"size": 1, "yaw": 1, "pitch": 1, "roll": 1}


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
    gender_score: the network's probability in [0.5, 1] of the named gender, or None.
    signals: what else it tells of how sure it is, by the names of `phiz.models.certainty.SIGNALS`.
    """

    age: float
    gender: str | None
    gender_score: float | None
    signals: Mapping[str, float] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Face:
    """One analysed face: where it is (see Detection), what was estimated, and how sure that is.

    score is None where no detector ran or none found the face (an already cropped chip); the
    box is then the whole picture and keypoints is empty.
    age: years; None where `strict` was asked for and the face has a flag.
    gender: "female" or "male", the likelier; None where gender_score is below the `min_gender_score` asked
    for, and where strict.
    gender_score: calibrated probability in [0.5, 1] that the likelier gender is right; None where strict.
    attributes: probability in [0, 1] of each that was asked for, by name; None where none was. From which
    one counts as present its model's card says, see `phiz.models.attribute_model`.
    age_interval: years between which the age lies with the coverage asked for; None without an age, and from
    a model whose card has no `certainty`.
    quality: how good the look is, see `phiz.quality`: size (pixels of the picture that the crop is wide),
    sharpness, brightness (0 to 1), yaw, pitch, roll (degrees; not where there are no keypoints), inside
    (share of the crop that lies in the picture).
    flags: why the face may be hard to read, of `phiz.models.certainty.FLAGS`.
    """

    box: Box
    score: float | None
    keypoints: tuple[Point, ...]
    age: float | None
    gender: str | None
    gender_score: float | None
    attributes: Mapping[str, float] | None = field(default=None, hash=False)
    age_interval: tuple[float, float] | None = None
    quality: Mapping[str, float] = field(default_factory=dict, hash=False)
    flags: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the face as JSON-ready plain values, rounded to what they are worth."""
        plain: dict[str, Any] = {
            "box": [round(v, 1) for v in self.box],
            "score": None if self.score is None else round(self.score, 4),
            "keypoints": [[round(x, 1), round(y, 1)] for x, y in self.keypoints],
            "age": None if self.age is None else round(self.age, 1),
            "age_interval": self.age_interval and [round(years, 1) for years in self.age_interval],
            "gender": self.gender,
            "gender_score": None if self.gender_score is None else round(self.gender_score, 4),
            "quality": {name: round(value, _DIGITS.get(name, 3)) for name, value in self.quality.items()},
            "flags": list(self.flags),
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
