"""The canonical crop: geometry against hand-worked numbers, edges, and the fallback for chips."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phiz.crop import POINTS, CropTemplate, chip_crop, face_crop, fit
from phiz.errors import ModelError

TEMPLATE = CropTemplate((0.25, 0.25), (0.75, 0.25), (0.375, 0.75), (0.625, 0.75), (0.1, 0.1, 0.8))


def keypoints(right_eye, left_eye, right_mouth, left_mouth):
    """Five keypoints, of which the crop reads four; the nose lies where it would do harm."""
    return [right_eye, left_eye, (-1e4, 1e4), right_mouth, left_mouth]


def ramp(height, width):
    """A picture whose red is x, green is y: sampling it tells where a sample came from."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = np.arange(width)
    picture[..., 1] = np.arange(height)[:, None]
    return picture


def placed(turn, shift, size=64):
    """Keypoints of a face whose crop pixel z lies at picture position turn * z + shift."""
    points = [complex(*getattr(TEMPLATE, name)) * size for name in POINTS]
    mapped = [turn * p + shift for p in points]
    return keypoints(*[(z.real, z.imag) for z in mapped])


def test_identity_copies_the_pixels():
    picture = np.random.default_rng(0).integers(0, 256, (100, 90, 3), dtype=np.uint8)
    crop = face_crop(picture, placed(1, 10 + 20j), 64, TEMPLATE)
    np.testing.assert_array_equal(crop, picture[20:84, 10:74])


def test_shrinking_by_a_whole_factor_is_the_block_mean():
    picture = np.random.default_rng(1).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    crop = face_crop(picture, placed(2, 50 + 60j), 64, TEMPLATE)
    blocks = picture[60:188, 50:178].reshape(64, 2, 64, 2, 3).mean((1, 3))
    assert np.abs(crop - blocks).max() <= 1


@pytest.mark.parametrize("degrees", [-60, -10, 0, 25, 90, 180])
@pytest.mark.parametrize("scale", [0.4, 1.0, 1.7, 2.6])
def test_samples_come_from_where_the_similarity_says(degrees, scale):
    turn = scale * complex(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    centre = 125 + 128j
    shift = centre - turn * (32 + 32j)
    crop = face_crop(ramp(256, 256), placed(turn, shift), 64, TEMPLATE).astype(float)
    x, y = np.meshgrid(np.arange(64) + 0.5, np.arange(64) + 0.5)
    source = turn * (x + 1j * y) + shift
    inside = (np.abs(source.real - 128) < 120) & (np.abs(source.imag - 128) < 120)
    # The ramp's pixel k has its centre at k + 0.5. Sampling cuts the fraction off (under one level),
    # averaging the fine samples rounds once more (half a level).
    assert np.abs(crop[..., 0] - (source.real - 0.5))[inside].max() < 1.5
    assert np.abs(crop[..., 1] - (source.imag - 0.5))[inside].max() < 1.5


def test_a_fine_pattern_is_averaged_rather_than_aliased():
    stripes = np.zeros((1200, 1200, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = face_crop(stripes, placed(16.3, 50 + 50j), 64, TEMPLATE)
    assert np.abs(crop.astype(int) - 127).max() <= 3


def test_beyond_the_edge_the_border_repeats():
    picture = np.full((40, 40, 3), 9, np.uint8)
    picture[:, 0] = (200, 100, 50)
    crop = face_crop(picture, placed(1, -20 - 10j), 64, TEMPLATE)
    assert (crop[:, :20] == (200, 100, 50)).all()
    assert (crop[:, 22:] == 9).all()


def test_a_mouth_out_of_place_does_not_shear():
    """Least squares by hand: mouth moved by d along x shifts the fit, and turns it a little."""
    points = placed(1, 0, size=256)
    points[3] = (points[3][0] + 24, points[3][1])
    crop = face_crop(ramp(256, 256), points, 256, TEMPLATE).astype(float)
    across = np.diff(crop[128, 32:224, 0]).mean() + 1j * np.diff(crop[128, 32:224, 1]).mean()
    down = np.diff(crop[32:224, 128, 0]).mean() + 1j * np.diff(crop[32:224, 128, 1]).mean()
    assert abs(down - 1j * across) < 0.02


def test_coinciding_keypoints_are_refused():
    with pytest.raises(ValueError, match="in separate places"):
        face_crop(ramp(64, 64), keypoints(*[(5, 5)] * 4), 64, TEMPLATE)


def test_chip_crop_takes_the_centre_square_of_a_wide_chip():
    picture = np.random.default_rng(2).integers(0, 256, (80, 120, 3), dtype=np.uint8)
    np.testing.assert_array_equal(chip_crop(picture, 64, TEMPLATE), picture[8:72, 28:92])


def test_zooming_out_keeps_the_centre():
    """The central pixels of a zoomed-out crop are the crop: training's margin changes nothing inside."""
    picture = np.random.default_rng(3).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    points = placed(2, 80 + 90j)
    narrow = face_crop(picture, points, 64, TEMPLATE)
    wide = face_crop(picture, points, 96, TEMPLATE.zoomed_out(1.5))
    assert np.abs(wide[16:80, 16:80].astype(int) - narrow).max() <= 1
    chip = chip_crop(picture, 96, TEMPLATE.zoomed_out(1.5))[16:80, 16:80].astype(int)
    assert np.abs(chip - chip_crop(picture, 64, TEMPLATE)).max() <= 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-50, 150), st.floats(-50, 150)), min_size=4, max_size=4),
    st.integers(1, 90),
    st.integers(1, 90),
)
def test_any_keypoints_give_a_crop_or_a_clear_refusal(points, height, width):
    picture = np.full((height, width, 3), 77, np.uint8)
    try:
        crop = face_crop(picture, keypoints(*points), 32, TEMPLATE)
    except ValueError as error:
        assert "in separate places" in str(error)  # noqa: PT017
    else:
        assert crop.shape == (32, 32, 3)
        assert (crop == 77).all()


def test_moving_the_template_moves_the_square():
    points = placed(2, 80 + 90j)
    turn, shift = fit(points, 64, TEMPLATE)
    moved_turn, moved = fit(points, 64, TEMPLATE.moved(0.25, -0.5))
    assert moved_turn == pytest.approx(turn)
    assert moved - shift == pytest.approx(2 * 64 * (0.25 - 0.5j))
    picture = np.random.default_rng(4).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    chip = chip_crop(picture, 64, TEMPLATE.moved(0.0625, -0.125))
    np.testing.assert_array_equal(chip, picture[0:64, 12:76])


def test_template_survives_the_card():
    assert CropTemplate.from_dict(TEMPLATE.to_dict()) == TEMPLATE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"right_mouth": None}, "expected the fields"),
        ({"left_mouth": [1]}, "left_mouth must be 2 finite numbers"),
        ({"chip": [0, 0, float("nan")]}, "chip must be 3 finite numbers"),
        ({"nose": [0, 0]}, "expected the fields"),
    ],
)
def test_a_wrong_template_is_named(change, message):
    data = {k: v for k, v in (TEMPLATE.to_dict() | change).items() if v is not None}
    with pytest.raises(ModelError, match=message):
        CropTemplate.from_dict(data)
