"""Square windows onto a picture: what the detector's input shows, and the way back to picture pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from phiz.detect.base import Image

#: Grey level of what lies beyond the picture, or "edge" to repeat the picture's border pixels.
Fill = int | str
#: The middle of the range, zero to the network: measured better than black or repeated borders.
GREY = 127


@dataclass(frozen=True, slots=True)
class Window:
    """A square of `side` picture pixels whose top-left corner is at (x, y); it may reach past the picture."""

    x: float
    y: float
    side: float


def whole(width: int, height: int, padding: float = 0.0) -> Window:
    """Return the centred square that holds the picture and `padding` of its longer side all round it."""
    side = max(width, height) * (1 + 2 * padding)
    return Window((width - side) / 2, (height - side) / 2, side)


def sample(picture: PIL.Image.Image, window: Window, size: int, fill: Fill) -> Image:
    """Return what `window` shows as uint8, size x size x 3, shrunk with antialiasing.

    The part of the picture is taken at whole pixels of the result, so that the map back is exactly
    picture = window corner + result * window side / size on both axes.
    """
    scale = size / window.side
    left, right = _inside(window.x, picture.width, scale, size)
    top, bottom = _inside(window.y, picture.height, scale, size)
    grey = fill if isinstance(fill, int) else GREY
    if left >= right or top >= bottom:  # thinner than one pixel of the result: nothing to find
        return np.full((size, size, 3), grey, dtype=np.uint8)
    box = (
        max(window.x + left / scale, 0.0),
        max(window.y + top / scale, 0.0),
        min(window.x + right / scale, picture.width),
        min(window.y + bottom / scale, picture.height),
    )
    part = picture.resize(
        (right - left, bottom - top), PIL.Image.Resampling.BILINEAR, box=box, reducing_gap=2.0
    )
    pixels: NDArray[np.uint8] = np.asarray(part)
    if pixels.shape[:2] == (size, size):
        return pixels
    if fill == "edge":
        return np.pad(pixels, ((top, size - bottom), (left, size - right), (0, 0)), mode="edge")
    canvas = np.full((size, size, 3), grey, dtype=np.uint8)
    canvas[top:bottom, left:right] = pixels
    return canvas


def _inside(start: float, length: int, scale: float, size: int) -> tuple[int, int]:
    """Return the first and one past the last result pixel that lie wholly in the picture on one axis."""
    slack = 1e-6  # a border that falls on a whole pixel may miss it by rounding
    first = int(np.ceil(-start * scale - slack))
    last = int(np.floor((length - start) * scale + slack))
    return max(first, 0), min(last, size)
