"""TOML tables to dataclasses, with errors that name the file and the key."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_type_hints

from phiz.crop import CropTemplate, finite
from phiz.errors import ModelError, RecipeError


def head(path: Path, table: dict[str, Any]) -> dict[str, Any]:
    """Return what every recipe begins with: name, seed, start, crop and its own path. Raises RecipeError.

    The keys "name", "seed" and "crop" must be there; start is None for random weights.
    """
    try:
        crop = CropTemplate.from_dict(table["crop"])
    except ModelError as error:
        raise RecipeError(f"{path}: {error}") from error
    start = typed(path, "start", table.get("start", ""), str)
    return {
        "name": typed(path, "name", table["name"], str),
        "seed": typed(path, "seed", table["seed"], int),
        "start": path.parent / start if start else None,
        "crop": crop,
        "path": path,
    }


def section(path: Path, name: str, kind: type, table: Any) -> Any:
    """Return the section [name] as a dataclass; what has no default must be there. Raises RecipeError."""
    if not isinstance(table, dict):
        raise RecipeError(f"{path}: [{name}] must be a table, got {table!r}")
    known = {field.name for field in fields(kind)}
    needed = {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}
    check_keys(path, f"[{name}] ", table, known, needed)
    types = get_type_hints(kind)
    return kind(**{key: typed(path, f"[{name}] {key}", value, types[key]) for key, value in table.items()})


def check_one_device(path: Path, devices: int) -> None:
    """Raise RecipeError where several devices are asked for by what trains one network after another."""
    if devices != 1:
        raise RecipeError(
            f"{path}: [optimisation] devices must be 1 for folds and experiments, which train several "
            f"networks; got {devices}"
        )


def check_keys(
    path: Path, where: str, table: dict[str, Any], known: Collection[str], needed: Collection[str]
) -> None:
    """Raise RecipeError where the table has an unknown key or lacks one that is needed."""
    unknown, missing = sorted(set(table) - set(known)), sorted(set(needed) - set(table))
    if unknown:
        raise RecipeError(
            f"{path}: {where}unknown key {unknown[0]!r}; expected some of {', '.join(sorted(known))}"
        )
    if missing:
        raise RecipeError(f"{path}: {where}missing key {missing[0]!r}")


def typed(path: Path, where: str, value: Any, kind: Any) -> Any:
    """Return the value as `kind`: an int, float, str or bool, or a tuple of floats or of texts.

    A whole number counts as a float. Raises RecipeError.
    """
    if kind is float and finite(value):
        return float(value)
    for inner, fits in ((float, finite), (str, lambda item: type(item) is str)):
        wanted = kind == tuple[inner, ...] and isinstance(value, list)  # type: ignore[valid-type]
        if wanted and all(map(fits, value)):
            return tuple(inner(item) for item in value)
    if kind in (int, str, bool) and type(value) is kind:
        return value
    names: dict[Any, str] = {float: "finite number"}
    names |= {tuple[float, ...]: "list of finite numbers", tuple[str, ...]: "list of texts"}
    name = names.get(kind) or getattr(kind, "__name__", str(kind))
    raise RecipeError(f"{path}: {where} must be of type {name}, got {value!r}")
