"""Makes the pictures that the tests read: no picture file is stored, and odd ones are built byte by byte."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from phiz import image
from phiz.errors import ImageError

Pixels = NDArray[Any]

GREY, RGB, GREY_ALPHA, RGB_ALPHA = 0, 2, 4, 6  # the colour types of PNG


#: The formats that every installation reads: Pillow's name, and phiz's.
KINDS = {
    "JPEG": "JPEG",
    "PNG": "PNG",
    "WEBP": "WebP",
    "BMP": "BMP",
    "GIF": "GIF",
    "TIFF": "TIFF",
    "AVIF": "AVIF",
}


def close(got: Pixels, want: Pixels, tolerance: int) -> bool:
    """Whether two pictures have one shape and differ nowhere by more than the tolerance."""
    return got.shape == want.shape and int(np.abs(got.astype(int) - want).max()) <= tolerance


def message(source: Any, **options: Any) -> str:
    """Return what `phiz.image.load` says of a picture that it refuses."""
    with pytest.raises(ImageError) as caught:
        image.load(source, **options)
    return str(caught.value)


def scene(width: int = 48, height: int = 32) -> Pixels:
    """A smooth uint8 RGB picture whose four corners differ, so that every turn and mirror shows."""
    x, y = np.linspace(0, 1, width), np.linspace(0, 1, height)[:, None]
    return np.stack([240 * x + 0 * y, 240 * y + 0 * x, 120 * (1 - x) * (1 + y)], axis=-1).astype(np.uint8)


def encode(pixels: Pixels, kind: str, **options: Any) -> bytes:
    """Encode an array, or a PIL image, as Pillow does; kind is Pillow's name of a format."""
    file = io.BytesIO()
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    picture.save(file, kind, **options)
    return file.getvalue()


def png(pixels: Pixels, colour: int, *extra: tuple[bytes, bytes]) -> bytes:
    """A PNG of HxWxC uint8 or uint16 samples, written by hand; extra are chunks before the pixels."""
    height, width = pixels.shape[:2]
    depth = 8 * pixels.dtype.itemsize
    rows = pixels.astype(f">u{pixels.dtype.itemsize}").reshape(height, -1)
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    return png_header(width, height, depth, colour) + b"".join(
        png_chunk(*chunk) for chunk in (*extra, (b"IDAT", zlib.compress(data)), (b"IEND", b""))
    )


def png_header(width: int, height: int, depth: int = 8, colour: int = RGB) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def exif(orientation: int, order: str = "<", prefix: bytes = b"Exif\0\0") -> bytes:
    """An EXIF block that says the orientation and nothing else; order is "<" or ">" as in struct."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return prefix + mark + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def jpeg_with_exif(jpeg: bytes, block: bytes) -> bytes:
    """Put a block of any content, damaged ones too, where a JPEG carries its EXIF data."""
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]


def declare(picture: bytes, width: int, height: int) -> bytes:
    """Change the size that a TIFF (little-endian), an AVIF or a HEIC of Pillow's declares."""
    data = bytearray(picture)
    if not data.startswith(b"II"):
        struct.pack_into(">II", data, data.index(b"ispe") + 8, width, height)
        return bytes(data)
    return retag(retag(picture, 256, width), 257, height)


def retag(tiff: bytes, tag: int, value: int, into: int | None = None) -> bytes:
    """Change the value of a tag in the first directory of a little-endian TIFF, and make it another tag."""
    data = bytearray(tiff)
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    entries = range(start + 2, start + 2 + 12 * count, 12)
    (entry,) = (place for place in entries if struct.unpack_from("<H", data, place) == (tag,))
    struct.pack_into("<HHII", data, entry, into or tag, 4, 1, value)
    return bytes(data)


def heic(pixels: Pixels, **options: Any) -> bytes:
    """A HEIC, as phones write them."""
    import pillow_heif

    file = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(file, format="HEIF", **options)
    return file.getvalue()


def bombs(width: int, height: int) -> dict[str, bytes]:
    """Tiny files of every format that declare a huge picture."""
    jpeg = bytearray(encode(scene(), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")  # start of frame: length, precision, height, width
    struct.pack_into(">HH", jpeg, frame + 5, height, width)
    bmp = bytearray(encode(scene(), "BMP"))
    struct.pack_into("<ii", bmp, 18, width, height)
    gif = bytearray(encode(scene(), "GIF"))
    struct.pack_into("<HH", gif, 6, width, height)
    frame_gif = bytearray(encode(scene(), "GIF"))  # a modest screen, a huge first frame
    struct.pack_into("<HH", frame_gif, frame_gif.index(b",\0\0\0\0") + 5, width, height)
    lossy = bytearray(encode(scene(), "WEBP"))
    struct.pack_into("<HH", lossy, 26, width, height)
    lossless = bytearray(encode(scene(), "WEBP", lossless=True))
    struct.pack_into("<I", lossless, 21, width - 1 | height - 1 << 14)
    extended = bytearray(encode(scene(), "WEBP", exif=exif(1)))
    struct.pack_into("<HBHB", extended, 24, width - 1, 0, height - 1, 0)
    made = {
        "png": png_header(width, height) + png_chunk(b"IDAT", zlib.compress(b"")),
        "jpeg": jpeg,
        "bmp": bmp,
        "gif": gif,
        "gif-frame": frame_gif,
        "webp-lossy": lossy,
        "webp-lossless": lossless,
        "webp-extended": extended,
        "tiff": declare(encode(scene(), "TIFF", compression="tiff_deflate"), width, height),
    }
    return {kind: bytes(data) for kind, data in made.items()}
