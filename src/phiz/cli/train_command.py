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

    from ..training import run as age_gender
    from ..training.attributes import attribute_run as attributes
    from ..training.attributes.attribute_recipe import is_attribute_recipe, load_attribute_recipe
    from ..training.recipe import load_recipe

    if threads is not None:
        torch.set_num_threads(threads)

    def folder(name: str, used: int) -> Path:
        return output or Path("runs") / f"{name}-{used}"

    if is_attribute_recipe(recipe):
        faces = attributes.with_seed(load_attribute_recipe(recipe), seed)
        path = attributes.run(faces, data, folder(faces.name, faces.seed), cache, resume=resume, crops=crops)
    else:
        chosen = age_gender.with_seed(load_recipe(recipe), seed)
        chosen = age_gender.with_fan_weights(chosen, fan_weights)
        where = folder(chosen.name, chosen.seed)
        path = age_gender.run(chosen, data, where, cache, resume=resume, crops=crops)
    typer.echo(f"written: {path} and {path.with_suffix('.json')}")
