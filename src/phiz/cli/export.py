"""phiz export: from a run's best checkpoint to the ONNX file and its card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a run, as phiz train wrote it.")],
    recipe: Annotated[Path, typer.Option(help="The recipe of that run.")],
    data: Annotated[Path, typer.Option(help="Folder that holds UTKFace/.")] = Path("../shared/data"),
    cache: Annotated[Path, typer.Option(help="Folder of the cut crops.")] = Path("runs/cache"),
    weights: Annotated[
        str | None, typer.Option(help="Branch weights: fixed or fitted; the recipe's by default.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder to write to; the run's by default.")] = None,
) -> None:
    """Export the best checkpoint so far, also of a run that was stopped early."""
    from ..training.loop import best_network
    from ..training.recipe import load_recipe
    from ..training.run import finish, load_parts, with_weights

    chosen = with_weights(load_recipe(recipe), weights)
    validation = load_parts(chosen, data, cache, ["validation"])["validation"]
    path = finish(chosen, best_network(run), validation, output or run)
    typer.echo(f"written: {path} and {path.with_suffix('.json')}")
