"""A recipe for attributes: one TOML file that holds every choice of one training run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from phiz.crop import CropTemplate
from phiz.datasets.attribute_names import CELEBA
from phiz.datasets.registry import DATA_SETS
from phiz.errors import RecipeError
from phiz.networks.attribute_net import HEADS, AttributeNetwork
from phiz.toml_file import read_toml
from phiz.training.recipe import Augmentation, Optimisation, check_choices
from phiz.training.settings import check_keys, head, section, typed

#: What a recipe's `task` says.
TASK = "attributes"
#: Value of `split` for the partition that the data set publishes, and for one of our own by person.
OFFICIAL, PERSON = "official", "person"
#: Value of `group` for as many pictures of each group.
BALANCED = "balanced"


@dataclass(frozen=True, slots=True)
class AttributeData:
    """Which pictures and labels.

    dataset: a key of datasets.registry.DATA_SETS. split: split file, in a recipe relative to its folder;
    "official"; or "person": 80% of the people train, 10% validate, 10% test. group: train and validate on
    this group's pictures alone, or "balanced" on as many of each; "" for all. young_until: the last age in
    years that counts as Young where the data set has ages and no such attribute; 0 for none. limit: at most
    this many pictures of each part; 0 for all.
    """

    dataset: str
    split: str
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
    first of these; None for random weights. source: where forgetting is measured after fine-tuning.
    """

    name: str
    seed: int
    start: Path | None
    attributes: tuple[str, ...]
    crop: CropTemplate
    data: AttributeData
    source: AttributeData | None
    network: AttributeNetwork
    optimisation: Optimisation
    loss: AttributeLoss
    augmentation: Augmentation
    decision: AttributeDecision
    path: Path

    @property
    def data_sets(self) -> tuple[str, ...]:
        """Return the names of the data sets that are trained on."""
        return (self.data.dataset,)

    @property
    def files(self) -> dict[tuple[str, str], Path]:
        """Return the files that are named beside start, by section and key."""
        named = {"data": self.data, **({"source": self.source} if self.source else {})}
        return {
            (section, "split"): Path(each.split)
            for section, each in named.items()
            if each.split not in (OFFICIAL, PERSON)
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
    }
    known = {"task", "name", "seed", "start", "attributes", "crop", "data", "source", *sections}
    check_keys(path, "", table, known, {"task", "name", "seed", "crop", "data", "optimisation"})
    if table["task"] != TASK:
        raise RecipeError(f'{path}: task must be "{TASK}", got {table["task"]!r}')
    source = _data(path, "source", table["source"]) if "source" in table else None
    recipe = AttributeRecipe(
        **head(path, table),
        attributes=typed(path, "attributes", table.get("attributes", list(CELEBA)), tuple[str, ...]),
        data=_data(path, "data", table["data"]),
        source=source,
        **{name: section(path, name, kind, table.get(name, {})) for name, kind in sections.items()},
    )
    _check(recipe)
    return recipe


def _data(path: Path, name: str, table: Any) -> AttributeData:
    data: AttributeData = section(path, name, AttributeData, table)
    if data.dataset not in DATA_SETS:
        names = ", ".join(DATA_SETS)
        raise RecipeError(f"{path}: [{name}] dataset must be one of {names}, got {data.dataset!r}")
    if data.split in (OFFICIAL, PERSON):
        return data
    return replace(data, split=str(path.parent / data.split))


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
