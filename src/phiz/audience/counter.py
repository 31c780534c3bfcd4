"""Counts the people of a stream, minute by minute, in memory; a Store gets the totals of every minute."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Protocol

from ..types import Face
from .database import StoreError
from .ledger import Ledger
from .store import Store
from .totals import FACING, MINUTE, Group, Totals, dwell_bin, group_of

#: Longest time in seconds between two looks at a person that counts as presence: a stalled stream is none.
LONGEST_LOOK = 5.0
#: A clock that goes back by more seconds than this was set; by fewer, the frame came late.
CLOCK_SET = 60.0
#: Seconds after which a track whose end was never told is forgotten.
FORGOTTEN = 600.0
#: How often the end of a run tries to write what it still has.
LAST_TRIES = 5


class Tracked(Protocol):
    """What is read of a track: a part of `phiz.stream.track.Track`."""

    @property
    def id(self) -> int: ...  # noqa: D102
    @property
    def face(self) -> Face: ...  # noqa: D102
    @property
    def first(self) -> float: ...  # noqa: D102
    @property
    def last(self) -> float: ...  # noqa: D102
    @property
    def facing(self) -> float: ...  # noqa: D102


class _Person:
    """A track's part in the running minute; never leaves this file but in a sum."""

    __slots__ = ("attention", "began", "dwell", "ended", "face", "group", "last", "presence")

    def __init__(self, face: Face, now: float) -> None:
        self.face: Face | None = face  # until the group is fixed
        self.group: Group | None = None  # fixed at the end of the person's first minute
        self.last = now
        self.ended = False
        self._begin_minute(began=1)

    def _begin_minute(self, began: int) -> None:
        self.began, self.presence, self.attention = began, 0.0, 0.0
        self.dwell = Totals().dwell

    def look(self, track: Tracked, now: float) -> None:
        seconds = max(0.0, now - self.last)
        self.presence += seconds
        if track.facing >= FACING:
            self.attention += seconds
        self.last = max(now, self.last)
        if self.group is None:
            self.face = track.face

    def end_minute(self) -> tuple[Group, Totals]:
        if self.group is None:
            assert self.face is not None
            self.group, self.face = group_of(self.face), None
        totals = Totals(self.began, round(1000 * self.presence), round(1000 * self.attention), self.dwell)
        self._begin_minute(began=0)
        return self.group, totals


class Counter:
    """Counts people, presence, attention and dwell time; a context manager, or call `close`. Not for threads.

    store: gets each minute's totals in one transaction at the minute's end, and takes time for it.
    began: Unix time at second 0 of the stream's clock; 0 where that clock is Unix time.
    on_problem: is told in a sentence that a minute could not be written; it is written with the next.
    """

    def __init__(
        self, store: Store, *, began: float = 0.0, on_problem: Callable[[str], None] | None = None
    ) -> None:
        self._store, self._began = store, began
        self._tell = on_problem or (lambda problem: None)
        self._people: dict[int, _Person] = {}
        self._minute: int | None = None  # when the running minute begins
        self._now = 0.0
        self._settings = store.settings
        self._ledger = Ledger(self._settings.groups_per, self._settings.k, self._settings.calendar)

    def update(self, tracks: Sequence[Tracked], time: float, ended: Iterable[Tracked] = ()) -> None:
        """Take in the tracks seen at `time`, and those that ended since the last call.

        time: seconds of the stream's clock, as Track.first and Track.last have them. Call it for a frame
        without faces too: that is how a minute ends. Raises ValueError for a time that is not a number.
        """
        now = self._began + time
        if not math.isfinite(now):
            raise ValueError(f"expected a time in seconds, got {time}")
        if self._minute is not None and now < self._now - CLOCK_SET:
            self._end_minute()
            for person in self._people.values():
                person.last = now
        self.leave(ended)
        known = [(track, self._people[track.id]) for track in tracks if track.id in self._people]
        for _, person in known:
            if now - person.last > LONGEST_LOOK:
                person.last = now
        if self._minute is not None and now >= self._minute + 60:
            for track, person in known:
                person.look(track, self._minute + 60)
            self._end_minute()
        if self._minute is None:
            self._minute = self._settings.calendar.start(now, MINUTE)
        self._now = now
        for track in tracks:
            self._people.setdefault(track.id, _Person(track.face, now)).look(track, now)

    def leave(self, ended: Iterable[Tracked]) -> None:
        """Take in tracks that ended and how long they lasted; at a stream's end those of `Tracker.finish`."""
        for track in ended:
            person = self._people.get(track.id)
            if person and not person.ended:
                person.ended = True
                person.dwell = dwell_bin(track.last - track.first)
                if person.group is None:
                    person.face = track.face

    def close(self) -> None:
        """Write what there is of the running minute and let it be told.

        Raises StoreError where the store cannot take it.
        """
        if self._minute is not None:
            self._sum()
        self._ledger.close()
        for left in reversed(range(LAST_TRIES)):
            try:
                self._store.write(self._ledger.changes)
            except StoreError as error:
                if not left:
                    lost = f"{error}; what was counted since the last written minute is lost"
                    raise StoreError(lost) from error
            else:
                break
        self._ledger.taken()

    def __enter__(self) -> Counter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _end_minute(self) -> None:
        self._sum()
        try:
            self._store.write(self._ledger.changes)
        except StoreError as error:
            self._tell(f"{error}; the minute is kept in memory and written with the next")
        else:
            self._ledger.taken()
        if self._store.settings != self._settings:  # somebody changed them
            self._settings = self._store.settings
            self._ledger.change(self._settings.groups_per, self._settings.k, self._settings.calendar)

    def _sum(self) -> None:
        """Add up the running minute by group, and forget who has gone."""
        assert self._minute is not None
        groups: dict[Group, Totals] = {}
        for number, person in list(self._people.items()):
            group, totals = person.end_minute()
            if totals:
                groups[group] = groups.get(group, Totals()) + totals
            if person.ended or self._now - person.last > FORGOTTEN:
                del self._people[number]
        self._ledger.add(self._minute, groups)
        self._minute = None
