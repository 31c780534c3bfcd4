import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from phiz.cli import app

pytest.importorskip("sklearn")

FILES = Path(__file__).parents[2] / "protocols"
LEAVE_ONE_OUT = FILES / "fgnet-leave-one-person-out.toml"


def run(*arguments: object):
    return CliRunner().invoke(app, ["protocols", *map(str, arguments)], prog_name="phiz")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Folder of data sets with an FG-NET of three people; only the names of its pictures matter here."""
    pictures = tmp_path / "data" / "FGNET" / "images"
    pictures.mkdir(parents=True)
    for name in ("001A02.JPG", "001A05.JPG", "002A30.JPG", "003A08a.JPG", "003A08b.JPG", "003A40.JPG"):
        (pictures / name).touch()
    return tmp_path / "data"


def test_list_names_every_protocol() -> None:
    done = run("list", FILES)
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert lines[0].split() == ["name", "data", "set", "kind", "about"]
    assert [line.split()[0] for line in lines[1:]] == sorted(path.stem for path in FILES.glob("*.toml"))
    line = next(line for line in lines if line.startswith("morph2-5-fold-random "))
    assert "k-fold" in line
    assert "at random without regard to people" in line


def test_list_of_a_folder_without_protocols(tmp_path: Path) -> None:
    done = run("list", tmp_path)
    assert done.exit_code == 2
    assert done.output == (
        f"phiz: {tmp_path}: expected a folder of protocol files (.toml), got none; "
        "phiz recipes FOLDER writes those that ship with phiz\n"
    )


def test_show_prints_the_settings() -> None:
    assert "split: official\npart: test\n" in run("show", FILES / "megaage-asian.toml").output
    lines = run("show", FILES / "utkface-5-fold.toml").output.splitlines()
    assert {"dataset: utkface", "kind: k-fold", "folds: 5", "grouping: near-duplicate", "seed: 0"} <= set(
        lines
    )
    assert not [line for line in lines if line.startswith(("train", "repeats", "part"))]


def test_show_counts_the_folds_of_the_data_at_hand(data: Path) -> None:
    done = run("show", LEAVE_ONE_OUT, "--data", data)
    assert done.output.splitlines()[-3:] == [
        "fold 001: 4 train, 2 test",
        "fold 002: 5 train, 1 test",
        "fold 003: 3 train, 3 test",
    ]


def test_save_writes_what_another_tool_can_read(data: Path, tmp_path: Path) -> None:
    done = run("save", LEAVE_ONE_OUT, "--data", data, "--output", tmp_path / "folds.csv")
    assert done.output == f"{tmp_path / 'folds.csv'}: 3 folds, 6 pictures tested\n"
    with (tmp_path / "folds.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows if (row["fold"], row["part"]) == ("002", "test")] == ["002A30.JPG"]
    assert len(rows) == 3 * 6


def test_wrong_arguments(data: Path, tmp_path: Path) -> None:
    done = run("save", LEAVE_ONE_OUT, "--data", data, "--output", tmp_path / "absent" / "folds.csv")
    assert done.exit_code == 2
    assert "its folder does not exist; make it first" in " ".join(done.output.split())
    done = run("show", tmp_path / "absent.toml")
    assert (done.exit_code, done.output) == (
        2,
        f"phiz: {tmp_path / 'absent.toml'}: cannot read the protocol: No such file or directory; "
        "phiz recipes FOLDER writes those that ship with phiz\n",
    )
    done = run("show", LEAVE_ONE_OUT, "--data", tmp_path)
    assert done.exit_code == 2
    assert "expected FG-NET's folder" in done.output
