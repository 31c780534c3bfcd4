"""The annotator on made faces: training, agreement, labels with their source, and the score."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")
pytest.importorskip("timm", reason="the extra train brings timm")
pytest.importorskip("onnx", reason="the extra train brings onnx")

from made_annotation import make_annotation  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from phiz.cli import app  # noqa: E402
from phiz.datasets.record import FaceRecord  # noqa: E402
from phiz.datasets.table import read_table  # noqa: E402
from phiz.errors import DataError, RecipeError  # noqa: E402
from phiz.models.session import load_model  # noqa: E402
from phiz.training.annotate.annotator import load_annotator, train_networks  # noqa: E402
from phiz.training.annotate.answers import (  # noqa: E402
    Answer,
    ask,
    read_answers,
    records_to_label,
    write_table,
)
from phiz.training.annotate.journal import Journal  # noqa: E402
from phiz.training.annotate.score import score  # noqa: E402

ROOT = Path(__file__).parents[3]


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """`phiz annotate label` run to its end: (recipe's path, data folder, output folder, cache)."""
    folder = tmp_path_factory.mktemp("annotation")
    recipe = make_annotation(folder)
    where = (recipe, folder / "data", folder / "out", folder / "cache")
    done = run(
        *("annotate", "label", where[0], "--data", where[1], "--output", where[2], "--cache", where[3]),
        *("--threads", 1),
    )
    assert done.exit_code == 0, done.output
    return where, done.output


def test_each_network_tells_gender_alone(labelled):
    (recipe, _, output, _), _ = labelled
    for name in load_annotator(recipe).annotation.networks:
        card = load_model(output / "networks" / name / f"{name}.onnx", gender_alone=True).card
        assert [o.name for o in card.outputs] == ["female"]
        assert card.task == "gender of one face"


def test_labels_are_what_all_agree_on_and_a_face_is_needed(labelled):
    (_, _, output, _), said = labelled
    answers = read_answers(output)
    assert {answer.file for answer in answers} <= {f"face{i}.jpg" for i in range(6)}
    with (output / "faces.csv").open(newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    assert {file: row["gender"] for file, row in rows.items()} == {
        a.file: a.agreed for a in answers if a.agreed
    }
    assert {row["gender_by"] for row in rows.values()} <= {"agreed"}
    assert f"{7 - len(answers):,} without a face" in said
    for file, row in rows.items():
        assert row["age"] == str(20.0 + int(file[4]))


def test_the_output_is_read_by_the_reader_of_own_pictures(labelled, tmp_path):
    (recipe, data, output, _), _ = labelled
    answers, records = read_answers(output), records_to_label(load_annotator(recipe), data)
    decided = {answer.file: "female" for answer in answers}
    counts = write_table(output, answers, decided, records)
    assert counts == {"agreed": 0, "reviewed": len(answers)}
    for answer in answers:
        (tmp_path / answer.file).write_bytes((data / answer.file).read_bytes())
    (tmp_path / "faces.csv").write_bytes((output / "faces.csv").read_bytes())
    read = list(read_table(tmp_path))
    assert [(r.path.name, r.gender, r.subject) for r in read] == [
        (a.file, "female", records[a.file].subject) for a in answers
    ]


def test_a_second_time_nothing_is_trained_or_asked_and_other_pictures_are_refused(labelled, monkeypatch):
    (path, data, output, cache), _ = labelled
    annotator = load_annotator(path)

    def never(*_, **__):
        raise AssertionError("trained again")

    monkeypatch.setattr("phiz.training.annotate.annotator.train", never)
    models = train_networks(annotator, data, output / "networks", cache)
    assert ask(annotator, models, data, output, cache) == read_answers(output)
    fewer = replace(annotator, annotation=replace(annotator.annotation, limit=3))
    with pytest.raises(
        DataError, match=r"expected answers of the same making, got another pictures; label into"
    ):
        ask(fewer, models, data, output, cache)


def test_labels_by_hand():
    """A person goes before the networks; what was skipped or is undecided has no label."""
    agreed = {Answer("a", (0.9, 0.5)).agreed, Answer("a", (0.9, 0.8, 0.51)).agreed}
    assert agreed == {"female"}
    assert Answer("a", (0.1, 0.49)).agreed == "male"
    assert Answer("a", (0.1, 0.9)).agreed is None


def test_the_score_by_hand():
    truth = {"a": "female", "b": "male", "c": "male", "d": "female", "e": None}
    records = {name: FaceRecord(Path(name), gender=gender) for name, gender in truth.items()}
    answers = [
        Answer("a", (0.9, 0.8)),
        Answer("b", (0.9, 0.8)),  # both wrong
        Answer("c", (0.1, 0.9)),
        Answer("d", (0.1, 0.9)),
        Answer("e", (0.1, 0.1)),  # nobody knows
    ]
    rows = {row[:2]: row for row in score(answers, ("x", "y"), {"c": "male", "d": "skip"}, records)}
    assert rows["all networks", "coverage"][2::3] == (0.5, 4)
    assert rows["all networks", "accuracy among agreed"][2::3] == (0.5, 2)
    assert rows["x", "accuracy"][2] == 0.5
    assert rows["y", "accuracy"][2] == 0.5
    assert rows["a person", "accuracy among reviewed"][2::3] == (1.0, 1)
    with pytest.raises(DataError, match="expected genders in the data set to score against, got none"):
        score(answers[-1:], ("x", "y"), {}, records)


def test_the_score_command_keeps_its_rows(labelled, tmp_path):
    (recipe, data, output, _), _ = labelled
    where = ("--data", data, "--output", output, "--results", tmp_path / "s.csv")
    done = run("annotate", "score", recipe, *where)
    assert done.exit_code == 0, done.output
    with (tmp_path / "s.csv").open(newline="") as file:
        assert next(iter(csv.DictReader(file)))["metric"] == "coverage"
    assert "coverage" in done.output


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('task = "annotation"\n', "", "expected a recipe with task = 'annotation', got None"),
        ("[annotation]", "[annotations]", r"missing section \[annotation\]"),
        ('unlabelled = "csv"', 'unlabelled = "faces"', "expected a data set among utkface, .*; got 'faces'"),
        (', "test_efficientnet"]', "]", r"expected at least two different names.*\['test_resnet'\]"),
        ("test_efficientnet", "test_resnet", "expected at least two different names"),
        ("size = 64", 'size = 64\nname = "resnet18"', r"expected the networks in \[annotation\] networks"),
    ],
)
def test_mistakes_are_named(tmp_path, old, new, message):
    path = make_annotation(tmp_path, faces=1)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(RecipeError, match=message):
        load_annotator(path)


def test_the_recipe_is_the_papers():
    import timm

    annotator = load_annotator(ROOT / "recipes" / "annotator.toml")
    assert annotator.annotation.networks == ("inception_v3", "xception", "resnet50", "densenet201")
    assert all(map(timm.is_model, annotator.annotation.networks))
    assert [recipe.network.name for recipe in annotator.recipes()] == list(annotator.annotation.networks)
    assert not any(recipe.network.age for recipe in annotator.recipes())


def test_the_journal_is_of_what_the_networks_differ_on(labelled, tmp_path):
    (_, _, output, _), _ = labelled
    answers = [*read_answers(output), Answer("x.jpg", (0.2, 0.9))]
    journal = Journal(tmp_path / "j.jsonl", [a.file for a in answers if a.agreed is None])
    assert journal.files[-1] == "x.jpg"
