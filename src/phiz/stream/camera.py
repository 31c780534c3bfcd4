"""Frames through OpenCV: cameras, and streams from the network."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .buffer import Stop
from .frame import Frame, Say, StreamError, Troubles, believed, plain

# FFmpeg inside OpenCV would write every damaged macroblock to standard error; phiz counts frames instead.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")

import cv2

#: Reads in a row that fail when a camera has vanished.
CAMERA_FAILURES = 5
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


class Camera:
    """A camera or a network stream, looked for again whenever it vanishes.

    open: opens it anew. say: is told when it vanishes and when it is back.
    Raises StreamError where it cannot be opened at first.
    """

    live = True
    length: float | None = None
    sound: str | None = None

    def __init__(self, open: Open, name: str, say: Say) -> None:
        self.name, self.troubles = name, Troubles()
        self._open, self._say = open, say
        self._capture = open()
        if not self._capture.isOpened():
            raise StreamError(
                f"cannot open {name}: check the name, that it is connected, that no other program holds it"
            )
        self.rate = believed(float(self._capture.get(cv2.CAP_PROP_FPS)))

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


def knows_length(capture: Capture) -> bool:
    """Whether what was opened is a recording rather than a live stream."""
    return capture.isOpened() and capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0


def opener(source: str | int) -> Open:
    """Return what opens a camera by number, or a device, URL or GStreamer pipeline by name.

    Raises StreamError for a name that OpenCV would not survive.
    """
    if isinstance(source, str):
        plain(source)
    if isinstance(source, str) and " ! " in source:
        return lambda: cv2.VideoCapture(source, cv2.CAP_GSTREAMER)
    if isinstance(source, str) and "://" in source and cv2.videoio_registry.hasBackend(cv2.CAP_FFMPEG):
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, SILENCE, cv2.CAP_PROP_READ_TIMEOUT_MSEC, SILENCE]
        return lambda: cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits)
    return lambda: cv2.VideoCapture(source)
