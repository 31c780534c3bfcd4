import pytest

from phiz.evaluation.fairness import MORE_IS_BETTER, gaps
from phiz.evaluation.groups import Scored, figures, measures


def rows(errors: dict[str, list[float]], gender: str = "male", cluster: str = "") -> list[Scored]:
    """Return 30-year-old men of each group with these age errors; an error over 9 is also a wrong gender."""
    return [
        Scored(
            f"{group}{i}",
            cluster or f"{group}{i}",
            30.0,
            "male",
            group,
            30.0 + e,
            gender if e <= 9 else "female",
        )
        for group, found in errors.items()
        for i, e in enumerate(found)
    ]


def by_metric(scored: list[Scored], kind: str = "group", smallest: int = 1, **options):
    found = gaps(scored, figures(scored, smallest=smallest, resamples=20), **{"resamples": 200} | options)
    return {gap.metric: gap for gap in found if gap.kind == kind}


def test_the_worst_group_is_named_by_each_metric() -> None:
    """Group b errs most in years; c is wrong about gender most often, and never within 3 years."""
    found = by_metric(rows({"a": [1, 1, 2, 2], "b": [0, 0, 0, 40], "c": [4, 4, 10, 10]}))
    mae = found["mae"]
    assert (mae.worst.group, mae.worst.value, mae.best.group, mae.best.value) == ("b", 10, "a", 1.5)
    assert (mae.gap, mae.compared, mae.too_small) == (pytest.approx(8.5), 3, ())
    gender = found["gender_accuracy"]
    assert (gender.worst.group, gender.best.group, gender.gap) == ("c", "a", pytest.approx(0.5))
    assert (found["ca3"].worst.group, found["ca3"].gap) == ("c", pytest.approx(1))
    assert (found["joint_success"].worst.group, found["joint_success"].best.group) == ("c", "a")
    assert all(gap.gap >= 0 for gap in found.values())
    assert "bias" not in found


def test_every_metric_but_bias_can_name_a_worst_group() -> None:
    some = [Scored(g, g, 30.0, g, None, 30.0, g) for g in ("female", "male")]
    assert {name for measured in measures(some) for name in measured.compute} - {"bias"} == set(
        MORE_IS_BETTER
    )


def test_too_small_groups_are_named_but_not_compared() -> None:
    found = by_metric(rows({"a": [1, 1, 1], "b": [3, 3, 3], "tiny": [50]}), smallest=2)["mae"]
    assert (found.worst.group, found.gap, found.too_small) == ("b", pytest.approx(2), ("tiny",))
    assert by_metric(rows({"a": [1, 1, 1], "tiny": [50]}), smallest=2) == {}


def test_pairs_of_groups_are_compared_too() -> None:
    scored = [
        Scored(f"{age}{gender}{i}", f"{age}{gender}{i}", age, gender, None, age + error, gender)
        for age, gender, error in [
            (10.0, "male", 1),
            (10.0, "female", 2),
            (70.0, "male", 3),
            (70.0, "female", 9),
        ]
        for i in range(3)
    ]
    mae = by_metric(scored, "age band and gender")["mae"]
    assert (mae.worst.group, mae.best.group, mae.gap) == ("60+, female", "0-12, male", pytest.approx(8))


def test_a_gap_without_spread_has_no_width() -> None:
    mae = by_metric(rows({"a": [1] * 5, "b": [4] * 5}))["mae"]
    assert (mae.low, mae.high) == (3, 3)


def test_the_interval_of_equal_groups_holds_zero_and_that_of_unequal_ones_does_not() -> None:
    spread = [float(i % 7) for i in range(60)]
    alike = by_metric(rows({"a": spread, "b": [*spread[1:], 0.2]}), resamples=500)["mae"]
    assert alike.low < 0 < alike.high
    apart = by_metric(rows({"a": spread, "b": [e + 5 for e in spread]}), resamples=500)["mae"]
    assert 4 < apart.low < 5 < apart.high < 6


def test_clusters_are_drawn_from_both_groups_together() -> None:
    """One person in both groups, always 3 years worse in the second: the gap is 3 whatever is drawn."""
    scored = [
        Scored(f"{group}{i}", f"person {i}", 30.0, None, group, 30.0 + i + extra)
        for group, extra in (("a", 0), ("b", 3))
        for i in range(20)
    ]
    mae = by_metric(scored)["mae"]
    assert (mae.low, mae.gap, mae.high) == (pytest.approx(3), pytest.approx(3), pytest.approx(3))


def test_pictures_without_an_answer_are_left_out() -> None:
    scored = rows({"a": [1, 1], "b": [2, 2]})
    lost = Scored("x", "x", 30.0, "male", "b", problem="no face found")
    assert by_metric([*scored, lost])["mae"].gap == pytest.approx(1)


def test_a_gap_as_a_row_of_figures() -> None:
    row = by_metric(rows({"a": [1, 1], "b": [2, 2, 2]}))["mae"].figure()
    assert (row.kind, row.group, row.metric, row.value, row.n) == ("gap", "group", "mae", 1, 5)
    assert row.note == "worst b; best a"
