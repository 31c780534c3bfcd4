"""How straight a face looks at the camera."""

from __future__ import annotations

import math

import numpy as np
import pytest

from phiz.data import ASTRONAUT
from phiz.detect import Detector
from phiz.image import load
from phiz.quality import MOUTH_DEPTH, MOUTH_DOWN, NOSE_DEPTH, NOSE_DOWN
from phiz.stream.facing import frontality, turn
from phiz.types import KEYPOINT_NAMES, Point


def head(yaw: float = 0, pitch: float = 0, roll: float = 0, scale: float = 40) -> list[Point]:
    """The keypoints of an average head seen from afar, turned by so many degrees."""
    parts = {
        "right_eye": [-0.5, 0, 0],
        "left_eye": [0.5, 0, 0],
        "nose": [0, NOSE_DOWN, -NOSE_DEPTH],
        "right_mouth": [-0.42, MOUTH_DOWN, -MOUTH_DEPTH],
        "left_mouth": [0.42, MOUTH_DOWN, -MOUTH_DEPTH],
    }
    solid = np.array([parts[name] for name in KEYPOINT_NAMES], float)
    a, b, c = np.radians([yaw, pitch, roll])
    across = np.array([[math.cos(a), 0, math.sin(a)], [0, 1, 0], [-math.sin(a), 0, math.cos(a)]])
    nod = np.array([[1, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]])
    tilt = np.array([[math.cos(c), -math.sin(c), 0], [math.sin(c), math.cos(c), 0], [0, 0, 1]])
    points = solid @ across.T @ nod.T @ tilt.T * scale + 100
    return [(x, y) for x, y, _ in points]


@pytest.mark.parametrize("angle", [0, 10, 25, 40])
def test_yaw_is_read_from_the_nose(angle: float) -> None:
    assert turn(head(yaw=angle)) == pytest.approx(angle, abs=2.5)
    assert turn(head(yaw=-angle)) == pytest.approx(angle, abs=2.5)


@pytest.mark.parametrize("angle", [-25, -10, 10, 25])
def test_nodding_is_read_from_the_nose_too(angle: float) -> None:
    assert turn(head(pitch=angle)) == pytest.approx(abs(angle), abs=1.0)


@pytest.mark.parametrize("roll", [-60, 30, 90])
def test_a_tilted_head_still_looks_at_the_camera(roll: float) -> None:
    assert frontality(head(roll=roll)) == pytest.approx(1.0)


def test_frontality_falls_with_the_angle() -> None:
    values = [frontality(head(yaw=angle)) for angle in (0, 15, 30, 45, 80)]
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(1.0)
    assert values[2] == pytest.approx(0.7, abs=0.05)
    assert values[4] == pytest.approx(0.0, abs=1e-9)


def test_keypoints_in_impossible_places_are_no_front() -> None:
    same = [(5.0, 5.0)] * len(KEYPOINT_NAMES)
    assert turn(same) == 90
    assert frontality(same) == pytest.approx(0, abs=1e-9)
    upside = head()
    for name in ("right_mouth", "left_mouth"):  # above the eyes
        upside[KEYPOINT_NAMES.index(name)] = (100.0, 0.0)
    assert turn(upside) == 90


def test_the_detectors_points_of_a_portrait_look_at_the_camera() -> None:
    (found,) = Detector().detect(load(ASTRONAUT))
    assert frontality(found.keypoints) > 0.9
