"""Why there is no answer, in words for people and as a code for programs, which may say it in other words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from starlette.exceptions import HTTPException

from ..errors import ImageError
from ..types import Result


class Code(str, Enum):
    """The kinds of refusals; docs/service.md says what each means. A code never changes its meaning."""

    unknown_host = "unknown_host"
    foreign_origin = "foreign_origin"
    token_required = "token_required"
    not_found = "not_found"
    wrong_method = "wrong_method"
    body_type = "body_type"
    body_encoding = "body_encoding"
    body_timeout = "body_timeout"
    body_too_large = "body_too_large"
    damaged_form = "damaged_form"
    form_field = "form_field"
    bad_option = "bad_option"
    no_pictures = "no_pictures"
    too_many_pictures = "too_many_pictures"
    empty_file = "empty_file"
    unknown_format = "unknown_format"
    too_many_bytes = "too_many_bytes"
    too_many_pixels = "too_many_pixels"
    out_of_memory = "out_of_memory"
    damaged_picture = "damaged_picture"
    unreadable = "unreadable"
    busy = "busy"
    answer_timeout = "answer_timeout"
    ending = "ending"
    no_audience = "no_audience"
    bad_time = "bad_time"
    time_span = "time_span"
    audience_unavailable = "audience_unavailable"
    failed = "failed"


class Refused(HTTPException):
    """A request that is not answered. detail: what was expected, what came ("got"), what to do."""

    def __init__(
        self, status: int, code: Code, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, headers)
        self.code = code

    def __str__(self) -> str:
        return self.detail


class Busy(Refused):
    """There is no room now; worth another try in `retry_after` seconds."""

    def __init__(self, detail: str, retry_after: int) -> None:
        words = f"{detail}; try again in {retry_after} seconds"
        super().__init__(429, Code.busy, words, {"Retry-After": str(retry_after)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread(Result):
    """A picture without an answer: its `error`, and the Code of that."""

    code: str

    def to_dict(self) -> dict[str, Any]:
        """Return the line of the command line, and the code."""
        return Result.to_dict(self) | {"code": self.code}


def unread(error: str, code: Code, path: str | None = None) -> Unread:
    """Return the result of a picture that has none."""
    return Unread(path=path, width=None, height=None, faces=(), error=error, code=code.value)


def picture_code(error: ImageError) -> Code:
    """Return the code of a picture that cannot be read."""
    return Code.__members__.get(error.code, Code.unreadable)


def plain(error: HTTPException) -> dict[str, str]:
    """Return a refusal's JSON object; those of the framework itself are of a path or a method."""
    known = {404: Code.not_found, 405: Code.wrong_method}
    code = error.code if isinstance(error, Refused) else known.get(error.status_code, Code.failed)
    return {"detail": error.detail, "code": code.value}
