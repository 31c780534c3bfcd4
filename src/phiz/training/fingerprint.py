"""The identity of what is cached or resumed: named parts, so that an error can say which of them differs."""

from __future__ import annotations

import hashlib
import json
import os
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from phiz.training.sections import plain

if TYPE_CHECKING:
    from phiz.training.attribute_recipe import AttributeRecipe
    from phiz.training.recipe import Recipe

#: SHA-256 of each part, by the part's name.
Fingerprint = dict[str, str]


def digest(value: Any) -> str:
    """Return the SHA-256 of a value of plain types, in hexadecimal digits; paths count by their text."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def of_file(path: Path) -> str:
    """Return the SHA-256 of a file's contents, "" where it cannot be read: whoever needs it says so."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def of_pictures(paths: Iterable[Path | str]) -> str:
    """Return the SHA-256 of where pictures lie, of their sizes in bytes and of their times of change."""
    folders: dict[str, str] = {}
    seen: list[Any] = []
    for path in paths:
        folder, name = os.path.split(path)
        if folder not in folders:
            folders[folder] = os.path.realpath(folder)
        try:
            status = os.stat(path)
        except OSError:  # whoever reads it says why it cannot be read
            seen.append([folders[folder], name])
        else:
            seen.append([folders[folder], name, status.st_size, status.st_mtime_ns])
    return digest(seen)


def of_package(package: ModuleType) -> str:
    """Return the SHA-256 of what a package of networks answers by: its weights, cards and constants.

    Files in weights/ count by their contents; of its modules every constant of plain types, such as a
    threshold.
    """
    folder = Path(package.__path__[0])
    files = sorted(path for path in (folder / "weights").iterdir() if path.suffix in (".onnx", ".json"))
    names = sorted(name for _, name, _ in pkgutil.iter_modules(package.__path__, f"{package.__name__}."))
    constants = {
        f"{module.__name__}.{name}": repr(value)
        for module in (package, *map(import_module, names))
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, (int, float, str, tuple, dict))
    }
    return digest([{path.name: of_file(path) for path in files}, constants])


def of_recipe(recipe: Recipe | AttributeRecipe) -> Fingerprint:
    """Return the identity of a recipe: of each section, and of the contents of each file that it names."""
    parts: Fingerprint = {}
    for name in (field.name for field in fields(recipe)):
        value = getattr(recipe, name)
        if name == "start":
            parts[name] = of_file(value) if value else ""
        elif name in ("train", "validation"):
            parts[f"[[{name}]]"] = digest(plain(name, value, recipe.files))
        elif is_dataclass(value) and not isinstance(value, type):
            kept = {key: v for key, v in asdict(value).items() if (name, key) not in recipe.files}
            parts[f"[{name}]"] = digest(kept)
        elif name != "path":
            parts[name] = digest(value)
    return parts | {f"[{section}] {key}": of_file(path) for (section, key), path in recipe.files.items()}


def differing(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the names of the parts that differ or that only one of the two has."""
    return [name for name in {**before, **now} if before.get(name) != now.get(name)]
