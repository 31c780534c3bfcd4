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


def test_gender_metrics_worked_by_hand() -> None:
    assert metrics.accuracy(GUESSES, GENDERS) == pytest.approx(3 / 5)
    assert metrics.balanced_accuracy(GUESSES, GENDERS) == pytest.approx((1 / 2 + 2 / 3) / 2)


@settings(deadline=None)
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
