"""The answers as OpenAPI describes them. `Result.to_dict` makes them; these only describe and are tested."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from ..models.certainty import FLAGS
from .refusal import Code

_FACE: dict[str, Any] = {
    "box": [201.5, 88.0, 120.2, 120.2],
    "score": 0.9712,
    "keypoints": [
        [231.0, 130.1],
        [279.4, 131.0],
        [254.8, 158.9],
        [255.1, 181.7],
        [209.3, 138.2],
        [312.6, 140.0],
    ],
    "age": 31.2,
    "age_interval": [24.1, 38.0],
    "gender": "female",
    "gender_score": 0.98,
    "quality": {
        "size": 118.4,
        "sharpness": 0.512,
        "brightness": 0.47,
        "yaw": -4.1,
        "pitch": 2.3,
        "roll": 1.0,
        "inside": 1.0,
    },
    "flags": [],
}
_BROKEN = "b.jpg: expected a whole JPEG, got one damaged or cut short; copy it again from its source"
EXAMPLE: dict[str, Any] = {
    "results": [
        {"path": "a.jpg", "width": 640, "height": 480, "faces": [_FACE], "error": None},
        {
            "path": "b.jpg",
            "width": None,
            "height": None,
            "faces": [],
            "error": _BROKEN,
            "code": "damaged_picture",
        },
    ]
}


class FaceAnswer(BaseModel):
    """One analysed face."""

    box: list[float] = Field(min_length=4, max_length=4, description="x, y, width, height in pixels")
    score: float | None = Field(description="confidence of the detector, 0 to 1")
    keypoints: list[list[float]] = Field(
        description="x, y of right eye, left eye, nose, mouth, right ear, left ear, in pixels"
    )
    age: float | None = Field(ge=0, description="estimated age in years; null where strict and flagged")
    age_interval: list[float] | None = Field(
        min_length=2,
        max_length=2,
        description="years between which the age lies with the coverage asked for; null without an age, and "
        "from a model without calibration",
    )
    gender: Literal["female", "male"] | None = Field(
        description="the likelier one; null below min_gender_score, and where strict and flagged"
    )
    gender_score: float | None = Field(
        ge=0.5,
        le=1,
        description="probability that the likelier gender is right; null where strict and flagged",
    )
    quality: dict[str, float] = Field(
        description="how good the look is: size (pixels that the crop is wide), sharpness, brightness, inside"
        " (shares), yaw, pitch, roll (degrees; only with keypoints)"
    )
    flags: list[str] = Field(description=f"why the face may be hard to read: {', '.join(FLAGS)}")


class PictureAnswer(BaseModel):
    """One picture's faces, largest first, or why it could not be read."""

    path: str | None = Field(description="what the sender called the picture")
    width: int | None
    height: int | None
    faces: list[FaceAnswer]
    error: str | None
    code: Code | None = Field(default=None, description="the kind of error, only where there is one")


class Answer(BaseModel):
    """One result per picture, in the order sent."""

    results: list[PictureAnswer]


class Refusal(BaseModel):
    """Why there is no answer."""

    detail: str = Field(description='what was expected, what came ("got"), what to do')
    code: Code = Field(description="the kind of refusal, for programs; never changes its meaning")


class Unreadable(Refusal):
    """None of the pictures could be read; each result's `error` says why."""

    results: list[PictureAnswer] | None = None


class State(BaseModel):
    """How the service is."""

    status: str


class Models(BaseModel):
    """What answers: the models and detector in use, the bounds, and every model's card."""

    model: str
    gender_model: str = Field(description="the model whose gender answers; of most models their own")
    detector: str
    limits: dict[str, int]
    audience: bool = Field(description="whether there is an audience database to report")
    models: list[dict[str, Any]]


class PlaylistEntry(BaseModel):
    """One content that a screen may show."""

    name: str
    kind: Literal["picture", "video", "page"]
    path: str = Field(description="below /signage/; it changes with the file")
    seconds: float = Field(description="how long its turn lasts where others fit as well")
    fallback: bool = Field(description="whether it is shown without the camera, and without the service")


class Playlist(BaseModel):
    """Everything that a player may be told to show."""

    version: str = Field(description="of phiz")
    fade_seconds: float
    contents: list[PlaylistEntry]


class AudienceLine(BaseModel):
    """One group of a period; figures are null where they are not told: of fewer than k people."""

    start: datetime
    end: datetime
    period: Literal["minute", "hour", "day"] = Field(
        description="longer than asked for where the people of shorter ones were too few to tell"
    )
    age: str = Field(description='age band or "not sure"; "all": everybody, "mixed": too small groups')
    gender: str = Field(description='"female", "male", "not sure", "all" or "mixed"')
    people: int | None = Field(description="who came in that period")
    presence_seconds: float | None = Field(description="time in view, summed over people")
    attention_seconds: float | None = Field(description="of that, with the face turned to the camera")
    dwell_0_5: int | None = Field(
        description="people who left after under 5 seconds; null, or k and more, or 0"
    )
    dwell_5_15: int | None
    dwell_15_30: int | None
    dwell_30_60: int | None
    dwell_60_180: int | None
    dwell_180_more: int | None


class AudienceReport(BaseModel):
    """The lines of `phiz audience`, in order of time."""

    period: Literal["minute", "hour", "day"]
    since: datetime = Field(alias="from")
    until: datetime = Field(alias="to")
    zone: str = Field(description="time zone of hours and days; empty for the service's own")
    k: int = Field(description="fewest people of a line")
    lines: list[AudienceLine]


class ContentLine(BaseModel):
    """A content, or a group of those who saw it; figures are null where they are not told."""

    content: str = Field(description='"(mixed)": contents that too few came with; "(nothing)": none was told')
    random: bool = Field(description="shown at a time when who was there did not matter")
    age: str = Field(description='age band or "not sure"; "all": everybody, "mixed": too small groups')
    gender: str = Field(description='"female", "male", "not sure", "all" or "mixed"')
    shown_seconds: float | None = Field(description="for how long it was on while the camera saw")
    people: int | None = Field(description="who came while it was on")
    viewers: int | None = Field(description="who was in view while it was on")
    presence_seconds: float | None = Field(description="time in view while it was on, summed over people")
    attention_seconds: float | None = Field(description="of that, with the face turned to the camera")
    attention_per_second: float | None = Field(description="attention for each second shown")
    interval_low: float | None = Field(description="its 95% interval; null without attention")
    interval_high: float | None
    too_few: bool | None = Field(description="the figures are too small to compare")


class ContentReport(BaseModel):
    """The lines of `phiz audience --by content`."""

    since: datetime = Field(alias="from")
    until: datetime = Field(alias="to")
    zone: str = Field(description="time zone of hours and days; empty for the service's own")
    k: int = Field(description="fewest people of a line")
    lines: list[ContentLine]
    cautions: list[str] = Field(description="what must not be read out of the figures, in plain sentences")


def _refusal(text: str, model: type[BaseModel] = Refusal, **headers: str) -> dict[str, Any]:
    described: dict[str, Any] = {"description": text, "model": model}
    if headers:
        described["headers"] = {
            name.replace("_", "-"): {"schema": {"type": "string"}, "description": about}
            for name, about in headers.items()
        }
    return described


_RETRY = "seconds after which another try is worth it"
#: What /v1/analyze answers but 200.
REFUSALS: dict[int | str, dict[str, Any]] = {
    400: _refusal("The body is not well-formed."),
    401: _refusal("The bearer token is missing or wrong.", WWW_Authenticate="Bearer"),
    403: _refusal("A web page of an origin that is not allowed."),
    408: _refusal("The body came too slowly."),
    413: _refusal("Too many bytes or pictures."),
    415: _refusal("The body's type is neither a picture nor a form."),
    422: _refusal("An option is none, no picture came, or none could be read.", Unreadable),
    429: _refusal("All places are taken.", Retry_After=_RETRY),
    503: _refusal("There was no answer in time.", Retry_After=_RETRY),
}
#: What /v1/audience answers but 200.
NO_REPORT: dict[int | str, dict[str, Any]] = {
    401: REFUSALS[401],
    404: _refusal("The service was started without an audience database."),
    422: _refusal("The period or a time is none, or the span is too long."),
    503: _refusal("The audience database cannot be read now.", Retry_After=_RETRY),
}
#: What /readyz answers but 200.
NOT_READY: dict[int | str, dict[str, Any]] = {503: _refusal("All places are taken, or it is ending.")}
#: The body of /v1/analyze, which the endpoint reads by itself.
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["pictures"],
                    "additionalProperties": False,
                    "properties": {
                        "pictures": {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string", "format": "binary"},
                        }
                    },
                }
            },
        },
    }
}
