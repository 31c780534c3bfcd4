"""phiz recipes: what ships is listed, and written so that it works where it was written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from phiz import cli
from phiz.cli import recipes_command

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> object:
    return CliRunner().invoke(cli.app, ["recipes", *arguments], prog_name="phiz")


def test_all_recipes_and_protocols_are_listed() -> None:
    listed = run().output.splitlines()
    assert listed[0].startswith("recipes/")
    files = [*(ROOT / "recipes").rglob("*.toml"), *(ROOT / "protocols").glob("*.toml")]
    assert sorted(listed) == sorted(file.relative_to(ROOT).as_posix() for file in files)


def test_what_is_written_is_read_where_it_lies(tmp_path: Path) -> None:
    from phiz.evaluation.protocols import load_protocol
    from phiz.training.recipe import load_recipe

    done = run(str(tmp_path))
    assert done.output == f"written: {', '.join(str(tmp_path / name) for name in recipes_command.FOLDERS)}\n"
    assert load_protocol(tmp_path / "protocols" / "utkface-test.toml").name == "utkface-test"
    recipe = load_recipe(tmp_path / "recipes" / "multitask-utkface-small.toml")
    named = {file.resolve() for file in recipe.files.values()}
    assert tmp_path / "splits" / "utkface.csv" in named
    assert [file for file in named if not file.is_relative_to(tmp_path) or not file.exists()] == []
    assert (tmp_path / "splits" / "utkface.csv").read_bytes() == (
        ROOT / "splits" / "utkface.csv"
    ).read_bytes()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "protocols").mkdir()
    mine = tmp_path / "protocols" / "utkface-test.toml"
    mine.write_text("mine")
    done = run(str(tmp_path))
    assert done.output == f"phiz: {mine}: expected no such file, got one; name another folder\n"
    assert done.exit_code == 2
    assert mine.read_text() == "mine"
    assert not (tmp_path / "recipes").exists()


def test_an_installed_package_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "recipes").mkdir()
    shutil.copy(ROOT / "recipes" / "multitask-utkface-small.toml", tmp_path / "recipes" / "mine.toml")
    monkeypatch.setattr(recipes_command, "INSTALLED", tmp_path)
    assert run().output == "recipes/mine.toml\n"
