"""Frames of a video file, through PyAV: all of them, with the times that the file gives them."""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from .buffer import Stop
from .frame import RATE, Frame, StreamError, Troubles, believed, plain

#: Seconds after which a server that sends nothing more of a video counts as gone.
SILENCE = 10.0
#: Containers whose length can be relied on: it stands in their table of frames. Elsewhere it is an estimate.
TABLES = ("avi", "mov")
#: Frames by which the last one may end before that length: containers round.
ROUNDED = 1.5


class Video:
    """The frames of a video file.

    place: a path, or the URL of a video of known length. name: what messages call it.
    Raises StreamError where it cannot be opened or has no pictures.
    """

    live = False

    def __init__(self, place: str, name: str) -> None:
        self.name, self.troubles = name, Troubles()
        self.sound: str | None = place
        try:
            self._file = av.open(address(place), timeout=SILENCE)
        except av.FFmpegError as error:
            raise StreamError(
                f"cannot open the video {name}: expected one that FFmpeg reads (MP4, MKV, AVI, ...), "
                f"got one that is damaged, cut short or of another kind ({error.strerror})"
            ) from error
        found = self._file.streams.best("video")
        if not isinstance(found, av.VideoStream):
            raise StreamError(f"{name}: expected a video, got a file that has no pictures; name another")
        self._stream, self._promised = found, promised(self._file, found)
        self.rate = believed(float(found.guessed_rate or RATE))
        #: Seconds that it lasts, as far as its header knows: for a progress line, not a promise.
        self.length: float | None = self._file.duration / av.time_base if self._file.duration else None

    def frames(self, stop: Stop) -> Iterator[Frame]:
        """Yield the frames that can be decoded; damaged ones between them are counted.

        Raises StreamError where there is none at all, or reading fails.
        """
        index, last, end, failing = 0, -1.0, 0.0, False
        step, begin = float(self._stream.time_base or 1 / RATE), self._stream.start_time
        with self._file:
            for packet in self._packets():
                if stop.is_set():
                    return
                if packet.size and packet.pts is not None:
                    begin = packet.pts if begin is None else begin
                    end = max(end, (packet.pts - begin + (packet.duration or 0)) * step)
                try:
                    pictures = packet.decode()
                    damaged = failing and not pictures and packet.size > 0  # what hangs on a damaged one
                except av.FFmpegError:
                    pictures, damaged = [], True
                if damaged:
                    self.troubles.damaged += 1
                    index, failing = index + 1, True
                for picture in pictures:
                    # The file's own time; where that stands still, as in some streams, one step of its rate.
                    told = -1.0 if picture.pts is None else (picture.pts - (begin or 0)) * step
                    last = told if told > last else max(last, 0.0) + 1 / self.rate if index else 0.0
                    yield Frame(index, last, upright(picture))
                    index, failing = index + 1, False
        if last < 0 and not stop.is_set():
            raise StreamError(f"{self.name}: no frame of the video can be decoded")
        missing = self._promised - end
        if missing > ROUNDED / self.rate:
            self.troubles.missing = missing

    def _packets(self) -> Iterator[av.Packet[av.VideoStream]]:
        try:
            yield from self._file.demux(self._stream)
        except av.error.InvalidDataError:  # what follows in the file is none of a video any more
            self.troubles.damaged += 1
        except av.FFmpegError as error:
            raise StreamError(f"{self.name}: reading failed: {error.strerror}") from error


def promised(file: InputContainer, stream: av.VideoStream) -> float:
    """Return the seconds that a video's table of frames names, 0 where it has none."""
    kind = file.format.name.split(",")[0]
    if kind not in TABLES or not stream.time_base:
        return 0.0
    # An AVI's header counts steps; its duration is made up where the index at the end is missing.
    steps = stream.frames if kind == "avi" else stream.duration
    return float((steps or 0) * stream.time_base)


def address(place: str) -> str:
    """Return what FFmpeg calls a place: a path stays one, whatever it looks like. Raises StreamError."""
    return plain(place) if "://" in place else f"file:{plain(place)}"


def upright(picture: av.VideoFrame) -> NDArray[np.uint8]:
    """Return a decoded frame as RGB, turned as its file says: telephones film with the sensor's long side."""
    image = np.asarray(picture.to_ndarray(format="rgb24"), np.uint8)
    turns = round(picture.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image
