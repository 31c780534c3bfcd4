"""One picture from bytes, a file, an array or a PIL image."""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import IO, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from phiz.errors import ImageError

from .bounds import MAX_BYTES, MAX_PIXELS, check_bytes, check_size, damaged
from .formats import EXPECTED, check_declared, check_opened, opener, refusal, sniff
from .jpeg import draft, without_end_marker
from .names import display_name
from .pixels import check_array, read_pixels, turn

#: What `load` accepts. An array is HxWx3 uint8 RGB; a str or PathLike is a file's path.
Source: TypeAlias = (
    "bytes | bytearray | memoryview | str | os.PathLike[str] | IO[bytes] | NDArray[np.uint8] | Image.Image"
)


#: By how much a picture of so many pixels across and down may be read smaller than it is.
Reduction: TypeAlias = Callable[[int, int], float]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture as read, upright, perhaps smaller than it is.

    pixels: (H, W, 3) uint8 RGB. scale: how many pixels of the whole picture one of them stands for, along
    either axis. width, height: of the whole picture. whole: returns all of its pixels, read anew if need be;
    raises ImageError.
    """

    pixels: NDArray[np.uint8]
    scale: int
    width: int
    height: int
    whole: Callable[[], NDArray[np.uint8]]

    @classmethod
    def of(cls, pixels: NDArray[np.uint8]) -> Picture:
        """Return the picture that an upright RGB array is."""
        return cls(pixels, 1, pixels.shape[1], pixels.shape[0], lambda: pixels)


def load(
    source: Source, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES, name: str | None = None
) -> NDArray[np.uint8]:
    """Read one picture as a contiguous HxWx3 RGB array of uint8, turned upright by its EXIF orientation.

    source: encoded bytes, a path, a file opened for reading bytes (read on from where it stands), a PIL
    image, or an HxWx3 uint8 RGB array (returned as it is where contiguous, so it may share memory with the
    caller's). Of an animation the first frame is read; transparent pixels are laid on white; 16-bit channels
    keep their high byte; colour profiles are ignored. A PIL image is turned only as `Image.open` gives it;
    one that was made from it (converted, resized, turned by hand) is taken as it stands.
    max_pixels, max_bytes: the largest width x height, judged before decoding, and the largest encoded size.
    name: what messages call the picture; by default its path.
    Raises ImageError, whose message names the picture, what was expected, what it got and what to do.
    """
    return read(source, _not_at_all, max_pixels=max_pixels, max_bytes=max_bytes, name=name).pixels


def read(
    source: Source,
    reduction: Reduction,
    *,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
    name: str | None = None,
) -> Picture:
    """Read one picture as `load` does, but a JPEG at a half, a quarter or an eighth where that is enough.

    reduction: says by how much a picture of a width and height, before it is turned upright, may be read
    smaller. Only a JPEG is: its decoder saves the work for what it leaves out. Raises ImageError as `load`.
    """
    if isinstance(source, np.ndarray):
        return Picture.of(check_array(source, max_pixels, name or "array"))
    if isinstance(source, Image.Image):
        rgb, orientation = read_pixels(source, max_pixels, name or "PIL image", "PIL image")
        # Whatever Pillow makes of an opened picture keeps its EXIF block, also when it has been turned.
        return Picture.of(turn(rgb, orientation if isinstance(source, ImageFile.ImageFile) else 1))
    if isinstance(source, (bytes, bytearray, memoryview)):
        name = name or "picture bytes"
        check_bytes(memoryview(source).nbytes, max_bytes, name)
        return _decode(bytes(source), max_pixels, name, reduction)
    if isinstance(source, (str, os.PathLike)):
        name = name or display_name(source)
        return _decode(_read_path(source, max_bytes, name), max_pixels, name, reduction)
    if hasattr(source, "read"):
        name = name or "file object"
        return _decode(_read_file(source, max_bytes, name), max_pixels, name, reduction)
    raise ImageError(
        f"{name or 'picture'}: expected bytes, a path, an open file, a numpy array or a PIL image, got "
        f"{type(source).__name__}; pass one of those"
    )


def _read_path(path: str | os.PathLike[str], max_bytes: int, name: str) -> bytes:
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise ImageError(f"{name}: expected one picture file, got a folder; name a file inside it")
        if not stat.S_ISREG(mode):  # opening a pipe would wait for ever, a device has no end
            raise ImageError(f"{name}: expected a regular file, got a pipe or device; pass its bytes")
        with open(path, "rb") as file:
            check_bytes(os.fstat(file.fileno()).st_size, max_bytes, name)
            return _read_file(file, max_bytes, name)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ImageError(f"{name}: no such file; {_missing_hint(os.fspath(path))}") from error
    except PermissionError as error:
        raise ImageError(f"{name}: no permission to read it; change its access rights or copy it") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"{name}: cannot be opened ({reason}); check the path") from error


def _missing_hint(path: str) -> str:
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", path):
        return "phiz analyses files, so download it first; phiz watch reads streams"
    if path.startswith("~"):
        return "only a shell puts a home folder in place of ~, so write the whole path"
    return "check the path"


def _read_file(file: IO[bytes], max_bytes: int, name: str) -> bytes:
    """Read an open file to its end, in one piece: a failing disk is then never called a damaged picture."""
    try:
        data = file.read(max_bytes + 1)
    except PermissionError:
        raise
    except (OSError, ValueError) as error:  # ValueError: it is closed, or text of another encoding
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"{name}: cannot be read ({reason}); check its disk or copy it again") from error
    if not isinstance(data, bytes):
        raise ImageError(
            f"{name}: expected a file that gives bytes, got {type(data).__name__}; open it with mode 'rb'"
        )
    check_bytes(len(data), max_bytes, name)
    return data


def _decode(data: bytes, max_pixels: int, name: str, reduction: Reduction) -> Picture:
    """Decode an encoded picture and turn it upright."""
    if not data:
        raise ImageError(
            f"{name}: {EXPECTED}, got an empty file (0 bytes); copy it again from its source", "empty_file"
        )
    kind = sniff(data)
    if opener(kind) is None:
        raise refusal(kind, name)

    try:
        return _decode_kind(kind, data, max_pixels, name, reduction)
    except ImageError:
        whole = None
        if kind == "JPEG":  # in all its pixels: read smaller, what is missing may not show
            decode = partial(_decode_kind, kind, max_pixels=max_pixels, name=name, reduction=_not_at_all)
            whole = without_end_marker(data, decode)
        if whole is None:
            raise
        return whole


def _decode_kind(kind: str, data: bytes, max_pixels: int, name: str, reduction: Reduction) -> Picture:
    open_picture = opener(kind)
    assert open_picture is not None
    try:
        check_declared(kind, data, max_pixels, name)
        picture = open_picture(io.BytesIO(data))
        check_opened(picture, max_pixels, name)
        check_size(picture.size, max_pixels, name)
        width, height = picture.size
        scale = 1
        if kind == "JPEG":
            scale = draft(picture, reduction(width, height))
    except ImageError:
        raise
    except Exception as error:  # a plug-in raises almost anything on hostile bytes, SyntaxError included
        raise damaged(kind, name) from error
    rgb, orientation = read_pixels(picture, max_pixels, name, kind)
    rgb = turn(rgb, orientation)
    if orientation >= 5:
        width, height = height, width
    if scale == 1:
        return Picture.of(rgb)
    return Picture(rgb, scale, width, height, lambda: _decode(data, max_pixels, name, _not_at_all).pixels)


def _not_at_all(width: int, height: int) -> float:
    return 1.0
