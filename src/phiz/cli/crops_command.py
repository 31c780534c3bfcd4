"""phiz crops: a recipe's crops and labels in one file, to train elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Cache


def crops(
    recipe: Annotated[Path, typer.Argument(help="The recipe, a TOML file.")],
    output: Annotated[Path, typer.Option(help="The file to write.")],
    data: Annotated[Path, typer.Option(help="Folder that holds the data sets.")] = Path("../shared/data"),
    cache: Cache = Path("runs/cache"),
) -> None:
    """Write all that training by a recipe takes of the pictures into one file, for phiz train --crops FILE.

    The crops are JPEGs in it, so that half a million fit on a disk that is rented for a day.
    """
    from ..training.kit import pack
    from ..training.run import load_any_recipe, load_parts

    chosen = load_any_recipe(recipe)
    count = pack(chosen, load_parts(chosen, data, cache), output)
    typer.echo(f"written: {output}, {count:,} crops, {output.stat().st_size / 1e6:,.1f} MB")
    typer.echo("it holds faces: the terms of their data sets go with it, do not publish it", err=True)
