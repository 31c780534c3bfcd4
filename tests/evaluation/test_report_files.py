import csv
from pathlib import Path

import pytest
from made_answers import answers

from phiz.errors import DataError
from phiz.evaluation import report_files
from phiz.evaluation.groups import Figure, Scored

HEAD = "file,true_age,true_gender,age,gender"


def test_predictions_come_back_as_they_were_written(tmp_path: Path) -> None:
    rows = [*answers(10, folds=2), Scored("x, \udcff.jpg", "c", None, None, None, problem="no face found")]
    report_files.write_predictions(tmp_path / "p.csv", rows)
    assert report_files.read_predictions(tmp_path / "p.csv") == rows
    assert [path.name for path in tmp_path.iterdir()] == ["p.csv"]


def test_predictions_of_another_tool_need_five_columns(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(f"\ufeffmore,{HEAD}\n1,a.jpg,30,female,31.5,male\n2,b.jpg,,male,,\n")
    first, second = report_files.read_predictions(path)
    assert first == Scored("a.jpg", "a.jpg", 30.0, "female", None, 31.5, "male")
    assert second.problem == "no answer"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"expected predictions with columns .*; file, true_age, .* missing, got an empty file"),
        ("file,age,gender\n", r"true_age, true_gender missing, got file, age, gender"),
        (f"{HEAD}\n", "expected predictions, one row per picture; got none"),
        (f"{HEAD}\na.jpg,old,,3,\n", "line 2: true_age: expected a number or nothing; got 'old'"),
        (f"{HEAD}\na.jpg,3,,nan,\n", "line 2: age: expected a number or nothing; got 'nan'"),
        (f"{HEAD}\na.jpg,3,F,3,male\n", "line 2: true_gender: expected female, male or nothing; got 'F'"),
        (f"{HEAD}\na.jpg,3,,3,\na.jpg,3,,3,\n", "line 3: expected each picture once in a fold; 'a.jpg'"),
        (f"{HEAD}\n,3,,3,\n", "line 2: expected a file name in column file"),
        (f"{HEAD}\na.jpg,3\n", "line 2: expected 5 fields, as in the first line"),
        (f"{HEAD},gender_score\na,3,male,3,male,90\n", "gender_score: expected .* 0.5 to 1; got 90"),
    ],
)
def test_malformed_predictions_are_refused_with_file_and_line(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "p.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as error:
        report_files.read_predictions(path)
    assert str(path) in str(error.value)


def test_absent_predictions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected predictions, could not read the file: No such file"):
        report_files.read_predictions(tmp_path / "p.csv")


def test_the_index_keeps_one_line_per_model_and_protocol(tmp_path: Path) -> None:
    report_files.add_to_index(tmp_path, {"model": "b", "protocol": "p", "mae": 1.23456})
    report_files.add_to_index(tmp_path, {"model": "a", "protocol": "p", "mae": 2.0, "cs5": None})
    report_files.add_to_index(tmp_path, {"model": "b", "protocol": "p", "mae": 3.0})
    with (tmp_path / report_files.INDEX).open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert lines == [
        {"model": "a", "protocol": "p", "mae": "2.0", "cs5": ""},
        {"model": "b", "protocol": "p", "mae": "3.0", "cs5": ""},
    ]


def test_an_index_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / report_files.INDEX).write_text("something,else\n1,2\n")
    with pytest.raises(DataError, match="expected an index of evaluations with columns model, protocol"):
        report_files.add_to_index(tmp_path, {"model": "a", "protocol": "p"})
    assert (tmp_path / report_files.INDEX).read_text() == "something,else\n1,2\n"


def test_what_cannot_be_written_says_where(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="could not write the results: No such file or directory"):
        report_files.write_csv(tmp_path / "absent" / "a.csv", ["a"], [[1]])
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="could not make the folder for the results"):
        report_files.make_folder(tmp_path / "file" / "below")


def test_table_shows_value_interval_and_too_small() -> None:
    rows = [
        Figure("all", "all", "mae", 4.967, 4.7367, 5.1993, 1917),
        Figure("all", "all", "gender_accuracy", 0.913, 0.9, 0.926, 1900),
        Figure("gender", "female", "mae", None, None, None, 3, "too small (under 30)"),
    ]
    assert report_files.table(rows).splitlines() == [
        "                n     MAE, years            gender, %",
        "all             1917  4.97 [4.74, 5.20]     91.3 [90.0, 92.6]",
        "gender: female  3     too small (under 30)  -",
    ]
