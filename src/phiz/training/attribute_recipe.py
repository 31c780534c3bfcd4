"""A recipe for attributes: one TOML file that holds every choice of one training run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phiz.crop import CropTemplate
from phiz.datasets.attribute_names import CELEBA
from phiz.errors import RecipeError
from phiz.networks.attribute_net import HEADS, AttributeNetwork
from phiz.toml_file import read_toml
from phiz.training.sections import (
    Augmentation,
    FaceSet,
    Optimisation,
    TrainingSet,
    ValidationSet,
    check_choices,
    check_sets,
    files_of,
    sets,
)
from phiz.training.toml_settings import check_keys, head, section, typed

#: What a recipe's `task` says.
TASK = "attributes"
#: Value of `group` for as many pictures of each group.
BALANCED = "balanced"


@dataclass(frozen=True, slots=True)
class AttributeData:
    """Which of the pictures and labels.

    group: train and validate on this group's pictures alone, or "balanced" on as many of each; "" for all.
    young_until: the last age in years that counts as Young where a data set has ages and no such attribute; 0
    for none. limit: at most this many pictures of each part and data set; 0 for all.
    """

    group: str = ""
    young_until: float = 0.0
    limit: int = 0


@dataclass(frozen=True, slots=True)
class AttributeLoss:
    """Binary cross-entropy over all known labels.

    first, final: weights of Label2Label's two answers. balance: the rarer side of an attribute counts up to
    (commoner / rarer) ** balance times, at most 20: 0 for no weights, 1 for as much as the commoner side.
    smoothing: labels are pulled this far towards 1/2. mixup: probability that a batch is mixed with itself in
    another order; beta: of the beta distribution that the share is drawn from.
    """

    first: float = 1.0
    final: float = 1.0
    balance: float = 0.0
    smoothing: float = 0.0
    mixup: float = 0.0
    beta: float = 0.5


@dataclass(frozen=True, slots=True)
class AttributeDecision:
    """bar: balanced accuracy on validation from which an attribute is shown by default."""

    bar: float = 0.9


@dataclass(frozen=True, slots=True)
class AttributeRecipe:
    """Everything one run needs beside the pictures.

    attributes: the network's outputs, in order. start: checkpoint to start from, whose attributes are the
    first of these; None for random weights. train, validation: the data sets. source: where forgetting is
    measured after fine-tuning.
    """

    name: str
    seed: int
    start: Path | None
    attributes: tuple[str, ...]
    crop: CropTemplate
    data: AttributeData
    source: FaceSet | None
    network: AttributeNetwork
    optimisation: Optimisation
    loss: AttributeLoss
    augmentation: Augmentation
    decision: AttributeDecision
    path: Path
    train: tuple[TrainingSet, ...]
    validation: tuple[ValidationSet, ...]

    @property
    def data_sets(self) -> tuple[str, ...]:
        """Return the names of the data sets that are trained on."""
        return tuple(each.dataset for each in self.train)

    @property
    def files(self) -> dict[tuple[str, str], Path]:
        """Return the files that are named beside start, by section and key."""
        folder, source = self.path.parent, () if self.source is None else (self.source,)
        named = {"train": self.train, "validation": self.validation, "source": source}
        return {
            key: path for name, sets in named.items() for key, path in files_of(folder, name, sets).items()
        }


def is_attribute_recipe(path: Path | str) -> bool:
    """Whether a recipe's file says that its task is attributes. Raises RecipeError where it is no TOML."""
    return read_toml(Path(path), "recipe").get("task") == TASK


def load_attribute_recipe(path: Path | str) -> AttributeRecipe:
    """Read a recipe.

    Raises: RecipeError where the file is missing, is no TOML, or has an unknown key, a missing key or a value
    that does not fit.
    """
    path = Path(path)
    table = read_toml(path, "recipe")
    sections: dict[str, type] = {
        "network": AttributeNetwork,
        "optimisation": Optimisation,
        "loss": AttributeLoss,
        "augmentation": Augmentation,
        "decision": AttributeDecision,
        "data": AttributeData,
    }
    known = {
        "task",
        "name",
        "seed",
        "start",
        "attributes",
        "crop",
        "train",
        "validation",
        "source",
        *sections,
    }
    check_keys(
        path, "", table, known, {"task", "name", "seed", "crop", "train", "validation", "optimisation"}
    )
    if table["task"] != TASK:
        raise RecipeError(f'{path}: task must be "{TASK}", got {table["task"]!r}')
    source = section(path, "source", FaceSet, table["source"]) if "source" in table else None
    if source:
        check_sets(path, "source", [source])
    recipe = AttributeRecipe(
        **head(path, table),
        attributes=typed(path, "attributes", table.get("attributes", list(CELEBA)), tuple[str, ...]),
        source=source,
        **sets(path, table),
        **{name: section(path, name, kind, table.get(name, {})) for name, kind in sections.items()},
    )
    _check(recipe)
    return recipe


def _check(recipe: AttributeRecipe) -> None:
    path, network, loss = recipe.path, recipe.network, recipe.loss
    if len(set(recipe.attributes)) != len(recipe.attributes) or not recipe.attributes:
        raise RecipeError(f"{path}: attributes must be names, each once")
    unfit: list[tuple[str, bool, Any, str]] = [
        ("network] head", network.head in HEADS, network.head, f"one of {', '.join(HEADS)}"),
        ("network] size", network.size >= 32, network.size, "at least 32 pixels"),
        ("network] layers", network.layers >= 1, network.layers, "at least 1"),
        ("network] query_layers", network.query_layers >= 1, network.query_layers, "at least 1"),
        ("network] heads", network.heads >= 1, network.heads, "at least 1"),
        ("network] mask", 0 <= network.mask < 1, network.mask, "from 0 to below 1"),
        ("loss] balance", 0 <= loss.balance <= 1, loss.balance, "from 0 to 1"),
        ("loss] mixup", 0 <= loss.mixup <= 1, loss.mixup, "from 0 to 1"),
        ("loss] beta", loss.beta > 0, loss.beta, "over 0"),
        ("decision] bar", 0.5 <= recipe.decision.bar <= 1, recipe.decision.bar, "from 0.5 to 1"),
    ]
    for key, fits, value, expected in unfit:
        if not fits:
            raise RecipeError(f"{path}: [{key} must be {expected}, got {value!r}")
    if network.width % 4 or network.width % network.heads:
        raise RecipeError(
            f"{path}: [network] width must be a multiple of 4 and of heads, got {network.width} and "
            f"{network.heads} heads"
        )
    if network.backbone == "mobilefacenet" and (network.size % 16 or network.pretrained):
        raise RecipeError(
            f"{path}: [network] mobilefacenet takes a size that is a multiple of 16, and pretrained = false"
        )
    check_choices(path, recipe.optimisation)
