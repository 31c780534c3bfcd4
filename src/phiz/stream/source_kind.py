"""Which kind of source the user has named."""

from __future__ import annotations

import os
import re
import stat
import sys

from ..addresses import public_address
from ..image import display_name
from .frame import RATE, Say, Source, StreamError
from .frame_files import Folder, Pipe

STDIN = "-"
#: What a camera's number looks like: no zeros before it, which folders of frames have.
NUMBER = re.compile("0|[1-9][0-9]{0,2}")


def open_source(name: str, *, say: Say, rate: float | None = None, live: bool = False) -> Source:
    """Open a camera by its number, a stream by its URL, a video file, a folder of frames, or "-".

    Also a camera's device file, a named pipe of JPEG pictures, and a GStreamer pipeline ("... ! appsink").
    A file or folder that is named like a camera's number goes before the camera.
    say: is told when a camera vanishes and when it is back.
    rate: frames a second of a folder or a pipe; None for 25. live: a pipe drops frames too, as a camera does.
    Raises StreamError where the source cannot be opened, ModuleNotFoundError without OpenCV or PyAV.
    """
    if name == STDIN:
        if sys.stdin is None:
            raise StreamError("standard input is closed; pipe JPEG pictures into it, or name a source")
        return Pipe(sys.stdin.fileno(), "standard input", rate or RATE, live=live)
    if NUMBER.fullmatch(name):
        if not os.path.lexists(name):
            return _camera(int(name), f"camera {name}", say)
        say(f"{name} is taken as the file or folder of that name, not as a camera's number")
    if " ! " in name:
        return _camera(name, "the GStreamer pipeline", say)
    if "://" in name:
        return _network(name, say)
    return _path(name, say, rate or RATE, live)


def _path(path: str, say: Say, rate: float, live: bool) -> Source:
    name = display_name(public_address(path))  # a slip in a URL makes it a path
    try:
        kind = os.stat(path).st_mode
    except (OSError, ValueError) as error:
        hint = "; a camera's number is written without zeros before it" if path.isdecimal() else ""
        reason = getattr(error, "strerror", None) or "no name of a file"
        raise StreamError(f"cannot open {name}: {reason}{hint}") from error
    if stat.S_ISDIR(kind):
        return Folder(path, rate)
    if stat.S_ISFIFO(kind):
        return Pipe(os.open(path, os.O_RDONLY), name, rate, live=live)
    if stat.S_ISCHR(kind):
        return _camera(path, name, say)
    from .video import Video

    return Video(path, display_name(path))


def _camera(source: str | int, name: str, say: Say) -> Source:
    from .camera import Camera, opener

    return Camera(opener(source), name, say)


def _network(url: str, say: Say) -> Source:
    """Open a URL: a video of known length is read like a file, anything else is live."""
    from .camera import Camera, knows_length, opener
    from .video import Video

    open, name = opener(url), display_name(public_address(url))
    first = open()
    if url.startswith("http") and knows_length(first):
        first.release()
        return Video(url, name)
    captures = iter([first])
    return Camera(lambda: next(captures, None) or open(), name, say)
