"""phiz teach on made pictures: whom it asks, what it averages, and a recipe that learns from the file."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")
fake = pytest.importorskip("fake_model", reason="the onnx package (extra train) builds the fake model")

from made_faces import make  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from phiz.cli import app  # noqa: E402
from phiz.errors import ModelError  # noqa: E402
from phiz.models.card import OutputSpec  # noqa: E402
from phiz.training.recipe import load_recipe  # noqa: E402
from phiz.training.teach import combined, teach  # noqa: E402
from phiz.training.teachers import read_about  # noqa: E402


def teacher(folder: Path, *outputs: str) -> Path:
    """A fake model under other names: its branch ages stand for what a teacher's outputs hold."""
    import onnx

    folder.mkdir()
    graph = onnx.load_from_string(fake.graph(outputs=("age", "age1", "female")))
    graph.graph.node.append(onnx.helper.make_node("Identity", ["age1"], ["age_std"]))
    graph.graph.output[1].name = "age_std"
    kept = [output for output in graph.graph.output if output.name in outputs]
    del graph.graph.output[:]
    graph.graph.output.extend(kept)
    specs = tuple(OutputSpec(name, "", "") for name in outputs)
    return fake.write(folder, weights=graph.SerializeToString(), outputs=specs)


def test_training_pictures_alone_are_taught_in_order_and_by_all_teachers(tmp_path):
    recipe = load_recipe(make(tmp_path))
    one, two = (teacher(tmp_path / name, "age", "age_std", "female") for name in ("one", "two"))
    count = teach([one, two], recipe, tmp_path / "data", tmp_path / "cache", tmp_path / "taught.csv")
    rows = list(csv.DictReader((tmp_path / "taught.csv").open()))
    about = read_about(tmp_path / "taught.csv")
    assert [each["name"] for each in about["teachers"]] == ["fake", "fake"]
    assert about["learnt from"] == [["none", "made by hand"]]
    assert count == len(rows)
    names = [row["picture"] for row in rows]
    assert names == sorted(set(names))
    split = {row["file"]: row["part"] for row in csv.DictReader((tmp_path / "split.csv").open())}
    parts = {split[Path(name).name] for name in names if Path(name).name in split}
    assert parts == {"train"}
    assert {Path(name).parent.name for name in names} > {"UTKFace"}, "CelebA's pictures get an age"
    for row in rows:  # age - 3 years is what the teacher gives for its width; equal teachers do not widen it
        assert float(row["age_std"]) == pytest.approx(abs(float(row["age"]) - 3), abs=0.02)


def test_a_recipe_without_photos_is_taught_too(tmp_path):
    recipe = load_recipe(make(tmp_path, train=4, validation=1, photos=1))
    recipe = replace(recipe, train=recipe.train[:1])
    one = teacher(tmp_path / "one", "age", "age_std", "female")
    assert teach([one], recipe, tmp_path / "data", tmp_path / "cache", tmp_path / "taught.csv") == 3


def test_disagreement_widens_the_answer():
    looks = np.array([[20.0, 3.0, 0.2], [30.0, 3.0, 0.6]])
    assert combined(looks) == pytest.approx((25.0, np.sqrt(9 + 25), 0.4))


@pytest.mark.parametrize("lacking", ["age_std", "female"])
def test_a_teacher_without_what_is_asked_is_refused(tmp_path, lacking):
    outputs = [name for name in ("age", "age_std", "female") if name != lacking]
    path = teacher(tmp_path / "teacher", *outputs)
    with pytest.raises(ModelError, match=f"outputs age_std and female, it lacks {lacking}"):
        teach([path], load_recipe(make(tmp_path)), tmp_path / "data", tmp_path / "cache", tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()


def test_the_command_and_a_recipe_that_learns_from_its_file(tmp_path):
    path = make(tmp_path)
    one = teacher(tmp_path / "one", "age", "age_std", "female")
    options = ["--data", str(tmp_path / "data"), "--cache", str(tmp_path / "cache")]
    out = ["--output", str(tmp_path / "taught.csv")]
    done = CliRunner().invoke(app, ["teach", str(path), "--teacher", str(one), *options, *out])
    assert done.exit_code == 0, done.output
    text = path.read_text().replace("[data]", '[data]\ntaught = "taught.csv"')
    path.write_text(text.replace("distribution = 0.5", "distribution = 0.5\ntaught_age = 0.5"))
    from phiz.training.age_gender import AgeAndGender
    from phiz.training.run import load_parts

    recipe = load_recipe(path)
    task = AgeAndGender(recipe, load_parts(recipe, tmp_path / "data", tmp_path / "cache"))
    x, *labels = next(iter(task.batches(0, 0, 1)))
    assert np.isfinite(task.loss(task.start(), x, *labels).item())
    assert any(label.ndim == 2 and label.isfinite().all() for label in labels)


def test_each_task_follows_its_own_share_of_teachers(tmp_path):
    from phiz.training.age_gender import AgeAndGender

    plain = load_recipe(make(tmp_path))
    net = AgeAndGender(plain, {}).start().eval()
    x, age = torch.zeros(4, 3, 64, 64), torch.tensor([20.0, 30.0, 40.0, 50.0])
    female, taught = torch.tensor([0.0, 1.0, 0.0, 1.0]), torch.tensor([[25.0, 5.0, 0.4]]).repeat(4, 1)

    labels, nothing = (age, female), torch.full((4, 2), torch.nan)

    def loss(by_age, by_gender, taught=taught):
        data, weights = (
            replace(plain.data, taught="t.csv"),
            replace(plain.loss, taught_age=by_age, taught_gender=by_gender),
        )
        task = AgeAndGender(replace(plain, data=data, loss=weights), {})
        return task.loss(net, x, *labels, taught, nothing).item()

    by_labels = AgeAndGender(plain, {}).loss(net, x, *labels, taught, nothing).item()
    assert loss(0.0, 0.0) == pytest.approx(by_labels)
    other_gender = taught + torch.tensor([0.0, 0.0, 0.3])
    assert loss(1.0, 0.0) == pytest.approx(loss(1.0, 0.0, other_gender))
    assert loss(0.0, 1.0) != pytest.approx(loss(0.0, 1.0, other_gender))
    assert loss(0.5, 0.5) == pytest.approx((by_labels + loss(1.0, 1.0)) / 2)
