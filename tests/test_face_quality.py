import numpy as np
import pytest
from PIL import Image, ImageFilter

from phiz.quality import inside, light, pose
from phiz.types import Point

#: Right eye, left eye, nose, corners of the mouth of a head that looks at the camera.
FRONTAL = ((100.0, 100.0), (140.0, 100.0), (120.0, 122.8), (104.0, 140.0), (136.0, 140.0))


def crop(grey: np.ndarray) -> np.ndarray:
    return np.repeat(np.asarray(grey, np.uint8)[None, :, :, None], 3, axis=3)


def test_brightness_is_the_mean_of_the_middle() -> None:
    pixels = np.full((1, 64, 64, 3), 255, np.uint8)
    pixels[0, 8:56, 8:56] = (100, 20, 60)  # weighs 1, 2, 1
    ((_, brightness),) = light(pixels)
    assert brightness == (100 + 2 * 20 + 60) / 1020


def test_sharpness_of_patterns_known_by_hand() -> None:
    slope = np.tile(np.arange(64) * 3, (64, 1))
    both = slope[:, :] // 2 + slope.T // 2
    ((smooth, _),) = light(crop(both))
    assert smooth == pytest.approx(0.25 * 23 / 20, rel=0.05)  # 23 steps against 20 of four times the height
    assert light(crop(slope))[0][0] == 0.0  # nothing changes downwards
    assert light(crop(np.full((64, 64), 90)))[0][0] == 0.0
    noise = np.random.default_rng(0).integers(0, 256, (64, 64))
    assert light(crop(noise))[0][0] == 1.0  # at most


@pytest.mark.parametrize("size", [64, 112, 128])
def test_blur_takes_sharpness_away(size: int) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (size, size)).astype(np.uint8)
    found = []
    for radius in (1, 2, 4, 8):
        picture = Image.fromarray(noise).filter(ImageFilter.GaussianBlur(radius * size / 64))
        found.append(light(crop(np.asarray(picture)))[0][0])
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1] + 0.3


def test_each_crop_is_measured_alone() -> None:
    crops = np.random.default_rng(2).integers(0, 256, (3, 64, 64, 3)).astype(np.uint8)
    assert light(crops) == [light(one[None])[0] for one in crops]
    assert light(crops[:0]) == []


def test_a_head_that_looks_at_the_camera() -> None:
    assert pose(FRONTAL) == pytest.approx((0, 0, 0), abs=0.5)


def turned(across: float = 0.0, down: float = 0.0) -> list[Point]:
    points = list(FRONTAL)
    points[2] = (points[2][0] + across, points[2][1] + down)
    return points


def test_signs_of_the_angles() -> None:
    assert pose(turned(across=12))[0] > 20
    assert pose(turned(across=-12))[0] < -20
    assert pose(turned(down=8))[1] > 5
    assert pose(turned(down=-8))[1] < -5
    slanted = [(x, y + 0.3 * (x - 120)) for x, y in FRONTAL]
    assert pose(slanted)[2] == pytest.approx(16.7, abs=0.1)


def test_roll_and_size_do_not_change_yaw() -> None:
    wheel = complex(1.2, 0.9)
    points = [(z.real, z.imag) for z in (wheel * complex(*point) for point in turned(across=12))]
    assert pose(points)[:2] == pytest.approx(pose(turned(across=12))[:2])


@pytest.mark.parametrize(
    "points", [[(5.0, 5.0)] * 5, [(x, 240 - y) for x, y in FRONTAL[:2]] + [(120.0, 90.0)] * 3]
)
def test_points_that_are_no_face_count_as_a_profile(points: list[Point]) -> None:
    assert pose(points)[0] == 90


def test_how_much_of_a_crop_lies_in_the_picture() -> None:
    assert inside(2 + 0j, 10 + 10j, 64, 138, 138) == 1.0
    assert inside(2 + 0j, -64 + 10j, 64, 138, 138) == 0.5
    assert inside(2 + 0j, -64 - 64j, 64, 138, 138) == 0.25
    assert inside(2 + 0j, 500 + 500j, 64, 138, 138) == 0.0
