import numpy as np
import pytest
from made_answers import answers

from phiz.datasets.record import Skipped
from phiz.evaluation import plot_tables
from phiz.evaluation.calibration import gender_calibration
from phiz.evaluation.groups import Scored


def test_cs_curve_counts_errors_up_to_t() -> None:
    found = plot_tables.cs_curve({"one": answers(100), "none": [], "worse": answers(100, worse=1.0)})
    assert found.rows[:3] == (("one", 0, 0.2, 100), ("one", 1, 0.6, 100), ("one", 2, 1.0, 100))
    assert found.column("years") == [*range(16)] * 2
    assert dict(zip(found.column("years")[16:], found.column("cs")[16:], strict=True))[3] == 0.6


def test_error_by_age_of_five_years_each() -> None:
    rows = [Scored(f"{i}", f"{i}", 5.0 + i % 5, None, None, 7.0 + i % 5) for i in range(40)]
    rows += [Scored(f"old{i}", f"old{i}", 70.0, None, None, 60.0) for i in range(3)]
    young, old = plot_tables.error_by_age(rows, smallest=30).rows
    assert young == (5, 10, 40, 2.0, 2.0, 2.0, 2.0, "")
    assert old == (70, 75, 3, None, None, None, None, "too small (under 30)")


def test_density_holds_every_picture_once() -> None:
    rows = answers(100)
    found = plot_tables.density(rows)
    assert sum(found.column("pictures")) == 100
    assert (0, 4, -4, 0, 2) in found.rows  # the two pictures of age 0, said to be -2
    for low, high in zip(found.column("true_from"), found.column("true_to"), strict=True):
        assert high - low == plot_tables.CELL


def test_reliability_is_the_calibrations_bins() -> None:
    found = plot_tables.reliability(gender_calibration(answers(100)))
    filled = [row for row in found.rows if row[2]]
    assert [row[2:5] for row in filled] == [(10, pytest.approx(0.6), 0), (90, pytest.approx(0.95), 1)]
    assert plot_tables.reliability(None).rows == ()


def test_folds_have_their_own_figures_and_one_fold_has_no_table() -> None:
    rows = answers(100, folds=5)
    found = plot_tables.folds(rows)
    assert found.column("pictures") == [20] * 5
    assert found.column("mae") == [2, 1, 0, 1, 2]
    by_hand = np.mean([row.gender == row.true_gender for row in rows if row.fold == "1"])
    assert found.column("gender_accuracy")[0] == pytest.approx(by_hand)
    assert plot_tables.folds(answers(100)).rows == ()


def test_left_out_names_each_picture_once_with_its_reason() -> None:
    lost = [Scored("a.jpg", "a", 1.0, None, None, problem="unreadable", fold=fold) for fold in "12"]
    found = plot_tables.left_out([*answers(3), *lost], [Skipped("b.jpg", "no age")])
    assert found.rows == (("b.jpg", "reader", "no age"), ("a.jpg", "analysis", "unreadable"))
