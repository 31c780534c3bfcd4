"""Files that appear whole: written under another name beside their own, and renamed at the end."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import BinaryIO

from .errors import PhizError

try:
    import fcntl
except ImportError:  # Windows refuses by itself to rename a file that another process has open
    fcntl = None  # type: ignore[assignment]

SUFFIX = ".part"


class InUseError(PhizError):
    """Another process is writing the same file."""


def own_part(path: str | os.PathLike[str]) -> Path:
    """Return a name beside `path` that no other process takes, for a file that is written in a moment."""
    path = Path(path)
    return path.with_name(f"{path.name[:200]}.{secrets.token_hex(4)}{SUFFIX}")


def open_shared_part(path: str) -> BinaryIO:
    """Open `path` + ".part", empty and unbuffered, for a file that grows for long.

    The name is fixed, so that its user finds what a run that was stopped had written, and held by a lock
    until the file is closed. Raises InUseError where another process holds it, OSError where it cannot be
    written.
    """
    part = path + SUFFIX
    while True:
        file = os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+b", 0)
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is(part, file):
                file.truncate(0)
                return file
        except BlockingIOError:
            file.close()
            raise InUseError("another phiz is writing it; wait for its end, or name another file") from None
        except BaseException:
            file.close()
            raise
        file.close()  # its owner has renamed it meanwhile


def _is(path: str, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
