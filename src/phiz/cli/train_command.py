"""phiz train: make a model from a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Cache, FanWeights


def train(
    recipe: Annotated[Path, typer.Argument(help="The recipe, a TOML file.")],
    data: Annotated[Path, typer.Option(help="Folder that holds the data sets.")] = Path("../shared/data"),
    crops: Annotated[
        Path | None, typer.Option(help="Train from this file of phiz crops alone, without the pictures.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder of the run; runs/NAME-SEED by default.")] = None,
    cache: Cache = Path("runs/cache"),
    seed: Annotated[int | None, typer.Option(help="Use this seed rather than the recipe's.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores by default.")] = None,
    fan_weights: FanWeights = None,
    resume: Annotated[bool, typer.Option(help="Go on from the run's last checkpoint.")] = False,
) -> None:
    """Train by a recipe; writes the ONNX file, its card, log and checkpoints."""
    import torch

    from ..training.recipe import Recipe, with_fan_weights
    from ..training.run import load_any_recipe, run, with_seed

    if threads is not None:
        torch.set_num_threads(threads)
    chosen = with_seed(load_any_recipe(recipe), seed)
    if isinstance(chosen, Recipe):
        chosen = with_fan_weights(chosen, fan_weights)
    folder = output or Path("runs") / f"{chosen.name}-{chosen.seed}"
    path = run(chosen, data, folder, cache, resume=resume, crops=crops)
    typer.echo(f"written: {path} and {path.with_suffix('.json')}")
