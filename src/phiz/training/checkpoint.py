"""Checkpoints: files of PyTorch that say what made them and what their weights have learnt from."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from phiz.errors import DataError, RecipeError
from phiz.toml_file import read_toml
from phiz.training.fingerprint import Fingerprint, differing, of_recipe

if TYPE_CHECKING:
    from phiz.training.attribute_recipe import AttributeRecipe
    from phiz.training.recipe import Recipe

#: Under what a checkpoint says which recipe, pictures and labels made it.
MADE_BY = "made by"
#: Parts of a recipe that may change between training and export.
NOT_ON_THE_CARD = ("name", "seed", "start", "[optimisation]", "[loss]", "[augmentation]", "[decision]")


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Write beside and rename, so that a kill leaves the old checkpoint or the new, never half of one."""
    part = path.with_suffix(".part")
    torch.save(dict(state), part)
    part.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Return all that a checkpoint holds, on the CPU. Raises RecipeError where it is none or unreadable."""
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        raise RecipeError(f"{path}: expected a checkpoint that phiz train wrote: {error}") from error
    if not isinstance(state, dict) or "net" not in state:
        raise RecipeError(f"{path}: expected a checkpoint that phiz train wrote, got another file of PyTorch")
    return state


def load_weights(path: Path) -> dict[str, Tensor]:
    """Return a checkpoint's network weights, by parameter. Raises RecipeError where it cannot be read."""
    weights: dict[str, Tensor] = load_checkpoint(path)["net"]
    return weights


def check_same(made_by: Fingerprint, state: Mapping[str, Any], path: Path) -> None:
    """Raise RecipeError, naming what differs, where a checkpoint is not of the run that is to go on."""
    if MADE_BY not in state:
        raise RecipeError(
            f"{path}: expected a checkpoint that says what made it, got one of an older phiz; train without "
            "--resume"
        )
    if parts := differing(state[MADE_BY], made_by):
        raise RecipeError(
            f"{path}: expected a checkpoint of this very run, got one that differs in {', '.join(parts)}; "
            "train without --resume, or into another --output"
        )


def check_recipe(recipe: Recipe | AttributeRecipe, path: Path) -> None:
    """Raise RecipeError where a checkpoint was trained otherwise than a recipe says, in what a card tells.

    Of a run from before recipes named data sets under [[train]] the pictures are not compared: the checkpoint
    itself says what it learnt from, and the card takes it from there.
    """
    before, now = load_checkpoint(path).get(MADE_BY, {}), of_recipe(recipe)
    left_out = NOT_ON_THE_CARD if "[[train]]" in before else (*NOT_ON_THE_CARD, "[data]")
    told = [name for name in now if name in before and name not in left_out]
    if parts := [name for name in told if before[name] != now[name]]:
        raise RecipeError(
            f"{path}: expected the recipe that trained it, got one that differs in {', '.join(parts)}; give "
            "that one with --recipe"
        )


def check_kept(folder: Path, made_by: Fingerprint, what: str) -> None:
    """Note in a folder what its answers are made by; DataError where they were made by anything else."""
    path = folder / "made_by.json"
    before: Any = None
    if path.exists():
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            before = {}
    if before is None:
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(made_by, indent=2) + "\n", encoding="utf-8")
        part.replace(path)
    elif parts := differing(before, made_by):
        raise DataError(
            f"{folder}: holds {what} of another run, which differs in {', '.join(parts)}; remove it or "
            "choose another --output"
        )


def check_start(recipe: Recipe | AttributeRecipe) -> None:
    """Raise RecipeError, saying how to make it, where the checkpoint to start from is not there."""
    start = recipe.start
    if start is None or start.exists():
        return
    maker = next((path for path in sorted(recipe.path.parent.glob("*.toml")) if _makes(path, start)), None)
    way = "train what makes it, which the recipe's first lines may say, or name another checkpoint"
    if maker:
        way = f"make it first: phiz train {maker} --data DIR --output {start.parent}"
    raise RecipeError(
        f"{recipe.path}: expected the checkpoint {start} to start from, got no such file; {way}"
    )


def _makes(path: Path, start: Path) -> bool:
    """Whether a recipe's run has the name of the folder that a checkpoint should lie in."""
    try:
        table = read_toml(path, "recipe")
    except RecipeError:
        return False
    return f"{table.get('name')}-{table.get('seed')}" == start.parent.name
