"""An annotated video through PyAV: frames with the faces drawn in, each at its own time, and the sound."""

from __future__ import annotations

import os
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import PIL.Image
from av.container import OutputContainer
from numpy.typing import NDArray

from ..draw import annotate
from ..image import display_name
from .frame import Say, StreamError, plain
from .sound import Sound
from .stream_output import Shown
from .video import address

#: Format of the file by its suffix. AVI holds Motion JPEG, all others H.264, which browsers play in MP4.
FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".avi": "avi"}
#: Frames are packed fast and well enough; one never waits for a later one, which some players' clocks need.
H264_OPTIONS: dict[str, object] = {"preset": "veryfast", "crf": "23", "bf": "0"}
#: Smallest step of a video's clock, in seconds; an AVI's is a frame of its rate.
TICK = Fraction(1, 90_000)
#: Bytes that stay free on a video's disk: without its index, which comes last, an MP4 cannot be played.
RESERVE = 16 << 20


class AnnotatedVideo:
    """A video of the frames with the faces drawn in, all as large as the first one, at the stream's times.

    path: of the file, which is begun anew; its suffix says the format (see FORMATS). rate: frames a second.
    sound: a file or URL whose sound is copied; None for a silent video. say: is told where that fails.
    Raises StreamError for another suffix, and where the file cannot be written.
    """

    def __init__(
        self, path: str, rate: float, *, sound: str | None = None, say: Say = lambda text: None
    ) -> None:
        self._path, self._name = plain(path), display_name(path)
        self._format = FORMATS.get(Path(path).suffix.lower())
        if self._format is None:
            raise StreamError(f"expected a video named {' '.join(FORMATS)}, got {self._name}; name it so")
        self._sound_of, self._say = sound, say
        self._rate = Fraction(rate).limit_denominator(1001)  # 29.97 is 30000/1001
        self._tick = 1 / self._rate if self._format == "avi" else TICK
        self._file: OutputContainer | None = None
        self._size = 0, 0
        self._written, self._last, self._failed = 0, -1, False
        try:
            self._check_room()
            open(path, "ab").close()  # for a plain reason; what is there stays until a frame comes
        except OSError as error:
            raise StreamError(f"cannot write {self._name}: {error.strerror}") from error

    def write(self, shown: Shown) -> None:
        """Add one frame. Raises StreamError where the disk is full or fails.

        Of two frames within one step of an AVI's clock the second is left out.
        """
        self._check_room()
        image = annotate(shown.frame.image, [track.face for track in shown.tracks])
        tick = round(shown.frame.time / self._tick)
        if tick <= self._last:
            return
        try:
            if self._file is None:
                self._begin(image)
            assert self._file is not None
            frame = av.VideoFrame.from_ndarray(fitted(image, self._size), format="rgb24")
            frame.pts, frame.time_base = tick, self._tick
            self._file.mux(self._video.encode(frame))
            self._sound.copy(shown.frame.time)
        except (av.FFmpegError, OSError) as error:
            self._failed = True
            left = "it cannot be played; an .mkv could" if self._format in ("mp4", "mov") else self._kept
            raise StreamError(f"cannot write {self._name}: {error.strerror}; {left}") from error
        self._written, self._last = self._written + 1, tick

    def _begin(self, image: NDArray[np.uint8]) -> None:
        height, width = image.shape[:2]
        self._size = width + width % 2, height + height % 2  # the colours of video come in blocks of 2 x 2
        self._file = av.open(address(self._path), "w", format=self._format)
        codec, pixels = ("mjpeg", "yuvj420p") if self._format == "avi" else ("libx264", "yuv420p")
        try:
            video = self._file.add_stream(codec, rate=self._rate)
        except ValueError as error:
            raise StreamError(
                f"cannot write {self._name}: expected PyAV with {codec}, got one without; pip install av"
            ) from error
        assert isinstance(video, av.VideoStream)
        self._video = video
        video.width, video.height, video.pix_fmt = *self._size, pixels
        video.codec_context.time_base = self._tick
        if codec == "libx264":
            video.options = H264_OPTIONS
        self._sound = Sound(self._sound_of, self._file, self._say)

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
        """Finish the file, so that it can be played. Raises StreamError where that fails."""
        if self._file is None:
            return
        try:
            with self._file:
                self._file.mux(self._video.encode())  # the frames that the encoder still holds
                self._sound.copy(float(self._last * self._tick + 1 / self._rate))
        except (av.FFmpegError, OSError) as error:
            if not self._failed:  # otherwise it has been told
                raise StreamError(f"cannot finish {self._name}: {error.strerror}") from error


def fitted(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a picture of `size` (width, height) that shows the whole image, undistorted, the rest black."""
    height, width = image.shape[:2]
    if width <= size[0] and height <= size[1] and size[0] - width + size[1] - height <= 2:
        inside = image
    else:
        scale = min(size[0] / width, size[1] / height)
        shape = max(1, round(width * scale)), max(1, round(height * scale))
        inside = np.asarray(PIL.Image.fromarray(image).resize(shape, PIL.Image.Resampling.BOX))
    if inside.shape[:2] == (size[1], size[0]):
        return inside
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    top, left = (size[1] - inside.shape[0]) // 2, (size[0] - inside.shape[1]) // 2
    canvas[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return canvas
