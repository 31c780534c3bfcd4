"""Faces followed from frame to frame, each with an age and a gender that settle.

Two libraries that track boxes were weighed and left out: see docs/streams.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..models.certainty import Caution
from ..types import Box, Face, Point
from .facing import frontality
from .motion import Motion
from .steady import Steady

#: Faces that score less continue a track but begin none, as in ByteTrack. The detector
#: returns faces from 0.6 on.
STRONG = 0.65
#: Least overlap (see `overlaps`) of a track's expected box with a strong face, and with a weak one.
OVERLAP_STRONG, OVERLAP_WEAK = 0.2, 0.5
#: Boxes are compared with so much of their width and height added on each side, so that a face that moved by
#: about its own width still meets its track: F. Yang et al., WACV 2023, arXiv 2211.14317.
BUFFER = 0.25
#: Seconds after which a face that was not seen again has left.
PATIENCE = 2.0
#: Who was seen at the last look may be expected longer where looks are that far apart; in seconds, at most.
LONGEST_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Track:
    """One person's face over time.

    id: from 1, never used twice by a Tracker.
    face: of the last look, its box and keypoints as expected where no detector ran since; age, age_interval,
        gender and gender_score are the track's (see `steady`).
    first, last: when it was first and last seen, in seconds of the stream's clock.
    seen: analysed frames that showed it.
    facing: 0..1, how frontal the face is now (see `facing.frontality`); 1 looks at the camera.
    """

    id: int
    face: Face
    first: float
    last: float
    seen: int
    facing: float


class Tracker:
    """Joins the faces of analysed frames into tracks, by motion and overlap.

    The association is ByteTrack's (Y. Zhang et al., ECCV 2022, arXiv 2110.06864): every track, also one lost
    for a while, is first matched with the faces that score high, then tracks still in view with those that
    score low; only a high score begins a track. patience: seconds for which a lost face is expected back.
    pace: seconds from one look to the next, as far as known; later that of the last two looks is taken.
    caution: of the tracks' answers, see `steady.Steady`.
    """

    def __init__(self, patience: float = PATIENCE, pace: float = 0.0, caution: Caution | None = None) -> None:
        self._patience, self._pace, self._caution = patience, pace, caution or Caution()
        self._look, self._time = 0, 0.0  # number and time of the last analysed frame
        self._tracks: list[_Track] = []
        self._ended: list[Track] = []
        self._next = 1

    def update(self, faces: Sequence[Face], time: float) -> list[Track]:
        """Take in the faces of an analysed frame and return the tracks that it shows, oldest first.

        time: seconds of the stream's clock, never decreasing.
        """
        self._drop_lost(time)  # before matching: who was out of view for too long is nobody's match
        if self._look:
            self._pace = time - self._time
        self._look, self._time = self._look + 1, time
        strong = [i for i, face in enumerate(faces) if face.score is None or face.score >= STRONG]
        weak = sorted(set(range(len(faces))) - set(strong))
        first = match(self._tracks, faces, strong, time, OVERLAP_STRONG)
        rest = [track for track in self._tracks if track not in first and track.look == self._look - 1]
        matched = first | match(rest, faces, weak, time, OVERLAP_WEAK)
        for track, index in matched.items():
            track.see(faces[index], time)
            track.look = self._look
        for index in strong:
            if index not in matched.values():
                steady = Steady(self._caution)
                self._tracks.append(_Track(self._next, faces[index], time, steady, self._look))
                self._next += 1
        return [track.public() for track in self._tracks if track.look == self._look]

    def expect(self, time: float) -> list[Track]:
        """Return the tracks that the last analysed frame showed, each where its face should be at `time`."""
        self._drop_lost(time)
        return [track.public(time) for track in self._tracks if track.look == self._look]

    def ended(self) -> list[Track]:
        """Return the tracks that ended since the last call: lost for longer than the patience, or cut off."""
        ended, self._ended = self._ended, []
        return ended

    def cut(self) -> None:
        """End every track: the stream goes on with another scene."""
        self._drop(list(self._tracks))

    def finish(self) -> list[Track]:
        """End every track and return those that ended since the last call of `ended`: the stream is over."""
        self.cut()
        return self.ended()

    def rescale(self, across: float, down: float) -> None:
        """Follow a stream whose frames became `across` times as wide and `down` times as high."""
        for track in self._tracks:
            track.rescale(across, down)

    def _drop_lost(self, time: float) -> None:
        slow = max(self._patience, min(2 * self._pace, LONGEST_PATIENCE))

        def lost(track: _Track) -> bool:
            return time - track.last > (slow if track.look == self._look else self._patience)

        self._drop([track for track in self._tracks if lost(track)])

    def _drop(self, gone: list[_Track]) -> None:
        self._ended += [track.public() for track in gone]
        self._tracks = [track for track in self._tracks if track not in gone]


class _Track:
    """What a Tracker keeps of one face; compared by identity."""

    def __init__(self, number: int, face: Face, time: float, steady: Steady, look: int) -> None:
        self._id, self._face, self._steady = number, face, steady
        self._motion = Motion(face.box, time)
        self._first, self.last, self._seen, self.look = time, time, 1, look
        steady.see(face)

    def see(self, face: Face, time: float) -> None:
        self._face, self.last, self._seen = face, time, self._seen + 1
        self._motion.see(face.box, time)
        self._steady.see(face)

    def expected(self, time: float) -> Box:
        return self._motion.expected(time)

    def rescale(self, across: float, down: float) -> None:
        x, y, w, h = self._face.box
        self._face = moved(self._face, (x * across, y * down, w * across, h * down))
        self._motion.rescale(across, down)

    def public(self, time: float | None = None) -> Track:
        face = self._face if time is None else moved(self._face, self.expected(time))
        facing = frontality(face.keypoints) if face.keypoints else 1.0
        return Track(self._id, self._steady.told(face), self._first, self.last, self._seen, facing)


def match(
    tracks: Sequence[_Track], faces: Sequence[Face], allowed: Sequence[int], time: float, least: float
) -> dict[_Track, int]:
    """Return track -> index of its face among the allowed ones: the pair that overlaps most first, and so on.

    Greedy, because faces overlap little: on crossing faces an optimal assignment chose the same pairs.
    """
    if not tracks or not allowed:
        return {}
    expected = np.array([track.expected(time) for track in tracks])
    found = np.array([faces[index].box for index in allowed])
    table = overlaps(expected, found)
    pairs: dict[_Track, int] = {}
    while table.max() >= least:
        row, column = divmod(int(table.argmax()), len(allowed))
        pairs[tracks[row]] = allowed[column]
        table[row], table[:, column] = -1.0, -1.0
    return pairs


def overlaps(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the intersection over union of n and m boxes (x, y, width, height), grown by BUFFER: n x m."""
    low_a, high_a = a[:, None, :2] - BUFFER * a[:, None, 2:], a[:, None, :2] + (1 + BUFFER) * a[:, None, 2:]
    low_b, high_b = b[None, :, :2] - BUFFER * b[None, :, 2:], b[None, :, :2] + (1 + BUFFER) * b[None, :, 2:]
    both = np.clip(np.minimum(high_a, high_b) - np.maximum(low_a, low_b), 0, None).prod(axis=2)
    either = (high_a - low_a).prod(axis=2) + (high_b - low_b).prod(axis=2) - both
    shares: NDArray[np.float64] = both / np.maximum(either, 1e-12)
    return shares


def moved(face: Face, box: Box) -> Face:
    """Return a face with its keypoints moved and stretched along with its box."""
    x, y, w, h = face.box
    across, down = box[2] / max(w, 1e-9), box[3] / max(h, 1e-9)

    def move(point: Point) -> Point:
        return box[0] + (point[0] - x) * across, box[1] + (point[1] - y) * down

    return replace(face, box=box, keypoints=tuple(move(point) for point in face.keypoints))
