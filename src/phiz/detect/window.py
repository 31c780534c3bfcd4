"""Square windows onto a picture: what the detector's input shows, and the way back to picture pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from phiz.detect.base import Image
from phiz.detect.boxes import Floats

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


def around(candidate: Floats, share: float) -> Window:
    """Return the square round a candidate's box whose side the box's longer side fills to `share`."""
    left, top, right, bottom = candidate[:4].tolist()
    side = max(right - left, bottom - top, 1.0) / share
    return Window((left + right - side) / 2, (top + bottom - side) / 2, side)


def tiles(width: int, height: int, least_side: float, overlap: float, limit: int) -> list[Window]:
    """Return the whole picture and then levels of square tiles, each half as large, down to `least_side`.

    Neighbouring tiles share at least `overlap` of their side. Where `limit` windows are not enough, the
    finest tiles are larger than asked for. Tiles reach past the picture only where it is smaller than they.
    """
    while True:
        levels = max(0, math.ceil(math.log2(max(width, height) / least_side)))
        sides = [least_side * 2**level for level in reversed(range(levels))]
        if 1 + sum(_steps(width, side, overlap) * _steps(height, side, overlap) for side in sides) <= limit:
            break
        least_side *= 1.05
    windows = [Window(0.0, 0.0, float(max(width, height)))]
    for side in sides:
        across, down = _starts(width, side, overlap), _starts(height, side, overlap)
        windows += [Window(x, y, side) for y in down for x in across]
    return windows


def _steps(length: int, side: float, overlap: float) -> int:
    """Return how many tiles of `side` it takes to cover `length`."""
    return 1 if length <= side else math.ceil((length - side) / (side * (1 - overlap))) + 1


def _starts(length: int, side: float, overlap: float) -> list[float]:
    """Return where the tiles that cover `length` begin, evenly spread; one, centred, where it fits in."""
    count = _steps(length, side, overlap)
    if count == 1:
        return [(length - side) / 2]
    return [step * (length - side) / (count - 1) for step in range(count)]


def sample(picture: PIL.Image.Image, window: Window, size: int, fill: Fill, cell: int | None = None) -> Image:
    """Return what `window` shows as uint8, size x size x 3, shrunk with antialiasing.

    cell: leave out the columns and rows past the picture's end, as far as whole cells of this many pixels
    can be left out; at least one is kept.

    The part of the picture is taken at whole pixels of the result, so that the map back is exactly
    picture = window corner + result * window side / size on both axes.
    """
    scale = size / window.side
    left, right = _inside(window.x, picture.width, scale, size)
    top, bottom = _inside(window.y, picture.height, scale, size)
    grey = fill if isinstance(fill, int) else GREY
    cell = size if cell is None else cell
    columns, rows = (min(size, max(1, math.ceil(end / cell)) * cell) for end in (right, bottom))
    if left >= right or top >= bottom:  # thinner than one pixel of the result: nothing to find
        return np.full((rows, columns, 3), grey, dtype=np.uint8)
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
    if pixels.shape[:2] == (rows, columns):
        return pixels
    if fill == "edge":
        return np.pad(pixels, ((top, rows - bottom), (left, columns - right), (0, 0)), mode="edge")
    canvas = np.full((rows, columns, 3), grey, dtype=np.uint8)
    canvas[top:bottom, left:right] = pixels
    return canvas


def _inside(start: float, length: int, scale: float, size: int) -> tuple[int, int]:
    """Return the first and one past the last result pixel that lie wholly in the picture on one axis."""
    slack = 1e-6  # a border that falls on a whole pixel may miss it by rounding
    first = int(np.ceil(-start * scale - slack))
    last = int(np.floor((length - start) * scale + slack))
    return max(first, 0), min(last, size)
