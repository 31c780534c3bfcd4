"""Pictures to measure on, made of the one that is bundled."""

from __future__ import annotations

import io
import math

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from ..data import ASTRONAUT
from ..image import load

Image = NDArray[np.uint8]

#: Width and height for each number of megapixels.
SIZES = {
    0.3: (640, 480),
    1.0: (1152, 864),
    2.0: (1632, 1224),
    4.0: (2304, 1728),
    8.0: (3264, 2448),
    12.0: (4000, 3000),
}
#: The picture that holds a crowd, in pixels; the head in the bundled picture: x, y, width, height.
CROWD, HEAD = (1920, 1440), (140, 20, 170, 210)


def photo(megapixels: float = 0.3) -> Image:
    """Return the portrait as a 4:3 photo of a size in SIZES: its lowest rows cut, its sides repeated."""
    small = np.pad(load(ASTRONAUT)[:480], ((0, 0), (64, 64), (0, 0)), mode="edge")
    if SIZES[megapixels] == (small.shape[1], small.shape[0]):
        return small
    resized = PIL.Image.fromarray(small).resize(SIZES[megapixels], PIL.Image.Resampling.LANCZOS)
    return np.asarray(resized)


def crowd(faces: int) -> Image:
    """Return a picture of 1920x1440 with `faces` heads of one size on a grid, at most 100; else grey."""
    side = 10
    if not 1 <= faces <= side * side:
        raise ValueError(f"faces must be 1 to {side * side}, not {faces}")
    x, y, width, height = HEAD
    cell = (CROWD[0] // side, CROWD[1] // side)
    scale = cell[1] / height
    head = PIL.Image.fromarray(load(ASTRONAUT)[y : y + height, x : x + width])
    head = head.resize((math.floor(width * scale), cell[1]), PIL.Image.Resampling.LANCZOS)
    canvas = PIL.Image.new("RGB", CROWD, (127, 127, 127))
    for i in range(faces):
        canvas.paste(head, (i % side * cell[0], i // side * cell[1]))
    return np.asarray(canvas)


def jpeg(image: Image) -> bytes:
    """Return the picture as a JPEG file of quality 90."""
    file = io.BytesIO()
    PIL.Image.fromarray(image).save(file, "JPEG", quality=90)
    return file.getvalue()
