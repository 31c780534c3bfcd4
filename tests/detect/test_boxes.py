from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phiz.detect.blazeface import VARIANTS
from phiz.detect.boxes import (
    COLUMNS,
    SCORE,
    areas,
    decode,
    make_anchors,
    overlaps,
    same_face,
    sigmoid,
    suppress,
    weighted_nms,
)


def candidate(left: float, top: float, right: float, bottom: float, score: float) -> list[float]:
    """A row whose keypoints all lie in the middle of the box."""
    return [left, top, right, bottom, *[(left + right) / 2, (top + bottom) / 2] * 6, score]


def rows(*boxes: tuple[float, float, float, float, float]) -> np.ndarray:
    return np.array([candidate(*box) for box in boxes]).reshape(-1, COLUMNS)


@st.composite
def many_candidates(draw: st.DrawFn) -> np.ndarray:
    number = st.floats(0, 100, allow_nan=False)
    size = st.floats(0.5, 60)
    boxes = draw(st.lists(st.tuples(number, number, size, size, st.floats(0.3, 1.0)), max_size=25))
    return rows(*[(x, y, x + w, y + h, score) for x, y, w, h, score in boxes])


@pytest.mark.parametrize("variant", VARIANTS)
def test_anchors_number_896_and_stand_at_cell_centres(variant: str) -> None:
    side = VARIANTS[variant].side
    anchors = make_anchors(VARIANTS[variant].grids, side, side) / side
    assert anchors.shape == (896, 2)
    # 16 x 16 cells of 1/16 with two anchors each, row by row, then 8 x 8 cells of 1/8 with six.
    np.testing.assert_allclose(anchors[0:3], [[1 / 32, 1 / 32], [1 / 32, 1 / 32], [3 / 32, 1 / 32]])
    np.testing.assert_allclose(anchors[32], [1 / 32, 3 / 32])
    np.testing.assert_allclose(anchors[511], [31 / 32, 31 / 32])
    np.testing.assert_allclose(anchors[512:519], [[1 / 16, 1 / 16]] * 6 + [[3 / 16, 1 / 16]])
    np.testing.assert_allclose(anchors[-1], [15 / 16, 15 / 16])


def test_a_trimmed_input_has_the_squares_anchors_of_its_cells() -> None:
    grids = VARIANTS["back"].grids
    square, wide = make_anchors(grids, 256, 256), make_anchors(grids, 192, 256)
    assert len(wide) == 16 * 12 * 2 + 8 * 6 * 6
    np.testing.assert_array_equal(wide, square[square[:, 1] < 192])


def test_decode_gives_the_hand_worked_box() -> None:
    anchors = np.array([[32.0, 64.0], [96.0, 64.0]])
    regressors = np.zeros((2, 16), np.float32)
    # Second anchor: (96, 64). Centre + (4, -2) = (100, 62); size 20 x 30.
    regressors[1] = [4, -2, 20, 30, -5, -6, 5, -6, 0, 1, 0, 8, -9, -1, 9, -1]
    found = decode(regressors, np.array([-5.0, 0.0]), anchors, 0.4)
    assert found.shape == (1, COLUMNS)
    expected = [90, 47, 110, 77, 91, 58, 101, 58, 96, 65, 96, 72, 87, 63, 105, 63, 0.5]
    np.testing.assert_allclose(found[0], expected, atol=1e-6)


def test_sigmoid_does_not_overflow() -> None:
    with np.errstate(all="raise"):
        low, middle, high = sigmoid(np.array([-1e30, 0.0, 1e30], np.float32))
    assert low < 1e-30
    assert middle == 0.5
    assert high == 1.0


def test_overlap_of_hand_worked_boxes() -> None:
    one, rest = rows((0, 0, 10, 10, 1))[0], rows((5, 0, 15, 10, 1), (0, 0, 10, 10, 1), (20, 20, 30, 30, 1))
    np.testing.assert_allclose(overlaps(one, rest), [50 / 150, 1, 0])


def test_weighted_nms_blends_by_score_and_keeps_the_best_score() -> None:
    blended = weighted_nms(rows((0, 0, 10, 10, 0.9), (2, 0, 12, 10, 0.3), (50, 50, 60, 60, 0.6)), 0.3)
    # Left edge: (0.9 x 0 + 0.3 x 2) / 1.2 = 0.5; every other number of the pair is blended alike.
    np.testing.assert_allclose(blended[0], candidate(0.5, 0, 10.5, 10, 0.9))
    np.testing.assert_allclose(blended[1], candidate(50, 50, 60, 60, 0.6))


def test_weighted_nms_of_nothing_is_nothing() -> None:
    assert weighted_nms(rows(), 0.3).shape == (0, COLUMNS)
    assert suppress(rows()).shape == (0, COLUMNS)


@settings(deadline=None)
@given(many_candidates())
def test_weighted_nms_stays_within_its_input(candidates: np.ndarray) -> None:
    blended = weighted_nms(candidates, 0.3)
    assert len(blended) <= len(candidates)
    if len(candidates):
        assert blended[0, SCORE] == candidates[:, SCORE].max()
        assert (np.diff(blended[:, SCORE]) <= 0).all()
        assert set(blended[:, SCORE]) <= set(candidates[:, SCORE])
        slack = 1e-6
        assert (blended >= candidates.min(axis=0) - slack).all()
        assert (blended <= candidates.max(axis=0) + slack).all()


@settings(deadline=None)
@given(many_candidates(), st.randoms(use_true_random=False))
def test_weighted_nms_does_not_depend_on_order(candidates: np.ndarray, random) -> None:
    candidates[:, SCORE] += np.arange(len(candidates)) * 1e-6  # no ties: their order is the input's
    order = list(range(len(candidates)))
    random.shuffle(order)
    np.testing.assert_allclose(weighted_nms(candidates[order], 0.3), weighted_nms(candidates, 0.3))


@settings(deadline=None)
@given(many_candidates())
def test_suppress_keeps_rows_and_leaves_no_doubles(candidates: np.ndarray) -> None:
    kept = suppress(candidates)
    assert {tuple(row) for row in kept} <= {tuple(row) for row in candidates}
    for index, row in enumerate(kept):
        assert not same_face(row, np.delete(kept, index, axis=0)).any()
    for row in candidates:
        assert same_face(row, kept).any()


def test_a_face_cut_off_by_a_tile_is_the_same_face() -> None:
    whole, part = rows((0, 0, 100, 100, 0.9), (0, 60, 100, 100, 0.95))
    assert overlaps(whole, part[None])[0] > 0.3
    sliver = rows((10, 75, 90, 105, 0.95))
    assert overlaps(whole, sliver)[0] < 0.3
    assert same_face(whole, sliver)[0]
    assert not same_face(whole, rows((90, 0, 190, 100, 0.9)))[0]


def test_area_of_an_inverted_box_is_zero() -> None:
    np.testing.assert_array_equal(areas(rows((10, 10, 0, 20, 1), (0, 0, 2, 3, 1))), [0, 6])
