"""Where a stream's answers go: JSON lines, an annotated video, a window."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..draw import annotate
from ..image import display_name
from .buffer import Stop
from .frame import Frame, StreamError
from .track import Track

#: How the frames of a video are packed, by the file's suffix.
CODECS = {".mp4": "mp4v", ".m4v": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
#: Bytes that stay free on a video's disk: without its index, which comes last, an MP4 cannot be played.
RESERVE = 16 << 20
#: Title of the window.
TITLE = "phiz"


@dataclass(frozen=True, slots=True)
class Shown:
    """What is known about one frame.

    looked: whether the detector ran on it. tracks: the faces in view. ended: tracks that ended with it.
    dropped: frames that a live source has dropped so far.
    """

    frame: Frame
    looked: bool
    tracks: Sequence[Track]
    ended: Sequence[Track]
    dropped: int


class Output(Protocol):
    """Anything that takes in what is known about frame after frame."""

    def write(self, shown: Shown) -> None:
        """Take in one frame; what is written stays. Raises StreamError where that fails."""
        ...

    def close(self) -> None:
        """Finish, whatever has happened before."""
        ...


def to_dict(shown: Shown, begun: datetime | None = None) -> dict[str, Any]:
    """Return one frame's answer as JSON-ready plain values (a line of --jsonl).

    begun: when a live stream began; gives each frame its time of day.
    """
    frame = shown.frame
    at = {"at": (begun + timedelta(seconds=frame.time)).isoformat(timespec="milliseconds")} if begun else {}
    return {
        "frame": frame.index,
        "time": round(frame.time, 3),
        **at,
        "width": frame.image.shape[1],
        "height": frame.image.shape[0],
        "detected": shown.looked,
        "faces": [
            {
                "id": track.id,
                **track.face.to_dict(),
                "facing": round(track.facing, 3),
                "first": round(track.first, 3),
                "last": round(track.last, 3),
                "seen": track.seen,
            }
            for track in shown.tracks
        ],
        "dropped": shown.dropped,
    }


class Lines:
    """JSON lines, one a frame, each whole and handed to the operating system before the next.

    path: of the file, which is begun anew; "-" for standard output. begun: see `to_dict`.
    Raises StreamError where it cannot be written.
    """

    def __init__(self, path: str, begun: datetime | None = None) -> None:
        self._name = "standard output" if path == "-" else display_name(path)
        self._begun = begun
        self._good = self._count = 0
        try:
            # Unbuffered: nothing may linger that a signal or a full disk could take away.
            self._file = os.fdopen(os.dup(1), "wb", 0) if path == "-" else open(path, "wb", 0)  # noqa: SIM115
        except OSError as error:
            raise StreamError(f"cannot write {self._name}: {error.strerror}") from error

    def write(self, shown: Shown) -> None:
        """Write one frame's line. Raises StreamError, or BrokenPipeError where the reader is gone."""
        data = (json.dumps(to_dict(shown, self._begun), allow_nan=False) + "\n").encode()
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except BrokenPipeError:
            raise
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(self._good)  # no half line stays
            raise StreamError(
                f"cannot write {self._name}: {error.strerror}; the {self._count} lines before are kept"
            ) from error
        self._good, self._count = self._good + len(data), self._count + 1

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class AnnotatedVideo:
    """A video of the frames with the faces drawn in, all as large as the first one.

    path: of the file, which is begun anew; its suffix says the format (see CODECS). rate: frames a second.
    live: keep to the clock: repeat a frame where some were dropped.
    Raises StreamError for another suffix, and where the file cannot be written.
    """

    def __init__(self, path: str, rate: float, *, live: bool = False) -> None:
        self._path, self._name = path, display_name(path)
        codec = CODECS.get(Path(path).suffix.lower())
        if codec is None:
            raise StreamError(f"expected a video named {' '.join(CODECS)}, got {self._name}; name it so")
        self._codec, self._rate, self._live = codec, rate, live
        self._writer: Any = None
        self._size = 0, 0
        self._written, self._origin = 0, 0.0
        try:
            self._check_room()  # before an earlier video of the name is gone
            open(path, "wb").close()  # for a plain reason where it cannot be: OpenCV gives none
        except OSError as error:
            raise StreamError(f"cannot write {self._name}: {error.strerror}") from error

    def write(self, shown: Shown) -> None:
        """Add one frame. Raises StreamError where the disk is full or fails."""
        import cv2

        self._check_room()
        image = annotate(shown.frame.image, [track.face for track in shown.tracks])
        if self._writer is None:
            self._begin(image, shown.frame.time)
        bgr = cv2.cvtColor(fitted(image, self._size), cv2.COLOR_RGB2BGR)
        for _ in range(self._copies(shown.frame.time)):
            # OpenCV 5 says whether it wrote; before that it never does.
            if self._writer.write(bgr) is False:
                raise StreamError(f"cannot write {self._name}: {self._kept}")
            self._written += 1

    def _begin(self, image: NDArray[np.uint8], time: float) -> None:
        import cv2

        height, width = image.shape[:2]
        self._size = width + width % 2, height + height % 2  # the colours of video come in blocks of 2 x 2
        self._origin = time
        self._writer = cv2.VideoWriter(
            self._path, cv2.VideoWriter.fourcc(*self._codec), self._rate, self._size
        )
        if not self._writer.isOpened():
            raise StreamError(f"cannot write {self._name}: this OpenCV has no {self._codec} encoder")

    def _copies(self, time: float) -> int:
        """Return how often a frame is written, so that a live video runs as fast as life did."""
        if not self._live:
            return 1
        copies = round((time - self._origin) * self._rate) + 1 - self._written
        if copies > self._rate:  # more than a second without a frame is cut out
            self._origin += (copies - 1) / self._rate
            return 1
        return max(0, copies)

    def _check_room(self) -> None:
        free = shutil.disk_usage(os.path.dirname(os.path.abspath(self._path))).free
        if free < RESERVE:
            raise StreamError(
                f"cannot write {self._name}: the disk is full ({free >> 20} MiB free, of which "
                f"{RESERVE >> 20} are kept); {self._kept}"
            )

    @property
    def _kept(self) -> str:
        return f"the {self._written} frames before are kept"

    def close(self) -> None:
        """Finish the file, so that it can be played."""
        if self._writer is not None:
            self._writer.release()


class Window:
    """A window with the annotated frames; the keys q and Esc, and closing it, end the stream.

    Raises StreamError where there can be none (see `no_window`).
    """

    def __init__(self, stop: Stop) -> None:
        if reason := no_window():
            raise StreamError(f"no window: {reason}")
        import cv2

        self._stop = stop
        self._sized = False
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)

    def write(self, shown: Shown) -> None:
        """Show one frame."""
        import cv2

        image = annotate(shown.frame.image, [track.face for track in shown.tracks])
        if not self._sized:
            cv2.resizeWindow(TITLE, image.shape[1], image.shape[0])
            self._sized = True
        cv2.imshow(TITLE, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        key = cv2.waitKey(1) & 0xFF
        if key in (ord("q"), 27) or cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1:
            self._stop.set()

    def close(self) -> None:
        """Close the window."""
        import cv2

        cv2.destroyAllWindows()


def no_window() -> str | None:
    """Return why there can be no window, None where there can."""
    import cv2

    gui = [
        line.split()[1:2]
        for line in cv2.getBuildInformation().splitlines()
        if line.strip().startswith("GUI:")
    ]
    if not gui or gui == [["NONE"]]:
        return (
            "this OpenCV is built without (opencv-python-headless); for one, pip uninstall that and "
            "pip install opencv-python"
        )
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return "there is no screen (neither DISPLAY nor WAYLAND_DISPLAY is set)"
    return None


def fitted(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a picture of `size` (width, height) that shows the whole image, undistorted, the rest black."""
    import cv2

    height, width = image.shape[:2]
    if width <= size[0] and height <= size[1] and size[0] - width + size[1] - height <= 2:
        inside = image
    else:
        scale = min(size[0] / width, size[1] / height)
        shape = max(1, round(width * scale)), max(1, round(height * scale))
        inside = np.asarray(cv2.resize(image, shape, interpolation=cv2.INTER_AREA), np.uint8)
    if inside.shape[:2] == (size[1], size[0]):
        return inside
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    top, left = (size[1] - inside.shape[0]) // 2, (size[0] - inside.shape[1]) // 2
    canvas[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return canvas
