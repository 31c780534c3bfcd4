"""One run of a recipe of either task: pictures to crops, crops to a network, that to the shipped pair."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from phiz.errors import RecipeError
from phiz.training import age_gender_data, attribute_data, kit
from phiz.training.age_gender import AgeAndGender
from phiz.training.attribute_recipe import AttributeRecipe, is_attribute_recipe, load_attribute_recipe
from phiz.training.attribute_task import Attributes
from phiz.training.checkpoint import check_recipe, check_start
from phiz.training.learnt import of_run
from phiz.training.loop import Task, filled, train
from phiz.training.recipe import Recipe, load_recipe
from phiz.training.sets import BOTH

AnyRecipe = TypeVar("AnyRecipe", bound=Recipe | AttributeRecipe)


def load_any_recipe(path: Path) -> Recipe | AttributeRecipe:
    """Read a recipe of age and gender or of attributes, whichever its file says. Raises RecipeError."""
    return load_attribute_recipe(path) if is_attribute_recipe(path) else load_recipe(path)


def with_seed(recipe: AnyRecipe, seed: int | None) -> AnyRecipe:
    """Return the recipe under another seed, for the runs that measure how much the seed matters."""
    return recipe if seed is None else replace(recipe, seed=seed)


def load_parts(
    recipe: Recipe | AttributeRecipe, data: Path, cache: Path, parts: Collection[str] = BOTH
) -> dict[str, Any]:
    """Return a recipe's pictures and labels as "train NAME" and "validation NAME".

    Crops are cut if need be. parts: which of the two kinds. Raises DataError.
    """
    if isinstance(recipe, AttributeRecipe):
        return attribute_data.load_parts(recipe, data, cache, parts)
    return age_gender_data.load_parts(recipe, data, cache, parts)


def task_of(recipe: Recipe | AttributeRecipe, parts: dict[str, Any]) -> Task[Any]:
    """Return what is learnt, from parts as `load_parts` gives them; none for a network to be filled."""
    return Attributes(recipe, parts) if isinstance(recipe, AttributeRecipe) else AgeAndGender(recipe, parts)


def run(
    recipe: Recipe | AttributeRecipe,
    data: Path,
    output: Path,
    cache: Path,
    *,
    resume: bool = False,
    crops: Path | None = None,
) -> Path:
    """Train `recipe` on the data sets in `data` (UTKFace/, CelebA/, ...) and return the exported ONNX path.

    output: folder for log, checkpoints and the exported pair. cache: folder for the cut crops. crops: a file
    of `phiz crops` to train from alone; data is not looked at then.
    Raises: DataError where pictures or split files are missing; RecipeError, before any work, where the
    checkpoint to start from is.
    """
    check_start(recipe)
    if not (recipe.train and recipe.validation):
        raise RecipeError(
            f"{recipe.path}: expected data sets under [[train]] and [[validation]]; a recipe without trains "
            "the folds of a protocol: phiz evaluate RECIPE --protocol FILE"
        )
    task = task_of(recipe, kit.unpack(recipe, crops, cache) if crops else load_parts(recipe, data, cache))
    task.check()
    learnt = task.learnt()
    return task.finish(train(task, output, resume=resume), output, learnt)


def export_run(recipe: Recipe | AttributeRecipe, folder: Path, data: Path, cache: Path, output: Path) -> Path:
    """Export the best network of a run's folder into output and return the ONNX path.

    Raises: RecipeError where another recipe trained it; DataError where pictures are missing.
    """
    check_recipe(recipe, folder / "best.pt")
    task = task_of(recipe, load_parts(recipe, data, cache, ["validation"]))
    return task.finish(filled(task.blank(), folder), output, of_run(recipe, folder))
