"""What encoded bytes are, by their content alone, and how each format is opened.

The plug-ins are called directly: `PIL.Image.open` would try others, follow the pictures behind the first one
of a JPEG, and warn or fail by a process-wide pixel limit. Nothing here changes global state, so pictures may
be opened in many threads.
"""

from __future__ import annotations

import io
import os
import re
import struct
from collections.abc import Callable
from functools import cache
from typing import Any, BinaryIO

from PIL import Image, ImageFile, features
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from phiz.errors import ImageError

from .bounds import check_size
from .jpeg import JpegFile

Opener = Callable[[BinaryIO], Image.Image]

#: Every format that is read, with the suffixes that its files bear.
SUFFIXES: dict[str, tuple[str, ...]] = {
    "JPEG": (".jfif", ".jpe", ".jpeg", ".jpg"),
    "PNG": (".png",),
    "WebP": (".webp",),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "AVIF": (".avif",),
    "HEIC": (".heic", ".heif", ".hif"),
}
EXPECTED = f"expected {', '.join(list(SUFFIXES)[:-1])} or {list(SUFFIXES)[-1]}"
#: What a format needs that not every installation has.
NEEDS = {"HEIC": 'pip install "phiz[heif]"', "AVIF": "pip install --upgrade pillow"}

#: How other files begin that are taken for pictures, and what to call them.
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (rb"%PDF", "PDF"),
    (rb"\xff\x0a|\0\0\0\x0cJXL ", "JPEG XL"),
    (rb"\0\0\0\x0cjP  ", "JPEG 2000"),
    (rb"8BPS", "a Photoshop file"),
    (rb"....ftyp|....(moov|mdat)|\x1aE\xdf\xa3|RIFF....AVI |\0\0\x01[\xb3\xba]|FLV\x01", "a video"),
    (rb"(?i)(\xef\xbb\xbf)?\s*<(!doctype html|html)", "a web page"),
    (rb"(?i)(\xef\xbb\xbf)?\s*<(\?xml|svg)", "SVG or other XML"),
)
#: Brands of ISO base media files that hold still pictures (ISO/IEC 23008-12, AV1 Image File Format).
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"}
#: The chunks of a PNG that its pixels and its orientation are in. Texts and profiles are left away: unpacked
#: they may be longer than Pillow's bounds, which would call a sound picture damaged.
_PNG_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"IDAT", b"IEND"}


def readable() -> tuple[str, ...]:
    """Return the formats that this installation reads."""
    return tuple(kind for kind in SUFFIXES if opener(kind))


def suffixes() -> tuple[str, ...]:
    """Return what the names of readable pictures end in, in lower case, sorted."""
    return tuple(sorted(suffix for kind in readable() for suffix in SUFFIXES[kind]))


def missing_formats() -> dict[str, tuple[str, ...]]:
    """Return what would read formats that this installation does not, with the suffixes of their files."""
    return {f"{need} reads {kind}": SUFFIXES[kind] for kind, need in NEEDS.items() if not opener(kind)}


def opener(kind: str) -> Opener | None:
    """Return what opens a format; None where this installation cannot, and for words that name none."""
    plain: dict[str, Opener] = {
        "JPEG": JpegFile,
        "PNG": _open_png,
        "WebP": WebPImageFile,
        "BMP": BmpImageFile,
        "GIF": GifImageFile,
        "TIFF": _Tiff,
    }
    return {"AVIF": _avif, "HEIC": _heic}[kind]() if kind in NEEDS else plain.get(kind)


@cache
def _avif() -> Opener | None:
    try:
        from PIL.AvifImagePlugin import AvifImageFile
    except ImportError:  # before Pillow 11.3
        return None
    return AvifImageFile if features.check("avif") else None


@cache
def _heic() -> Opener | None:
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        return None
    opens: Opener = HeifImageFile
    return opens


def sniff(data: bytes | memoryview) -> str:
    """Name the format that the first bytes declare: a key of SUFFIXES, or words for a message."""
    head = bytes(data[:256])
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
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "TIFF"
    brands = _brands(head)
    if brands & _AVIF_BRANDS:
        return "AVIF"
    if brands & _HEIC_BRANDS:
        return "HEIC"
    for pattern, name in _OTHERS:
        if re.match(pattern, head, re.DOTALL):
            return name
    return "no picture that phiz knows"


def refusal(kind: str, name: str) -> ImageError:
    """Return the error for a kind that cannot be opened here."""
    todo = "convert it to JPEG or PNG"
    if kind in NEEDS:
        todo = f"{NEEDS[kind]}, or {todo}"
    elif kind == "a video":
        todo = "phiz watch reads videos"
    elif kind == "a web page":
        todo = "save the picture itself, not the page around it"
    return ImageError(f"{name}: {EXPECTED}, got {kind}; {todo}", "unknown_format")


def check_declared(kind: str, data: bytes | memoryview, max_pixels: int, name: str) -> None:
    """Check the size that a header declares where the plug-in allocates that canvas on opening.

    Raises ImageError where it is too large, and struct.error or IndexError on a damaged header.
    """
    if kind == "WebP":
        check_size(_webp_size(data), max_pixels, name)
    elif kind == "GIF":
        check_size(_gif_size(io.BytesIO(data)), max_pixels, name)


def check_opened(picture: Image.Image, max_pixels: int, name: str) -> None:
    """Check what a file declares beside its size. Raises ImageError."""
    if not isinstance(picture, _Tiff):
        return
    tags: Any = picture.tag_v2
    if tags.get(254, 0) & 1:  # NewSubfileType: a smaller version of another picture in the file
        raise refusal("a camera's raw picture, or a preview of one", name)
    # A tile, or a strip, is unpacked whole, however small the picture that it belongs to.
    check_size((tags.get(322, 1), tags.get(323, 1)), max_pixels, name)


class _Tiff(TiffImageFile):
    """A TIFF of any size: Pillow's own limit is left to `check_size`."""

    def load_prepare(self) -> None:
        """Make room for the pixels."""
        held = vars(self)
        if held.get("_im") is None and held.get("im") is None:  # Pillow 11 renamed it
            self.im = Image.core.new(  # type: ignore[attr-defined]
                self.mode, getattr(self, "_tile_size", self.size)
            )
        ImageFile.ImageFile.load_prepare(self)


def _open_png(file: BinaryIO) -> Image.Image:
    data = file.read()
    kept = [data[:8]]
    place = 8
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        end = place + 12 + length
        if data[place + 4 : place + 8] in _PNG_CHUNKS:
            kept.append(data[place:end])
        place = end
    return PngImageFile(io.BytesIO(b"".join(kept)))


def _brands(head: bytes) -> set[bytes]:
    """Return the brands of an ISO base media file (ISO/IEC 14496-12, section 4.3); none of another file."""
    if head[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return {head[8:12], *(head[start : start + 4] for start in range(16, end, 4))}


def _webp_size(head: bytes | memoryview) -> tuple[int, int]:
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
