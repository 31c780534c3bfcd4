"""The whole command on small trees made here, with the model that the tests make."""

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from phiz.cli import app
from phiz.datasets.record import FaceRecord
from phiz.datasets.splits import SplitRow, write_split
from phiz.errors import DataError
from phiz.evaluation.run import score, select
from phiz.types import Face, Result

testing = pytest.importorskip("typer.testing")


def run(*arguments: object):
    return testing.CliRunner().invoke(app, [str(argument) for argument in arguments])


def grey_chips(folder: Path) -> Path:
    """Write chips of one grey each; the fake model says age = grey / 4, female where grey >= 128."""
    folder.mkdir()
    for number in range(12):
        grey = 80 + 12 * number
        age, gender = grey // 4 + number % 3, int(grey >= 128)
        Image.fromarray(np.full((40, 40, 3), grey, np.uint8)).save(
            folder / f"{age}_{gender}_0_{number}.jpg.chip.jpg", quality=100
        )
    (folder / "39_1_20170116.jpg.chip.jpg").write_bytes(b"")
    return folder


def figures(path: Path) -> dict[tuple[str, str, str], dict[str, str]]:
    with path.open(newline="") as file:
        return {(r["group_kind"], r["group_value"], r["metric"]): r for r in csv.DictReader(file)}


def test_evaluate_measures_a_part_of_a_split(tmp_path: Path, fake_model: Path) -> None:
    folder = grey_chips(tmp_path / "faces")
    names = sorted(path.name for path in folder.iterdir() if len(path.name.split("_")) == 4)
    split = tmp_path / "split.csv"
    write_split(
        split, [SplitRow(n, "train" if i < 3 else "test", i // 2) for i, n in enumerate(names)], "made"
    )
    chosen = names[3:]
    errors = [int(name.split("_")[3].split(".")[0]) % 3 for name in chosen]

    result = run(
        *("evaluate", "--model", fake_model, "--data", folder, "--dataset", "utkface"),
        *("--split", split, "--part", "test", "--smallest", 2, "--seed", 3),
        *("--output", tmp_path / "out.csv", "--predictions", tmp_path / "each.csv"),
    )
    assert result.exit_code == 0, result.output
    assert "9 pictures, 0 faces not found, 0 unreadable, 1 left out by the reader" in result.output

    found = figures(tmp_path / "out.csv")
    assert float(found["all", "all", "mae"]["value"]) == pytest.approx(np.mean(errors), abs=0.05)
    assert found["all", "all", "mae"]["n"] == "9"
    assert float(found["all", "all", "gender_accuracy"]["value"]) == 1

    facts = json.loads((tmp_path / "out.json").read_text())
    assert facts["pictures"] == 9
    assert facts["cropped"] is True
    assert facts["part"] == "test"
    assert facts["bootstrap"]["seed"] == 3
    assert facts["model"] == {"name": "fake", "sha256": hashlib.sha256(fake_model.read_bytes()).hexdigest()}

    with (tmp_path / "each.csv").open(newline="") as file:
        each = list(csv.DictReader(file))
    assert [row["file"] for row in each] == chosen
    for row in each:
        grey = 80 + 12 * int(row["file"].split("_")[3].split(".")[0])
        assert float(row["age"]) == pytest.approx(grey / 4, abs=0.3)


def test_evaluate_counts_photos_without_a_face(tmp_path: Path, fake_model: Path) -> None:
    (tmp_path / "images").mkdir()
    Image.new("RGB", (120, 100), "grey").save(tmp_path / "images" / "001A02.JPG", "JPEG")
    (tmp_path / "images" / "001A04.JPG").write_bytes(b"not a picture")
    result = run(
        *("evaluate", "--model", fake_model, "--data", tmp_path, "--dataset", "fgnet"),
        *("--output", tmp_path / "out.csv"),
    )
    assert result.exit_code == 0, result.output
    assert "2 pictures, 1 faces not found, 1 unreadable" in result.output
    assert json.loads((tmp_path / "out.json").read_text())["faces not found"] == 1
    assert figures(tmp_path / "out.csv") == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "lfw"], "expected one of utkface, celeba, fgnet; got 'lfw'"),
        (["--dataset", "utkface", "--part", "test"], "--split and --part go together"),
        (["--dataset", "utkface", "--output", "absent/out.csv"], "its folder does not exist"),
        (["--dataset", "utkface", "--output", "out.txt"], "expected a name that ends in .csv"),
    ],
)
def test_wrong_options_are_refused_before_any_work(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    result = run("evaluate", "--data", tmp_path, "--output", tmp_path / "out.csv", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())

class Answers:
    """Says the same of every picture: two faces, the larger first."""

    def analyze_many(self, sources):
        for path in sources:
            faces = tuple(
                Face((0.0, 0.0, s, s), 0.9, (), age, "male", 0.8) for s, age in ((9.0, 31.0), (4.0, 7.0))
            )
            yield Result(str(path), 10, 10, faces)


def test_score_takes_the_largest_face() -> None:
    record = FaceRecord(Path("a/1.jpg"), age=30.0, subject="s")
    chosen, clusters = select([record], None, None)
    (row,) = score(chosen, clusters, Answers())
    assert (row.file, row.cluster, row.true_age, row.age, row.gender) == ("1.jpg", "s", 30.0, 31.0, "male")


def test_select_wants_the_whole_part(tmp_path: Path) -> None:
    write_split(tmp_path / "s.csv", [SplitRow("1.jpg", "test", 0), SplitRow("2.jpg", "test", 1)], "made")
    records = [FaceRecord(Path("1.jpg"))]
    with pytest.raises(DataError, match=r"expected all 2 pictures of part 'test', 1 are missing.* '2.jpg'"):
        select(records, tmp_path / "s.csv", "test")
    with pytest.raises(DataError, match="expected a part called 'dev'; it has test"):
        select(records, tmp_path / "s.csv", "dev")
