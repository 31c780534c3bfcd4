"""Where a stream's answers go: JSON lines, a window; an annotated video is in `recording`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from ..draw import annotate
from ..image import display_name
from .buffer import Stop
from .frame import Frame, StreamError
from .track import Track

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
