"""Reading a picture from anywhere into one form: RGB, uint8, upright, within bounds.

Bytes are judged by their content, never by a file name, and only five common formats are read, each by
its own Pillow plug-in. The plug-ins are called directly: `PIL.Image.open` would try others, follow the
pictures behind the first one of a JPEG, and warn or fail by a process-wide pixel limit. Nothing here
changes global state, so `load` may run in many threads.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import unicodedata
from collections.abc import Callable
from typing import BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from phiz.errors import ImageError

#: What `load` accepts. An array is HxWx3 uint8 RGB; a str or PathLike is a file's path.
Source: TypeAlias = (
    "bytes | bytearray | memoryview | str | os.PathLike[str] | NDArray[np.uint8] | Image.Image"
)

#: Largest width x height read by default. Decoding takes up to about 8 bytes a pixel at its peak, so 0.6 GB.
MAX_PIXELS = 80_000_000
#: Largest encoded picture read by default, in bytes (an uncompressed BMP of MAX_PIXELS fits).
MAX_BYTES = 250_000_000

_EXPECTED = "expected JPEG, PNG, WebP, BMP or GIF"
#: Small enough that the allocator hands the same warm memory out again: twice as fast as one piece.
_STRIP_PIXELS = 1 << 15


class _Jpeg(JpegImageFile):
    """A JPEG whose EXIF block Pillow leaves alone.

    Pillow reads the block on opening, for the dots per inch, and warns where it is damaged; phiz reads only
    the orientation out of it, see `_orientation`.
    """

    def getexif(self) -> Image.Exif:
        return Image.Exif()


_PLUGINS: dict[str, Callable[[BinaryIO], Image.Image]] = {
    "JPEG": _Jpeg,
    "PNG": PngImageFile,
    "WebP": WebPImageFile,
    "BMP": BmpImageFile,
    "GIF": GifImageFile,
}


def load(
    source: Source, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES, name: str | None = None
) -> NDArray[np.uint8]:
    """Read one picture as a contiguous HxWx3 RGB array of uint8, turned upright by its EXIF orientation.

    source: encoded bytes, a path, a PIL image, or an HxWx3 uint8 RGB array (returned as it is where
    contiguous, so it may share memory with the caller's). Of an animation the first frame is read;
    transparent pixels are laid on white; 16-bit channels keep their high byte; colour profiles are ignored.
    max_pixels, max_bytes: the largest width x height, judged before decoding, and the largest encoded size.
    name: what messages call the picture; by default its path.
    Raises ImageError, whose message names the picture, what was expected, what it got and what to do.
    """
    if isinstance(source, np.ndarray):
        return _check_array(source, max_pixels, name or "array")
    if isinstance(source, Image.Image):
        return _turn(*_pixels(source, max_pixels, name or "PIL image", "PIL image"))
    if isinstance(source, (bytes, bytearray, memoryview)):
        size = memoryview(source).nbytes
        return _turn(*_decode(io.BytesIO(source), size, max_pixels, max_bytes, name or "picture bytes"))
    if isinstance(source, (str, os.PathLike)):
        name = name or display_name(source)
        with _open_file(source, name) as file:
            size = os.fstat(file.fileno()).st_size
            stored = _decode(file, size, max_pixels, max_bytes, name)
        return _turn(*stored)
    raise ImageError(
        f"{name or 'picture'}: expected bytes, a path, a numpy array or a PIL image, got "
        f"{type(source).__name__}; pass one of those"
    )


def display_name(path: str | bytes | os.PathLike[str]) -> str:
    r"""Return a path as text that is safe to print and to encode as UTF-8.

    Bytes that are not UTF-8, lone surrogates and control characters become escapes such as \xff or \n.
    """
    return "".join(map(_visible, os.fsdecode(path))) or '""'


def _visible(char: str) -> str:
    if unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp"):
        return char
    if "\udc80" <= char <= "\udcff":  # how Python carries a byte of a name that is not UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")


def _open_file(path: str | os.PathLike[str], name: str) -> BinaryIO:
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise ImageError(f"{name}: expected one picture file, got a folder; name a file inside it")
        if not stat.S_ISREG(mode):  # opening a pipe would wait for ever, a device has no end
            raise ImageError(f"{name}: expected a regular file, got a pipe or device; pass its bytes")
        return open(path, "rb")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ImageError(f"{name}: no such file; check the path") from error
    except PermissionError as error:
        raise ImageError(f"{name}: no permission to read it; change its access rights or copy it") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"{name}: cannot be opened ({reason}); check the path") from error


def _decode(
    file: BinaryIO, size: int, max_pixels: int, max_bytes: int, name: str
) -> tuple[NDArray[np.uint8], int]:
    """Decode an encoded picture of `size` bytes; see `_pixels` for what is returned."""
    if size == 0:
        raise ImageError(f"{name}: {_EXPECTED}, got an empty file (0 bytes); copy it again from its source")
    if size > max_bytes:
        raise ImageError(f"{name}: expected at most {max_bytes:,} bytes, got {size:,}; make it smaller")
    head = file.read(32)
    kind = _sniff(head)
    if kind not in _PLUGINS:
        raise ImageError(f"{name}: {_EXPECTED}, got {kind}; convert it to JPEG or PNG")
    try:
        # These two plug-ins allocate the declared canvas on opening, the others not before decoding.
        if kind == "WebP":
            _check_size(_webp_size(head), max_pixels, name)
        elif kind == "GIF":
            _check_size(_gif_size(file), max_pixels, name)
        file.seek(0)
        picture = _PLUGINS[kind](file)
    except ImageError:
        raise
    except Exception as error:  # a plug-in raises almost anything on hostile bytes, SyntaxError included
        raise _damaged(kind, name) from error
    return _pixels(picture, max_pixels, name, kind)


def _sniff(head: bytes) -> str:
    """Name the format that the first bytes declare: a key of _PLUGINS, or words for a message."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WebP"
    if head.startswith(b"BM"):
        return "BMP"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if head.startswith((b"II*\0", b"MM\0*")):
        return "TIFF"
    if head[4:8] == b"ftyp":
        return "HEIC, AVIF or a video"
    if head.startswith(b"%PDF"):
        return "PDF"
    return "no picture that phiz knows"


def _webp_size(head: bytes) -> tuple[int, int]:
    """Return the (width, height) that a WebP's first 30 bytes declare (RFC 9649, sections 2.5 to 2.7)."""
    if head[12:16] == b"VP8X":
        low_w, high_w, low_h, high_h = struct.unpack_from("<HBHB", head, 24)
        return 1 + low_w + (high_w << 16), 1 + low_h + (high_h << 16)
    if head[12:16] == b"VP8L":
        (bits,) = struct.unpack_from("<I", head, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", head, 26)
    return width & 0x3FFF, height & 0x3FFF


def _gif_size(file: BinaryIO) -> tuple[int, int]:
    """Return the (width, height) of a GIF's screen, stretched to hold its first frame as decoders do."""
    file.seek(6)
    width, height, flags = struct.unpack("<HHBxx", file.read(7))
    if flags & 0x80:
        file.seek(3 << (flags & 7) + 1, os.SEEK_CUR)
    while (introducer := file.read(1)) not in (b"", b","):
        if introducer == b"!":
            file.seek(1, os.SEEK_CUR)
            while length := file.read(1)[0]:
                file.seek(length, os.SEEK_CUR)
    left, top, frame_width, frame_height = struct.unpack("<4H", file.read(8))
    return max(width, left + frame_width), max(height, top + frame_height)


def _pixels(picture: Image.Image, max_pixels: int, name: str, kind: str) -> tuple[NDArray[np.uint8], int]:
    """Return a picture as RGB pixels in the order they are stored, and its EXIF orientation."""
    _check_size(picture.size, max_pixels, name)
    deep_png = picture.mode == "I" and picture.format == "PNG"  # 16-bit grey, before Pillow 10.3
    if picture.mode in ("I", "F") and not deep_png:
        raise ImageError(
            f"{name}: expected 8 or 16 bits a channel, got mode {picture.mode} (32 bits, white unknown); "
            "convert it to L or RGB"
        )
    try:
        picture.load()
        width, height = picture.size
        rgb = np.empty((height, width, 3), np.uint8)
        rows = max(1, _STRIP_PIXELS // width)  # strip by strip, so that no second full-size copy is ever held
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            strip = picture if rows >= height else picture.crop((0, top, width, bottom))
            rgb[top:bottom] = _strip_rgb(strip)
        exif = picture.info.get("exif")
    except MemoryError as error:
        need = f"memory for {picture.width}x{picture.height} pixels"
        raise ImageError(f"{name}: expected {need}, got too little; make it smaller") from error
    except Exception as error:  # as above: decoders raise almost anything
        raise _damaged(kind, name) from error
    return rgb, _orientation(exif) if isinstance(exif, bytes) else 1


def _strip_rgb(strip: Image.Image) -> NDArray[np.uint8]:
    if strip.mode == "I" or strip.mode.startswith("I;16"):
        return (np.asarray(strip) >> 8).astype(np.uint8)[:, :, None]
    if not strip.has_transparency_data:
        return np.asarray(strip if strip.mode == "RGB" else strip.convert("RGB"))
    rgba = np.asarray(strip.convert("RGBA")).astype(np.uint16)
    colour, alpha = rgba[:, :, :3], rgba[:, :, 3:]
    on_white: NDArray[np.uint8] = ((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return on_white


def _orientation(exif: bytes) -> int:
    """Return the orientation of an EXIF block (EXIF 2.32, section 4.6.4), 1 to 8; 1 where it has none."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, value = struct.unpack_from(order + "H6xH", tiff, entry)
            if tag == 0x0112:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def _turn(rgb: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo an EXIF orientation: 5 to 8 swap the axes, the table says which of the two are then mirrored."""
    down, right = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}.get(
        orientation, (1, 1)
    )
    if orientation >= 5:
        rgb = rgb.transpose(1, 0, 2)
    return np.ascontiguousarray(rgb[::down, ::right])


def _check_array(array: NDArray[np.uint8], max_pixels: int, name: str) -> NDArray[np.uint8]:
    if array.dtype != np.uint8:
        raise ImageError(
            f"{name}: expected uint8 values from 0 to 255, got {array.dtype}; scale and convert it, "
            "for example (x * 255).round().astype('uint8') where x runs from 0 to 1"
        )
    if array.ndim != 3 or array.shape[2] != 3:
        raise ImageError(
            f"{name}: expected shape (height, width, 3) in RGB order, got {array.shape}; "
            "repeat a grey channel three times, drop an alpha channel"
        )
    _check_size((array.shape[1], array.shape[0]), max_pixels, name)
    return np.ascontiguousarray(array)


def _check_size(size: tuple[int, int], max_pixels: int, name: str) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise ImageError(f"{name}: expected at least 1x1 pixels, got {width}x{height}; check its source")
    if width * height > max_pixels:
        raise ImageError(
            f"{name}: expected at most {max_pixels:,} pixels, got {width}x{height} ({width * height:,}); "
            "make it smaller or raise max_pixels"
        )


def _damaged(kind: str, name: str) -> ImageError:
    return ImageError(
        f"{name}: expected a whole {kind}, got one damaged or cut short; copy it again from its source"
    )
