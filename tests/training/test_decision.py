"""Branch weights fitted on made predictions."""

from __future__ import annotations

import numpy as np
import pytest

from phiz.training.decision import fit_age_weights, fit_gender_weights

ONES = np.ones(50)


def twice(age):
    """The spans of known ages."""
    return np.stack([age, age], 1)


def test_within_a_range_no_answer_is_better_than_another():
    span = np.array([[20, 30], [20, 30]], np.float32)
    assert fit_age_weights(np.array([[19, 31], [29, 21], [40, 40]], np.float32), span, np.ones(2))[1] >= 0.1
    inside = np.array([[20.5, 29], [25, 21], [29.9, 20.1]], np.float32)
    assert fit_age_weights(inside, span, np.ones(2)) == fit_age_weights(inside[::-1], span, np.ones(2))


def test_the_only_right_branch_gets_all_the_weight():
    truth = np.linspace(1, 80, 50, dtype=np.float32)
    assert fit_age_weights(np.stack([truth + 9, truth, truth + 7]), twice(truth), ONES) == (0, 1, 0)


def test_opposite_errors_cancel():
    truth = np.linspace(1, 80, 50, dtype=np.float32)
    weights = fit_age_weights(np.stack([truth + 1, truth - 3, truth + 30]), twice(truth), ONES)
    assert weights == pytest.approx((0.75, 0.25, 0))


def test_gender_prefers_the_branch_that_is_sure_and_right():
    truth = np.array([1, 0, 1, 0, np.nan], np.float32)
    female = np.array(
        [[0.6, 0.4, 0.6, 0.4, 0.9], [0.95, 0.05, 0.95, 0.05, 0.1], [0.3, 0.7, 0.3, 0.7, 0.5]], np.float32
    )
    assert fit_gender_weights(female, truth, np.ones(5)) == (0, 1, 0)


def test_unlabelled_pictures_do_not_count():
    truth = np.array([10, np.nan], np.float32)
    ages = np.array([[10, 90], [20, 20], [30, 30]], np.float32)
    assert fit_age_weights(ages, twice(truth), np.ones(2)) == (1, 0, 0)


def test_a_picture_counts_as_much_as_it_should():
    truth = np.array([10, 20], np.float32)
    ages = np.array([[10, 90], [90, 20], [50, 50]], np.float32)
    assert fit_age_weights(ages, twice(truth), np.array([9.0, 1.0])) == (1, 0, 0)
    assert fit_age_weights(ages, twice(truth), np.array([1.0, 9.0])) == (0, 1, 0)
    female, right = np.array([[0.9, 0.9], [0.1, 0.1], [0.5, 0.5]], np.float32), np.array([1, 0], np.float32)
    assert fit_gender_weights(female, right, np.array([1.0, 0.0])) == (1, 0, 0)
    assert fit_gender_weights(female, right, np.array([0.0, 1.0])) == (0, 1, 0)
