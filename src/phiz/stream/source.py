"""Which kind of source the user has named."""

from __future__ import annotations

import os
import re
import stat
import sys

from ..image import display_name
from .files import Folder, Pipe
from .frame import Say, Source, StreamError

STDIN = "-"


def open_source(name: str, *, say: Say, rate: float | None = None, live: bool = False) -> Source:
    """Open a camera by its number, a stream by its URL, a video file, a folder of frames, or "-".

    Also a camera's device file, a named pipe of JPEG pictures, and a GStreamer pipeline ("... ! appsink").
    say: is told when a camera vanishes and when it is back.
    rate: frames a second of a folder or a pipe; None for 25. live: a pipe drops frames too, as a camera does.
    Raises StreamError where the source cannot be opened, ModuleNotFoundError without OpenCV.
    """
    from .camera import RATE, Camera, Video, opener

    if name == STDIN:
        if sys.stdin is None:
            raise StreamError("standard input is closed; pipe JPEG pictures into it, or name a source")
        return Pipe(sys.stdin.fileno(), "standard input", rate or RATE, live=live)
    if re.fullmatch(r"[0-9]{1,3}", name):
        return Camera(opener(int(name)), f"camera {name}", say)
    if " ! " in name:
        return Camera(opener(name), "the GStreamer pipeline", say)
    if "://" in name:
        return _network(name, say)
    try:
        kind = os.stat(name).st_mode
    except OSError as error:
        raise StreamError(f"cannot open {display_name(name)}: {error.strerror}") from error
    if stat.S_ISDIR(kind):
        return Folder(name, rate or RATE)
    if stat.S_ISFIFO(kind):
        return Pipe(os.open(name, os.O_RDONLY), display_name(name), rate or RATE, live=live)
    if stat.S_ISCHR(kind):
        return Camera(opener(name), display_name(name), say)
    return Video(opener(name), display_name(name))


def _network(url: str, say: Say) -> Source:
    """Open a URL: a video of known length is read like a file, anything else is live."""
    import cv2

    from .camera import Camera, Video, opener

    open = opener(url)
    name = display_name(re.sub(r"//[^/@]*@", "//", url))  # a password is nobody's business
    first = open()
    if first.isOpened() and first.get(cv2.CAP_PROP_FRAME_COUNT) > 0:
        return Video(lambda: first, name)
    captures = iter([first])
    return Camera(lambda: next(captures, None) or open(), name, say)
