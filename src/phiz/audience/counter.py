"""Counts the people of a stream, minute by minute, in memory; a Store gets the totals of every minute."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import NamedTuple, Protocol

from ..types import Face
from .attention import Exposure, Looks, Piece, Programme, milliseconds
from .database import StoreError
from .effect import Effect
from .ledger import Ledger
from .store import Store
from .totals import FACING, MINUTE, NO_DWELL, Group, Shown, Totals, dwell_bin, group_of

#: Longest time in seconds between two looks at a person that counts as presence: a stalled stream is none.
LONGEST_LOOK = 5.0
#: A clock that goes back by more seconds than this was set; by fewer, the frame came late.
CLOCK_SET = 60.0
#: Seconds after which a track whose end was never told is forgotten.
FORGOTTEN = 600.0
#: Seconds after a minute by which a player has told what it showed, for a live stream.
LAG = 15.0
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

    __slots__ = ("came", "dwell", "ended", "face", "faced", "group", "looks")

    def __init__(self, face: Face, now: float) -> None:
        self.face: Face | None = face  # until the group is fixed
        self.group: Group | None = None  # fixed at the end of the person's first minute
        self.came: float | None = now  # told with that minute
        self.looks = Looks(now)
        self.dwell = NO_DWELL
        self.ended = False
        self.faced: dict[Shown, int] = {}  # milliseconds of attention by what was on

    def look(self, track: Tracked, now: float) -> None:
        self.looks.look(now, track.facing >= FACING)
        if self.group is None:
            self.face = track.face

    def end_minute(self) -> _Part:
        if self.group is None:
            assert self.face is not None
            self.group, self.face = group_of(self.face), None
        part = _Part(self, self.group, self.looks.take(), self.came, self.dwell)
        self.came, self.dwell = None, NO_DWELL
        return part


class _Part(NamedTuple):
    """A person's part in a minute that is over."""

    person: _Person
    group: Group
    pieces: list[Piece]
    came: float | None
    dwell: tuple[int, ...]

    def totals(self) -> Totals:
        presence = sum(piece.seconds for piece in self.pieces)
        attention = sum(piece.seconds for piece in self.pieces if piece.facing)
        return Totals(int(self.came is not None), round(1000 * presence), round(1000 * attention), self.dwell)

    def effects(self, on: Programme) -> dict[Shown, Effect]:
        """Return the same by what was on; in the order of minutes, as it goes on from the ones before."""
        totals, cut = self.totals(), on.split(self.pieces)
        presence = milliseconds(cut, totals.presence)
        attention = milliseconds([part for part in cut if part[1].facing], totals.attention)
        came = None if self.came is None else on.at(self.came)
        effects: dict[Shown, Effect] = {}
        for shown in {*presence, *attention} | ({came} if came else set()):
            before = self.person.faced.get(shown)
            after = (before or 0) + attention.get(shown, 0)
            self.person.faced[shown] = after
            effects[shown._replace(age=self.group.age, gender=self.group.gender)] = Effect(
                people=int(shown == came),
                viewers=int(before is None),
                presence=presence.get(shown, 0),
                attention=attention.get(shown, 0),
                squared=after**2 // 1000 - (before or 0) ** 2 // 1000,
            )
        return effects


class _Minute(NamedTuple):
    """A minute that is over; watched: when the camera saw, whoever was there."""

    start: int
    parts: list[_Part]
    watched: list[Piece]

    def groups(self) -> dict[Group, Totals]:
        groups: dict[Group, Totals] = {}
        for part in self.parts:
            if totals := part.totals():
                groups[part.group] = groups.get(part.group, Totals()) + totals
        return groups

    def effects(self, on: Programme) -> dict[Shown, Effect]:
        watched = round(1000 * sum(piece.seconds for piece in self.watched))
        shown = milliseconds(on.split(self.watched), watched)
        effects = {content: Effect(shown=time) for content, time in shown.items()}
        for part in self.parts:
            for content, effect in part.effects(on).items():
                effects[content] = effects.get(content, Effect()) + effect
        return effects


class Counter:
    """Counts people, presence, attention and dwell time; a context manager, or call `close`. Not for threads.

    store: gets each minute's totals in one transaction at the minute's end, and takes time for it.
    began: Unix time at second 0 of the stream's clock; 0 where that clock is Unix time.
    on_problem: is told in a sentence that a minute could not be written; it is written with the next.
    shown: returns what was on the screen between two instants, as `Store.shown` does; None: nothing.
    lag: seconds after the end of a minute before it is asked for, and the minute written.
    """

    def __init__(
        self,
        store: Store,
        *,
        began: float = 0.0,
        on_problem: Callable[[str], None] | None = None,
        shown: Callable[[float, float], Iterable[Exposure]] | None = None,
        lag: float = 0.0,
    ) -> None:
        self._store, self._began = store, began
        self._tell = on_problem or (lambda problem: None)
        self._shown, self._lag = shown or (lambda since, before: ()), lag
        self._people: dict[int, _Person] = {}
        self._minute: int | None = None  # when the running minute begins
        self._over: deque[_Minute] = deque()  # minutes that wait for what was shown
        self._camera = Looks(-math.inf)
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
            self._sum()
            self._write(None)
            for looks in (self._camera, *(person.looks for person in self._people.values())):
                looks.last = now
        self.leave(ended)
        known = [(track, self._people[track.id]) for track in tracks if track.id in self._people]
        for looks in (self._camera, *(person.looks for _, person in known)):
            if now - looks.last > LONGEST_LOOK:
                looks.last = now
        if self._minute is not None and now >= self._minute + 60:
            self._camera.look(self._minute + 60, False)
            for track, person in known:
                person.look(track, self._minute + 60)
            self._sum()
        self._write(now)
        if self._minute is None:
            self._minute = self._settings.calendar.start(now, MINUTE)
        self._now = now
        self._camera.look(now, False)
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
        self._release(None)
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

    def _write(self, now: float | None) -> None:
        """Write the minutes whose time has come, if any."""
        if not self._release(now):
            return
        try:
            self._store.write(self._ledger.changes)
        except StoreError as error:
            self._tell(f"{error}; the minute is kept in memory and written with the next")
        else:
            self._ledger.taken()
        if self._store.settings != self._settings:  # somebody changed them
            self._settings = self._store.settings
            self._ledger.change(self._settings.groups_per, self._settings.k, self._settings.calendar)

    def _release(self, now: float | None) -> bool:
        """Give the ledger the minutes whose time has come by `now`, None: all; return whether any had."""
        released = False
        while self._over and (now is None or now >= self._over[0].start + 60 + self._lag):
            minute = self._over.popleft()
            try:
                on = Programme(self._shown(minute.start, minute.start + 60))
            except StoreError as error:
                self._tell(f"{error}; what was shown in this minute is not known")
                on = Programme()
            self._ledger.add(minute.start, minute.groups(), minute.effects(on))
            released = True
        return released

    def _sum(self) -> None:
        """End the running minute, and forget who has gone."""
        assert self._minute is not None
        parts: list[_Part] = []
        for number, person in list(self._people.items()):
            parts.append(person.end_minute())
            if person.ended or self._now - person.looks.last > FORGOTTEN:
                del self._people[number]
        self._over.append(_Minute(self._minute, parts, self._camera.take()))
        self._minute = None
