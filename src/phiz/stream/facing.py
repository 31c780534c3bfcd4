"""How straight a face looks at the camera, in 0..1."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..quality import pose
from ..types import Point


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
