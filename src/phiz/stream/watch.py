"""A stream from its source to its outputs: reading, analysing and writing, each in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..models.certainty import Caution
from ..types import Face
from .buffer import Buffer, Stop
from .frame import Frame, Say, Source
from .scene import Scene
from .stream_output import Output, Shown
from .track import Track, Tracker

#: Frames that may wait between two threads. One is enough for a live source: what waits longer is old.
WAITING, WAITING_LIVE = 4, 1
#: Seconds for which a source that does not answer may hold up the end.
LINGER = 2.0

#: Finds and estimates the faces of a picture, as `lambda image: analyzer.analyze(image).faces` does.
Analyze = Callable[[NDArray[np.uint8]], Sequence[Face]]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a stream came to.

    frames: taken in and written. looks: of these, analysed. people: tracks begun. dropped: frames that a live
    source brought too fast. damaged, missing, lost: see `Troubles`. seconds: time of the last frame.
    """

    frames: int
    looks: int
    people: int
    dropped: int
    damaged: int
    missing: float
    lost: int
    seconds: float


def watch(
    source: Source,
    analyze: Analyze,
    outputs: Sequence[Output],
    *,
    every: int = 1,
    max_frames: int | None = None,
    caution: Caution | None = None,
    stop: Stop | None = None,
    say: Say = lambda text: None,
    at_end: Callable[[Sequence[Track]], None] = lambda left: None,
) -> Summary:
    """Follow the faces of a stream until its end, `stop`, or a failure; outputs are closed in every case.

    every: the detector runs on every so manieth frame; on those between, each face is where its motion leads
        and keeps its answer. A crop cut there would show the network a face out of place, and the looks at
        neighbouring frames err alike, so it would tell little for its time. A cut to another scene is looked
        at whatever its number, and everybody ends there.
    max_frames: end after so many frames. caution: of the tracks' answers, see `steady.Steady`; what `analyze`
        says has its coverage. say: told of what happens meanwhile.
    at_end: told of the tracks that ended with the stream, however it ended, before the outputs are closed.
    The outputs are written in this thread, which a window needs; reading and analysing have their own.
    Raises what source, analysis or outputs raise, once everything before it is written.
    """
    stop = stop or Stop()
    with ExitStack() as closing:
        for output in outputs:
            closing.callback(output.close)
        work = _Work(source, analyze, every, max_frames, caution, stop, say)
        frames: Buffer[Frame] = Buffer(WAITING_LIVE if source.live else WAITING, stop, live=source.live)
        shown: Buffer[Shown] = Buffer(WAITING, Stop())
        threads = [
            threading.Thread(target=work.read, args=(frames,), name="phiz-capture", daemon=True),
            threading.Thread(target=work.look, args=(frames, shown), name="phiz-analyse", daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            while (answer := shown.take()) is not None:
                for output in outputs:
                    output.write(answer)
                work.written(answer)
        finally:
            shown.close()
            stop.set()
            for thread in threads:
                thread.join(LINGER)
            at_end(work.tracker.finish())
    if work.failure is not None:
        raise work.failure
    return work.summary(frames.dropped)


class _Work:
    """What the threads of one stream do and what they count."""

    def __init__(
        self,
        source: Source,
        analyze: Analyze,
        every: int,
        max_frames: int | None,
        caution: Caution | None,
        stop: Stop,
        say: Say,
    ) -> None:
        self._source, self._analyze, self._every = source, analyze, every
        self._max_frames, self._stop, self._say = max_frames, stop, say
        self._scene, self.tracker = Scene(), Tracker(pace=every / source.rate, caution=caution)
        self._frames = self._looks = 0
        self._people = 0
        self._seconds = 0.0
        self.failure: BaseException | None = None

    def read(self, frames: Buffer[Frame]) -> None:
        """Give the source's frames until it ends or nobody takes them."""
        try:
            for frame in self._source.frames(self._stop):
                if not frames.put(frame):
                    break
        except BaseException as error:
            self.failure = error
        finally:
            frames.close()

    def look(self, frames: Buffer[Frame], shown: Buffer[Shown]) -> None:
        """Turn frames into answers until there are none any more, or max_frames of them."""
        try:
            for number, frame in enumerate(self._taken(frames)):
                if not shown.put(self._answer(number, frame, frames.dropped)):
                    break
        except BaseException as error:
            self.failure = error
        finally:
            self._stop.set()
            shown.close()

    def _taken(self, frames: Buffer[Frame]) -> Iterator[Frame]:
        size: tuple[int, int] | None = None
        count = 0
        while count != self._max_frames and (frame := frames.take()) is not None:
            height, width = frame.image.shape[:2]
            if size is not None and size != (width, height):
                self._say(f"the frames changed from {size[0]}x{size[1]} to {width}x{height} pixels")
                self.tracker.rescale(width / size[0], height / size[1])
            size = width, height
            yield frame
            count += 1

    def _answer(self, number: int, frame: Frame, dropped: int) -> Shown:
        cut = self._scene.cut(frame.image)
        if cut:
            self.tracker.cut()
        looked = cut or number % self._every == 0
        if looked:
            faces = self._analyze(frame.image)
            tracks = self.tracker.update(faces, frame.time)
        else:
            tracks = self.tracker.expect(frame.time)
        return Shown(frame, looked, tracks, self.tracker.ended(), dropped)

    def written(self, answer: Shown) -> None:
        """Count an answer that every output has."""
        self._frames += 1
        self._looks += answer.looked
        self._people = max([self._people, *(track.id for track in answer.tracks)])
        self._seconds = answer.frame.time

    def summary(self, dropped: int) -> Summary:
        """Return the counts."""
        troubles = self._source.troubles
        return Summary(
            self._frames,
            self._looks,
            self._people,
            dropped,
            troubles.damaged,
            troubles.missing,
            troubles.lost,
            self._seconds,
        )
