"""What a network has learnt from: its recipe's data sets, and those behind its start and its teachers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from phiz.datasets.registry import named
from phiz.models.card import UNKNOWN, TrainingData
from phiz.training import teachers

if TYPE_CHECKING:
    from phiz.training.attribute_recipe import AttributeRecipe
    from phiz.training.recipe import Recipe

    AnyRecipe = Recipe | AttributeRecipe

#: Under what a checkpoint, and a file of teachers' answers, says it.
KEY = "learnt from"
IMAGENET = TrainingData(
    "ImageNet", "non-commercial research (the weights to start from are published under Apache-2.0)"
)
RESEARCH_LICENSE = (
    "Weights trained on pictures that are licensed for non-commercial research only; "
    "use them within those terms. The code is Apache-2.0."
)
FREE_LICENSE = (
    "Weights trained on pictures whose terms do not exclude commercial use: read those terms in "
    "training_data, and name their sources. The code is Apache-2.0."
)
#: Data sets whose terms do not exclude commercial use.
FREE = ("fairface", "lagenda", "csv")
OWN_LICENSE = "Weights trained on your own pictures alone: their terms are yours. The code is Apache-2.0."

Learnt = tuple[TrainingData, ...]


def of_recipe(recipe: AnyRecipe) -> Learnt:
    """Return all that a recipe's network learns from, each once, nearest first."""
    return together(ways(recipe).values())


def ways(recipe: AnyRecipe) -> dict[str, Learnt]:
    """Return what a recipe's network learns from by the way in which it comes.

    Raises RecipeError where the start is not there or cannot be read.
    """
    found = {"[[train]]": tuple(of_data_set(name) for name in recipe.data_sets)}
    if recipe.start is not None:
        from phiz.training.checkpoint import check_start

        check_start(recipe)
        found[f"its start {recipe.start.name}"] = of_checkpoint(recipe.start)
    if answers := recipe.files.get(("data", "taught")):
        found[f"the teachers of {answers.name}"] = from_plain(teachers.read_about(answers).get(KEY), answers)
    if recipe.network.pretrained and recipe.start is None:
        found["its first weights"] = (IMAGENET,)
    return found


def beside_folds(recipe: Recipe, dataset: str) -> dict[str, Learnt]:
    """Return what folds of a data set learn from beside their own training pictures, as `ways` does.

    The same data set under the recipe's [[train]] does not count: the folds stand in its place.
    """
    return ways(replace(recipe, train=tuple(each for each in recipe.train if each.dataset != dataset)))


def of_data_set(name: str) -> TrainingData:
    """Return a data set of the registry as a card lists it."""
    return TrainingData(named(name).title, named(name).terms)


def of_run(recipe: AnyRecipe, folder: Path) -> Learnt:
    """Return what a run's best network has learnt from; by its recipe where an older phiz wrote the run."""
    from phiz.training.checkpoint import load_checkpoint

    plain = load_checkpoint(folder / "best.pt").get(KEY)
    return of_recipe(recipe) if plain is None else from_plain(plain, folder / "best.pt")


def of_checkpoint(path: Path) -> Learnt:
    """Return what a checkpoint's weights have learnt from. Raises RecipeError where it cannot be read."""
    # Here, since whoever trains by random weights need not wait for PyTorch to say what from.
    from phiz.training.checkpoint import load_checkpoint

    return from_plain(load_checkpoint(path).get(KEY), path)


def to_plain(learnt: Iterable[TrainingData]) -> list[list[str]]:
    """Return it as plain lists, for a checkpoint or a file."""
    return [[each.name, each.terms] for each in learnt]


def from_plain(plain: Any, path: Path) -> Learnt:
    """Return what `to_plain` made; where a file says nothing, that it does not."""
    if plain is None:
        return (TrainingData(f"what {path.name} learnt from", UNKNOWN),)
    return tuple(TrainingData(str(name), str(terms)) for name, terms in plain)


def together(groups: Iterable[Iterable[TrainingData]]) -> Learnt:
    """Return each data set of several groups once, in the order in which they come."""
    found: dict[str, TrainingData] = {}
    for each in chain(*groups):
        found.setdefault(each.name, each)
    return tuple(found.values())


def license_of(learnt: Sequence[TrainingData]) -> str:
    """Return what a card says of the weights' licence."""
    if set(learnt) == {of_data_set("csv")}:
        return OWN_LICENSE
    free = learnt and set(learnt) <= set(map(of_data_set, FREE))
    return FREE_LICENSE if free else RESEARCH_LICENSE
