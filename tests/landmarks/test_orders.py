from __future__ import annotations

import numpy as np
import pytest

from phiz.landmarks import orders
from phiz.types import KEYPOINT_NAMES

NUMBERED = [(float(i), -float(i)) for i in range(68)]


def named(points: tuple[tuple[float, float], ...]) -> dict[str, tuple[float, float]]:
    return dict(zip(KEYPOINT_NAMES, points, strict=True))


def test_points_of_fgnet_become_the_crops_keypoints() -> None:
    assert named(orders.keypoints_of_fgnet(NUMBERED)) == {
        "right_eye": (29, -29),
        "left_eye": (34, -34),
        "nose": (67, -67),
        "right_mouth": (48, -48),
        "left_mouth": (54, -54),
    }


def test_points_of_ibug_become_the_crops_keypoints() -> None:
    assert named(orders.keypoints_of_ibug(np.array(NUMBERED))) == {
        "right_eye": (38.5, -38.5),
        "left_eye": (44.5, -44.5),
        "nose": (30, -30),
        "right_mouth": (48, -48),
        "left_mouth": (54, -54),
    }


@pytest.mark.parametrize(
    "function",
    [
        orders.keypoints_of_fgnet,
        orders.keypoints_of_ibug,
        orders.shared_of_fgnet,
        orders.shared_of_ibug,
    ],
)
def test_another_number_of_points_is_refused(function) -> None:
    with pytest.raises(ValueError, match=r"expected 68 landmarks \(x, y\), got an array of shape \(5, 2\)"):
        function([(0.0, 0.0)] * 5)


def test_shared_places_pair_by_pair() -> None:
    fgnet, ibug = (function(NUMBERED)[:, 0] for function in (orders.shared_of_fgnet, orders.shared_of_ibug))
    assert len(fgnet) == len(ibug) == sum(orders.PARTS.values()) == 49
    pairs = dict(zip(fgnet, ibug, strict=True))
    assert len(pairs) == 49  # no point of FG-NET's is compared twice
    assert (pairs[0], pairs[7], pairs[14]) == (0, 8, 16)  # jaw: right ear, chin, left ear
    assert pairs[1] == pytest.approx(16 / 14)  # between them, along the jaw
    assert (pairs[27], pairs[32]) == (36, 45)  # outer corners of the eyes
    assert (pairs[28], pairs[30]) == (37.5, 40.5)  # lids
    assert (pairs[67], pairs[41]) == (30, 33)  # tip and base of the nose
    assert (pairs[48], pairs[54], pairs[57]) == (48, 54, 57)  # outer lips
    assert (pairs[64], pairs[61]) == (62, 66)  # inner lips


def test_shared_places_of_a_mirrored_face_are_the_mirrored_places() -> None:
    # Mirrored, each place of the right half takes the number of its like on the left, in both orders alike.
    mirror_fgnet = [*range(14, -1, -1), 21, 22, 23, 24, 25, 26, 15, 16, 17, 18, 19, 20]
    mirror_fgnet += [32, 33, 34, 35, 36, 27, 28, 29, 30, 31, *range(45, 36, -1), 47, 46]
    mirror_fgnet += [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 62, 61, 60, 65, 64, 63, 66, 67]
    mirror_ibug = [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31]
    mirror_ibug += [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    mirror_ibug += [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
    points = np.random.default_rng(0).normal(size=(68, 2))
    for shared, mirror in ((orders.shared_of_fgnet, mirror_fgnet), (orders.shared_of_ibug, mirror_ibug)):
        before, after = shared(points), shared(points[mirror])
        order = [int(np.argmin(np.linalg.norm(before - place, axis=1))) for place in after]
        np.testing.assert_allclose(before[order], after, atol=1e-12)
        if shared is orders.shared_of_fgnet:
            expected = order
    assert order == expected
