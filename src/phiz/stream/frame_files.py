"""Frames that wait to be read: a folder of pictures, and JPEG pictures that come through a pipe."""

from __future__ import annotations

import os
import re
import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import ImageError
from ..image import display_name, load, suffixes
from .buffer import GLANCE, Stop
from .frame import Frame, StreamError, Troubles

#: Names that videos end in, for a hint where a folder holds those.
VIDEOS = (".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ts", ".webm", ".wmv")
#: Bytes read at once from a pipe.
CHUNK = 1 << 16
#: Largest JPEG taken from a pipe, in bytes.
MAX_FRAME = 32 << 20
#: How a JPEG begins; what follows a scan's data: any marker but a stuffed zero and the restarts; second bytes
#: of markers that begin no segment and have no place between segments (ITU-T T.81, annex B).
START = b"\xff\xd8\xff"
SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
NO_SEGMENT = {0x00, 0x01, *range(0xD0, 0xD9)}


class Folder:
    """The pictures of a folder as frames, in the natural order of their names: 2 before 10.

    rate: frames a second that they stand for. Raises StreamError where there is none.
    """

    live = False
    sound: str | None = None

    def __init__(self, folder: str, rate: float) -> None:
        self.name, self.rate, self.troubles = display_name(folder), rate, Troubles()
        try:
            there = sorted((name for name in os.listdir(folder) if name[0] != "."), key=natural)
        except OSError as error:
            raise StreamError(f"cannot read the folder {self.name}: {error.strerror}") from error
        self._paths = [Path(folder, name) for name in there if name.lower().endswith(suffixes())]
        if not self._paths:
            videos = [display_name(Path(folder, name)) for name in there if name.lower().endswith(VIDEOS)]
            hint = f"; one video is watched at a time: phiz watch {videos[0]}" if videos else ""
            raise StreamError(
                f"no pictures in the folder {self.name}; looked for {' '.join(suffixes())}{hint}"
            )
        self.length: float | None = len(self._paths) / rate

    def frames(self, stop: Stop) -> Iterator[Frame]:
        """Yield the pictures that can be read; the others are counted."""
        for index, path in enumerate(self._paths):
            if stop.is_set():
                return
            try:
                yield Frame(index, index / self.rate, load(path))
            except ImageError:
                self.troubles.damaged += 1


class Pipe:
    """JPEG pictures one after another, as `ffmpeg -f mjpeg -` and cameras write them.

    descriptor: of the open pipe or file. rate: frames a second that they stand for; live ones have the time
    of their coming instead. Bytes between the pictures (headers of multipart streams) are passed over.
    """

    length: float | None = None
    sound: str | None = None

    def __init__(self, descriptor: int, name: str, rate: float, *, live: bool = False) -> None:
        self.name, self.rate, self.live, self.troubles = name, rate, live, Troubles()
        self._descriptor = descriptor

    def frames(self, stop: Stop) -> Iterator[Frame]:
        """Yield the pictures that can be read; the others are counted.

        Raises StreamError where no picture came at all.
        """
        index, good, begun = -1, False, time.monotonic()
        for index, jpeg in enumerate(jpegs(lambda: self._read(stop))):
            try:
                if jpeg is None:
                    raise ImageError("cut short")
                seconds = time.monotonic() - begun if self.live else index / self.rate
                yield Frame(index, seconds, load(jpeg, name=self.name))
                good = True
            except ImageError:
                self.troubles.damaged += 1
        if not good and not stop.is_set():
            raise StreamError(
                f"{self.name}: expected JPEG pictures one after another, got {index + 1} and none "
                "of them whole; "
                "convert the video: ffmpeg -i VIDEO -f mjpeg - | phiz watch -"
            )

    def _read(self, stop: Stop) -> bytes:
        """Return the next bytes; none at the end or when it is time to stop."""
        # Not through sys.stdin: a thread that waits inside its buffer would hold up the end of the program.
        while os.name == "posix" and not select.select([self._descriptor], [], [], GLANCE)[0]:
            if stop.is_set():
                return b""
        return b"" if stop.is_set() else os.read(self._descriptor, CHUNK)


def natural(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key that takes digits as numbers, which come before letters."""
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def jpegs(read: Callable[[], bytes], limit: int = MAX_FRAME) -> Iterator[bytes | None]:
    """Yield each JPEG in a stream of bytes, None for one that breaks off or has more than `limit` bytes.

    read: returns the next bytes, none at the end. A picture is walked marker by marker, so that the preview
    pictures inside of some JPEGs are not taken for frames.
    """
    data = bytearray()
    more = True
    while True:
        start = data.find(START)
        while start < 0:
            del data[: 1 - len(START)]
            if not (came := read()):
                return
            data += came
            start = data.find(START)
        del data[:start]
        position, state = _walk(data, 2)
        while state == "more" and more and len(data) <= limit:
            came = read()
            more = bool(came)
            data += came
            position, state = _walk(data, position)
        yield bytes(data[:position]) if state == "end" else None
        if state == "broken" and not data.startswith(START[:2], position):
            position = 2  # lost inside a segment: the next picture may have begun before
        del data[:position]


def _walk(data: bytearray, position: int) -> tuple[int, str]:
    """Walk markers from `position` on; return how far that went and "end", "broken" or "more"."""
    while True:
        pair = bytes(data[position : position + 2])
        if pair == b"\xff\xd9":
            return position + 2, "end"
        if pair[:1] not in (b"\xff", b"") or (len(pair) == 2 and pair[1] in NO_SEGMENT):
            return position, "broken"
        if len(data) < position + 4:
            return position, "more"
        if pair == b"\xff\xff":  # padding
            position += 1
            continue
        after = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if pair == b"\xff\xda":
            following = SCAN_END.search(data, after)
            after = following.start() if following else len(data) + 1
        if after > len(data):
            return position, "more"
        position = after
