"""JPEG files: how they are opened, and those that lack nothing but their end marker."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from phiz.errors import ImageError

if TYPE_CHECKING:
    from .source import Picture

_END = b"\xff\xd9"
#: Bytes that a decoder takes for pixels where it still misses some, and passes over where it does not.
_NOISE = bytes(254 - 37 * i % 251 for i in range(256))
#: What ends a scan's data: any marker but a stuffed zero and the restarts (ITU-T T.81, annex B).
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_SOS = 0xDA
#: Frames that hold pictures: all markers from SOF0 to SOF15 but the tables among them.
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class JpegFile(JpegImageFile):
    """A JPEG whose EXIF block Pillow leaves alone.

    Pillow reads the block on opening, for the dots per inch, and warns where it is damaged; phiz reads only
    the orientation out of it, see `pixels.orientation`.
    """

    def getexif(self) -> Image.Exif:
        """Return nothing, see above."""
        return Image.Exif()


def draft(picture: Image.Image, reduction: float) -> int:
    """Have an opened JPEG decoded at a half, a quarter or an eighth, and return that factor; 1 for whole.

    reduction: by how much it may be made smaller, at most.
    """
    scale = next(each for each in (8, 4, 2, 1) if each <= max(1.0, reduction))
    # Pillow takes the largest factor that leaves at least what is asked for, hence rounded down.
    if scale > 1:
        picture.draft(None, (picture.width // scale, picture.height // scale))
    return scale


def without_end_marker(data: bytes, decode: Callable[[bytes], Picture]) -> Picture | None:
    """Return the picture of a JPEG that lacks nothing but its end marker, else None.

    decode: reads a whole JPEG, and raises ImageError.
    Transfers and cameras that stop a moment too early lose the marker, and every viewer shows the picture.
    Where pixels are missing too, whatever bytes stand in their place show: a second reading then differs.
    """
    data = data.removesuffix(b"\xff")  # half a marker
    scan = _last_scan(data)
    if scan is None:
        return None
    restarts = _RESTART.findall(data, scan)
    due = bytes((0xFF, 0xD0 + (restarts[-1][1] + 1) % 8 if restarts else 0xD0))
    try:
        picture, again = decode(data + _END), decode(data + _NOISE + due + _NOISE + _END)
    except ImageError:
        return None
    return picture if np.array_equal(picture.pixels, again.pixels) else None


def _last_scan(data: bytes) -> int | None:
    """Return where the data of the last scan begin; None where another has to follow.

    None has to where scans up to the last bit of every coefficient have begun (ITU-T T.81, section G.1.1.1).
    """
    left = np.ones((256, 64), bool)  # of each component by its identifier, what is still to come
    components: list[int] = []
    place, scan = 2, 0
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
            continue
        body = data[place + 4 : place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")]
        place += 4 + len(body)
        if marker in _FRAMES:
            components = list(body[6::3])
        elif marker == _SOS and len(body) >= 4:
            first, last, bits = body[-3:]
            left[list(body[1:-3:2]), first : last + 1] = bits & 15 > 0
            scan = place
            end = _SCAN_END.search(data, place)
            place = end.start() if end else len(data)
    return scan if components and not left[components].any() else None
