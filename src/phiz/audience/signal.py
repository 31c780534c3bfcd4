"""What a screen is told of the people before it: counts of now, and nothing of a person."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Protocol

from ..errors import DataError
from ..types import Face
from .totals import AGES, FACING, NOT_SURE, told_age, told_gender

#: Version of a signal's fields. It rises when one is removed or changes its meaning.
VERSION = 1
#: Seconds between two signals: at least, and where nothing changes at most, as a sign of life.
SHORTEST, LONGEST = 1.0, 2.0
#: The keys of `Signal.ages`.
AGE_KEYS = (*AGES, NOT_SURE)


class InView(Protocol):
    """What is read of a track: a part of `phiz.stream.track.Track`."""

    @property
    def face(self) -> Face: ...  # noqa: D102
    @property
    def first(self) -> float: ...  # noqa: D102
    @property
    def facing(self) -> float: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """How many people are before a camera at one moment; docs/signal-1.schema.json describes it as JSON.

    version: VERSION. at: the moment, with its offset from UTC.
    people: faces in view. facing: those of them turned to the camera, within about 30 degrees.
    female, male, not_sure: people by gender; they add up to `people`.
    ages: people by age band, all of AGE_KEYS; they add up to `people`.
    longest_seconds: for how long the one who came first has been in view; 0 where nobody is.
    Raises DataError for values that do not fit each other.
    """

    version: int = VERSION
    at: datetime
    people: int
    facing: int
    female: int
    male: int
    not_sure: int
    ages: Mapping[str, int] = field(hash=False)
    longest_seconds: float

    def __post_init__(self) -> None:
        _check(self.version == VERSION, f"version {VERSION}", self.version)
        _check(isinstance(self.at, datetime) and self.at.utcoffset() is not None, "at: a time zone", self.at)
        for name in ("people", "facing", "female", "male", "not_sure"):
            _check(_is_count(value := getattr(self, name)), f"{name}: a whole number from 0 on", value)
        _check(isinstance(self.ages, Mapping), "ages: a mapping", self.ages)
        _check(set(self.ages) == set(AGE_KEYS), f"ages: {', '.join(AGE_KEYS)}", list(self.ages))
        _check(all(map(_is_count, self.ages.values())), "ages: whole numbers from 0 on", self.ages)
        genders, ages = self.female + self.male + self.not_sure, sum(self.ages.values())
        _check(genders == self.people, f"female, male and not_sure: {self.people} together", genders)
        _check(ages == self.people, f"ages: {self.people} together", ages)
        _check(self.facing <= self.people, f"facing: at most {self.people}", self.facing)
        longest = self.longest_seconds
        real = isinstance(longest, int | float) and not isinstance(longest, bool) and math.isfinite(longest)
        _check(real and longest >= 0, "longest_seconds: a number from 0 on", longest)

    def to_dict(self) -> dict[str, Any]:
        """Return the signal as JSON-ready plain values."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)} | {
            "at": self.at.isoformat(timespec="milliseconds"),
            "ages": {name: self.ages[name] for name in AGE_KEYS},
            "longest_seconds": round(self.longest_seconds, 1),
        }

    @classmethod
    def from_dict(cls, plain: object) -> Signal:
        """Return the signal that `to_dict` gave. Raises DataError for anything else, an unknown key too."""
        if not isinstance(plain, Mapping):
            raise DataError(f"signal: expected an object, got {plain!r}")
        _check(plain.get("version") == VERSION, f"version {VERSION}", plain.get("version"))
        names = [entry.name for entry in fields(cls)]
        _check(set(plain) == set(names), f"the fields {', '.join(names)}", list(plain))
        try:
            at = datetime.fromisoformat(plain["at"])
        except (TypeError, ValueError):
            raise DataError(f"signal: expected at: a date and time, got {plain['at']!r}") from None
        return cls(**{**plain, "at": at})


def signal_of(tracks: Iterable[InView], time: float, at: datetime) -> Signal:
    """Return the signal of the tracks in view.

    time: seconds of the stream's clock, as the tracks have them. at: the same moment, with its zone.
    """
    here = list(tracks)
    genders = [told_gender(track.face) for track in here]
    ages = [told_age(track.face) for track in here]
    return Signal(
        at=at,
        people=len(here),
        facing=sum(track.facing >= FACING for track in here),
        female=genders.count("female"),
        male=genders.count("male"),
        not_sure=genders.count(NOT_SURE),
        ages={name: ages.count(name) for name in AGE_KEYS},
        longest_seconds=max([0.0, *(time - track.first for track in here)]),
    )


class Pace:
    """Says which signals of a stream go out: changed ones, no faster than one in SHORTEST seconds.

    One that is like the last goes out after LONGEST seconds, so that silence means that no pictures come.
    It holds up no change: what is steady for long and then changes is told at once.
    """

    def __init__(self) -> None:
        self._last: Signal | None = None
        self._time = self._changed = 0.0

    def due(self, signal: Signal, time: float) -> bool:
        """Whether a signal goes out at `time`, in seconds of the stream's clock; it is then the last one."""
        last, alike = self._last, False
        if last is not None and time >= self._time:  # else the clock was set back
            alike = replace(signal, at=last.at, longest_seconds=last.longest_seconds) == last
            if time < (self._time + LONGEST if alike else self._changed + SHORTEST):
                return False
        self._last, self._time = signal, time
        self._changed = self._changed if alike else time
        return True


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _check(holds: bool, expected: str, got: object) -> None:
    if not holds:
        raise DataError(f"signal: expected {expected}, got {got!r}")
