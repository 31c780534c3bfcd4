"""A recipe's crops in one file: what comes out is what went in, and training needs nothing else."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")
pytest.importorskip("onnx", reason="the extra train brings onnx")

from made_faces import make  # noqa: E402

from phiz.cli import app  # noqa: E402
from phiz.errors import DataError  # noqa: E402
from phiz.models.session import load_model  # noqa: E402
from phiz.training import packed  # noqa: E402
from phiz.training.kit import identity, unpack  # noqa: E402
from phiz.training.recipe import load_recipe  # noqa: E402
from phiz.training.run import load_parts  # noqa: E402


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


NAMES = {"train utkface", "train celeba", "validation utkface"}


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """A made data set packed by the command: (folder, recipe's path, the file)."""
    folder = tmp_path_factory.mktemp("kit")
    recipe = make(folder, train=16, validation=6, photos=3)
    recipe.write_text(recipe.read_text().replace("epochs = 3", "epochs = 1"))
    file = folder / "crops.zip"
    where = ("--data", folder / "data", "--cache", folder / "cache")
    done = run("crops", recipe, *where, "--output", file)
    assert done.exit_code == 0, done.output
    assert f", {file.stat().st_size / 1e6:,.1f} MB" in done.output
    assert "it holds faces" in done.output
    return folder, recipe, file


def test_labels_are_the_same_and_crops_look_the_same(kit):
    folder, path, file = kit
    recipe = load_recipe(path)
    before, after = (
        load_parts(recipe, folder / "data", folder / "cache"),
        unpack(recipe, file, folder / "other"),
    )
    assert before.keys() == after.keys() == NAMES
    for name, part in before.items():
        for label in ("age", "female", "taught"):
            np.testing.assert_array_equal(getattr(after[name], label), getattr(part, label))
        assert [p.split("/")[-1] for p in after[name].paths] == [Path(p).name for p in part.paths]
        off = np.abs(after[name].pixels.astype(int) - np.asarray(part.pixels).astype(int))
        assert off.mean() < 3  # a JPEG of quality 95


def test_the_file_names_no_folder_of_the_machine_that_packed(kit):
    folder, _, file = kit
    assert str(folder).encode() not in file.read_bytes()


def test_training_needs_the_file_and_the_recipe_alone(kit, tmp_path):
    """In another place, without pictures: two steps, and the export."""
    _, path, file = kit
    for name in ("recipe.toml", "split.csv", "conflicts.csv", "celeba.csv"):
        shutil.copy(path.parent / name, tmp_path)
    torch.set_num_threads(1)
    done = run(
        *("train", tmp_path / "recipe.toml", "--crops", file, "--data", tmp_path / "nothing"),
        *("--output", tmp_path / "out", "--cache", tmp_path / "cache"),
    )
    assert done.exit_code == 0, done.output
    assert load_model(tmp_path / "out" / "made.onnx").card.figures["validation"]


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("share = 0.5", "share = 0.25", r"\[\[train\]\]"),
        ("right_eye = [0.28", "right_eye = [0.29", "crop"),
        ("[data]\n", '[network]\nname = "lmtcnn"\n[data]\n', ""),
        ("[optimisation]", '[network]\nname = "resnet18"\nsize = 96\n[optimisation]', "size"),
    ],
)
def test_crops_of_other_data_are_refused_and_another_network_is_not(kit, tmp_path, old, new, part):
    folder, path, file = kit
    for name in ("split.csv", "conflicts.csv", "celeba.csv"):
        shutil.copy(path.parent / name, tmp_path)
    (tmp_path / "recipe.toml").write_text(path.read_text().replace(old, new))
    recipe = load_recipe(tmp_path / "recipe.toml")
    if not part:
        assert unpack(recipe, file, folder / "other").keys() == NAMES
        return
    with pytest.raises(DataError, match=f"expected crops for this recipe, got those of another {part}; pack"):
        unpack(recipe, file, tmp_path)


def test_another_split_is_other_data(kit, tmp_path):
    _, path, _ = kit
    before = identity(load_recipe(path))
    for name in ("recipe.toml", "split.csv", "conflicts.csv", "celeba.csv"):
        shutil.copy(path.parent / name, tmp_path)
    assert identity(load_recipe(tmp_path / "recipe.toml")) == before  # wherever it lies
    (tmp_path / "split.csv").write_text((tmp_path / "split.csv").read_text().replace("validation", "test", 1))
    assert identity(load_recipe(tmp_path / "recipe.toml")) != before


@pytest.mark.parametrize("cut", [0, 100, -30])
def test_half_a_file_is_refused(kit, tmp_path, cut):
    _, path, file = kit
    (tmp_path / "half.zip").write_bytes(file.read_bytes()[:cut])
    with pytest.raises(DataError, match=r"half\.zip: expected a file of phiz crops, could not read it"):
        unpack(load_recipe(path), tmp_path / "half.zip", tmp_path)
    with pytest.raises(DataError, match=r"none\.zip: expected a file of phiz crops, there is none"):
        unpack(load_recipe(path), tmp_path / "none.zip", tmp_path)


def test_a_file_of_another_format_or_content_is_refused(tmp_path):
    for about, message in (
        ({"format": "phiz crops 0"}, "expected the format 'phiz crops 2', got 'phiz crops 0'; pack it again"),
        ({}, "could not read it"),
        ({"format": packed.FORMAT, "identity": {}, "parts": {"train": {}}}, "could not read it"),
    ):
        with zipfile.ZipFile(tmp_path / "f.zip", "w") as archive:
            archive.writestr(packed.ABOUT, json.dumps(about))
        with pytest.raises(DataError, match=message):
            packed.read(tmp_path / "f.zip", {}, tmp_path)


def test_a_folder_that_takes_no_file_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    part = packed.Packed(np.zeros((1, 8, 8, 3), np.uint8), {"age": np.zeros(1)})
    with pytest.raises(DataError, match="could not write the crops"):
        packed.write(tmp_path / "file" / "crops.zip", {}, {"train": part})


def test_attributes_pack_too(tmp_path):
    import made_attributes

    from phiz.training.attribute_data import load_parts as load_attribute_parts
    from phiz.training.attribute_recipe import load_attribute_recipe

    path = made_attributes.make(tmp_path)
    file = tmp_path / "crops.zip"
    done = run("crops", path, "--data", tmp_path / "data", "--cache", tmp_path / "cache", "--output", file)
    assert done.exit_code == 0, done.output
    recipe = load_attribute_recipe(path)
    after = unpack(recipe, file, tmp_path / "other")
    for name, before in load_attribute_parts(recipe, tmp_path / "data", tmp_path / "cache").items():
        np.testing.assert_array_equal(after[name].labels, before.labels)
        for field in ("keys", "clusters", "groups", "missed"):
            assert getattr(after[name], field) == getattr(before, field)


def test_a_day_is_resumed_and_ends_when_time_is_up(kit, tmp_path, capfd):
    """One run from the kit; a second call leaves it alone; without time nothing begins."""
    import gpu_day

    _, path, file = kit
    planned = gpu_day.plan(["recipe"], path.parent)
    with pytest.raises(SystemExit, match=r"expected crops-64-.*\.zip; python tools/gpu_day.py pack writes"):
        gpu_day.train(planned, tmp_path, tmp_path / "runs", 60, 1.0)
    shutil.copy(file, tmp_path / planned[0].crops)
    assert gpu_day.train(planned, tmp_path, tmp_path / "runs", 0, 1.0) == []
    assert gpu_day.train(planned, tmp_path, tmp_path / "runs", 600, 1.0) == ["made-3"]
    assert (tmp_path / "runs" / "made-3" / "made.onnx").exists()
    capfd.readouterr()
    assert gpu_day.train(planned, tmp_path, tmp_path / "runs", 0, 1.0) == ["made-3"]
    assert "about" not in capfd.readouterr().out


def test_the_plan_names_recipes_that_exist_and_shares_crops():
    import gpu_day

    assert all((gpu_day.RECIPES / f"{name}.toml").is_file() for name in gpu_day.RUNS)
    networks = {path.stem for path in (gpu_day.RECIPES / "comparison").glob("*.toml")}
    networks = {name for name in networks if not name.endswith("-fgnet")}
    assert {name.removeprefix("comparison/") for name in gpu_day.RUNS if "comparison" in name} == networks
    b0, resnet = gpu_day.plan(["comparison/efficientnet-b0", "comparison/resnet34"])
    assert b0.crops == resnet.crops
    assert resnet.minutes(20) > b0.minutes(20) > 0
