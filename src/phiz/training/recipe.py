"""A recipe: one TOML file that holds every choice of one training run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from phiz.crop import CropTemplate
from phiz.errors import RecipeError
from phiz.landmarks import LANDMARKERS
from phiz.networks.network import Network
from phiz.toml_file import read_toml
from phiz.training.sections import (
    Augmentation,
    Optimisation,
    TrainingSet,
    ValidationSet,
    check_choices,
    files_of,
    sets,
)
from phiz.training.toml_settings import check_keys, head, section

#: The small networks at 64 pixels that multitask is compared with.
RIVALS = ("ssr-net", "c3ae", "mobilenet-v1-025", "densenet-19", "lmtcnn")
#: What aligns the crops: the detector as in analysis, the data set's own points, or a landmark finder.
ALIGNERS = ("detector", "landmarks", *LANDMARKERS)


@dataclass(frozen=True, slots=True)
class Data:
    """What is done with the pictures; paths are relative to the recipe's folder.

    balance: how evenly cells of age band and gender are drawn, 0 as they are to 1 all alike, within each data
    set; see sampling.weights.
    suspects: file of suspected labels (dataset, file), drawn suspect_weight times as often as others; "" for
    none.
    turned: folder of faces turned to the side, made of the training pictures by tools/turn_faces.py; "" for
    none. turned_share: share of them drawn for each epoch.
    taught: answers of larger networks on the training pictures, a file that `phiz teach` wrote; "" for none.
    limit: at most this many pictures of each part and data set (a quick try); 0 for all.
    aligner: what aligns the crop: "detector" as in analysis, the data set's own "landmarks" (FG-NET), or
    those that "mesh" or "fan" finds (phiz.landmarks).
    fan_weights: file of FAN's weights; "" for the copy that its package fetches at first use.
    """

    balance: float = 0.0
    suspects: str = ""
    suspect_weight: float = 0.5
    turned: str = ""
    turned_share: float = 0.0
    taught: str = ""
    limit: int = 0
    aligner: str = "detector"
    fan_weights: str = ""


@dataclass(frozen=True, slots=True)
class Loss:
    """Weights of the loss terms; see losses.multitask_loss.

    main, auxiliary, ensemble: weights of the three output pairs; a network with one pair has main alone.
    age, gender: of the two tasks. absolute, distribution, cross_entropy, mean, variance: of the age task's
    terms; range: of its term for an age that is a range; see losses.py. sigma: width of the label
    distribution in years. smoothing: gender labels are pulled this far towards 1/2, because some are wrong.
    taught_age, taught_gender: share of a task's loss that comes from the teachers' answers rather than the
    labels, where [data] taught names them.
    """

    main: float = 1.0
    auxiliary: float = 0.3
    ensemble: float = 0.5
    age: float = 0.1
    gender: float = 1.0
    absolute: float = 1.0
    distribution: float = 0.0
    cross_entropy: float = 0.0
    mean: float = 0.0
    variance: float = 0.0
    range: float = 1.0
    sigma: float = 3.0
    smoothing: float = 0.0
    taught_age: float = 0.5
    taught_gender: float = 0.5


@dataclass(frozen=True, slots=True)
class Decision:
    """How the three branches are combined: "fixed" weights below, or "fitted" on the validation part.

    A network with one pair of outputs has nothing to combine: "fixed", one weight of 1.
    """

    weights: str = "fitted"
    age: tuple[float, ...] = (1 / 3, 1 / 3, 1 / 3)
    gender: tuple[float, ...] = (1 / 3, 1 / 3, 1 / 3)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything one run needs beside the pictures.

    start: checkpoint to start from; None for random weights. train, validation: the data sets; a recipe for
    the folds of a protocol names those that train beside each fold, if any, and validates on none.
    """

    name: str
    seed: int
    start: Path | None
    crop: CropTemplate
    data: Data
    network: Network
    optimisation: Optimisation
    loss: Loss
    augmentation: Augmentation
    decision: Decision
    path: Path
    train: tuple[TrainingSet, ...] = ()
    validation: tuple[ValidationSet, ...] = ()

    @property
    def data_sets(self) -> tuple[str, ...]:
        """Return the names of the data sets that are trained on, beside the folds of a protocol."""
        return tuple(each.dataset for each in self.train)

    @property
    def fan_weights(self) -> Path | None:
        """Return the file of FAN's weights that is named, if any."""
        return self.files.get(("data", "fan_weights"))

    @property
    def files(self) -> dict[tuple[str, str], Path]:
        """Return the files that are named beside start, by section and key."""
        folder = self.path.parent
        named = {key: getattr(self.data, key) for key in ("suspects", "taught", "fan_weights")}
        return {
            **{("data", key): folder / name for key, name in named.items() if name},
            **files_of(folder, "train", self.train),
            **files_of(folder, "validation", self.validation),
        }


def load_recipe(path: Path | str) -> Recipe:
    """Read a recipe.

    Raises: RecipeError where the file is missing, is no TOML, or has an unknown key, a missing
    key or a value of the wrong kind.
    """
    path = Path(path)
    return recipe_of(path, read_toml(path, "recipe"))


def recipe_of(path: Path, table: dict[str, Any]) -> Recipe:
    """Return the recipe of a table that was read from a file; see load_recipe. Raises RecipeError."""
    if "task" in table:
        raise RecipeError(f"{path}: expected a recipe for age and gender, its task is {table['task']!r}")
    sections = {"data": Data, "network": Network, "optimisation": Optimisation, "loss": Loss}
    sections |= {"augmentation": Augmentation, "decision": Decision}
    check_keys(
        path,
        "",
        table,
        {"name", "seed", "start", "crop", "train", "validation", *sections},
        {"name", "seed", "crop", "optimisation"},
    )
    parts = {name: section(path, name, kind, table.get(name, {})) for name, kind in sections.items()}
    branches = parts["network"].branches
    if branches < 3:
        parts["decision"] = _fewer_branches(path, parts["network"], table)
    recipe = Recipe(**head(path, table), **parts, **sets(path, table))
    if recipe.decision.weights not in ("fixed", "fitted"):
        raise RecipeError(
            f'{path}: [decision] weights must be "fixed" or "fitted", got {recipe.decision.weights!r}'
        )
    if recipe.data.aligner not in ALIGNERS:
        raise RecipeError(
            f"{path}: [data] aligner must be one of {', '.join(ALIGNERS)}, got {recipe.data.aligner!r}"
        )
    for task in ("age", "gender"):
        if not 0 <= (share := getattr(recipe.loss, f"taught_{task}")) <= 1:
            raise RecipeError(f"{path}: [loss] taught_{task} is a share from 0 to 1, got {share}")
        weights = getattr(recipe.decision, task)
        if len(weights) != branches or min(weights) < 0 or abs(sum(weights) - 1) > 1e-3:
            raise RecipeError(
                f"{path}: [decision] {task} must be {_NUMBER[branches]} that sum to 1, got {list(weights)}"
            )
    _check_shares(recipe)
    _check_choices(recipe)
    return recipe


def with_fan_weights(recipe: Recipe, file: Path | None) -> Recipe:
    """Return the recipe with this file of FAN's weights, which need not lie where the recipe does."""
    if file is None:
        return recipe
    return replace(recipe, data=replace(recipe.data, fan_weights=str(file.absolute())))


def with_weights(recipe: Recipe, weights: str | None) -> Recipe:
    """Return the recipe with "fixed" or "fitted" branch weights, its name saying so where they differ.

    Raises RecipeError on another word.
    """
    if weights is None or weights == recipe.decision.weights:
        return recipe
    if weights not in ("fixed", "fitted"):
        raise RecipeError(f'branch weights must be "fixed" or "fitted", got {weights!r}')
    return replace(
        recipe, name=f"{recipe.name}-{weights}", decision=replace(recipe.decision, weights=weights)
    )


def _check_shares(recipe: Recipe) -> None:
    for name in ("turned_share", "balance", "suspect_weight"):
        if not 0 <= (value := getattr(recipe.data, name)) <= 1:
            raise RecipeError(f"{recipe.path}: [data] {name} is a share from 0 to 1, got {value}")


def _fewer_branches(path: Path, network: Network, table: dict[str, Any]) -> Decision:
    """Return the decision of a network that lacks a branch or two.

    Fitted on two, nothing to decide on one.
    """
    if "decision" in table:
        raise RecipeError(
            f"{path}: [decision] belongs to the network multitask with its three branches; this "
            f"{network.name} has {network.branches}; leave it out"
        )
    if network.branches == 1:
        return Decision("fixed", (1.0,), (1.0,))
    return Decision("fitted", (0.5, 0.5), (0.5, 0.5))


def _check_choices(recipe: Recipe) -> None:
    network = recipe.network
    small = network.name in ("multitask", *RIVALS)
    if small and (network.size != 64 or network.pretrained):
        raise RecipeError(
            f"{recipe.path}: [network] {network.name} takes 64 pixels and has no ImageNet weights; leave "
            "size and pretrained out"
        )
    whole = Network()
    switched = [key for key in _SWITCHES if getattr(network, key) != getattr(whole, key)]
    if network.name in RIVALS and not network.age:
        switched.insert(0, "age")
    if network.name != "multitask" and switched:
        raise RecipeError(
            f"{recipe.path}: [network] {switched[0]} belongs to the network multitask; {network.name} has "
            "nothing of the kind, leave it out"
        )
    if not network.gender and not network.age:
        raise RecipeError(f"{recipe.path}: [network] without age and without gender nothing is left to learn")
    if network.name == "ssr-net" and (terms := [key for key in _OF_BINS if getattr(recipe.loss, key) > 0]):
        raise RecipeError(
            f"{recipe.path}: [loss] {terms[0]} is of a distribution over ages; ssr-net answers one number, "
            "which takes absolute and mean alone"
        )
    if network.size < 32:
        raise RecipeError(f"{recipe.path}: [network] size must be at least 32 pixels, got {network.size}")
    check_choices(recipe.path, recipe.optimisation)


_NUMBER = {1: "one weight", 2: "two weights", 3: "three weights"}
#: Parts of the network multitask that a recipe may leave out.
_SWITCHES = ("auxiliary", "ensemble", "separable")
#: Terms of the age loss that need a distribution.
_OF_BINS = ("distribution", "cross_entropy", "variance")
