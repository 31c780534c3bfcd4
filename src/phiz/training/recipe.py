"""A recipe: one TOML file that holds every choice of one training run."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from phiz.crop import CropTemplate
from phiz.errors import ModelError, RecipeError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True, slots=True)
class Data:
    """What is trained on; paths of splits are relative to the recipe's folder.

    utkface: split file of UTKFace; "" for a recipe that trains on the folds of a protocol.
    conflicts: file of contradicting labels, left out of training.
    celeba: split file of CelebA, whose pictures teach gender only; "" for none.
    celeba_share: share of CelebA's training pictures drawn anew for each epoch.
    limit: at most this many pictures of each part and data set (a quick try); 0 for all.
    aligner: what aligns the crop: "detector" as in analysis, or the data set's own "landmarks" (FG-NET).
    """

    utkface: str = ""
    conflicts: str = ""
    celeba: str = ""
    celeba_share: float = 0.0
    limit: int = 0
    aligner: str = "detector"


@dataclass(frozen=True, slots=True)
class Optimisation:
    """AdamW with a warm-up and a cosine decay, weights averaged exponentially.

    average: decay per step of the weight average that is evaluated and shipped.
    """

    epochs: int
    batch: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup_epochs: float = 1.0
    average: float = 0.999
    dropout: float = 0.2


@dataclass(frozen=True, slots=True)
class Loss:
    """Weights of the loss terms; see losses.multitask_loss.

    main, auxiliary, ensemble: weights of the three output pairs. age, gender: of the two tasks.
    distribution: of the label-distribution term beside the mean absolute error; sigma: its width in years.
    smoothing: gender labels are pulled this far towards 1/2, because some are wrong.
    """

    main: float = 1.0
    auxiliary: float = 0.3
    ensemble: float = 0.5
    age: float = 0.1
    gender: float = 1.0
    distribution: float = 0.0
    sigma: float = 3.0
    smoothing: float = 0.0


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Random changes to a training crop; see augment.augment.

    rotation: degrees. scale: relative, 0.1 for 0.9 to 1.1. shift: share of the side. brightness,
    contrast, saturation: relative. grey, blur, noise, erase: probabilities.
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


@dataclass(frozen=True, slots=True)
class Decision:
    """How the three branches are combined: "fixed" weights below, or "fitted" on the validation part."""

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
    optimisation: Optimisation
    loss: Loss
    augmentation: Augmentation
    decision: Decision
    path: Path


def load_recipe(path: Path | str) -> Recipe:
    """Read a recipe.

    Raises: RecipeError where the file is missing, is no TOML, or has an unknown key, a missing
    key or a value of the wrong kind.
    """
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"{path}: cannot read the recipe: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not a TOML file: {error}") from error
    sections = {"data": Data, "optimisation": Optimisation, "loss": Loss}
    sections |= {"augmentation": Augmentation, "decision": Decision}
    _check_keys(
        path,
        "",
        table,
        {"name", "seed", "start", "crop", *sections},
        {"name", "seed", "crop", "optimisation"},
    )
    try:
        crop = CropTemplate.from_dict(table["crop"])
    except ModelError as error:
        raise RecipeError(f"{path}: {error}") from error
    parts = {name: _section(path, name, kind, table.get(name, {})) for name, kind in sections.items()}
    start = _typed(path, "start", table.get("start", ""), str)
    recipe = Recipe(
        name=_typed(path, "name", table["name"], str),
        seed=_typed(path, "seed", table["seed"], int),
        start=path.parent / start if start else None,
        crop=crop,
        path=path,
        **parts,
    )
    if recipe.decision.weights not in ("fixed", "fitted"):
        raise RecipeError(
            f'{path}: [decision] weights must be "fixed" or "fitted", got {recipe.decision.weights!r}'
        )
    if recipe.data.aligner not in ("detector", "landmarks"):
        raise RecipeError(
            f'{path}: [data] aligner must be "detector" or "landmarks", got {recipe.data.aligner!r}'
        )
    for task in ("age", "gender"):
        weights = getattr(recipe.decision, task)
        if len(weights) != 3 or min(weights) < 0 or abs(sum(weights) - 1) > 1e-3:
            raise RecipeError(
                f"{path}: [decision] {task} must be three weights that sum to 1, got {list(weights)}"
            )
    return recipe


def _section(path: Path, name: str, kind: type, table: Any) -> Any:
    if not isinstance(table, dict):
        raise RecipeError(f"{path}: [{name}] must be a table, got {table!r}")
    known = {field.name for field in fields(kind)}
    needed = {"epochs"} if kind is Optimisation else set()
    _check_keys(path, f"[{name}] ", table, known, needed)
    types = get_type_hints(kind)
    return kind(**{key: _typed(path, f"[{name}] {key}", value, types[key]) for key, value in table.items()})


def _check_keys(path: Path, where: str, table: dict[str, Any], known: set[str], needed: set[str]) -> None:
    unknown, missing = sorted(set(table) - known), sorted(needed - set(table))
    if unknown:
        raise RecipeError(
            f"{path}: {where}unknown key {unknown[0]!r}; expected some of {', '.join(sorted(known))}"
        )
    if missing:
        raise RecipeError(f"{path}: {where}missing key {missing[0]!r}")


def _typed(path: Path, where: str, value: Any, kind: Any) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if (
        kind == tuple[float, ...]
        and isinstance(value, list)
        and all(isinstance(v, (int, float)) for v in value)
    ):
        return tuple(float(v) for v in value)
    if kind in (int, float, str, bool) and type(value) is kind:
        return value
    name = getattr(kind, "__name__", str(kind)) if kind in (int, float, str, bool) else "list of numbers"
    raise RecipeError(f"{path}: {where} must be of type {name}, got {value!r}")
