"""How finely a picture is looked at, and the shrinking of it.

A look is the picture shrunk by a number of quarters, cheaply: a finer resizing costs more than the network.
"""

from __future__ import annotations

import math

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from .detector_card import DetectorCard

Image = NDArray[np.uint8]

#: Rows of a shrunk picture made at once: their source stays in the processor's cache.
_ROWS = 32
#: Most rows and columns of a block that its mean is made of; more do not make faces clearer.
_SAMPLES = 4


def first_factor(width: int, height: int, min_face: float | None, card: DetectorCard) -> float:
    """Return by how much a picture of width x height pixels is shrunk for its first look.

    min_face: smallest face asked for, in pixels; it fills at least `card.fills` pixels of the look, within
    `card.asked_look_pixels`. None for the card's own, from `card.least_look_pixels` on and within
    `card.look_pixels`, or `card.finest_look_pixels` where those would shrink the picture to less than a half.
    """
    pixels = width * height
    wanted = max(1.0, math.floor(4 * (min_face or card.min_face) / card.fills) / 4)
    if min_face is not None:
        return max(wanted, fitting(pixels, card.asked_look_pixels))
    bound = max(min(fitting(pixels, card.look_pixels), 2.0), fitting(pixels, card.finest_look_pixels))
    return max(min(wanted, fitting(pixels, card.least_look_pixels)), bound)


def fitting(pixels: int, most: int) -> float:
    """Return the smallest factor that leaves at most `most` of `pixels`."""
    return max(1.0, math.ceil(4 * math.sqrt(pixels / most)) / 4)


def nearest(factor: float) -> float:
    """Return the factor that `shrink` knows nearest to a wanted one."""
    return max(1.0, round(4 * factor) / 4)


def second_factor(width: int, height: int, card: DetectorCard, *, always: bool = False) -> int | None:
    """Return by how much the first look, of width x height pixels, is shrunk again for the coarse one.

    None where no face in it can be too large for the network, unless there shall always be one.
    """
    if min(width, height) <= card.coarse_above and not always:
        return None
    return max(2, -(-max(width, height) // card.coarse_side))


def shrink(image: Image, factor: float) -> Image:
    """Return the picture shrunk by `factor`, in quarters; the picture itself for 1.

    image: uint8, H x W x 3; what does not fill a whole last block is left out, but at least one is kept.
    A whole number takes each block's mean (of at most 4 x 4 samples), any other the nearest pixels, which is
    far cheaper and finds nearly as much (docs/detector.md).
    """
    if factor == 1:
        return image
    return _means(image, int(factor)) if factor == int(factor) else _nearest_pixels(image, factor)


def _nearest_pixels(image: Image, factor: float) -> Image:
    height, width = (max(1, int(side / factor)) for side in image.shape[:2])
    part = PIL.Image.fromarray(image[: max(1, int(height * factor)), : max(1, int(width * factor))])
    return np.asarray(part.resize((width, height), PIL.Image.Resampling.NEAREST))


def _means(image: Image, factor: int) -> Image:
    blocks_of = min(factor, image.shape[0]), min(factor, image.shape[1])
    (height, width), (down, across) = np.array(image.shape[:2]) // blocks_of, map(_samples, blocks_of)
    lines = image[: height * blocks_of[0], : width * blocks_of[1]].reshape(height, blocks_of[0], -1)
    # A product and a shift instead of a division: exact for sums of so few 8-bit values.
    reciprocal = -(-(1 << 16) // (len(down) * len(across)))
    shrunk: Image = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _ROWS):
        part = lines[top : top + _ROWS]
        sums = part[:, down[0]].astype(np.uint16)
        for row in down[1:]:
            sums += part[:, row]
        blocks = sums.reshape(len(part), width, blocks_of[1], 3)
        for channel in range(3):
            total = blocks[:, :, across[0], channel].astype(np.uint32)
            for column in across[1:]:
                total += blocks[:, :, column, channel]
            total *= reciprocal
            total >>= 16
            shrunk[top : top + _ROWS, :, channel] = total
    return shrunk


def _samples(block: int) -> range:
    """Return which of a block's rows or columns its mean is made of, evenly spread about its middle."""
    step = -(-block // _SAMPLES)
    count = -(-block // step)
    start = (block - 1 - (count - 1) * step) // 2
    return range(start, start + (count - 1) * step + 1, step)


def padded(image: Image, multiple: int) -> Image:
    """Return 1 x H x W x 3, black added right and below up to multiples of `multiple`."""
    size = tuple(-(-side // multiple) * multiple for side in image.shape[:2])
    if size == image.shape[:2]:
        return np.ascontiguousarray(image)[None]
    canvas = np.zeros((1, *size, 3), np.uint8)
    canvas[0, : image.shape[0], : image.shape[1]] = image
    return canvas
