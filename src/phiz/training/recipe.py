"""A recipe: one TOML file that holds every choice of one training run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phiz.crop import CropTemplate
from phiz.datasets.registry import DATA_SETS
from phiz.errors import RecipeError
from phiz.landmarks import LANDMARKERS
from phiz.networks.network import Network
from phiz.toml_file import read_toml
from phiz.training.settings import check_keys, head, section

#: Data sets that [data] further takes; UTKFace, CelebA and FIW are trained on by their split files.
FURTHER = tuple(name for name in DATA_SETS if name not in ("utkface", "celeba", "fiw"))
#: The small networks at 64 pixels that multitask is compared with.
RIVALS = ("ssr-net", "c3ae", "mobilenet-v1-025", "densenet-19", "lmtcnn")
#: Kinds of pictures that [validation] takes.
DOMAINS = ("utkface", "celeba", "fiw", "fgnet")
#: What aligns the crops: the detector as in analysis, the data set's own points, or a landmark finder.
ALIGNERS = ("detector", "landmarks", *LANDMARKERS)


@dataclass(frozen=True, slots=True)
class Data:
    """What is trained on; paths of splits are relative to the recipe's folder.

    utkface: split file of UTKFace; "" for a recipe that trains on the folds of a protocol.
    conflicts: file of contradicting labels, left out of training.
    celeba: split file of CelebA, whose pictures teach gender only; "" for none.
    celeba_share: share of CelebA's training pictures drawn anew for each epoch.
    fiw, fiw_share: the same of Families in the Wild.
    balance: how evenly cells of age band and gender are drawn, 0 as they are to 1 all alike, within each data
    set; see sampling.weights.
    suspects: file of suspected labels (dataset, file), drawn suspect_weight times as often as others; "" for
    none.
    turned: folder of faces turned to the side, made of the training pictures by tools/turn_faces.py; "" for
    none. turned_share: share of them drawn for each epoch.
    further: further data sets to train on, by their names in docs/datasets.md, such as ("imdb-wiki",): all
    pictures but those of an official validation or test part; an age or gender that a set lacks is not
    learnt.
    taught: answers of larger networks on the training pictures, a file that `phiz teach` wrote; "" for none.
    limit: at most this many pictures of each part and data set (a quick try); 0 for all.
    aligner: what aligns the crop: "detector" as in analysis, the data set's own "landmarks" (FG-NET), or
    those that "mesh" or "fan" finds (phiz.landmarks).
    fan_weights: file of FAN's weights; "" for the copy that its package fetches at first use.
    """

    utkface: str = ""
    conflicts: str = ""
    celeba: str = ""
    celeba_share: float = 0.0
    fiw: str = ""
    fiw_share: float = 0.0
    balance: float = 0.0
    suspects: str = ""
    suspect_weight: float = 0.5
    turned: str = ""
    turned_share: float = 0.0
    further: tuple[str, ...] = ()
    taught: str = ""
    limit: int = 0
    aligner: str = "detector"
    fan_weights: str = ""


@dataclass(frozen=True, slots=True)
class Validation:
    """What epochs and settings are chosen on; see domains.py.

    domains: some of "utkface", "celeba", "fiw" (the validation parts of [data]'s splits) and "fgnet" (its
    twelve tuning people); "utkface" is always among them. poor: each of them again as a poor camera sees it.
    """

    domains: tuple[str, ...] = ("utkface",)
    poor: bool = False


@dataclass(frozen=True, slots=True)
class Optimisation:
    """AdamW with a warm-up and a cosine decay, weights averaged exponentially.

    average: decay per step of the weight average that is evaluated and shipped.
    layer_decay: each layer's rate is this times the next deeper one's; below 1 spares early layers.
    frozen: parts of the network that stay as they start, such as "backbone.conv_stem": neither their weights
    nor the statistics of their batch norms change, and no time goes into their gradients.
    patience: stop after so many epochs without a better validation score; 0 never.
    device: "auto" (a GPU where there is one), "cpu", "cuda" or "mps". devices: how many GPUs.
    precision: "32-true", or "bf16-mixed" and "16-mixed" for networks that gain by it.
    """

    epochs: int
    batch: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup_epochs: float = 1.0
    average: float = 0.999
    dropout: float = 0.2
    layer_decay: float = 1.0
    frozen: tuple[str, ...] = ()
    patience: int = 0
    device: str = "auto"
    devices: int = 1
    precision: str = "32-true"


@dataclass(frozen=True, slots=True)
class Loss:
    """Weights of the loss terms; see losses.multitask_loss.

    main, auxiliary, ensemble: weights of the three output pairs; a network with one pair has main alone.
    age, gender: of the two tasks. absolute, distribution, cross_entropy, mean, variance: of the age task's
    terms, see losses.py. sigma: width of the label distribution in years. smoothing: gender labels are pulled
    this far towards 1/2, because some are wrong. taught_age, taught_gender: share of a task's loss that comes
    from the teachers' answers rather than the labels, where [data] taught names them.
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
    sigma: float = 3.0
    smoothing: float = 0.0
    taught_age: float = 0.5
    taught_gender: float = 0.5


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Random changes to a training crop; see augment.augment. What is zero draws nothing.

    rotation: degrees. scale: relative, 0.1 for 0.9 to 1.1. shift: share of the side. keypoints: the
    detector's error in each point that aligns a crop, a standard deviation as a share of the crop's side.
    brightness, contrast, saturation: relative. grey, blur, noise, erase: probabilities.

    The camera (camera.py). exposure, cast: stops, of all colours and of each by itself. light, lens, motion,
    shrink, sensor, jpeg: probabilities of light from one side, of blur by focus and by motion, of few pixels,
    of noise and of JPEG. mask, scarf, hat, glasses, patch, corners: probabilities of what hides parts of a
    face (covers.py).

    rise: share of the epochs over which all this grows to its full strength, from `faint` of it. gentle:
    share of the epochs, the last ones, in which it is `faint` again. faint: a share of each spread and
    probability; flip never changes.
    """

    flip: bool = True
    rotation: float = 10.0
    scale: float = 0.1
    shift: float = 0.05
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    grey: float = 0.05
    blur: float = 0.05
    noise: float = 0.05
    erase: float = 0.1
    keypoints: float = 0.0
    exposure: float = 0.0
    cast: float = 0.0
    light: float = 0.0
    lens: float = 0.0
    motion: float = 0.0
    shrink: float = 0.0
    sensor: float = 0.0
    jpeg: float = 0.0
    mask: float = 0.0
    scarf: float = 0.0
    hat: float = 0.0
    glasses: float = 0.0
    patch: float = 0.0
    corners: float = 0.0
    rise: float = 0.0
    gentle: float = 0.0
    faint: float = 0.3


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

    start: checkpoint to start from; None for random weights.
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
    validation: Validation = Validation()

    @property
    def data_sets(self) -> tuple[str, ...]:
        """Return the names of the data sets that are trained on, beside the folds of a protocol."""
        utkface = ("utkface",) if self.data.utkface else ()
        celeba = ("celeba",) if self.data.celeba and self.data.celeba_share > 0 else ()
        fiw = ("fiw",) if self.data.fiw and self.data.fiw_share > 0 else ()
        return (*utkface, *celeba, *fiw, *self.data.further)

    @property
    def files(self) -> dict[tuple[str, str], Path]:
        """Return the files that are named beside start, by section and key."""
        keys = ("utkface", "conflicts", "celeba", "fiw", "suspects", "taught", "fan_weights")
        named = {key: getattr(self.data, key) for key in keys}
        return {("data", key): self.path.parent / name for key, name in named.items() if name}


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
    sections |= {"augmentation": Augmentation, "decision": Decision, "validation": Validation}
    check_keys(
        path,
        "",
        table,
        {"name", "seed", "start", "crop", *sections},
        {"name", "seed", "crop", "optimisation"},
    )
    parts = {name: section(path, name, kind, table.get(name, {})) for name, kind in sections.items()}
    branches = parts["network"].branches
    if branches < 3:
        parts["decision"] = _fewer_branches(path, parts["network"], table)
    recipe = Recipe(**head(path, table), **parts)
    if recipe.decision.weights not in ("fixed", "fitted"):
        raise RecipeError(
            f'{path}: [decision] weights must be "fixed" or "fitted", got {recipe.decision.weights!r}'
        )
    if recipe.data.aligner not in ALIGNERS:
        raise RecipeError(
            f"{path}: [data] aligner must be one of {', '.join(ALIGNERS)}, got {recipe.data.aligner!r}"
        )
    if wrong := set(recipe.data.further) - set(FURTHER):
        raise RecipeError(
            f"{path}: [data] further takes data sets among {', '.join(FURTHER)}, got {min(wrong)!r}"
        )
    for task in ("age", "gender"):
        if not 0 <= (share := getattr(recipe.loss, f"taught_{task}")) <= 1:
            raise RecipeError(f"{path}: [loss] taught_{task} is a share from 0 to 1, got {share}")
        weights = getattr(recipe.decision, task)
        if len(weights) != branches or min(weights) < 0 or abs(sum(weights) - 1) > 1e-3:
            raise RecipeError(
                f"{path}: [decision] {task} must be {_NUMBER[branches]} that sum to 1, got {list(weights)}"
            )
    _check_domains(recipe)
    _check_choices(recipe)
    return recipe


def _check_domains(recipe: Recipe) -> None:
    path, data, domains = recipe.path, recipe.data, recipe.validation.domains
    if wrong := set(domains) - set(DOMAINS):
        raise RecipeError(
            f"{path}: [validation] domains takes some of {', '.join(DOMAINS)}, got {min(wrong)!r}"
        )
    if "utkface" not in domains:
        raise RecipeError(f"{path}: [validation] domains must hold 'utkface', got {list(domains)}")
    for name in ("celeba", "fiw"):
        if name in domains and not getattr(data, name):
            raise RecipeError(
                f"{path}: [validation] domains names {name!r}, whose split [data] {name} must name"
            )
    for name in ("celeba_share", "fiw_share", "turned_share", "balance", "suspect_weight"):
        if not 0 <= (value := getattr(data, name)) <= 1:
            raise RecipeError(f"{path}: [data] {name} is a share from 0 to 1, got {value}")


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


def check_choices(path: Path, optimisation: Optimisation) -> None:
    """Raise RecipeError where a device or a precision is none that training knows."""
    for key, known in _CHOICES.items():
        if (value := getattr(optimisation, key)) not in known:
            raise RecipeError(
                f"{path}: [optimisation] {key} must be one of {', '.join(known)}, got {value!r}"
            )


_NUMBER = {1: "one weight", 2: "two weights", 3: "three weights"}
#: Parts of the network multitask that a recipe may leave out.
_SWITCHES = ("auxiliary", "ensemble", "separable")
#: Terms of the age loss that need a distribution.
_OF_BINS = ("distribution", "cross_entropy", "variance")
_CHOICES = {
    "device": ("auto", "cpu", "cuda", "mps"),
    "precision": ("32-true", "bf16-mixed", "16-mixed"),
}
