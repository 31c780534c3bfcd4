"""Frames through OpenCV: video files, cameras, and streams from the network."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .buffer import Stop
from .frame import Frame, Say, StreamError, Troubles

# FFmpeg inside OpenCV would write every damaged macroblock to standard error; phiz counts frames instead.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")

import cv2

#: Rate of a stream that does not tell its own, and the highest one that is believed, in frames a second.
RATE, MAX_RATE = 25.0, 240.0
#: Reads in a row that may fail: in a file (then it has ended), with a camera (then it has vanished).
FILE_FAILURES, CAMERA_FAILURES = 50, 5
#: Seconds to wait before a vanished camera is looked for again: at first, and at most after doubling.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
#: Milliseconds after which a network stream that does not open or goes silent counts as vanished.
SILENCE = 10_000


class Capture(Protocol):
    """What is used of cv2.VideoCapture."""

    def isOpened(self) -> bool: ...  # noqa: D102
    def grab(self) -> bool: ...  # noqa: D102
    def retrieve(self) -> tuple[bool, Any]: ...  # noqa: D102
    def get(self, property: int) -> float: ...  # noqa: D102
    def release(self) -> None: ...  # noqa: D102


Open = Callable[[], Capture]


class Video:
    """The frames of a video file, all of them, with the times that the file gives them.

    Raises StreamError where OpenCV cannot open it.
    """

    live = False

    def __init__(self, open: Open, name: str) -> None:
        self.name, self.troubles = name, Troubles()
        self._capture = open()
        if not self._capture.isOpened():
            raise StreamError(
                f"cannot open the video {self.name}: expected one that OpenCV reads (MP4, MKV, AVI, ...), "
                "got one that is damaged, cut short or of another kind"
            )
        self.rate = rate_of(self._capture)
        #: How many frames the header names; 0 where it does not say.
        self.promised = max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)))

    def frames(self, stop: Stop) -> Iterator[Frame]:
        """Yield the frames that can be decoded; damaged ones between them are counted.

        Raises StreamError where there is none at all.
        """
        index, failures, last = -1, 0, -1.0
        try:
            while not stop.is_set() and failures < FILE_FAILURES:
                image = read(self._capture)
                if image is None:
                    failures += 1
                    continue
                self.troubles.damaged += failures
                index += failures + 1
                failures = 0
                # The file's own time; where that stands still, as in some streams, one step of its rate.
                told = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                last = told if told > last else max(last, 0.0) + 1 / self.rate
                yield Frame(index, last, image)
        finally:
            self._capture.release()
        if index < 0 and not stop.is_set():
            raise StreamError(f"{self.name}: no frame of the video can be decoded")
        if not stop.is_set():  # what the header promised and did not come was damaged, too
            self.troubles.damaged += max(0, self.promised - (index + 1))


class Camera:
    """A camera or a network stream, looked for again whenever it vanishes.

    open: opens it anew. say: is told when it vanishes and when it is back.
    Raises StreamError where it cannot be opened at first.
    """

    live = True

    def __init__(self, open: Open, name: str, say: Say) -> None:
        self.name, self.troubles = name, Troubles()
        self._open, self._say = open, say
        self._capture = open()
        if not self._capture.isOpened():
            raise StreamError(
                f"cannot open {name}: check the name, that it is connected, that no other program holds it"
            )
        self.rate = rate_of(self._capture)

    def frames(self, stop: Stop) -> Iterator[Frame]:
        """Yield frames until `stop`, with the seconds since the first look; the pauses between tries grow."""
        begun, index, failures = time.monotonic(), 0, 0
        try:
            while not stop.is_set():
                image = read(self._capture)
                if image is None:
                    failures += 1
                    if failures == CAMERA_FAILURES:
                        self._return(stop)
                        failures = 0
                    continue
                self.troubles.damaged += failures
                index += failures
                yield Frame(index, time.monotonic() - begun, image)
                index, failures = index + 1, 0
        finally:
            self._capture.release()

    def _return(self, stop: Stop) -> None:
        """Wait for a vanished camera until it delivers again."""
        self.troubles.lost += 1
        gone, pause = time.monotonic(), FIRST_PAUSE
        while not stop.is_set():
            self._capture.release()
            self._say(f"{self.name} has vanished; trying again in {pause:g} s")
            stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            if stop.is_set():
                return
            self._capture = self._open()
            if self._capture.isOpened() and read(self._capture) is not None:
                self._say(f"{self.name} is back after {time.monotonic() - gone:.0f} s")
                return


def read(capture: Capture) -> NDArray[np.uint8] | None:
    """Return the next frame as RGB; None where there is none or it cannot be decoded."""
    if not capture.grab():
        return None
    good, image = capture.retrieve()
    if not good or image is None or image.size == 0:
        return None
    grey = image.ndim == 2 or image.shape[2] == 1
    rgb: NDArray[np.uint8] = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB if grey else cv2.COLOR_BGR2RGB)
    return rgb


def rate_of(capture: Capture) -> float:
    """Return the frames a second that a capture tells, RATE where it tells none that can be."""
    rate = float(capture.get(cv2.CAP_PROP_FPS))
    return rate if 0 < rate <= MAX_RATE else RATE


def opener(source: str | int) -> Open:
    """Return what opens a camera by number, or a file, device, URL or GStreamer pipeline by name."""
    if isinstance(source, str) and " ! " in source:
        return lambda: cv2.VideoCapture(source, cv2.CAP_GSTREAMER)
    if isinstance(source, str) and "://" in source and cv2.videoio_registry.hasBackend(cv2.CAP_FFMPEG):
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, SILENCE, cv2.CAP_PROP_READ_TIMEOUT_MSEC, SILENCE]
        return lambda: cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits)
    return lambda: cv2.VideoCapture(source)
