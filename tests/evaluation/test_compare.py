from dataclasses import replace
from pathlib import Path

import pytest
from made_answers import answers

from phiz.errors import DataError
from phiz.evaluation import compare
from phiz.evaluation.groups import Scored

pytest.importorskip("scipy")


def rows(errors: list[float], right: list[bool]) -> list[Scored]:
    return [
        Scored(f"{i}.jpg", str(i), 30.0, "female", None, 30.0 + error, "female" if ok else "male", 0.9)
        for i, (error, ok) in enumerate(zip(errors, right, strict=True))
    ]


def by_metric(first: list[Scored], second: list[Scored]) -> dict[str, compare.Difference]:
    return {d.metric: d for d in compare.differences(compare.pair(first, second))}


def test_differences_are_those_worked_by_hand() -> None:
    # Errors of 2, 4, ... 12 years against 1, 2, ... 6: all six closer, signed ranks 1 to 6 all one side.
    first = rows([2, 4, 6, 8, 10, 12], [True, True, False, False, False, False])
    second = rows([-1, 2, -3, 4, -5, 6], [False, True, True, True, True, False])
    found = by_metric(first, second)
    mae = found["mae"]
    assert (mae.first, mae.second, mae.value, mae.n) == (7, 3.5, -3.5, 6)
    assert mae.p == pytest.approx(2 / 2**6)
    assert mae.detail == "6 pictures closer, 0 further"
    assert mae.low < -3.5 < mae.high < 0
    assert found["cs5"].value == pytest.approx(5 / 6 - 2 / 6)
    gender = found["gender_accuracy"]
    assert gender.value == pytest.approx(4 / 6 - 2 / 6)
    assert gender.detail == "3 pictures newly right, 1 newly wrong"
    assert gender.p == pytest.approx(2 * (4 + 1) / 2**4)  # 3 or more heads of 4, both sides


def test_an_equal_shift_of_every_error_has_an_interval_without_width() -> None:
    first = rows([float(i + 1) for i in range(20)], [True] * 20)
    second = rows([float(i + 3) for i in range(20)], [True] * 20)
    mae = by_metric(first, second)["mae"]
    assert (mae.low, mae.value, mae.high) == pytest.approx((2, 2, 2))


def test_a_model_does_not_differ_from_itself() -> None:
    found = by_metric(answers(), answers())
    assert {(d.value, d.low, d.high) for d in found.values()} == {(0, 0, 0)}
    assert (found["mae"].p, found["gender_accuracy"].p, found["cs5"].p) == (1, 1, None)


def test_clusters_widen_the_interval() -> None:
    first = rows([1.0] * 40, [True] * 40)
    second = rows([1.0 + 4 * (i < 20) for i in range(40)], [True] * 40)
    alone = by_metric(first, second)["mae"]
    few = [replace(row, cluster=str(int(row.cluster) // 10)) for row in first]
    together = by_metric(few, second)["mae"]
    assert together.high - together.low > 1.5 * (alone.high - alone.low)
    # predictions of a tool that knows no clusters take the other's
    flat = [replace(row, cluster=row.file) for row in first]
    grouped = [replace(row, cluster=few[i].cluster) for i, row in enumerate(second)]
    assert by_metric(flat, grouped)["mae"] == together


def test_only_pictures_that_both_answered_count() -> None:
    first, second = answers(10), answers(12)[2:]
    second[0] = replace(second[0], age=None, gender=None, problem="no face found")
    assert [a.file for a, _ in compare.pair(first, second)] == [f"{i:03}.jpg" for i in range(3, 10)]


def test_repeated_pictures_match_by_fold_or_the_one_answer_for_all() -> None:
    draws = [replace(row, fold=fold) for fold in "12" for row in answers(3)]
    assert [(a.fold, b.fold) for a, b in compare.pair(draws, draws)] == [(f, f) for f in "111222"]
    assert len(compare.pair(draws, answers(3))) == len(compare.pair(answers(3), draws)) == 6


def test_predictions_of_other_data_are_refused() -> None:
    elsewhere = [replace(row, file=f"other{row.file}") for row in answers(5)]
    with pytest.raises(
        DataError, match=r"expected predictions of the same pictures; none of 5, such as '000"
    ):
        compare.pair(answers(5), elsewhere)
    relabelled = [replace(row, true_age=99.0) for row in answers(5)]
    with pytest.raises(DataError, match=r"true_age of '000.jpg' is 0.0 in one and 99.0 in the other"):
        compare.pair(answers(5), relabelled)
    silent = [replace(row, problem="no face found") for row in answers(5)]
    with pytest.raises(DataError, match="both models answered; of 5 in both there is none"):
        compare.pair(answers(5), silent)
    unlabelled = [replace(row, true_age=None, true_gender=None) for row in answers(5)]
    with pytest.raises(DataError, match="whose age or gender is known"):
        compare.differences(compare.pair(unlabelled, unlabelled))


def test_names_come_from_files_or_folders_and_none_comes_twice() -> None:
    paths = [Path("a/x/predictions.csv"), Path("b/x/predictions.csv"), Path("mine.csv")]
    assert compare.names(paths) == ["x (1)", "x (2)", "mine"]
