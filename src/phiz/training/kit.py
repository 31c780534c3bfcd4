"""What `phiz crops` packs of a recipe and `phiz train --crops` takes: both kinds of recipe, one file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from phiz.training import packed
from phiz.training.attribute_data import Part
from phiz.training.attribute_recipe import AttributeRecipe
from phiz.training.crops import Crops, cutting
from phiz.training.fingerprint import Fingerprint, digest, of_recipe
from phiz.training.packed import Packed
from phiz.training.recipe import Recipe


def pack(recipe: Recipe | AttributeRecipe, parts: Mapping[str, Any], output: Path) -> int:
    """Write a recipe's crops with their labels, and return of how many pictures.

    parts: as run.load_parts gives them. Paths are shortened to a data set's folder and the file's name.
    Raises DataError.
    """
    packing = {name: _of_part(p) if isinstance(p, Part) else _packed(p) for name, p in parts.items()}
    packed.write(output, identity(recipe), packing)
    return sum(len(part.pixels) for part in packing.values())


def unpack(recipe: Recipe | AttributeRecipe, file: Path, cache: Path) -> dict[str, Any]:
    """Return the parts of a recipe, as run.load_parts does, from a file of `pack`. Raises DataError."""
    made = _part if isinstance(recipe, AttributeRecipe) else _crops
    return {name: made(part) for name, part in packed.read(file, identity(recipe), cache).items()}


def _part(part: Packed) -> Part:
    columns = part.columns
    return Part(
        crops=_crops(part),
        labels=columns["labels"],
        keys=tuple(columns["keys"].tolist()),
        clusters=tuple(columns["clusters"].tolist()),
        groups=tuple(group or None for group in columns["groups"].tolist()),
        missed=int(columns["missed"][0]),
    )


def identity(recipe: Recipe | AttributeRecipe) -> Fingerprint:
    """Return what crops and labels follow from.

    Recipes that share it can share a file, whatever they train.
    """
    found = {
        "crop": digest(recipe.crop.to_dict()),
        "size": digest(recipe.network.size),
        **{
            name: made_by
            for name, made_by in of_recipe(recipe).items()
            if name.startswith(("[data]", "[[train]]", "[[validation]]"))
        },
    }
    if isinstance(recipe, AttributeRecipe):
        return found | {"attributes": digest(list(recipe.attributes))}
    return found | cutting(recipe.data.aligner, recipe.fan_weights)


def _of_part(part: Part) -> Packed:
    columns = {
        "labels": part.labels,
        "keys": np.array(part.keys),
        "clusters": np.array(part.clusters),
        "groups": np.array([group or "" for group in part.groups]),
        "missed": np.array([part.missed]),
    }
    return Packed(part.crops.pixels, columns | dict(_packed(part.crops).columns))


def _packed(crops: Crops) -> Packed:
    short = np.array(["/".join(Path(path).parts[-2:]) for path in crops.paths.tolist()])
    return Packed(crops.pixels, {name: getattr(crops, name) for name in _LABELS} | {"paths": short})


def _crops(part: Packed) -> Crops:
    return Crops(part.pixels, **{name: part.columns[name] for name in (*_LABELS, "paths")})


#: The columns of a part beside its paths.
_LABELS = ("age", "female", "taught", "age_range")
