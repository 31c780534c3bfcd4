"""Stand-ins for what streams touch: a camera, a source, an analyzer; and videos of the bundled portrait."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from phiz.data import ASTRONAUT
from phiz.image import load
from phiz.stream.buffer import Stop
from phiz.stream.frame import Frame, Troubles
from phiz.types import Face


def plain(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A frame whose colour tells its number."""
    return np.full((height, width, 3), number % 256, np.uint8)


class FakeCapture:
    """A cv2.VideoCapture that follows a script, one item a grab: a BGR frame, "bad" or "gone"."""

    def __init__(self, script: Sequence[object], *, opens: bool = True, rate: float = 25.0) -> None:
        self._script, self._opens, self._rate = list(script), opens, rate
        self._now: object = None
        self.released = False

    def isOpened(self) -> bool:
        return self._opens

    def grab(self) -> bool:
        self._now = self._script.pop(0) if self._script else "gone"
        return not (isinstance(self._now, str) and self._now == "gone")

    def retrieve(self) -> tuple[bool, object]:
        return (False, None) if isinstance(self._now, str) else (True, self._now)

    def get(self, property: int) -> float:
        return self._rate if property == cv2.CAP_PROP_FPS else 0.0

    def release(self) -> None:
        self.released = True


class FakeStop(Stop):
    """Notes how long somebody would have waited, and ends after so many waits."""

    def __init__(self, most: int = 100) -> None:
        super().__init__()
        self.waits: list[float] = []
        self._most = most

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        if len(self.waits) >= self._most:
            self.set()


class FakeSource:
    """Yields the given pictures at 25 a second."""

    name, rate = "made", 25.0

    def __init__(
        self, images: Sequence[np.ndarray], *, live: bool = False, error: Exception | None = None
    ) -> None:
        self._images, self.live, self._error, self.troubles = images, live, error, Troubles()
        self.before: Callable[[int], None] = lambda index: None
        self.given = 0

    def frames(self, stop: Stop) -> Iterator[Frame]:
        for index, image in enumerate(self._images):
            if stop.is_set():
                return
            self.before(index)
            self.given += 1
            yield Frame(index, index / self.rate, image)
        if self._error:
            raise self._error


def one_face(image: np.ndarray) -> list[Face]:
    """A face in the middle of every picture, whose age is the colour of the first pixel."""
    height, width = image.shape[:2]
    box = (width / 4, height / 4, width / 2, height / 2)
    keypoints = tuple(
        (box[0] + x * box[2], box[1] + y * box[3])
        for x, y in ((0.3, 0.3), (0.7, 0.3), (0.5, 0.5), (0.35, 0.75), (0.65, 0.75))
    )
    return [Face(box, 0.9, keypoints, float(image[0, 0, 0]), "female", 0.9)]


def portrait_frames(count: int, size: int = 256) -> list[np.ndarray]:
    """The portrait, small, moving sideways by one pixel a frame."""
    picture = cv2.resize(load(ASTRONAUT), (size, size), interpolation=cv2.INTER_AREA)
    return [np.roll(picture, step, axis=1) for step in range(count)]


def write_video(path: Path, frames: Sequence[np.ndarray], codec: str = "MJPG", rate: float = 25.0) -> Path:
    """Write RGB frames with OpenCV."""
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), rate, (width, height))
    assert writer.isOpened()
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def read_video(path: Path) -> list[np.ndarray]:
    """Read a video's frames as RGB."""
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (found := capture.read())[0]:
        frames.append(cv2.cvtColor(found[1], cv2.COLOR_BGR2RGB))
    capture.release()
    return frames


def jpeg(frame: np.ndarray) -> bytes:
    """Encode RGB as JPEG."""
    return cv2.imencode(".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))[1].tobytes()


def damage(video: bytes, *numbers: int) -> bytes:
    """Overwrite the pictures of these numbers inside a Motion JPEG AVI."""
    data = bytearray(video)
    starts = [i for i in range(len(data) - 2) if data[i : i + 3] == b"\xff\xd8\xff"]
    for number in numbers:
        end = data.index(b"\xff\xd9", starts[number])
        data[starts[number] : end] = b"\x55" * (end - starts[number])
    return bytes(data)
