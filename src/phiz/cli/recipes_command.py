"""phiz recipes: the experiments that ship with phiz, as files to read, run and change."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from ..errors import RecipeError

#: What an experiment is made of; files name each other by where they lie among these.
FOLDERS = {"recipes": "**/*.toml", "protocols": "*.toml", "splits": "*.csv"}
#: setup.py puts them there in what is installed; a checkout has them at its root.
INSTALLED = Path(__file__).parents[1] / "experiments"


def recipes(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[FOLDER]", help="Where to write them; without it their names are listed."),
    ] = None,
) -> None:
    """List the recipes and protocols that ship with phiz, or write them to a folder, with their splits.

    Commands of the documentation then run in that folder as in a checkout. Nothing there is overwritten.
    Recipes that go on from earlier weights or from teachers' answers need those files of a checkout,
    recipes/start and recipes/taught.
    """
    root = INSTALLED if INSTALLED.is_dir() else Path(__file__).parents[3]
    found = {
        file.relative_to(root): file
        for name, kind in FOLDERS.items()
        for file in sorted((root / name).glob(kind))
    }
    if folder is None:
        for name in found:
            if name.suffix == ".toml":
                typer.echo(name.as_posix())
        return
    if there := [name for name in found if (folder / name).exists()]:
        raise RecipeError(f"{folder / there[0]}: expected no such file, got one; name another folder")
    for name, file in found.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / name)
    typer.echo(f"written: {', '.join(str(folder / name) for name in FOLDERS)}")
