"""The whole command on one made chip of the bundled portrait."""

import csv
import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from phiz.cli import app
from phiz.data import ASTRONAUT as PHOTO

pytest.importorskip("matplotlib")
pytest.importorskip("scipy")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A UTKFace of one chip of the portrait and a grey one, in which no face is found; its protocol."""
    folder = tmp_path / "data" / "UTKFace"
    folder.mkdir(parents=True)
    chip = Image.open(PHOTO).convert("RGB").crop((150, 0, 330, 180)).resize((200, 200))
    chip.save(folder / "35_1_0_1.jpg.chip.jpg", quality=95)
    Image.new("RGB", (200, 200), (90, 90, 90)).save(folder / "20_0_0_2.jpg.chip.jpg")
    text = 'name = "made"\nabout = "a"\ndataset = "utkface"\nkind = "cross-dataset"\ntrained_on = "nothing"\n'
    (tmp_path / "made.toml").write_text(text)
    return tmp_path


def test_one_face_at_every_strength(made: Path, fake_model: Path) -> None:
    output = made / "out"
    done = CliRunner().invoke(
        app,
        [
            *(
                "robustness",
                str(fake_model),
                "--data",
                str(made / "data"),
                "--protocol",
                str(made / "made.toml"),
            ),
            *("--output", str(output), "--workers", "1", "--resamples", "10"),
        ],
    )
    assert done.exit_code == 0, done.output
    assert "2 pictures, a face found in 1" in done.output
    assert all(len(line) <= 100 for line in done.output.splitlines() if not line.startswith("written"))
    with (output / "fake_made.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = {(row["kind"], int(row["strength"]), row["measure"]): float(row["value"]) for row in rows}
    # The fake model's age is a quarter of the mean pixel; the true age is 35.
    clean = found["as it is", 0, "error"]
    dark = found["darkness", 5, "moved"] / found["darkness", 1, "moved"]
    assert dark == pytest.approx((1 - 2 ** (-5 / 2.2)) / (1 - 2 ** (-1 / 2.2)), rel=0.03)
    assert found["brightness", 5, "error"] != clean
    facts = json.loads((output / "fake_made.json").read_text())
    assert (facts["pictures"], facts["faces not found"], facts["cropped"]) == (2, 1, True)
    svg = (output / "fake_made.svg").read_text()
    assert all(word in svg for word in ("defocus blur", "rotation", "gender flipped", "strength"))


def test_an_unknown_model_is_named_before_any_work(made: Path) -> None:
    done = CliRunner().invoke(app, ["robustness", "nobody", "--data", str(made), "--output", str(made / "o")])
    assert done.exit_code != 0
    assert "no model is called 'nobody'" in done.output + str(done.stderr)
