import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phiz.evaluation import metrics
from phiz.evaluation.calibration import gender_calibration
from phiz.evaluation.groups import Scored


def answer(i: int, score: float, right: bool, cluster: str = "") -> Scored:
    said = "female" if right else "male"
    return Scored(str(i), cluster or str(i), None, "female", None, 30.0, said, score)


def test_error_worked_by_hand() -> None:
    """At 0.9: 10 answers, 8 right, 0.1 too sure. At 0.6: 10 answers, 7 right, 0.1 too unsure."""
    rows = [answer(i, 0.92, i < 8) for i in range(10)] + [answer(10 + i, 0.62, i < 7) for i in range(10)]
    found = gender_calibration(rows, smallest=10, resamples=50)
    assert found is not None
    assert found.error == pytest.approx((0.12 + 0.08) / 2)
    assert (found.confidence, found.accuracy, found.n) == (pytest.approx(0.77), pytest.approx(0.75), 20)
    assert [made.n for made in found.bins] == [0, 0, 10, 0, 0, 0, 0, 0, 10, 0]
    third = found.bins[2]
    assert (third.start, third.end) == (pytest.approx(0.6), pytest.approx(0.65))
    assert (third.confidence, third.accuracy) == (pytest.approx(0.62), pytest.approx(0.7))
    assert third.low is not None
    assert third.low < 0.7 < third.high
    assert (found.bins[0].confidence, found.bins[0].accuracy, found.bins[0].low) == (None, None, None)


def test_too_few_answers_have_no_calibration_and_small_bins_no_interval() -> None:
    rows = [answer(i, 0.92, True) for i in range(30)] + [answer(30, 0.55, False)]
    assert gender_calibration(rows[:29]) is None
    found = gender_calibration(rows, resamples=20)
    assert found is not None
    assert (found.bins[1].n, found.bins[1].accuracy, found.bins[1].low, found.bins[1].high) == (
        1,
        0,
        None,
        None,
    )
    assert found.bins[8].low == 1


def test_only_answers_with_a_label_and_a_score_count() -> None:
    rows = [answer(i, 0.9, True) for i in range(30)]
    others = [
        Scored("a", "a", None, None, None, 30.0, "male", 0.9),
        Scored("b", "b", None, "male", None, 30.0, "male", None),
        Scored("c", "c", None, "male", None, problem="no face found"),
    ]
    found = gender_calibration([*rows, *others], resamples=20)
    assert found is not None
    assert (found.n, found.error) == (30, pytest.approx(0.1))


def test_whole_clusters_are_drawn() -> None:
    rows = [answer(i, 0.9, i % 3 > 0) for i in range(60)]
    alone = gender_calibration(rows, resamples=200)
    copies = gender_calibration(
        [answer(i, 0.9, i // 10 % 3 > 0, str(i // 10)) for i in range(60)], resamples=200
    )
    assert alone is not None
    assert copies is not None
    assert alone.error == copies.error
    assert copies.high - copies.low > 2 * (alone.high - alone.low)


def test_the_interval_holds_the_error_even_where_the_scores_are_right() -> None:
    """Resamples of well calibrated answers look worse calibrated than the sample, each by its own chance."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        sure = rng.uniform(0.5, 1, 400)
        rows = [
            answer(i, s, hit) for i, (s, hit) in enumerate(zip(sure, rng.random(400) < sure, strict=True))
        ]
        found = gender_calibration(rows, resamples=100)
        assert found is not None
        assert 0 <= found.low < found.error < found.high < 0.15


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.floats(0.5, 1), st.booleans()), min_size=1, max_size=50), st.integers(1, 15))
def test_error_agrees_with_plain_loops(rows, bins: int) -> None:
    edges = np.linspace(0.5, 1, bins + 1)
    total = 0.0
    for i in range(bins):
        last = i == bins - 1
        inside = [(c, r) for c, r in rows if edges[i] <= c and (c < edges[i + 1] or last)]
        if inside:
            confidence, accuracy = np.mean(inside, axis=0)
            total += len(inside) / len(rows) * abs(confidence - accuracy)
    sure, right = zip(*rows, strict=True)
    assert metrics.expected_calibration_error(sure, right, bins) == pytest.approx(total)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6))
def test_bins_agree_with_scikit_learn(seed: int) -> None:
    """Its curve has bins of [0, 1] and leaves empty ones out: ten of [0.5, 1] are the upper ten of twenty."""
    curve = pytest.importorskip("sklearn.calibration").calibration_curve
    rng = np.random.default_rng(seed)
    sure, right = rng.uniform(0.5, 1, 80), rng.random(80) < 0.8
    accuracy, confidence = curve(right, sure, n_bins=20)
    rows = [
        answer(i, score, hit)
        for i, (score, hit) in enumerate(zip(sure.tolist(), right.tolist(), strict=True))
    ]
    found = gender_calibration(rows, resamples=2)
    assert found is not None
    filled = [made for made in found.bins if made.n]
    assert [made.accuracy for made in filled] == pytest.approx(accuracy.tolist())
    assert [made.confidence for made in filled] == pytest.approx(confidence.tolist())


def test_a_weight_is_a_repetition() -> None:
    rng = np.random.default_rng(0)
    sure, right = rng.uniform(0.5, 1, 40), rng.random(40) < 0.7
    weights = rng.integers(0, 3, (5, 40)).astype(float)
    repeated = [
        metrics.expected_calibration_error(np.repeat(sure, w.astype(int)), np.repeat(right, w.astype(int)))
        for w in weights
    ]
    found = metrics.expected_calibration_error(sure, right, weight=weights)
    assert found == pytest.approx(np.array(repeated))


@pytest.mark.parametrize("confidence", [[], [0.4], [1.01], [float("nan")]])
def test_unfit_confidences_are_refused(confidence: list[float]) -> None:
    with pytest.raises(ValueError, match=r"expected a not empty row of confidences in \[0.5, 1\]"):
        metrics.confidence_bin(confidence, 10)
