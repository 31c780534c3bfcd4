from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from phiz.cli import app
from phiz.evaluation import report_files
from phiz.evaluation.groups import Scored

pytest.importorskip("scipy")
pytest.importorskip("matplotlib")


def run(*arguments: object):
    return CliRunner().invoke(app, ["compare", *map(str, arguments)])


def rows(error: float) -> list[Scored]:
    return [Scored(f"{i}.jpg", str(i), 30.0, "male", None, 30 + error, "male", 0.9) for i in range(20)]


def test_compare_prints_and_writes_differences(tmp_path: Path) -> None:
    for name, error in (("one", 4.0), ("two", -3.0)):
        report_files.write_predictions(tmp_path / f"{name}.csv", rows(error))
    done = run(tmp_path / "one.csv", tmp_path / "two.csv", "--output", tmp_path / "out", "--resamples", 20)
    assert done.exit_code == 0, done.output
    line = next(line for line in done.output.splitlines() if "MAE" in line)
    assert line.split("  ")[0] == "two - one"
    assert "4.00" in line
    assert "-1.00 [-1.00, -1.00]" in line
    assert "Wilcoxon signed-rank: 20 pictures closer, 0 further" in line
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "compare.html",
        "cs_curve.csv",
        "cs_curve.svg",
        "differences.csv",
    ]


def test_compare_refuses_what_cannot_be_compared(tmp_path: Path) -> None:
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    report_files.write_predictions(one, rows(1))
    report_files.write_predictions(other, [replace(row, file=f"x{row.file}") for row in rows(1)])
    done = run(one, other, "--output", tmp_path / "out")
    assert done.exit_code == 2
    assert done.output.startswith(f"phiz: {one} and {other}: expected predictions of the same pictures")
    assert not (tmp_path / "out").exists()
    done = run(one)
    assert (done.exit_code, "expected two files of predictions" in done.output) == (2, True)
    other.write_text("file,age\n")
    done = run(one, other)
    assert (done.exit_code, "true_age, true_gender, gender missing" in " ".join(done.output.split())) == (
        2,
        True,
    )
