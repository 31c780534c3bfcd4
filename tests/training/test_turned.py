"""A turned face looks where it should, and an unturned one as before."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy", reason="the extra eval brings scipy")

from phiz import image
from phiz.crop import face_crop
from phiz.data import ASTRONAUT
from phiz.detect import Detector
from phiz.landmarks.base import FACE
from phiz.landmarks.mesh import FaceMesh
from phiz.training.turned import turn, yaw

SIDE = 192


@pytest.fixture(scope="module")
def front():
    """The bundled portrait, level: (picture, its surface, detector, mesh)."""
    detector, mesh = Detector(), FaceMesh()
    photo = image.load(ASTRONAUT)
    level = face_crop(photo, detector.detect(photo)[0].keypoints, SIDE, FACE.zoomed_out(2.0))
    surface = mesh.surface(level, detector.detect(level)[0])
    assert surface is not None
    return level, surface, detector, mesh


def test_the_surface_holds_the_landmarks_and_a_nose_in_front(front):
    level, surface, detector, mesh = front
    assert surface.shape == (468, 3)
    landmarks = mesh.find(level, detector.detect(level)[0])
    np.testing.assert_allclose(landmarks[30], surface[[1, 4], :2].mean(0))
    assert surface[1, 2] < surface[[234, 454], 2].min() - 30  # the nose's tip before the ears
    assert abs(yaw(surface)) < 10


@pytest.mark.parametrize("degrees", [-45, -30, -15, 15, 30, 45])
def test_a_face_turned_by_so_much_is_seen_to_look_there(front, degrees):
    level, surface, detector, mesh = front
    turned = turn(level, surface, degrees)
    assert turned.shape == level.shape
    again = mesh.surface(turned, detector.detect(turned)[0])
    # The mesh sees less of a turn than there is: about seven tenths
    assert 0.5 < (yaw(again) - yaw(surface)) / degrees < 1.1


def test_turned_by_nothing_it_is_the_same_picture(front):
    level, surface, *_ = front
    same = turn(level, surface, 0.0)
    assert np.abs(same.astype(int) - level).mean() < 2


def test_the_background_stays(front):
    level, surface, *_ = front
    turned = turn(level, surface, 30.0)
    edges = np.s_[:40, [0, 1, 2, -3, -2, -1]]
    assert np.abs(turned[edges].astype(int) - level[edges]).mean() < 6


def test_every_pixel_is_filled(front):
    level, surface, *_ = front
    bright = np.maximum(level, 40)
    for degrees in (-60.0, 60.0):
        assert turn(bright, surface, degrees).min() >= 40
