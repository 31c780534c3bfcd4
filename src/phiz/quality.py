"""How good a look at a face is: size, sharpness, light, pose, and how much of it lies inside the picture.

All of it follows from the crop, five keypoints and the crop's place; sums of whole numbers wherever pixels
are counted, so that every language finds the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .types import KEYPOINT_NAMES, Point

#: Share of the crop's side that is left out on each of its sides: hair and background.
EDGE = 1 / 8
#: Light is looked at in blocks of so many to a side, in which noise averages out.
BLOCKS = 32
#: Blocks between the two that a coarse difference is taken of.
REACH = 4
#: Points of the crop, to a side, that lie inside the picture or not.
GRID = 16
#: Nose, and middle of the mouth's corners, of an average head, in eye distances: depth before the plane of
#: the eyes, and height below them. The heights are medians of the detector's keypoints on portraits. Where
#: heads turn, the mouth moves by -0.13 of what the nose does: its depth. The nose's is an average head's.
NOSE_DEPTH, NOSE_DOWN, MOUTH_DEPTH, MOUTH_DOWN = 0.55, 0.57, -0.07, 1.00


def light(crops: NDArray[np.uint8]) -> list[tuple[float, float]]:
    """Return the sharpness and the brightness of each crop, both in 0..1.

    crops: (N, S, S, 3) RGB. Brightness is the mean of the middle of the crop, 1 is white. Sharpness: of what
    changes over four blocks, how much changes from one block to the next, along the worse of the two axes; 0
    for a slope without details, near 1 for noise. What is sharp changes much from pixel to pixel, what is
    blurred does not: F. Crete et al., "The blur effect", SPIE 6492, 2007.
    """
    side = crops.shape[1]
    edge, block = int(side * EDGE), max(1, round(side / BLOCKS))
    many = (side - 2 * edge) // block
    end = edge + many * block
    # Rows, then columns of each block: a few large additions cost less than one sum over small axes
    rows = crops[:, edge:end:block, edge:end].astype(np.int32)
    for k in range(1, block):
        rows += crops[:, edge + k : end : block, edge:end]
    blocks = rows[:, :, ::block].copy()
    for k in range(1, block):
        blocks += rows[:, :, k::block]
    sums = blocks[..., 0] + 2 * blocks[..., 1] + blocks[..., 2]  # of values from 0 to 1020
    bright = sums.sum(axis=(1, 2)) / (1020 * (many * block) ** 2)
    across = _detail(sums[:, :, 1:] - sums[:, :, :-1], sums[:, :, REACH:] - sums[:, :, :-REACH])
    down = _detail(sums[:, 1:] - sums[:, :-1], sums[:, REACH:] - sums[:, :-REACH])
    return list(zip(np.minimum(across, down).tolist(), bright.tolist(), strict=True))


def _detail(fine: NDArray[np.int32], coarse: NDArray[np.int32]) -> NDArray[np.float64]:
    near, far = (np.abs(steps).sum(axis=(1, 2)) for steps in (fine, coarse))
    return np.asarray(np.minimum(1.0, near / np.maximum(far, 1)))


def pose(keypoints: Sequence[Point]) -> tuple[float, float, float]:
    """Return roughly by how many degrees a head is turned: yaw, pitch and roll, each 0 looking at the camera.

    keypoints: in the order of KEYPOINT_NAMES. Yaw is positive to the picture's right, pitch downwards, roll
    clockwise. The nose lies before the plane of the eyes and the mouth: turning the head shifts it along the
    line between the eyes, nodding moves it between the eyes and the mouth. A yaw of 90 where the eyes
    coincide or the mouth is not below them.
    """
    place = {name: complex(*point) for name, point in zip(KEYPOINT_NAMES, keypoints, strict=True)}
    right, left, nose = place["right_eye"], place["left_eye"], place["nose"]
    mouth = (place["right_mouth"] + place["left_mouth"]) / 2
    across = left - right
    if abs(across) < 1e-6:
        return 90.0, 0.0, 0.0
    roll = math.degrees(math.atan2(across.imag, across.real))
    # In the frame of the eyes: one eye distance long, x from the right eye to the left, y towards the mouth.
    centre = (right + left) / 2
    nose, mouth = (nose - centre) / across, (mouth - centre) / across
    if mouth.imag <= 0:
        return 90.0, 0.0, roll
    low = nose.imag / mouth.imag
    yaw = math.atan2(nose.real, NOSE_DEPTH)
    pitch = math.atan2(low * MOUTH_DOWN - NOSE_DOWN, max(NOSE_DEPTH - low * MOUTH_DEPTH, 1e-6))
    return math.degrees(yaw), math.degrees(pitch), roll


def inside(turn: complex, shift: complex, size: int, width: int, height: int) -> float:
    """Return the share of a crop that lies inside the picture, told by GRID x GRID of its points.

    turn, shift: pixel z of the crop shows picture position turn * z + shift, see `phiz.crop.fit`.
    size: side of the crop; width, height: of the picture; pixels.
    """
    corners = [turn * z + shift for z in (0j, complex(size, 0), complex(0, size), complex(size, size))]
    if all(0 <= z.real <= width and 0 <= z.imag <= height for z in corners):
        return 1.0
    at = (np.arange(GRID) + 0.5) * (size / GRID)
    z = turn * (at[None, :] + 1j * at[:, None]) + shift
    within = (z.real >= 0) & (z.real <= width) & (z.imag >= 0) & (z.imag <= height)
    return int(within.sum()) / GRID**2
