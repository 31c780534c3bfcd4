"""When somebody was in view, and what was on the screen meanwhile."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from .totals import NOTHING, Shown


class Piece(NamedTuple):
    """A stretch of time in view, in Unix seconds, and whether the face was turned to the screen."""

    start: float
    end: float
    facing: bool

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start


class Looks:
    """Joins one look after another into pieces of time in view."""

    __slots__ = ("last", "pieces")

    def __init__(self, now: float) -> None:
        self.last = now
        self.pieces: list[Piece] = []

    def look(self, now: float, facing: bool) -> None:
        """Take in a look: from the last one to this one somebody was in view."""
        if now > self.last:
            before = self.pieces[-1] if self.pieces else None
            if before is not None and before.end == self.last and before.facing == facing:
                self.pieces[-1] = before._replace(end=now)
            else:
                self.pieces.append(Piece(self.last, now, facing))
            self.last = now

    def take(self) -> list[Piece]:
        """Return the pieces since the last call."""
        pieces, self.pieces = self.pieces, []
        return pieces


class Exposure(NamedTuple):
    """A content that was on the screen from `start` to `end`, in Unix seconds."""

    start: float
    end: float
    shown: Shown


class Programme:
    """What was on at any time: of exposures that overlap, the one that began last; else NOTHING."""

    def __init__(self, exposures: Iterable[Exposure] = ()) -> None:
        known = sorted(exposures)
        self._edges = sorted({edge for exposure in known for edge in exposure[:2]})
        self._on = [NOTHING] * (len(self._edges) + 1)
        for exposure in known:  # later ones over earlier ones
            first, last = (bisect_right(self._edges, edge) for edge in exposure[:2])
            self._on[first:last] = [exposure.shown] * (last - first)

    def at(self, moment: float) -> Shown:
        """Return what was on at a moment."""
        return self._on[bisect_right(self._edges, moment)]

    def split(self, pieces: Iterable[Piece]) -> list[tuple[Shown, Piece]]:
        """Return the pieces cut where the content changed, each with its content."""
        return [(self.at(part.start), part) for piece in pieces for part in _cut(piece, self._edges)]


def _cut(piece: Piece, edges: Sequence[float]) -> list[Piece]:
    inside = [edge for edge in edges if piece.start < edge < piece.end]
    bounds = [piece.start, *inside, piece.end]
    return [Piece(start, end, piece.facing) for start, end in pairwise(bounds)]


def milliseconds(parts: Iterable[tuple[Shown, Piece]], total: int) -> dict[Shown, int]:
    """Return the milliseconds of each content, rounded so that they add up to `total`."""
    seconds: dict[Shown, float] = {}
    for shown, piece in parts:
        seconds[shown] = seconds.get(shown, 0.0) + piece.seconds
    found = {shown: round(1000 * value) for shown, value in seconds.items()}
    if found:
        longest = max(found, key=lambda shown: (found[shown], shown))
        found[longest] += total - sum(found.values())
    return found
