"""How much the answer for one look at a face is worth: size, sharpness and frontality, each in 0..1."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from ..quality import pose
from ..types import Face, Point

#: Box width in pixels from which the network's 64-pixel crop is filled, so that a larger face tells no more.
FULL_SIZE = 48.0
#: Blur (see `blur`) of a face that counts as sharp, and of one whose details are gone.
SHARP, BLURRED = 0.45, 0.75
#: Side of the picture of a face that sharpness is judged on: half of what the network sees, where noise
#: averages out and blur that costs the network nothing hardly shows.
SIDE = 32
#: Pixels over which `blur` averages.
REACH = 5


def quality(face: Face, image: NDArray[np.uint8]) -> float:
    """Return in 0..1 what a look at a face is worth: the product of size, sharpness and frontality.

    face: with its box in pixels of `image` (uint8, H x W x 3). A face without keypoints counts as frontal.
    """
    size = min(1.0, face.box[2] / FULL_SIZE)
    sharpness = min(1.0, max(0.0, (BLURRED - blur(face, image)) / (BLURRED - SHARP)))
    return size * sharpness * (frontality(face.keypoints) if face.keypoints else 1.0)


def frontality(keypoints: Sequence[Point]) -> float:
    """Return in 0..1 how straight a face looks at the camera: 1 straight, 0.7 at 30 degrees, 0 from 60 on.

    keypoints: in the order of KEYPOINT_NAMES. A head tilted towards a shoulder still looks at the camera.
    """
    return math.cos(math.radians(min(60.0, turn(keypoints)) * 1.5))


def turn(keypoints: Sequence[Point]) -> float:
    """Return by how many degrees, roughly, a face is turned away from the camera, sideways and up or down.

    See `phiz.quality.pose`; at most 90.
    """
    yaw, pitch, _ = pose(keypoints)
    return min(90.0, math.hypot(yaw, pitch))


def blur(face: Face, image: NDArray[np.uint8]) -> float:
    """Return in 0..1 how blurred a face is, along the worse of the two axes.

    What is sharp changes much when it is blurred, what is blurred already changes little: F. Crete et al.,
    "The blur effect: perception and estimation with a new no-reference perceptual blur metric", SPIE 6492,
    2007. Judged on the inner part of the box, so that background does not count; 1 for a box too small.
    """
    grey = _inner(face, image)
    return max(_blur_along(grey), _blur_along(grey.T)) if grey.size else 1.0


def _inner(face: Face, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the middle of a face's box in grey, at most SIDE x SIDE."""
    height, width = image.shape[:2]
    x, y, w, h = face.box
    left, top = max(0, round(x + 0.1 * w)), max(0, round(y + 0.1 * h))
    right, bottom = min(width, round(x + 0.9 * w)), min(height, round(y + 0.9 * h))
    if right - left <= REACH or bottom - top <= REACH:
        return np.zeros((0, 0), np.float32)
    part = PIL.Image.fromarray(image[top:bottom, left:right]).convert("L")
    size = (min(SIDE, part.width), min(SIDE, part.height))
    return np.asarray(part.resize(size, PIL.Image.Resampling.BOX), np.float32)


def _blur_along(grey: NDArray[np.float32]) -> float:
    """Return the share of the differences between neighbours in a row that a mean over REACH pixels keeps."""
    total = np.cumsum(grey, axis=1)
    mean = (total[:, REACH:] - total[:, :-REACH]) / REACH
    sharp = np.abs(np.diff(grey[:, REACH // 2 + 1 : REACH // 2 + 1 + mean.shape[1]], axis=1))
    lost = np.maximum(sharp - np.abs(np.diff(mean, axis=1)), 0).sum()
    return 1.0 - float(lost / sharp.sum()) if sharp.any() else 1.0
