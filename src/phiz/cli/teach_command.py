"""phiz teach: let larger models say what a smaller one shall learn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Cache


def teach(
    recipe: Annotated[Path, typer.Argument(help="The recipe whose training pictures are asked about.")],
    output: Annotated[Path, typer.Option(help="The CSV file to write; name it in [data] taught.")],
    teacher: Annotated[
        list[str],
        typer.Option(help="A model's name or its .onnx file; repeat for several, which are averaged."),
    ],
    data: Annotated[Path, typer.Option(help="Folder that holds the data sets.")] = Path("../shared/data"),
    cache: Cache = Path("runs/cache"),
) -> None:
    """Write teachers' ages and genders of a recipe's training pictures, for distillation."""
    from ..training.recipe import load_recipe
    from ..training.teach import teach as ask

    count = ask(teacher, load_recipe(recipe), data, cache, output)
    typer.echo(f"written: {output}, {count:,} pictures")
