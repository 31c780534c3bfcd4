"""The whole command on small trees made here, with the model that the tests make."""

import csv
import hashlib
import html
import json
import sys
import types
from pathlib import Path

import fake_model as fake
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from phiz.cli import app
from phiz.datasets.splits import SplitRow, write_split
from phiz.evaluation import report_files
from phiz.evaluation.groups import Scored

pytest.importorskip("matplotlib")


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def words(output: str) -> str:
    return " ".join(output.split())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A UTKFace of chips of one grey each; the fake model says age = grey / 4, female where grey >= 128."""
    folder = tmp_path / "data" / "UTKFace"
    folder.mkdir(parents=True)
    for number in range(12):
        grey = 80 + 12 * number
        age, gender = grey // 4 + number % 3, int(grey >= 128)
        Image.fromarray(np.full((40, 40, 3), grey, np.uint8)).save(
            folder / f"{age}_{gender}_0_{number}.jpg.chip.jpg", quality=100
        )
    (folder / "39_1_20170116.jpg.chip.jpg").write_bytes(b"")
    return folder.parent


def names(data: Path) -> list[str]:
    return sorted(path.name for path in (data / "UTKFace").iterdir() if len(path.name.split("_")) == 4)


@pytest.fixture
def test_part(tmp_path: Path, data: Path) -> Path:
    """Protocol file of the last 9 of the 12 chips, clusters of two."""
    rows = [SplitRow(n, "train" if i < 3 else "test", i // 2) for i, n in enumerate(names(data))]
    write_split(tmp_path / "split.csv", rows, "made")
    return protocol(tmp_path, kind="fixed", split="split.csv", part="test")


def protocol(folder: Path, **settings: object) -> Path:
    path = folder / "made-test.toml"
    everything = {"name": "made-test", "about": "Made here.", "dataset": "utkface"} | settings
    path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in everything.items()))
    return path


def figures(path: Path) -> dict[tuple[str, str, str], dict[str, str]]:
    with path.open(newline="") as file:
        return {(r["group_kind"], r["group_value"], r["metric"]): r for r in csv.DictReader(file)}


def test_a_model_is_measured_on_the_test_part(
    tmp_path: Path, data: Path, test_part: Path, fake_model: Path
) -> None:
    chosen = names(data)[3:]
    errors = [int(name.split("_")[3].split(".")[0]) % 3 for name in chosen]
    output, kept = tmp_path / "out", tmp_path / "kept" / "here"
    done = run(
        *("evaluate", fake_model, "--protocol", test_part, "--data", data, "--output", output),
        *("--results", kept, "--smallest", 2, "--seed", 3, "--resamples", 50, "--worst", 1),
    )
    assert done.exit_code == 0, done.output
    assert "9 pictures, 0 faces not found, 0 unreadable, 1 left out by the reader" in done.output
    assert "holds research pictures: do not publish it" in words(done.output)

    found = figures(output / "figures.csv")
    assert float(found["all", "all", "mae"]["value"]) == pytest.approx(np.mean(errors), abs=0.05)
    assert found["all", "all", "mae"]["n"] == "9"
    assert float(found["all", "all", "gender_accuracy"]["value"]) == 1
    assert figures(kept / "fake_made-test.csv") == found

    facts = json.loads((output / "provenance.json").read_text())
    assert facts == json.loads((kept / "fake_made-test.json").read_text())
    assert (facts["pictures"], facts["cropped"], facts["bootstrap"]["seed"]) == (9, True, 3)
    assert facts["protocol"] == {"name": "made-test", "kind": "fixed", "data set": "utkface"}
    assert facts["model"] == {"name": "fake", "sha256": hashlib.sha256(fake_model.read_bytes()).hexdigest()}
    assert "matplotlib" in facts["versions"]

    each = report_files.read_predictions(output / "predictions.csv")
    assert [row.file for row in each] == chosen
    for row in each:
        grey = 80 + 12 * int(row.file.split("_")[3].split(".")[0])
        assert row.age == pytest.approx(grey / 4, abs=0.3)
    page = (output / "report.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 1
    assert "no group field" in page


@pytest.mark.parametrize("own", [True, False])
def test_gender_that_is_another_networks_answer_says_so(
    tmp_path: Path, data: Path, test_part: Path, own: bool
) -> None:
    if own:
        model = fake.write(tmp_path, gender_from="multitask-64")
    else:
        weights = fake.graph(outputs=("age",))
        model = fake.write(
            tmp_path, weights=weights, outputs=fake.card(weights).outputs[:1], branch_weights={}
        )
    output = tmp_path / "out"
    where = ("--protocol", test_part, "--data", data, "--output", output)
    done = run("evaluate", model, *where, "--smallest", 2)
    assert done.exit_code == 0, done.output
    assert json.loads((output / "provenance.json").read_text())["model"]["gender from"] == "multitask-64"
    page = html.unescape((output / "report.html").read_text())
    assert "Gender is multitask-64's answer, not its own." in page


def test_the_command_prints_what_the_protocols_paper_measures(
    tmp_path: Path, data: Path, fake_model: Path
) -> None:
    made = protocol(tmp_path, kind="cross-dataset", trained_on="nothing", metrics=["ca3", "ca5"])
    where = ("--protocol", made, "--data", data, "--output", tmp_path / "out")
    done = run("evaluate", fake_model, *where, "--smallest", 2)
    assert done.exit_code == 0, done.output
    head = next(line for line in done.output.splitlines() if "CA(" in line)
    assert head.split() == ["n", "CA(3),", "%", "CA(5),", "%"]


def test_the_same_weights_answer_every_fold(tmp_path: Path, data: Path, fake_model: Path) -> None:
    pytest.importorskip("sklearn")
    made = protocol(tmp_path, kind="k-fold", folds=3, grouping="none", seed=0)
    output = tmp_path / "out"
    done = run(
        "evaluate", fake_model, "--protocol", made, "--data", data, "--output", output, "--smallest", 2
    )
    assert done.exit_code == 0, done.output
    assert sorted(row.fold for row in report_files.read_predictions(output / "predictions.csv")) == sorted(
        "123" * 4
    )
    assert len((output / "folds.csv").read_text().splitlines()) == 4
    assert figures(output / "figures.csv")["all", "mean over folds", "mae"]["note"] == "3 folds"
    assert "answer the test pictures of all 3 folds" in (output / "report.html").read_text()


def test_photos_without_a_face_are_counted(tmp_path: Path, fake_model: Path) -> None:
    images = tmp_path / "FGNET" / "images"
    images.mkdir(parents=True)
    Image.new("RGB", (120, 100), "grey").save(images / "001A02.JPG", "JPEG")
    (images / "001A04.JPG").write_bytes(b"not a picture")
    made = protocol(tmp_path, dataset="fgnet", kind="cross-dataset", trained_on="nothing")
    done = run("evaluate", fake_model, "--protocol", made, "--data", tmp_path, "--output", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "2 pictures, 1 faces not found, 1 unreadable" in done.output
    assert "no face found" in (tmp_path / "out" / "left_out.csv").read_text()


def test_the_default_output_is_named_after_model_and_protocol(
    tmp_path: Path, data: Path, test_part: Path, fake_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("evaluate", fake_model, "--protocol", test_part, "--data", data, "--resamples", 5)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "reports" / "fake_made-test" / "report.html").is_file()


def test_a_recipe_is_trained_on_the_folds(
    tmp_path: Path, data: Path, test_part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}

    def run_folds(*arguments: object, **options: object) -> list[Scored]:
        asked["arguments"], asked["options"] = arguments, options
        return [
            Scored(name, name, 20.0, "male", None, 21.0, "male", 0.9, fold="test") for name in names(data)[3:]
        ]

    module = types.ModuleType("phiz.training.folds")
    module.run_folds = run_folds  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "phiz.training.folds", module)
    recipe = Path(__file__).parents[2] / "recipes" / "multitask-utkface-small.toml"
    output, cache = tmp_path / "out", tmp_path / "cache"
    done = run(
        *("evaluate", recipe, "--protocol", test_part, "--data", data, "--output", output, "--cache", cache),
        *("--engine", "ray", "--workers", 2, "--ray-address", "here:1", "--smallest", 2),
    )
    assert done.exit_code == 0, done.output
    assert asked["arguments"] == (recipe, test_part, data, output, cache)
    assert asked["options"] == {"engine": "ray", "workers": 2, "address": "here:1", "fan_weights": None}
    facts = json.loads((output / "provenance.json").read_text())
    assert facts["recipe"]["sha256"] == hashlib.sha256(recipe.read_bytes()).hexdigest()
    assert "model" not in facts
    assert float(figures(output / "figures.csv")["all", "all", "mae"]["value"]) == 1
    assert "no fold trains on what it tests" in (output / "report.html").read_text()


OPTIMISATION = "[optimisation]\nepochs = 1\n"
EYES, MOUTH = (
    "right_eye = [0.3, 0.3]\nleft_eye = [0.7, 0.3]\n",
    "right_mouth = [0.4, 0.7]\nleft_mouth = [0.6, 0.7]\n",
)
CROP = f"{EYES}{MOUTH}chip = [0.0, 0.0, 1.0]\n"


@pytest.mark.parametrize(
    ("start", "data_section", "through"),
    [
        ("", '[[train]]\ndataset = "utkface"', ""),
        ("other.pt", "", ""),
        ("same.pt", "", "UTKFace (its start same.pt)"),
        ("silent.pt", "", "what silent.pt learnt from (its start silent.pt)"),
        ("", '[data]\ntaught = "taught.csv"', "UTKFace (the teachers of taught.csv)"),
        (
            "same.pt",
            '[data]\ntaught = "taught.csv"',
            "UTKFace (its start same.pt) and UTKFace (the teachers of taught.csv)",
        ),
    ],
    ids=["its own split", "another start", "start", "a start that does not say", "teachers", "both"],
)
def test_a_recipe_promises_no_more_than_is_known(
    tmp_path: Path,
    data: Path,
    test_part: Path,
    monkeypatch: pytest.MonkeyPatch,
    start: str,
    data_section: str,
    through: str,
) -> None:
    checkpoint = pytest.importorskip("phiz.training.checkpoint", reason="the extra train brings PyTorch")
    from phiz.training import learnt, teachers

    said = {name: learnt.to_plain([learnt.of_data_set(name)]) for name in ("utkface", "fgnet")}
    checkpoint.save(tmp_path / "same.pt", {"net": {}, learnt.KEY: said["utkface"]})
    checkpoint.save(tmp_path / "other.pt", {"net": {}, learnt.KEY: said["fgnet"]})
    checkpoint.save(tmp_path / "silent.pt", {"net": {}})
    teachers.write_answers(tmp_path / "taught.csv", {"a": (1.0, 1.0, 0.5)}, {learnt.KEY: said["utkface"]})
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f'name = "r"\nseed = 1\nstart = "{start}"\n{data_section}\n[crop]\n{CROP}{OPTIMISATION}'
    )
    rows = [Scored(n, n, 20.0, "male", None, 21.0, "male", 0.9, fold="test") for n in names(data)[3:]]
    module = types.ModuleType("phiz.training.folds")
    module.run_folds = lambda *_, **__: rows  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "phiz.training.folds", module)
    done = run("evaluate", recipe, "--protocol", test_part, "--data", data, "--output", tmp_path / "out")
    assert done.exit_code == 0, done.output
    page = (tmp_path / "out" / "report.html").read_text()
    assert ("no fold trains on what it tests" in page) == (not through)
    assert (f"r also learnt from {through}: pictures tested here may be" in words(done.output)) == bool(
        through
    )
    assert ("r also learnt from" in page) == bool(through)


@pytest.mark.parametrize(
    ("beside", "promised"), [("", True), ("imdb", True), ("wiki", True), ("imdb-wiki", False)]
)
def test_the_folds_stand_in_place_of_their_own_data_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: str, promised: bool
) -> None:
    from phiz.cli.evaluate_command import _recipe
    from phiz.evaluation.protocols import Protocol

    recipe = tmp_path / "recipe.toml"
    sets = f'[[train]]\ndataset = "{beside}"\n' if beside else ""
    recipe.write_text(f'name = "r"\nseed = 1\n{sets}[crop]\n{CROP}{OPTIMISATION}')
    protocol = Protocol("folds", "Made here.", "imdb", "k-fold", tmp_path / "p.toml", folds=2)
    assert (_recipe(recipe, protocol)[2] == "") == promised


def test_other_models_join_the_plot(tmp_path: Path, data: Path, test_part: Path, fake_model: Path) -> None:
    ours = ("evaluate", fake_model, "--protocol", test_part, "--data", data, "--resamples", 5)
    assert run(*ours, "--output", tmp_path / "fake").exit_code == 0
    other = tmp_path / "fake" / "predictions.csv"
    done = run(*ours, "--output", tmp_path / "second", "--compare-with", other)
    assert done.exit_code == 0, done.output
    curve = (tmp_path / "second" / "cs_curve.csv").read_text().splitlines()
    assert {line.split(",")[0] for line in curve[1:]} == {"fake", "fake (other)"}

    report_files.write_predictions(tmp_path / "else.csv", [Scored("x.jpg", "x", 1.0, None, None, 2.0)])
    done = run(*ours, "--output", tmp_path / "third", "--compare-with", tmp_path / "else.csv")
    assert done.exit_code == 2
    assert "else.csv: expected predictions of the same pictures; none of 9" in words(done.output)


def test_a_model_tested_on_what_it_was_trained_on_is_cautioned(
    tmp_path: Path, data: Path, fake_model: Path
) -> None:
    card = json.loads(fake_model.with_suffix(".json").read_text())
    card["training_data"] = [{"name": "UTKFace", "terms": "made"}]
    fake_model.with_suffix(".json").write_text(json.dumps(card))
    made = protocol(tmp_path, kind="cross-dataset", trained_on="UTKFace")
    done = run("evaluate", fake_model, "--protocol", made, "--data", data, "--output", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "caution: fake was trained on UTKFace" in done.output
    assert "fake was trained on UTKFace" in (tmp_path / "out" / "report.html").read_text()


def test_what_cannot_be_measured_is_refused_before_any_work(
    tmp_path: Path, data: Path, test_part: Path, fake_model: Path
) -> None:
    ours = ("evaluate", fake_model, "--data", data, "--output", tmp_path / "out")
    (tmp_path / "file").touch()
    done = run(*ours, "--protocol", test_part, "--results", tmp_path / "file")
    assert (done.exit_code, "could not make the folder for the results" in words(done.output)) == (2, True)
    done = run(*ours, "--protocol", tmp_path / "absent.toml")
    assert (done.exit_code, "cannot read the protocol" in done.output) == (2, True)
    assert not (tmp_path / "out").exists()
    done = run("evaluate", "nobody", "--protocol", test_part, "--data", data)
    assert (done.exit_code, "no model is called 'nobody'" in done.output) == (2, True)
    for path in (data / "UTKFace").iterdir():
        path.unlink()
    done = run(*ours, "--protocol", protocol(tmp_path, kind="cross-dataset", trained_on="nothing"))
    assert done.exit_code == 2
    assert "phiz: " in done.output
    assert "expected pictures to test" in words(done.output)
