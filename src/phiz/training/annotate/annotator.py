"""An annotator: one recipe of gender, trained for each of several networks.

Source: the light network's papers, which labelled MegaAge-Asian by Inception-v3, Xception, ResNet-50 and
DenseNet-201 trained on All-Age-Faces, kept what all four agreed on and decided the rest by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from phiz.datasets.registry import DATA_SETS
from phiz.errors import RecipeError
from phiz.toml_file import read_toml
from phiz.training.age_gender import AgeAndGender
from phiz.training.age_gender_data import load_parts
from phiz.training.loop import train
from phiz.training.recipe import Recipe, recipe_of
from phiz.training.toml_settings import section

#: What a recipe's `task` says.
TASK = "annotation"


@dataclass(frozen=True, slots=True)
class Annotation:
    """What is labelled, and by whom.

    unlabelled: the data set to label, a key of datasets.registry.DATA_SETS; a gender that it has is not
    looked at. networks: names of timm, at least two. limit: at most this many pictures, evenly from all; 0
    for all.
    """

    unlabelled: str
    networks: tuple[str, ...]
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Annotator:
    """A recipe, the same for every network but for its name, and what it is for."""

    recipe: Recipe
    annotation: Annotation

    def recipes(self) -> Iterator[Recipe]:
        """Yield the recipe of each network."""
        for name in self.annotation.networks:
            yield replace(self.recipe, name=name, network=replace(self.recipe.network, name=name))


def load_annotator(path: Path) -> Annotator:
    """Read an annotator: a recipe with a section [annotation]. Raises RecipeError."""
    table = read_toml(path, "recipe")
    if (task := table.pop("task", None)) != TASK:
        raise RecipeError(f"{path}: expected a recipe with task = {TASK!r}, got {task!r}")
    if "annotation" not in table:
        raise RecipeError(f"{path}: missing section [annotation]; it names the data set and the networks")
    annotation = section(path, "annotation", Annotation, table.pop("annotation"))
    network = table.setdefault("network", {})
    if "name" in network:
        raise RecipeError(
            f"{path}: [network] name: expected the networks in [annotation] networks, got one here"
        )
    if annotation.unlabelled not in DATA_SETS:
        known = ", ".join(DATA_SETS)
        raise RecipeError(
            f"{path}: [annotation] unlabelled: expected a data set among {known}; got "
            f"{annotation.unlabelled!r}"
        )
    if len(set(annotation.networks)) < 2 or len(set(annotation.networks)) < len(annotation.networks):
        raise RecipeError(
            f"{path}: [annotation] networks: expected at least two different names, which can disagree; got "
            f"{list(annotation.networks)}"
        )
    network |= {"name": annotation.networks[0], "age": False}
    return Annotator(recipe_of(path, table), annotation)


def train_networks(annotator: Annotator, data: Path, folder: Path, cache: Path) -> list[Path]:
    """Train each network of an annotator that is not trained yet, and return their ONNX paths.

    folder: a run's folder for each network in it; one that was killed goes on from its last checkpoint.
    Raises: DataError where pictures or split files are missing.
    """
    parts, made = None, []
    for recipe in annotator.recipes():
        path = folder / recipe.name / f"{recipe.name}.onnx"
        if not path.with_suffix(".json").exists():  # the card is written last
            parts = parts or load_parts(recipe, data, cache)
            task = AgeAndGender(recipe, parts)
            learnt = task.learnt()
            task.finish(train(task, path.parent, resume=True), path.parent, learnt)
        made.append(path)
    return made
