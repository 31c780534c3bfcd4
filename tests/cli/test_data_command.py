"""The command `phiz data` on small trees made here."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from phiz.cli import app


def run(*arguments: object):
    return CliRunner().invoke(app, ["data", *map(str, arguments)])


def made_faces(folder: Path) -> Path:
    """Write 12 unlike chips, 8 of them female, a mirrored copy under another age, and a malformed name."""
    folder.mkdir()
    for number in range(12):
        coarse = np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((40, 40), Image.Resampling.BICUBIC)
        picture.save(folder / f"{20 + number}_{int(number >= 4)}_0_{number}.jpg", quality=100)
    picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "71_1_0_99.jpg", quality=95)
    (folder / "39_1_20170116.jpg.chip.jpg").write_bytes(b"")
    return folder


def test_an_unknown_data_set_is_refused(tmp_path: Path) -> None:
    assert "expected one of utkface, celeba, fgnet" in run("check", "lfw", tmp_path).output
    result = run("split", "fgnet", tmp_path, "--output", tmp_path / "s.csv")
    assert result.exit_code == 2
    assert "only measured on, never split" in " ".join(result.output.split())


def test_check_counts_and_gives_reasons(tmp_path: Path) -> None:
    result = run("check", "utkface", made_faces(tmp_path / "faces"))
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0] == "utkface: 13 pictures, 1 left out"
    assert "    female  9  ########################################" in lines
    assert "    male    4  ##################" in lines
    assert "    20-29  10  ########################################" in lines
    assert "  left out, no group field: 1 ('39_1_20170116.jpg.chip.jpg')" in lines
    assert "near-duplicates" not in result.output


def test_check_without_a_usable_picture_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "39_1_20170116.jpg.chip.jpg").touch()
    result = run("check", "utkface", tmp_path)
    assert result.output.startswith("utkface: 0 pictures, 1 left out\n")
    assert result.exit_code == 1


def test_check_looks_for_copies_past_a_damaged_picture(tmp_path: Path) -> None:
    folder = made_faces(tmp_path / "faces")
    (folder / "50_1_0_5.jpg").write_bytes(b"\xff\xd8\xff")
    result = run("check", "utkface", folder, "--near-duplicates", "--all")
    assert result.exit_code == 0, result.output
    assert "left out, picture not readable, not compared: 1\n    '50_1_0_5.jpg'" in result.output
    assert "2 pictures in 1 clusters; labels of one photo contradict in 1" in result.output
    assert "'31_1_0_11.jpg' 31 female, '71_1_0_99.jpg' 71 female" in result.output


def test_check_writes_a_contact_sheet(tmp_path: Path) -> None:
    folder = made_faces(tmp_path / "faces")
    (folder / "50_1_0_5.jpg").write_bytes(b"\xff\xd8\xff")
    result = run("check", "utkface", folder, "--contact-sheet", tmp_path / "sheet.png")
    assert result.exit_code == 0, result.output
    assert "not on the contact sheet: " in result.output
    assert "sheet.png: 14 pictures; mind the data set's terms" in result.output
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (1024, 288)


@pytest.mark.parametrize(
    ("name", "message"), [("s.txt", "a name that ends in .png"), ("no/s.png", "make it first")]
)
def test_check_refuses_a_contact_sheet_before_any_work(tmp_path: Path, name: str, message: str) -> None:
    result = run("check", "utkface", tmp_path / "absent", "--contact-sheet", tmp_path / name)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_check_of_a_malformed_data_set_says_which_file_and_line(tmp_path: Path) -> None:
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
        (tmp_path / "list").mkdir(exist_ok=True)
        (tmp_path / f"list/{part}_name.txt").write_text("1.jpg\n2.jpg\n")
        (tmp_path / f"list/{part}_age.txt").write_text("1\n200\n")
    (tmp_path / "train/2.jpg").write_bytes(b"")
    result = run("check", "megaage-asian", tmp_path)
    assert result.exit_code == 1  # nothing usable is left
    assert "megaage-asian: 0 pictures, 4 left out" in result.output
    assert "age 200 is outside 0 to 120: 2 ('list/train_name.txt:2 2.jpg'" in result.output
    assert "picture missing: 2 ('list/train_name.txt:1 1.jpg'" in result.output
    done = subprocess.run(
        [sys.executable, "-m", "phiz", "data", "check", "imdb", str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"phiz: {tmp_path / 'imdb.mat'}: expected a Matlab file, could not read it")
    assert "Traceback" not in done.stderr


def test_split_refuses_an_absent_output_folder_before_any_work(tmp_path: Path) -> None:
    result = run("split", "utkface", tmp_path / "none", "--output", tmp_path / "absent" / "s.csv")
    assert result.exit_code == 2
    assert "its folder does not exist; make it first" in " ".join(result.output.split())


def test_split_writes_the_same_file_twice(tmp_path: Path) -> None:
    folder = made_faces(tmp_path / "faces")
    for name in ("one.csv", "two.csv"):
        result = run(
            "split", "utkface", folder, "--output", tmp_path / name, "--conflicts", tmp_path / "c.csv"
        )
        assert result.exit_code == 0, result.output
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert len((tmp_path / "one.csv").read_text().splitlines()) == 2 + 13
    header, *rows = (tmp_path / "c.csv").read_text().splitlines()[1:]
    assert header == "file,cluster,age,gender,reason"
    assert sorted(row.split(",")[0] for row in rows) == ["31_1_0_11.jpg", "71_1_0_99.jpg"]


def test_split_names_a_damaged_picture(tmp_path: Path) -> None:
    folder = made_faces(tmp_path / "faces")
    (folder / "50_1_0_5.jpg").write_bytes(b"\xff\xd8\xff")
    result = run("split", "utkface", folder, "--output", tmp_path / "s.csv")
    assert result.exit_code == 2
    assert "50_1_0_5.jpg: expected a picture, could not read it" in result.output


def test_importing_readers_and_splits_needs_no_pillow_and_no_scipy() -> None:
    """The package itself is replaced by an empty one: what phiz imports is not what the readers need."""
    code = (
        "import types, sys; sys.modules['phiz'] = m = types.ModuleType('phiz'); m.__path__ = [sys.argv[1]]; "
        "sys.modules.update(PIL=None, scipy=None, h5py=None); "
        "import phiz.datasets.registry, phiz.datasets.splits, phiz.datasets.description"
    )
    package = Path(sys.modules["phiz"].__file__ or "").parent
    subprocess.run([sys.executable, "-c", code, str(package)], check=True)
