"""From when to when each content was on a screen: what its effect is counted by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from .choice import SLOT

#: A clock that moved by more than this between two reports was set, or the machine slept, in seconds.
CLOCK_SET = 15.0


@dataclass(frozen=True, slots=True)
class Exposure:
    """A content that was on a screen from `start` to `end`, within one minute of the clock.

    random: in a minute in which who is there did not matter.
    """

    content: str
    start: datetime
    end: datetime
    random: bool


class Exposures:
    """Turns reports of what is on into exposures; several screens that show the same count as one."""

    def __init__(self) -> None:
        self._began: dict[tuple[str, bool], datetime] = {}
        self._last: datetime | None = None

    def update(self, clock: datetime, contents: Mapping[str, bool]) -> list[Exposure]:
        """Take in what is on now, and return what has ended since the last call, or ended with its minute.

        contents: by name, whether it is random.

        Call it every few seconds, and with no contents where no screen is there.
        """
        ended: list[Exposure] = []
        if self._last is not None and not 0 <= (clock - self._last).total_seconds() <= CLOCK_SET:
            ended += self._end(self._last, self._began)
        now_on = set(contents.items())
        while self._began and (minute := _minute_end(min(self._began.values()))) <= clock:
            crossing = {key for key, start in self._began.items() if start < minute}
            ended += self._end(minute, crossing)
            self._began |= dict.fromkeys(crossing, minute)
        ended += self._end(clock, self._began.keys() - now_on)
        for key in now_on:
            self._began.setdefault(key, clock)
        self._last = clock
        return ended

    def _end(self, clock: datetime, keys: Iterable[tuple[str, bool]]) -> list[Exposure]:
        ended = [(key, self._began.pop(key)) for key in list(keys)]
        return [Exposure(key[0], start, clock, key[1]) for key, start in ended if clock > start]


def _minute_end(moment: datetime) -> datetime:
    seconds = moment.timestamp() // SLOT * SLOT + SLOT
    return (
        datetime.fromtimestamp(seconds, moment.tzinfo) if moment.tzinfo else moment + timedelta(seconds=SLOT)
    )
