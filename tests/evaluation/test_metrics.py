import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phiz.evaluation import metrics

PREDICTED = [10.0, 25.0, 33.0, 60.0]
TRUE = [10.0, 20.0, 40.0, 57.0]  # errors 0, 5, -7, 3
GENDERS = ["female", "female", "male", "male", "male"]
GUESSES = ["female", "male", "male", "male", "female"]


def test_age_metrics_worked_by_hand() -> None:
    assert metrics.mae(PREDICTED, TRUE) == pytest.approx(15 / 4)
    assert metrics.rmse(PREDICTED, TRUE) == pytest.approx((83 / 4) ** 0.5)
    assert metrics.bias(PREDICTED, TRUE) == pytest.approx(1 / 4)
    assert metrics.cs(PREDICTED, TRUE, 5) == pytest.approx(3 / 4)
    assert metrics.ca(PREDICTED, TRUE, 5) == pytest.approx(2 / 4)
    assert metrics.ca(PREDICTED, TRUE, 3) == pytest.approx(1 / 4)


def test_ranges_worked_by_hand() -> None:
    ages, first, last = [2.9, 3.0, 9.99, 10.0, 75.0], [3, 3, 3, 3, 70], [9, 9, 9, 9, 120]
    assert metrics.in_range(ages, first, last) == pytest.approx(3 / 5)  # 10.0 is no longer 3 to 9
    assert metrics.range_error(ages, first, last) == pytest.approx(0.1 / 5)
    assert metrics.range_error([0.0, 31.0], [3, 20], [9, 29], np.array([3.0, 1.0])) == pytest.approx(10 / 4)


def test_the_examples_in_the_docstrings_are_right() -> None:
    tried = doctest.testmod(metrics)
    assert tried.failed == 0
    assert tried.attempted > 0


def test_gender_metrics_worked_by_hand() -> None:
    assert metrics.accuracy(GUESSES, GENDERS) == pytest.approx(3 / 5)
    assert metrics.balanced_accuracy(GUESSES, GENDERS) == pytest.approx((1 / 2 + 2 / 3) / 2)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.floats(0, 120), st.floats(0, 120), st.sampled_from("fm"), st.sampled_from("fm")),
        min_size=1,
        max_size=40,
    )
)
def test_metrics_agree_with_scikit_learn(rows) -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    predicted, true, guess, gender = (list(column) for column in zip(*rows, strict=True))
    assert metrics.mae(predicted, true) == pytest.approx(sklearn.mean_absolute_error(true, predicted))
    squared = sklearn.mean_squared_error(true, predicted)
    assert metrics.rmse(predicted, true) == pytest.approx(squared**0.5)
    assert metrics.accuracy(guess, gender) == pytest.approx(sklearn.accuracy_score(gender, guess))
    recalls = sklearn.recall_score(
        gender, guess, labels=sorted(set(gender)), average="macro", zero_division=0
    )
    assert metrics.balanced_accuracy(guess, gender) == pytest.approx(recalls)


@pytest.mark.parametrize(
    "metric",
    [
        lambda p, t, w: metrics.mae(p, t, w),
        lambda p, t, w: metrics.rmse(p, t, w),
        lambda p, t, w: metrics.bias(p, t, w),
        lambda p, t, w: metrics.cs(p, t, 4, w),
        lambda p, t, w: metrics.ca(p, t, 4, w),
        lambda p, t, w: metrics.accuracy(p > 50, t > 50, w),
        lambda p, t, w: metrics.balanced_accuracy(p > 50, t > 50, w),
    ],
)
def test_a_weight_is_a_repetition(metric) -> None:
    rng = np.random.default_rng(0)
    true = rng.uniform(0, 100, 30)
    predicted = true + rng.normal(0, 8, 30)
    weights = rng.integers(0, 4, (3, 30)).astype(float)
    repeated = [
        metric(np.repeat(predicted, w.astype(int)), np.repeat(true, w.astype(int)), None) for w in weights
    ]
    assert metric(predicted, true, weights) == pytest.approx(np.array(repeated))


def test_a_class_left_out_of_a_resample_does_not_count() -> None:
    weights = np.array([[1.0, 1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 1.0]])
    assert metrics.balanced_accuracy(GUESSES, GENDERS, weights) == pytest.approx([1 / 2, 1 / 2])


@pytest.mark.parametrize(("predicted", "true"), [([], []), ([1.0], [1.0, 2.0]), ([[1.0]], [[1.0]])])
def test_unfit_input_is_refused(predicted, true) -> None:
    with pytest.raises(ValueError, match="expected two equally long, not empty rows"):
        metrics.mae(predicted, true)
    with pytest.raises(ValueError, match="expected two equally long, not empty rows"):
        metrics.accuracy(predicted, true)


def interval(values, cluster, **options):
    values = np.asarray(values, dtype=float)
    return metrics.bootstrap(lambda w: metrics.mae(values, np.zeros_like(values), w), cluster, **options)


def test_bootstrap_is_close_to_the_normal_interval_of_a_mean() -> None:
    values = np.random.default_rng(1).exponential(5, 2000)
    low, high = interval(values, range(2000))
    half = 1.96 * values.std() / 2000**0.5
    assert low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_bootstrap_draws_whole_clusters() -> None:
    """Ten copies of each value say no more than one: the interval must not shrink by the root of ten."""
    values = np.random.default_rng(2).exponential(5, 200)
    alone = interval(values, range(200))
    copies = interval(np.repeat(values, 10), np.repeat(np.arange(200), 10))
    pretended = interval(np.repeat(values, 10), range(2000))
    assert copies == pytest.approx(alone)
    assert pretended[1] - pretended[0] < 0.4 * (alone[1] - alone[0])


def test_bootstrap_is_exact_where_the_answer_is_known() -> None:
    """Two clusters of values 0 and 1: a resample's mean is 0, 1/2 or 1 with chances 1/4, 1/2, 1/4."""
    assert interval([0, 1], ["a", "b"]) == (0.0, 1.0)
    assert interval([0, 1], ["a", "b"], level=0.4) == (0.5, 0.5)
    assert interval([3, 5], ["a", "a"]) == (4.0, 4.0)


def test_bootstrap_follows_its_seed_and_takes_any_number_of_resamples() -> None:
    values = np.random.default_rng(3).exponential(5, 50)
    assert interval(values, range(50), seed=1) == interval(values, range(50), seed=1)
    assert interval(values, range(50), seed=1) != interval(values, range(50), seed=2)
    assert interval(values, range(50), resamples=250) != interval(values, range(50), resamples=1)


def test_curves_tell_at_most_from_below() -> None:
    """Errors are 0, 5, -7 and 3: an error of exactly t years is in CS(t) and not in CA(t)."""
    assert list(metrics.LIMITS) == list(range(16))
    assert metrics.cs_curve(PREDICTED, TRUE) * 4 == pytest.approx([1, 1, 1, 2, 2, 3, 3] + [4] * 9)
    assert metrics.ca_curve(PREDICTED, TRUE) * 4 == pytest.approx([0, 1, 1, 1, 2, 2, 3, 3] + [4] * 8)


whole_ages = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=30)


@settings(deadline=None, max_examples=40)
@given(whole_ages)
def test_curves_agree_with_counting(rows) -> None:
    predicted, true = zip(*rows, strict=True)
    at_most = [sum(abs(p - t) <= limit for p, t in rows) / len(rows) for limit in range(16)]
    below = [sum(abs(p - t) < limit for p, t in rows) / len(rows) for limit in range(16)]
    assert metrics.cs_curve(predicted, true) == pytest.approx(at_most)
    assert metrics.ca_curve(predicted, true) == pytest.approx(below)


def test_joint_success_worked_by_hand() -> None:
    right, wrong = ["male"] * 4, ["male", "male", "male", "female"]
    assert metrics.joint_success(PREDICTED, TRUE, right, right) == pytest.approx(3 / 4)
    assert metrics.joint_success(PREDICTED, TRUE, right, wrong) == pytest.approx(2 / 4)
    assert metrics.joint_success(PREDICTED, TRUE, right, wrong, limit=3) == pytest.approx(1 / 4)
    with pytest.raises(ValueError, match="expected two equally long, not empty rows"):
        metrics.joint_success(PREDICTED, TRUE, right[:3], right[:3])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(*[st.integers(0, 20)] * 2, *[st.sampled_from("fm")] * 2), min_size=1, max_size=30))
def test_joint_success_agrees_with_counting(rows) -> None:
    columns = zip(*rows, strict=True)
    expected = sum(g == true_g and abs(a - true_a) <= 5 for a, true_a, g, true_g in rows) / len(rows)
    assert metrics.joint_success(*columns) == pytest.approx(expected)


NAN = float("nan")
ANSWERS = np.array([[1, 1, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]])
LABELS = np.array([[1, 1, NAN], [0, 0, NAN], [0, NAN, NAN], [0, 0, NAN]])


def test_attribute_metrics_worked_by_hand() -> None:
    """The first is right 3 times in 4 (present 1 of 1, absent 2 of 3), the second 2 in 3 (1 of 1, 1 of 2)."""
    each = metrics.attribute_accuracy(ANSWERS, LABELS)
    assert each == pytest.approx([3 / 4, 2 / 3, NAN], nan_ok=True)
    assert metrics.mean_attribute_accuracy(ANSWERS, LABELS) == pytest.approx((3 / 4 + 2 / 3) / 2)
    balanced = metrics.attribute_balanced_accuracy(ANSWERS, LABELS)
    assert balanced == pytest.approx([5 / 6, 3 / 4, NAN], nan_ok=True)
    assert metrics.mean_attribute_balanced_accuracy(ANSWERS, LABELS) == pytest.approx((5 / 6 + 3 / 4) / 2)


def test_always_no_looks_good_until_it_is_balanced() -> None:
    labels = np.zeros((100, 1))
    labels[:5] = 1
    assert metrics.mean_attribute_accuracy(np.zeros((100, 1)), labels) == pytest.approx(0.95)
    assert metrics.mean_attribute_balanced_accuracy(np.zeros((100, 1)), labels) == pytest.approx(0.5)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 25), st.integers(1, 4), st.integers(0, 10**6))
def test_attribute_metrics_agree_with_scikit_learn(n: int, attributes: int, seed: int) -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    answers = rng.integers(0, 2, (n, attributes))
    labels = rng.choice([0, 1, NAN], (n, attributes), p=[0.4, 0.3, 0.3])
    plain, balanced = [], []
    for column in range(attributes):
        known = ~np.isnan(labels[:, column])
        if not known.any():
            plain.append(NAN)
            balanced.append(NAN)
            continue
        truth, answer = labels[known, column].astype(int), answers[known, column]
        plain.append(sklearn.accuracy_score(truth, answer))
        present = sorted(set(truth.tolist()))
        balanced.append(sklearn.recall_score(truth, answer, labels=present, average="macro", zero_division=0))
    found = metrics.attribute_accuracy(answers, labels)
    found_balanced = metrics.attribute_balanced_accuracy(answers, labels)
    assert found == pytest.approx(np.array(plain), nan_ok=True)
    assert found_balanced == pytest.approx(np.array(balanced), nan_ok=True)
    if not np.isnan(plain).all():
        assert metrics.mean_attribute_accuracy(answers, labels) == pytest.approx(np.nanmean(plain))
        assert metrics.mean_attribute_balanced_accuracy(answers, labels) == pytest.approx(
            np.nanmean(balanced)
        )


@pytest.mark.parametrize(
    "metric",
    [
        metrics.attribute_accuracy,
        metrics.attribute_balanced_accuracy,
        metrics.mean_attribute_accuracy,
        metrics.mean_attribute_balanced_accuracy,
    ],
)
def test_a_weight_repeats_a_row_of_attributes(metric) -> None:
    rng = np.random.default_rng(5)
    answers, labels = rng.integers(0, 2, (20, 3)), rng.choice([0, 1, NAN], (20, 3))
    weights = rng.integers(0, 3, (4, 20)).astype(float)
    times = [w.astype(int) for w in weights]
    repeated = [metric(np.repeat(answers, t, axis=0), np.repeat(labels, t, axis=0)) for t in times]
    assert metric(answers, labels, weights) == pytest.approx(np.array(repeated), nan_ok=True)


@pytest.mark.parametrize(
    ("answers", "labels", "message"),
    [
        ([[1, 0]], [[1, 0, 1]], "expected two not empty tables of one shape"),
        ([1, 0], [1, 0], "expected two not empty tables of one shape"),
        (np.zeros((0, 3)), np.zeros((0, 3)), "expected two not empty tables of one shape"),
        ([[0.7]], [[1]], "expected 0 or 1 for absent or present"),
        ([[1]], [[-1]], "expected 0 or 1 for absent or present"),
    ],
)
def test_unfit_attributes_are_refused(answers, labels, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metrics.attribute_accuracy(answers, labels)


def over_folds(values, fold, weight=None):
    values = np.asarray(values, dtype=float)
    return metrics.mean_over_folds(lambda w: metrics.mae(values, np.zeros_like(values), w), fold, weight)


def test_the_two_averages_of_leave_one_person_out() -> None:
    """A person with errors 2, 4, 6 and one with 10: 7 per fold, 5.5 per picture."""
    assert over_folds([2, 4, 6, 10], ["a", "a", "a", "b"]) == pytest.approx(7)
    assert metrics.mae([2, 4, 6, 10], [0, 0, 0, 0]) == pytest.approx(5.5)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.floats(0, 50), st.sampled_from("abcd")), min_size=1, max_size=30))
def test_mean_over_folds_agrees_with_loops(rows) -> None:
    values, fold = zip(*rows, strict=True)
    means = [np.mean([v for v, f in rows if f == name]) for name in sorted(set(fold))]
    assert over_folds(values, fold) == pytest.approx(np.mean(means))
    assert over_folds(values, fold, np.ones(len(rows))) == pytest.approx(np.mean(means))


def test_a_person_drawn_twice_counts_twice() -> None:
    """Person a drawn twice, b not at all, c once: the mean over folds is that of a, a and c."""
    weights = np.array([[2.0, 2.0, 0.0, 1.0], [0.0, 0.0, 3.0, 0.0]])
    found = over_folds([1, 3, 50, 8], ["a", "a", "b", "c"], weights)
    assert found == pytest.approx([(2 + 2 + 8) / 3, 50])


def test_mean_over_folds_takes_metrics_of_several_numbers() -> None:
    values, fold = np.array([1.0, 3.0, 8.0]), ["a", "a", "b"]
    found = metrics.mean_over_folds(lambda w: metrics.cs_curve(values, values * 0, w, (2, 8)), fold)
    assert found == pytest.approx([(1 / 2 + 0) / 2, 1])


def test_intervals_of_many_metrics_are_those_of_each() -> None:
    rng = np.random.default_rng(6)
    true, cluster = rng.uniform(0, 80, 60), rng.integers(0, 20, 60)
    predicted = true + rng.normal(0, 6, 60)
    low, high = metrics.intervals(lambda w: metrics.cs_curve(predicted, true, w), cluster, resamples=200)
    assert low.shape == high.shape == (16,)
    five = metrics.bootstrap(lambda w: metrics.cs(predicted, true, 5, w), cluster, resamples=200)
    assert (low[5], high[5]) == five


def test_resamples_with_nothing_to_measure_do_not_count() -> None:
    """One of two clusters has all the men: a quarter of the resamples has none, and cannot say anything."""
    weight_of_men = np.array([0.0, 1.0])
    low, high = metrics.bootstrap(
        lambda w: metrics.mae([1, 7], [0, 0], w * weight_of_men), ["women", "men"], resamples=50
    )
    assert (low, high) == (7, 7)
