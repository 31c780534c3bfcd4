"""What the user named, turned into a list of pictures: files, folders, globs and standard input."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator

from ..errors import PhizError
from ..image import MAX_BYTES, display_name

STDIN = "-"
#: Names that a folder's pictures end in; a file named outright is read whatever its name.
SUFFIXES = (".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".webp")


def expand(paths: list[str]) -> list[str]:
    """Return the pictures behind the paths, in the order given; a folder's or a glob's are sorted.

    A path that does not exist stays in the list and fails when it is read, like any bad picture.
    Raises PhizError where a folder or a glob yields no picture, or standard input is named twice.
    """
    if paths.count(STDIN) > 1:
        raise PhizError("standard input (-) can be read only once; name it once")
    return [picture for path in paths for picture in _expand_one(path)]


def _expand_one(path: str) -> list[str]:
    if os.path.isdir(path):
        return _in_folder(path)
    if path == STDIN or os.path.lexists(path) or not glob.has_magic(path):
        return [path]
    matches = sorted(glob.glob(path, recursive=True))
    pictures = [match for match in matches if not os.path.isdir(match)]
    if not pictures:
        raise PhizError(f"no file matches {display_name(path)}; check the pattern")
    return pictures


def _in_folder(folder: str) -> list[str]:
    """List a folder's pictures at any depth, hidden files and folders left out, links not followed."""
    found = []
    for parent, folders, files in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            os.path.join(parent, name)
            for name in sorted(files)
            if name.lower().endswith(SUFFIXES) and not name.startswith(".")
        ]
    if not found:
        raise PhizError(f"no pictures in the folder {display_name(folder)}; looked for {' '.join(SUFFIXES)}")
    return found


def _refuse(error: OSError) -> None:
    raise PhizError(f"cannot read the folder {display_name(error.filename)}: {error.strerror}")


def named_sources(pictures: list[str]) -> Iterator[tuple[str, str | bytes]]:
    """Yield (name, source) for each picture; standard input is read when its turn comes."""
    for picture in pictures:
        # Read here and not in a reader thread, so that Ctrl-C can end the wait for a slow pipe.
        yield picture, _read_stdin() if picture == STDIN else picture


def _read_stdin() -> bytes:
    if sys.stdin is None:
        raise PhizError("standard input is closed; pipe a picture into it or name a file")
    try:
        return sys.stdin.buffer.read(MAX_BYTES + 1)  # one byte too many is refused as too large
    except OSError as error:
        raise PhizError(f"cannot read standard input: {error.strerror}") from error
