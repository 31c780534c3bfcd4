"""From an opened picture, or an array, to RGB pixels that stand upright."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phiz.errors import ImageError

from .bounds import check_size, damaged

#: Small enough that the allocator hands the same warm memory out again: twice as fast as one piece.
_STRIP_PIXELS = 1 << 15


def read_pixels(picture: Image.Image, max_pixels: int, name: str, kind: str) -> tuple[NDArray[np.uint8], int]:
    """Return a picture as RGB pixels in the order they are stored, and its EXIF orientation, 1 to 8.

    Raises ImageError where it is too large, too deep or damaged; kind: what messages call its format.
    """
    check_size(picture.size, max_pixels, name)
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
        raise ImageError(
            f"{name}: expected {need}, got too little; make it smaller", "out_of_memory"
        ) from error
    except Exception as error:  # decoders raise almost anything on hostile bytes
        raise damaged(kind, name) from error
    return rgb, orientation(exif) if isinstance(exif, bytes) else 1


def _strip_rgb(strip: Image.Image) -> NDArray[np.uint8]:
    if strip.mode == "I" or strip.mode.startswith("I;16"):
        return (np.asarray(strip) >> 8).astype(np.uint8)[:, :, None]
    if not strip.has_transparency_data:
        return np.asarray(strip if strip.mode == "RGB" else strip.convert("RGB"))
    rgba = np.asarray(strip.convert("RGBA")).astype(np.uint16)
    colour, alpha = rgba[:, :, :3], rgba[:, :, 3:]
    on_white: NDArray[np.uint8] = ((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return on_white


def orientation(exif: bytes) -> int:
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


def turn(rgb: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo an EXIF orientation: 5 to 8 swap the axes, the table says which of the two are then mirrored."""
    down, right = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}.get(
        orientation, (1, 1)
    )
    if orientation >= 5:
        rgb = rgb.transpose(1, 0, 2)
    return np.ascontiguousarray(rgb[::down, ::right])


def check_array(array: NDArray[np.uint8], max_pixels: int, name: str) -> NDArray[np.uint8]:
    """Return an HxWx3 uint8 array as it is where contiguous. Raises ImageError on any other."""
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
    check_size((array.shape[1], array.shape[0]), max_pixels, name)
    return np.ascontiguousarray(array)
