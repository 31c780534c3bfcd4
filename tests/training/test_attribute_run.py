"""The whole road for attributes on a made data set: crops, training, kill and resume, export, experiment."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")
pytest.importorskip("onnx", reason="the extra train brings onnx")

from made_attributes import make, make_utkface, write_recipe  # noqa: E402

from phiz.cli import app  # noqa: E402
from phiz.errors import DataError, ModelError, RecipeError  # noqa: E402
from phiz.evaluation.attribute_figures import read_answers  # noqa: E402
from phiz.models.attribute_model import choose, load_attributes  # noqa: E402
from phiz.models.session import load_model  # noqa: E402
from phiz.training.attribute_answers import of_model, of_network  # noqa: E402
from phiz.training.attribute_data import load_parts, part_of  # noqa: E402
from phiz.training.attribute_export import TOLERANCE, DeployedAttributes, parity, specs  # noqa: E402
from phiz.training.attribute_recipe import load_attribute_recipe  # noqa: E402
from phiz.training.attribute_task import Attributes, grown  # noqa: E402
from phiz.training.bias import experiment, last_young_age  # noqa: E402
from phiz.training.loop import filled  # noqa: E402
from phiz.training.run import run, with_seed  # noqa: E402


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run from start to end: (folder, recipe, ONNX path)."""
    folder = tmp_path_factory.mktemp("attributes")
    recipe = load_attribute_recipe(make(folder))
    torch.set_num_threads(1)
    return folder, recipe, run(recipe, folder / "data", folder / "out", folder / "cache")


def weights(path):
    return torch.load(path, weights_only=True)


def test_the_log_has_a_row_per_epoch(finished):
    rows = list(csv.DictReader((finished[0] / "out" / "log.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    for row in rows:
        means = (float(row["val_accuracy"]) + float(row["val_balanced_accuracy"])) / 2
        assert float(row["score"]) == pytest.approx(1 - means, abs=1e-4)


def test_parts_hold_labels_in_the_recipes_order(finished):
    folder, recipe, _ = finished
    train = part_of(recipe, recipe.train[0], "train", folder / "data", folder / "cache")
    assert (len(train), train.missed) == (11, 1)  # the first picture shows no face
    assert train.keys[0] == "000001.jpg"
    assert train.labels[0].tolist() == [0, 1, 0, 0]  # Male, Young, Blurry, Smiling of picture 1
    assert train.labels[1].tolist() == [1, 1, 0, 0]


def test_the_exported_file_gives_the_networks_answers(finished):
    folder, recipe, path = finished
    net = filled(Attributes(recipe, {}).blank(), folder / "out")
    assert parity(DeployedAttributes(net).eval(), path) <= TOLERANCE
    validation = part_of(recipe, recipe.validation[0], "validation", folder / "data", folder / "cache")
    ours, theirs = of_network(net, recipe, validation), of_model(load_attributes(path), validation)
    np.testing.assert_allclose(ours.probability, theirs.probability, atol=TOLERANCE)
    assert ours.names == theirs.names == recipe.attributes
    assert ours.files == tuple(f"{i:06d}.jpg" for i in range(12, 20))


def test_one_face_and_many_are_answered_alike(finished):
    model = load_attributes(finished[2])
    crops = np.random.default_rng(3).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    alone = np.concatenate([model.run(crops[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(model.run(crops), alone, atol=1e-5)
    assert model.run(crops[:0]).shape == (0, 4)


def test_parity_notices_other_weights(finished):
    folder, recipe, path = finished
    net = filled(Attributes(recipe, {}).blank(), folder / "out")
    with torch.no_grad():
        net.head.final.bias[0] += 0.1
    assert parity(DeployedAttributes(net).eval(), path) > TOLERANCE


def test_the_card_says_from_when_an_attribute_counts(finished):
    card = load_attributes(finished[2]).card
    assert list(card.attributes) == ["Male", "Young", "Blurry", "Smiling"]
    assert not card.attributes["Male"].default  # told by the model of age and gender
    assert card.attributes["Smiling"].threshold == 0.5  # nobody smiles, so nothing can be fitted
    assert card.attributes["Smiling"].balanced_accuracy == 0
    assert [data.name for data in card.training_data] == ["CelebA"]
    figures = card.figures["validation"]
    assert set(figures["final"]) == set(figures["first"])
    assert figures["pictures"] == 8
    assert json.loads((finished[0] / "out" / "validation.json").read_text()) == figures


def test_what_clears_the_bar_is_shown_by_default(finished, tmp_path):
    changes = [('["Male", "Young", "Blurry", "Smiling"]', '["Male", "Chubby", "Bangs", "Bald"]')]
    recipe = load_attribute_recipe(write_recipe(tmp_path, "other", 'head = "plain"', *changes))
    found = specs(recipe, np.full(4, 0.3), np.array([0.95, 0.95, 0.95, 0.89]))
    assert {name: (how.default, how.subjective) for name, how in found.items()} == {
        "Male": (False, False),
        "Chubby": (False, True),
        "Bangs": (True, False),
        "Bald": (False, False),
    }


def test_a_model_of_attributes_is_no_model_of_age(finished, tmp_path):
    with pytest.raises(ModelError, match="must name the output age"):
        load_model(finished[2])
    with pytest.raises(ModelError, match="expected a model of attributes"):
        load_attributes("multitask-64")


def test_choosing_attributes(finished):
    card = load_attributes(finished[2]).card
    assert choose(card, "all") == ("Male", "Young", "Blurry", "Smiling")
    assert choose(card, "young, Male") == ("Male", "Young")
    assert choose(card, ["Blurry"]) == ("Blurry",)
    with pytest.raises(ModelError, match="no attribute is called 'Beard'; give default, all, or names among"):
        choose(card, "Male,Beard")


def test_killed_and_resumed_is_the_same_run(finished, tmp_path):
    """SIGKILL after the first checkpoint, resume: weights, best epoch and log equal an unbroken run's."""
    folder, _, _ = finished
    command = [sys.executable, "-m", "phiz", "train", str(folder / "recipe.toml")]
    command += ["--data", str(folder / "data"), "--output", str(tmp_path), "--cache", str(folder / "cache")]
    command += ["--threads", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 500
    while not (tmp_path / "last.pt").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert weights(tmp_path / "last.pt")["epoch"] < 3, "the run was over before it could be killed"
    subprocess.run([*command, "--resume"], check=True, capture_output=True)
    for name, part in (("last.pt", "average"), ("best.pt", "net")):
        ours, theirs = weights(tmp_path / name), weights(folder / "out" / name)
        assert ours["epoch"] == theirs["epoch"]
        for key, value in theirs[part].items():
            assert torch.equal(ours[part][key], value), key
    columns = ("epoch", "loss", "val_loss", "score")
    logs = [
        [[row[c] for c in columns] for row in csv.DictReader((f / "log.csv").open())]
        for f in (tmp_path, folder / "out")
    ]
    assert logs[0] == logs[1]


def test_epochs_differ_and_follow_from_the_seed(finished):
    folder, recipe, _ = finished
    parts = load_parts(recipe, folder / "data", folder / "cache", ["train"])
    task, other = Attributes(recipe, parts), Attributes(with_seed(recipe, 4), parts)
    first, again, second = (list(task.batches(epoch, 0, 1)) for epoch in (0, 0, 1))
    assert all(torch.equal(a, b) for (a, _), (b, _) in zip(first, again, strict=True))
    assert not torch.equal(first[0][0], second[0][0])
    assert not torch.equal(first[0][0], next(other.batches(0, 0, 1))[0])
    halves = [next(task.batches(0, rank, 2)) for rank in (0, 1)]
    assert [len(x) for x, _ in halves] == [2, 2]


def test_further_attributes_start_fresh_beside_the_checkpoints(finished, tmp_path):
    folder, _, _ = finished
    more = ('["Male", "Young", "Blurry", "Smiling"]', '["Male", "Young", "Blurry", "Smiling", "Bangs"]')
    wider = load_attribute_recipe(write_recipe(tmp_path, "wider", *_label2label(), more))
    state = weights(folder / "out" / "best.pt")["net"]
    fresh = Attributes(wider, {}).blank().state_dict()
    made = grown(state, fresh, wider)
    for name in ("head.queries", "head.present", "head.final.weight", "head.first.bias"):
        assert torch.equal(made[name][:4], state[name])
        assert torch.equal(made[name][4:], fresh[name][4:])
    assert torch.equal(made["backbone.0.0.weight"], state["backbone.0.0.weight"])
    fewer = load_attribute_recipe(write_recipe(tmp_path, "fewer", *_label2label(), (more[0], '["Male"]')))
    with pytest.raises(RecipeError, match="expected 1 attributes or fewer"):
        grown(state, Attributes(fewer, {}).blank().state_dict(), fewer)
    with pytest.raises(RecipeError, match="expected a checkpoint of the recipe's network"):
        grown({}, fresh, wider)


def _label2label():
    from made_attributes import LABEL2LABEL

    return (LABEL2LABEL,)


def test_a_plain_head_trains_and_ships_in_the_same_way(finished, tmp_path):
    folder, _, _ = finished
    short = ("epochs = 3", "epochs = 1")
    recipe = load_attribute_recipe(write_recipe(folder, "plain", 'head = "plain"', short))
    path = run(recipe, folder / "data", tmp_path, folder / "cache")
    assert "first" not in load_attributes(path).card.figures["validation"]


def test_export_goes_on_from_the_best_checkpoint_and_makes_it_smaller(finished, tmp_path):
    folder, _, path = finished
    options = ["--recipe", folder / "recipe.toml", "--data", folder / "data", "--cache", folder / "cache"]
    command = ["export", folder / "out", *options, "--output", tmp_path, "--format", "onnx-int8-weights"]
    result = CliRunner().invoke(app, [str(a) for a in command])
    assert result.exit_code == 0, result.output
    again, small = (
        load_attributes(tmp_path / "made.onnx"),
        load_attributes(tmp_path / "made-int8-weights.onnx"),
    )
    crops = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(again.run(crops), load_attributes(path).run(crops))
    assert (tmp_path / "made-int8-weights.onnx").stat().st_size < 0.4 * path.stat().st_size
    assert small.card.attributes == again.card.attributes
    figures = small.card.figures["smaller"]
    final = small.card.figures["validation"]["final"]
    assert figures["float32"]["accuracy at 1/2"] == final["accuracy at 1/2"]
    assert 0 < figures["largest change"] < 0.1
    command[-1] = "onnx-int8"
    refused = CliRunner().invoke(app, [str(a) for a in command])
    assert refused.exit_code == 2
    assert "comes as int8-weights or fp16, not as 'int8'" in refused.stderr
    command[-1] = "onnx-fp16"
    refused = CliRunner().invoke(app, [str(a) for a in [*command, "--name", "made"]])
    assert "expected another name or folder than that of the model itself" in refused.stderr
    refused = CliRunner().invoke(app, [str(a) for a in ["export", path, *options]])
    assert refused.exit_code == 2
    assert "is an ONNX model already; --format names what to make of it" in refused.stderr


def test_a_missing_data_folder_says_so(finished, tmp_path):
    with pytest.raises(DataError, match="CelebA"):
        load_parts(finished[1], tmp_path, tmp_path)


def test_the_bias_experiment_goes_on_after_a_kill(finished):
    folder, _, _ = finished
    make_utkface(folder)
    data = 'dataset = "utkface"\nsplit = "utkface.csv"'
    changes = [
        ('name = "made"', 'name = "bias"\nstart = "out/best.pt"'),
        ('dataset = "celeba"\nsplit = "split.csv"', data),
        ("[crop]", '[data]\nyoung_until = 40\n[source]\ndataset = "celeba"\nsplit = "split.csv"\n[crop]'),
        ("epochs = 3", "epochs = 1"),
    ]
    recipe = load_attribute_recipe(write_recipe(folder, "bias", *_label2label(), *changes))
    found = experiment(recipe, folder / "data", folder / "bias", folder / "cache", smallest=6)
    assert found.worst in ("White", "Asian")
    assert set(found.before) == {"White", "Asian"}
    assert found.worst == min(found.before, key=found.before.get)
    assert list(found.models) == list(found.source) == ["before", found.worst, "balanced"]
    for answers in found.models.values():
        assert answers.names == ("Male", "Young")
        assert len(answers.files) == 12
        assert set(answers.groups) == {"White", "Asian"}
    tested = tuple(f"{i:06d}.jpg" for i in range(20, 28))
    assert all(source.files == tested for source in found.source.values())
    assert (found.models["before"].probability != found.models["balanced"].probability).any()
    # Both fine-tunings see as many pictures: batches of 4, of 6 pictures each, one epoch.
    for name in (found.worst, "balanced"):
        assert weights(folder / "bias" / name / "last.pt")["schedule"]["last_epoch"] == 1
    stamp = (folder / "bias" / "balanced" / "best.pt").stat().st_mtime_ns
    (folder / "bias" / "balanced" / "answers.csv").unlink()
    again = experiment(recipe, folder / "data", folder / "bias", folder / "cache", smallest=6)
    np.testing.assert_array_equal(again.models["balanced"].probability, found.models["balanced"].probability)
    assert (folder / "bias" / "balanced" / "best.pt").stat().st_mtime_ns == stamp
    with pytest.raises(DataError, match="answers of another run, which differs in seed; remove it"):
        experiment(with_seed(recipe, 9), folder / "data", folder / "bias", folder / "cache", smallest=6)


def test_the_experiments_command_keeps_its_table(finished, tmp_path):
    """The networks of the test above are there: the command says which group was worst and what changed."""
    folder, _, _ = finished
    command = ["fairness", "experiment", folder / "bias.toml", "--data", folder / "data", "--smallest", 6]
    command += ["--output", folder / "bias", "--results", tmp_path, "--cache", folder / "cache"]
    result = CliRunner().invoke(app, [str(a) for a in [*command, "--resamples", 20]])
    assert result.exit_code == 0, result.output
    facts = json.loads((tmp_path / "fairness_bias-3.json").read_text())
    assert facts["young until"] == 40
    worst = facts["worst group on validation"]
    assert result.stdout.splitlines()[0] == f"worst group on validation: {worst}"
    rows = list(csv.DictReader((tmp_path / "fairness_bias-3.csv").open()))
    assert [row["model"] for row in rows if row["group"] == "source data"] == ["before", worst, "balanced"]


def test_evaluate_measures_a_part_and_keeps_the_figures(finished, tmp_path):
    folder, recipe, path = finished
    command = ["attributes", "evaluate", path, "--split", folder / "split.csv", "--data", folder / "data"]
    command += ["--cache", folder / "cache", "--output", tmp_path, "--results", tmp_path, "--resamples", 20]
    result = CliRunner().invoke(app, [str(a) for a in command])
    assert result.exit_code == 0, result.output
    assert "8 faces, 0 not found" in result.stdout
    answers = read_answers(tmp_path / "answers.csv")
    assert (len(answers.files), answers.names) == (8, recipe.attributes)
    rows = {
        (r["attribute"], r["metric"]): r for r in csv.DictReader((tmp_path / "made_celeba-test.csv").open())
    }
    right = ((answers.probability >= 0.5) == answers.label).mean()
    assert float(rows["mean", "accuracy at 1/2"]["value"]) == pytest.approx(right, abs=1e-4)
    assert json.loads((tmp_path / "made_celeba-test.json").read_text())["part"] == "test"


def test_an_experiment_needs_a_start_and_a_source(finished):
    with pytest.raises(RecipeError, match="needs start"):
        experiment(finished[1], Path("data"), Path("out"), Path("cache"))


def test_the_age_at_which_young_ends():
    ages = [20.5, 30, 41.9, 42, 50, 60, 35, 55]
    young = [True, True, True, False, False, False, True, False]
    assert last_young_age(ages, young) == (41, 1.0)
