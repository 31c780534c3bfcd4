"""phiz analyze --attributes, phiz attributes and phiz fairness as a user runs them."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("onnx", reason="the fake model needs the onnx package (extra train)")

import fake_attributes as fake

from phiz import Analyzer
from phiz.cli import app
from phiz.data import ASTRONAUT
from phiz.evaluation.attribute_figures import Answers, write_answers


def run(*arguments, status=0):
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code == status, result.output + str(result.exception)
    return result


@pytest.fixture
def made(tmp_path):
    return fake.write(tmp_path)


def analyze(made, fake_model, *arguments, status=0):
    models = ("--model", fake_model, "--attribute-model", made)
    return run("analyze", ASTRONAUT, *models, *arguments, status=status)


def probabilities(made, fake_model, wanted):
    """What Python says of the same face."""
    analyzer = Analyzer(fake_model, attributes=wanted, attribute_model=made)
    return dict(analyzer.analyze(ASTRONAUT).faces[0].attributes)


def test_json_lines_hold_probabilities(made, fake_model):
    (line,) = analyze(made, fake_model, "--attributes", "all", "--format", "jsonl").stdout.splitlines()
    (face,) = json.loads(line)["faces"]
    assert list(face["attributes"]) == ["Eyeglasses", "Smiling"]
    assert face["attributes"] == pytest.approx(probabilities(made, fake_model, "all"), abs=1e-3)


def test_csv_has_a_column_for_each(made, fake_model):
    text = analyze(made, fake_model, "--attributes", "Chubby,Smiling", "--format", "csv").stdout
    (row,) = csv.DictReader(io.StringIO(text))
    assert list(row)[-3:] == ["error", "Smiling", "Chubby"]
    told = {name: float(row[name]) for name in ("Smiling", "Chubby")}
    assert told == pytest.approx(probabilities(made, fake_model, "Chubby,Smiling"), abs=1e-3)


def test_the_table_names_what_is_present(made, fake_model):
    header, line = analyze(made, fake_model, "--attributes", "all").stdout.splitlines()
    assert header.endswith("picture: attributes")
    assert line.endswith(f"{ASTRONAUT}: Eyeglasses")  # Smiling's threshold is out of reach
    (nothing,) = analyze(made, fake_model, "--attributes", "Smiling").stdout.splitlines()[1:]
    assert nothing.endswith(f"{ASTRONAUT}: -")


def test_without_the_option_nothing_changes(made, fake_model):
    (line,) = analyze(made, fake_model, "--format", "jsonl").stdout.splitlines()
    assert "attributes" not in json.loads(line)["faces"][0]
    assert analyze(made, fake_model).stdout.splitlines()[0].endswith("picture")


def test_a_wrong_name_says_which_there_are(made, fake_model):
    result = analyze(made, fake_model, "--attributes", "Beard", status=2)
    assert (
        "phiz: no attribute is called 'Beard'; give default, all, or names among Eyeglasses" in result.stderr
    )


def test_attributes_stay_out_of_ray(made, fake_model):
    result = analyze(made, fake_model, "--attributes", "all", "--engine", "ray", status=2)
    assert "--engine ray tells age and gender; leave out --attributes" in result.stderr


def test_list_says_what_is_shown(made):
    lines = run("attributes", "list", made).stdout.splitlines()
    assert lines[0].split() == ["attribute", "present", "from", "balanced", "accuracy", "shown"]
    assert lines[1].split(maxsplit=3) == ["Eyeglasses", "0.40", "97.0%", "by default"]
    assert lines[2].endswith("by name or with all")
    assert lines[3].endswith("by name")


@pytest.fixture
def answers(tmp_path):
    """Two models' answers by two groups; the second is right about group b where the first is wrong."""
    n = 200
    random = np.random.default_rng(0)
    label = random.integers(0, 2, (n, 2)).astype(float)
    groups = tuple("ab"[i % 2] for i in range(n))
    files = tuple(f"{i}.jpg" for i in range(n))
    paths = []
    for name, wrong in (("before", 0.3), ("after", 0.05)):
        flip = random.random((n, 2)) < np.where(np.array(groups) == "b", wrong, 0.05)[:, None]
        p = np.where(flip, 1 - label, label) * 0.8 + 0.1
        (tmp_path / name).mkdir()
        write_answers(
            tmp_path / name / "answers.csv", Answers(("Male", "Young"), files, files, groups, p, label)
        )
        paths.append(tmp_path / name / "answers.csv")
    return paths


def test_compare_says_how_two_models_differ(answers, tmp_path):
    table = tmp_path / "differences.csv"
    text = run("attributes", "compare", *answers, "--resamples", 100, "--output", table).stdout
    line = next(line for line in text.splitlines() if line.startswith("mean accuracy, %"))
    n, first, second, difference = line.removeprefix("mean accuracy, %").split()[:4]
    assert n == "200"
    assert float(difference) == pytest.approx(float(second) - float(first), abs=0.02)
    assert float(difference) > 5
    (kept, _) = csv.DictReader(table.open())
    assert (kept["figure"], kept["n"]) == ("mean accuracy", "200")
    assert 100 * float(kept["difference"]) == pytest.approx(float(difference), abs=0.01)


def test_fairness_compare_names_the_worst_group_before_and_after(answers, tmp_path):
    table = tmp_path / "bias.csv"
    source = ["--source", answers[0], "--source", answers[1]]
    text = run("fairness", "compare", *answers, *source, "--output", table, "--resamples", 100).stdout
    assert text.splitlines()[0].split() == ["attribute", "group", "n", "before", "after"]
    assert "worst b, best a" in text
    assert text.splitlines()[-1].split()[:3] == ["mean", "source", "data"]
    rows = {(r["model"], r["attribute"], r["group"]): r for r in csv.DictReader(table.open())}
    before, after = (rows[model, "mean", "b"] for model in ("before", "after"))
    assert float(after["change"]) == pytest.approx(
        float(after["accuracy"]) - float(before["accuracy"]), abs=2e-4
    )
    assert float(after["change_low"]) > 0
    assert float(rows["before", "mean", "gap"]["accuracy"]) > float(rows["after", "mean", "gap"]["accuracy"])


def test_fairness_compare_wants_a_source_for_each_model(answers):
    result = run("fairness", "compare", *answers, "--source", answers[0], status=2)
    assert "expected --source once for each of 2 models, got 1" in result.stderr
