import csv
from dataclasses import replace
from pathlib import Path

import pytest

from phiz.errors import DataError
from phiz.evaluation import report_files
from phiz.evaluation.groups import KINDS, Figure, Scored, figures


def scored(name: str, true: tuple, answer: tuple, cluster: str = "", problem: str | None = None) -> Scored:
    return Scored(name, cluster or name, *true, *answer, problem)


ROWS = [
    scored("a", (10.0, "female", "White"), (12.0, "female", 0.9)),
    scored("b", (20.0, "male", "White"), (27.0, "male", 0.8)),
    scored("c", (30.0, "male", "Black"), (27.0, "female", 0.6)),
    scored("d", (70.0, "female", "Black"), (62.0, "female", 0.7)),
    scored("e", (71.0, "male", "Black"), (None, None, None), problem="no face found"),
]


def table(rows: list[Figure]) -> dict[tuple[str, str, str], tuple[float | None, int]]:
    return {(row.kind, row.group, row.metric): (row.value, row.n) for row in rows}


def test_figures_by_group_worked_by_hand() -> None:
    found = table(figures(ROWS, smallest=1, resamples=10))
    assert found["all", "all", "mae"] == (pytest.approx((2 + 7 + 3 + 8) / 4), 4)
    assert found["all", "all", "bias"] == (pytest.approx((2 + 7 - 3 - 8) / 4), 4)
    assert found["all", "all", "cs5"] == (pytest.approx(0.5), 4)
    assert found["all", "all", "ca3"] == (pytest.approx(0.25), 4)
    assert found["all", "all", "gender_accuracy"] == (pytest.approx(0.75), 4)
    assert found["all", "all", "gender_balanced_accuracy"] == (pytest.approx(0.75), 4)
    assert found["age band", "20-39", "mae"] == (pytest.approx(5), 2)
    assert found["age band", "60+", "mae"] == (pytest.approx(8), 1)
    assert found["gender", "male", "gender_accuracy"] == (pytest.approx(0.5), 2)
    assert found["group", "White", "rmse"] == (pytest.approx((53 / 2) ** 0.5), 2)
    assert ("gender", "male", "gender_balanced_accuracy") not in found
    assert found["all", "all", "joint_success"] == (pytest.approx(0.25), 4)
    assert found["age band and gender", "20-39, male", "mae"] == (pytest.approx(5), 2)
    assert found["gender and group", "male, Black", "gender_accuracy"] == (0, 1)
    assert found["age band and group", "60+, Black", "joint_success"] == (0, 1)
    assert {kind for kind, _, _ in found} == {"all", *KINDS}
    assert list(KINDS)[3:] == ["age band and gender", "age band and group", "gender and group"]


def test_ranges_have_figures_of_their_own() -> None:
    rows = [
        replace(scored(f"{age}", (None, "male", None), (age, "male", 0.9)), true_first=20.0, true_last=29.0)
        for age in (19.0, 25.0, 32.5)
    ]
    found = table(figures([*rows, ROWS[0]], smallest=1, resamples=10))
    assert found["all", "all", "range_error"] == (pytest.approx(3.5 / 3), 3)
    assert found["all", "all", "in_range"] == (pytest.approx(1 / 3), 3)
    assert found["all", "all", "mae"] == (pytest.approx(2), 1)  # of the one whose age is known
    assert found["age band", "20-39", "in_range"] == (pytest.approx(1 / 3), 3)


def test_small_groups_get_no_figure_but_are_shown() -> None:
    rows = figures(ROWS, smallest=3, resamples=10)
    small = [row for row in rows if row.kind == "age band" and row.metric == "mae"]
    assert [(row.group, row.value, row.low, row.high, row.n, row.note) for row in small] == [
        ("0-12", None, None, None, 1, "too small (under 3)"),
        ("20-39", None, None, None, 2, "too small (under 3)"),
        ("60+", None, None, None, 1, "too small (under 3)"),
    ]
    assert table(rows)["all", "all", "mae"] == (pytest.approx(5), 4)


def test_figures_without_contradicting_labels() -> None:
    found = table(figures(ROWS, contradicting={"d"}, smallest=1, resamples=10))
    assert found["all", "all", "mae"] == (pytest.approx(5), 4)
    assert found["all", "without contradicting labels", "mae"] == (pytest.approx(4), 3)


def test_only_what_is_labelled_is_measured() -> None:
    ages = [scored("a", (10.0, None, None), (12.0, "female", 0.9))]
    genders = [scored("a", (None, "male", None), (12.0, "female", 0.9))]
    assert {row.metric for row in figures(ages, smallest=1, resamples=5)} == {
        "mae", "rmse", "bias", "cs5", "ca3", "ca5", "ca7",
    }  # fmt: skip
    assert {row.metric for row in figures(genders, smallest=1, resamples=5)} == {"gender_accuracy"}
    assert figures([ROWS[4]], smallest=1) == []


def test_a_model_that_answers_one_of_the_two_is_measured_on_that() -> None:
    ages = [scored("a", (10.0, "male", None), (12.0, None, None))]
    assert {row.metric for row in figures(ages, smallest=1, resamples=5)} == {
        "mae", "rmse", "bias", "cs5", "ca3", "ca5", "ca7",
    }  # fmt: skip
    genders = [scored("a", (10.0, "male", None), (None, "male", 0.9))]
    assert {row.metric for row in figures(genders, smallest=1, resamples=5)} == {"gender_accuracy"}


def test_folds_are_averaged_too() -> None:
    """Person a has errors 2, 4 and 6, b has 10: 5.5 per picture, 7 per fold."""
    rows = [
        Scored(f"{i}", person, 20.0, None, None, 20.0 + error, fold=person)
        for i, (person, error) in enumerate([("a", 2), ("a", 4), ("a", 6), ("b", 10)])
    ]
    found = figures(rows, smallest=1, resamples=200)
    mean = {row.group: row for row in found if row.metric == "mae" and row.kind == "all"}
    assert (mean["all"].value, mean["mean over folds"].value) == (pytest.approx(5.5), pytest.approx(7))
    assert (mean["mean over folds"].note, mean["mean over folds"].n) == ("2 folds", 4)
    # drawing two of two people: both a, one of each, or both b
    assert (mean["mean over folds"].low, mean["mean over folds"].high) == (4, 10)
    one_fold = [replace(row, fold="test") for row in rows]
    assert not [row for row in figures(one_fold, smallest=1) if row.group == "mean over folds"]


def test_intervals_hold_the_value_and_follow_clusters() -> None:
    many = [scored(str(i), (30.0, None, None), (30.0 + i % 7, "male", 0.9)) for i in range(70)]
    one = next(row for row in figures(many) if row.metric == "mae")
    assert one.low is not None
    assert one.low < one.value == 3 < one.high
    same = [scored(row.file, (30.0, None, None), (row.age, "male", 0.9), cluster="x") for row in many]
    assert next((row.low, row.high) for row in figures(same)) == (3, 3)


def test_csv_and_table(tmp_path: Path) -> None:
    rows = figures(ROWS, smallest=2, resamples=50)
    report_files.write_figures(tmp_path / "out.csv", rows)
    with (tmp_path / "out.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    assert tuple(read[0]) == report_files.FIGURE_COLUMNS
    assert (read[0]["group_kind"], read[0]["metric"], read[0]["value"], read[0]["n"]) == (
        "all",
        "mae",
        "5.0",
        "4",
    )
    assert len(read) == len(rows)
    lines = report_files.table(rows).splitlines()
    assert "MAE, years" in lines[0]
    assert "gender, %" in lines[0]
    assert lines[1].split()[:3] == ["all", "4", "5.00"]
    assert (
        next(line for line in lines if line.startswith("age band: 0-12")).split("  ")[-1]
        == "too small (under 2)"
    )


def test_predictions_hold_names_and_numbers(tmp_path: Path) -> None:
    report_files.write_predictions(tmp_path / "p.csv", ROWS)
    lines = (tmp_path / "p.csv").read_text().splitlines()
    columns = "file,cluster,true_age,true_gender,group,age,gender,gender_score,problem,fold"
    assert lines[0] == f"{columns},true_first,true_last"
    assert lines[1] == "a,a,10.0,female,White,12.0,female,0.9,,,,"
    assert lines[5] == "e,e,71.0,male,Black,,,,no face found,,,"


def test_results_that_cannot_be_written_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="could not write the results: No such file or directory"):
        report_files.write_figures(tmp_path / "absent" / "out.csv", [])
    with pytest.raises(DataError, match="could not write the results: Is a directory"):
        report_files.write_provenance(tmp_path, {})
