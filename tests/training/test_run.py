"""The whole road on a made data set: crops, training, kill and resume, export, use."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")
pytest.importorskip("onnx", reason="the extra train brings onnx")

from made_faces import make  # noqa: E402

from phiz import Analyzer  # noqa: E402
from phiz.errors import DataError, RecipeError  # noqa: E402
from phiz.models.session import load_model  # noqa: E402
from phiz.training.age_gender import AgeAndGender  # noqa: E402
from phiz.training.export import TOLERANCE, Deployed, parity  # noqa: E402
from phiz.training.loop import filled  # noqa: E402
from phiz.training.recipe import load_recipe  # noqa: E402
from phiz.training.run import load_parts, run  # noqa: E402


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run from start to end: (folder, recipe, ONNX path)."""
    folder = tmp_path_factory.mktemp("run")
    recipe = load_recipe(make(folder))
    torch.set_num_threads(1)
    return folder, recipe, run(recipe, folder / "data", folder / "out", folder / "cache")


def weights(path):
    return torch.load(path, weights_only=True)


def test_crops_are_the_ones_analysis_would_cut(finished):
    folder, recipe, _ = finished
    parts = load_parts(recipe, folder / "data", folder / "cache")
    assert {k: len(v) for k, v in parts.items()} == {
        "train utkface": 29,
        "train celeba": 5,
        "validation utkface": 10,
    }
    assert np.isnan(parts["train celeba"].age).all()
    assert (parts["train celeba"].female == 1).all()
    seen = []

    class Spy:
        def __init__(self, model):
            self.model = model

        def __getattr__(self, name):
            return getattr(self.model, name)

        def run(self, crops):
            seen.append(crops.copy())
            return self.model.run(crops)

    analyzer = Analyzer(finished[2], cropped=True)
    analyzer._model = Spy(analyzer._model)
    split = [row for row in csv.DictReader((folder / "split.csv").open()) if row["part"] == "validation"]
    for i, row in enumerate(split):
        analyzer.analyze(folder / "data" / "UTKFace" / row["file"])
        centre = parts["validation utkface"].pixels[i, 16:80, 16:80].astype(int)
        assert np.abs(seen[i][0] - centre).max() <= 1


def test_the_log_has_a_row_per_epoch(finished):
    rows = list(csv.DictReader((finished[0] / "out" / "log.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert float(rows[2]["loss"]) < float(rows[0]["loss"])


def test_the_exported_file_gives_the_networks_answers(finished):
    folder, recipe, path = finished
    card = load_model(path).card
    by_age, by_gender = card.branch_weights["age"], card.branch_weights["gender"]
    deployed = Deployed(filled(AgeAndGender(recipe, {}).blank(), folder / "out"), by_age, by_gender).eval()
    assert parity(deployed, path) <= TOLERANCE
    outputs = load_model(path).run(np.random.default_rng(1).integers(0, 256, (7, 64, 64, 3), dtype=np.uint8))
    branches = np.stack([outputs[f"age{i}"] for i in (1, 2, 3)])
    np.testing.assert_allclose(outputs["age"], np.array(by_age) @ branches, rtol=1e-5)
    branches = np.stack([outputs[f"female{i}"] for i in (1, 2, 3)])
    np.testing.assert_allclose(outputs["female"], np.array(by_gender) @ branches, rtol=1e-5)


def test_parity_notices_other_weights(finished):
    folder, recipe, path = finished
    net = filled(AgeAndGender(recipe, {}).blank(), folder / "out")
    with torch.no_grad():
        net.years[0].fc.bias[0] += 0.01
    assert parity(Deployed(net, (1, 0, 0), (1, 0, 0)).eval(), path) > TOLERANCE


def test_the_card_names_what_the_weights_were_trained_on(finished):
    card = load_model(finished[2]).card
    assert [data.name for data in card.training_data] == ["UTKFace", "CelebA"]
    assert "non-commercial" in card.license
    for name in ("best.pt", "last.pt"):  # and so do the checkpoints, for whoever starts from them
        said = weights(finished[0] / "out" / name)["learnt from"]
        assert [tuple(each) for each in said] == [(data.name, data.terms) for data in card.training_data]
    assert set(card.figures["validation"]) == {"fixed", "fitted"}


def test_killed_and_resumed_is_the_same_run(finished, tmp_path):
    """SIGKILL after the first checkpoint, resume: weights, best epoch and log equal an unbroken run's."""
    folder, _, _ = finished
    command = [
        sys.executable,
        "-m",
        "phiz",
        "train",
        str(folder / "recipe.toml"),
        "--data",
        str(folder / "data"),
    ]
    command += ["--output", str(tmp_path), "--cache", str(folder / "cache"), "--threads", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (tmp_path / "last.pt").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert weights(tmp_path / "last.pt")["epoch"] < 3, "the run was over before it could be killed"
    subprocess.run([*command, "--resume"], check=True, capture_output=True)
    for name in ("last.pt", "best.pt"):
        ours, theirs = weights(tmp_path / name), weights(folder / "out" / name)
        assert ours["epoch"] == theirs["epoch"]
        part = "average" if name == "last.pt" else "net"
        for key, value in theirs[part].items():
            assert torch.equal(ours[part][key], value), key
    columns = ("epoch", "loss", "val_age_mae", "val_gender_accuracy")
    logs = [
        [[row[c] for c in columns] for row in csv.DictReader((f / "log.csv").open())]
        for f in (tmp_path, folder / "out")
    ]
    assert logs[0] == logs[1]


def test_what_start_learnt_from_reaches_the_card_of_what_started_from_it(finished, tmp_path):
    folder, recipe, _ = finished
    state = weights(folder / "out" / "best.pt")
    state["learnt from"] = [["MORPH-II", "those of the release"], ["UTKFace", "non-commercial research"]]
    torch.save(state, tmp_path / "start.pt")
    short = replace(recipe.optimisation, epochs=1)
    tuned = replace(recipe, start=tmp_path / "start.pt", optimisation=short)
    path = run(tuned, folder / "data", tmp_path / "out", folder / "cache")
    names = [data.name for data in load_model(path).card.training_data]
    assert names == ["UTKFace", "CelebA", "MORPH-II"]
    assert [name for name, _ in weights(tmp_path / "out" / "best.pt")["learnt from"]] == names


def test_an_edited_recipe_does_not_go_on_from_its_checkpoint(finished, tmp_path):
    folder, recipe, _ = finished
    edited = replace(recipe, loss=replace(recipe.loss, distribution=0.6))
    shutil.copytree(folder / "out", tmp_path / "out")
    with pytest.raises(RecipeError, match=r"last\.pt: .*differs in \[loss\]; train without --resume"):
        run(edited, folder / "data", tmp_path / "out", folder / "cache", resume=True)


def test_another_seed_gives_other_weights(finished, tmp_path):
    from phiz.training.run import with_seed

    folder, recipe, _ = finished
    run(with_seed(recipe, 4), folder / "data", tmp_path, folder / "cache")
    ours, theirs = weights(tmp_path / "last.pt")["net"], weights(folder / "out" / "last.pt")["net"]
    assert any(not torch.equal(ours[key], theirs[key]) for key in theirs)


def test_a_missing_data_folder_says_so(finished, tmp_path):
    with pytest.raises(DataError, match="UTKFace"):
        load_parts(finished[1], tmp_path, tmp_path)


def test_exporting_again_with_fixed_weights(finished, tmp_path):
    """`phiz export` of the same run: the same branches, combined as the recipe's fixed decision says."""
    folder, _, path = finished
    command = [
        sys.executable,
        "-m",
        "phiz",
        "export",
        str(folder / "out"),
        "--recipe",
        str(folder / "recipe.toml"),
    ]
    command += ["--data", str(folder / "data"), "--cache", str(folder / "cache"), "--output", str(tmp_path)]
    subprocess.run([*command, "--weights", "fixed"], check=True, capture_output=True)
    fixed, fitted = load_model(tmp_path / "made-fixed.onnx"), load_model(path)
    assert fixed.card.branch_weights["age"] == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    crops = np.random.default_rng(2).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    np.testing.assert_allclose(fixed.run(crops)["age2"], fitted.run(crops)["age2"], rtol=1e-5)
    wrong = subprocess.run([*command, "--weights", "best"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert 'branch weights must be "fixed" or "fitted", got \'best\'' in wrong.stderr
