"""What a screen shows and when: the rules of a `signage.toml`, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, time
from pathlib import Path

from ..audience.calendar import Calendar
from ..audience.totals import AGES
from ..errors import PhizError

#: Kinds of content by the ending of their files.
KINDS = {
    ".avif": "picture",
    ".gif": "picture",
    ".jpeg": "picture",
    ".jpg": "picture",
    ".png": "picture",
    ".svg": "picture",
    ".webp": "picture",
    ".mp4": "video",
    ".webm": "video",
    ".html": "page",
}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: Ages from which people may steer the screen: 0 is everybody, the others are where an age band begins.
STEER_FROM = tuple(int(band.partition("-")[0].rstrip("+")) for band in AGES)


class SignageError(PhizError):
    """The rules of a screen cannot be read, or say something that cannot be."""


@dataclass(frozen=True, slots=True)
class Range:
    """From `least` to `most`, both included; None leaves that side open."""

    least: float | None = None
    most: float | None = None

    def holds(self, low: float, high: float) -> bool:
        """Whether every value from `low` to `high` is in the range."""
        return (self.least is None or low >= self.least) and (self.most is None or high <= self.most)


@dataclass(frozen=True, slots=True)
class When:
    """When a content fits; what is None or empty does not matter.

    people: how many are there. female, male, facing, age: shares of them in [0, 1]; age: of those in `bands`.
    stay_seconds: for how long the one who came first has been there.
    hours: times of day from, until; one that ends before it begins goes over midnight. weekdays: 0 is Monday.
    """

    people: Range | None = None
    female: Range | None = None
    male: Range | None = None
    facing: Range | None = None
    stay_seconds: Range | None = None
    age: Range | None = None
    bands: tuple[str, ...] = ()
    hours: tuple[tuple[time, time], ...] = ()
    weekdays: tuple[int, ...] = ()

    @property
    def audience(self) -> Mapping[str, Range]:
        """Return the conditions about who is there, by name."""
        ranges = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {name: value for name, value in ranges.items() if isinstance(value, Range)}

    def open(self, local: datetime) -> bool:
        """Whether a local date and time is within the hours and weekdays.

        Hours over midnight belong to the day on which they begin.
        """
        if not self.hours:
            return not self.weekdays or local.weekday() in self.weekdays
        return any(self._within(span, local) for span in self.hours)

    def _within(self, span: tuple[time, time], local: datetime) -> bool:
        begin, end = span
        now, day = local.time(), local.weekday()
        if begin <= end:
            inside = begin <= now < end
        else:
            inside = now >= begin or now < end
            day = day if now >= begin else (day - 1) % 7
        return inside and (not self.weekdays or day in self.weekdays)


@dataclass(frozen=True, slots=True)
class Content:
    """One thing to show.

    name: what it is called in reports. file: where it lies. kind: "picture", "video" or "page".
    fallback: shown only where nothing else fits. weight: its share of the time among what fits as well.
    least_seconds: it is not taken away sooner. most_seconds: then it is another's turn, where others fit.
    """

    name: str
    file: Path
    kind: str
    when: When = field(default_factory=When)
    fallback: bool = False
    weight: float = 1.0
    least_seconds: float = 5.0
    most_seconds: float = 20.0

    @property
    def steered(self) -> bool:
        """Whether who is there decides when it fits."""
        return bool(self.when.audience)


@dataclass(frozen=True, slots=True)
class Rules:
    """Every content of a screen, and how it changes.

    steady_seconds: so long a content has to fit, or not to fit, before that counts.
    lost_seconds: without a signal for so long the camera is gone. fade_seconds: from one content to the next.
    steer_from_age: who is estimated younger does not steer; one of STEER_FROM, 0 for everybody.
    random_share: share of the minutes in which what is shown does not depend on who is there.
    zone: time zone of hours and weekdays; "" for the machine's.
    """

    contents: tuple[Content, ...]
    steady_seconds: float = 1.2
    lost_seconds: float = 4.0
    fade_seconds: float = 0.6
    steer_from_age: int = 13
    random_share: float = 0.0
    zone: str = ""

    @property
    def by_name(self) -> Mapping[str, Content]:
        """Return the contents by their names."""
        return {content.name: content for content in self.contents}

    @property
    def calendar(self) -> Calendar:
        """Return the time zone as a calendar."""
        return Calendar(self.zone)
