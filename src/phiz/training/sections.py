"""Sections that recipes of every task have: which pictures, how to optimise, how crops are changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from phiz.datasets.registry import DATA_SETS
from phiz.errors import RecipeError
from phiz.training.toml_settings import section

#: What `split` says instead of a file: published parts; parts drawn by person; FG-NET's tuning people.
OFFICIAL, PERSON, TUNING = "official", "person", "tuning"
SPLITS = (OFFICIAL, PERSON, TUNING)


@dataclass(frozen=True, slots=True)
class FaceSet:
    """The pictures of one part of a data set: those that train, or those that validate; see sets.py.

    dataset: a key of datasets.registry.DATA_SETS. split: what divides it, a file relative to the recipe's
    folder, or "official": the parts that it publishes, of which what it gives no part trains; "person": 80%
    of the people train, 10% validate, 10% test, published parts staying what they are; "tuning": FG-NET's
    twelve tuning people validate, the others train.
    """

    dataset: str
    split: str = OFFICIAL


@dataclass(frozen=True, slots=True)
class TrainingSet(FaceSet):
    """A data set that is trained on; a label that it lacks is not learnt from it.

    share: of its pictures, drawn anew for each epoch. without: file of pictures that are left out, such as
    contradicting labels, relative to the recipe's folder; "" for none.
    """

    share: float = 1.0
    without: str = ""


@dataclass(frozen=True, slots=True)
class ValidationSet(FaceSet):
    """A data set that epochs and settings are chosen on; poor: on it as a poor camera sees it, too."""

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


def sets(path: Path, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data sets that a recipe names under [[train]] and [[validation]]. Raises RecipeError."""
    found: dict[str, Any] = {}
    for name, kind in (("train", TrainingSet), ("validation", ValidationSet)):
        tables = table.get(name, [])
        if not isinstance(tables, list):
            raise RecipeError(f"{path}: expected [[{name}]] for each data set, got [{name}]")
        found[name] = tuple(section(path, f"[{name}]", kind, each) for each in tables)
        check_sets(path, name, found[name])
    return found


def check_sets(path: Path, name: str, chosen: Sequence[FaceSet]) -> None:
    """Raise RecipeError where [[name]] lists a data set that there is not, or twice, or a wrong share."""
    named = [each.dataset for each in chosen]
    for each in chosen:
        if each.dataset not in DATA_SETS:
            known = ", ".join(DATA_SETS)
            raise RecipeError(f"{path}: [[{name}]] dataset must be one of {known}, got {each.dataset!r}")
        if named.count(each.dataset) > 1:
            raise RecipeError(f"{path}: [[{name}]] must name each data set once, got {each.dataset!r} twice")
        if each.split == TUNING and each.dataset != "fgnet":
            raise RecipeError(
                f"{path}: [[{name}]] split = {TUNING!r} divides fgnet alone, got it for {each.dataset!r}"
            )
        if isinstance(each, TrainingSet) and not 0 < each.share <= 1:
            raise RecipeError(f"{path}: [[{name}]] share must be over 0 and at most 1, got {each.share}")


def files_of(folder: Path, name: str, chosen: Sequence[FaceSet]) -> dict[tuple[str, str], Path]:
    """Return the files that the sets under [[name]] mean, by section and key. folder: the recipe's."""
    found = {}
    for each in chosen:
        for key, value in asdict(each).items():
            if (key == "split" and value not in SPLITS) or (key == "without" and value):
                found[f"[{name}]", f"{key} of {each.dataset}"] = folder / value
    return found


def plain(name: str, chosen: Sequence[FaceSet], files: Mapping[tuple[str, str], Path]) -> list[Any]:
    """Return sets as plain values for a digest, without the names of files, whose contents count."""
    return [
        {k: v for k, v in asdict(each).items() if (f"[{name}]", f"{k} of {each.dataset}") not in files}
        for each in chosen
    ]


def check_choices(path: Path, optimisation: Optimisation) -> None:
    """Raise RecipeError where a device or a precision is none that training knows."""
    for key, known in _CHOICES.items():
        if (value := getattr(optimisation, key)) not in known:
            raise RecipeError(
                f"{path}: [optimisation] {key} must be one of {', '.join(known)}, got {value!r}"
            )


_CHOICES = {
    "device": ("auto", "cpu", "cuda", "mps"),
    "precision": ("32-true", "bf16-mixed", "16-mixed"),
}
