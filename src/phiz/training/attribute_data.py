"""Pictures and attribute labels of a recipe, part by part."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phiz.crop import CropTemplate
from phiz.datasets import registry
from phiz.datasets.record import FaceRecord
from phiz.errors import DataError
from phiz.training.attribute_recipe import BALANCED, AttributeData, AttributeRecipe
from phiz.training.crops import Crops, load_crops, of_crops
from phiz.training.fingerprint import Fingerprint, digest, of_pictures
from phiz.training.sections import FaceSet
from phiz.training.sets import BOTH, divided, records_of, spread

EVERYTHING = AttributeData()


@dataclass(frozen=True, slots=True)
class Part:
    """The pictures of one part on which a face was found, row by row.

    crops: their crops. labels: (N, A) float32, 1 present, 0 absent, NaN unknown, in the recipe's order of
    attributes. keys: names of the pictures. clusters: the person, or the copies of one photo.
    groups: the data set's group names, None where it has none. missed: pictures on which no face was found.
    """

    crops: Crops
    labels: NDArray[np.float32]
    keys: tuple[str, ...]
    clusters: tuple[str, ...]
    groups: tuple[str | None, ...]
    missed: int

    def __len__(self) -> int:
        return len(self.labels)


def load_part(
    chosen: FaceSet,
    name: str,
    root: Path,
    cache: Path,
    *,
    attributes: Sequence[str],
    template: CropTemplate,
    size: int,
    data: AttributeData = EVERYTHING,
    recipes: Path = Path(),
) -> Part:
    """Return one part ("train", "validation" or "test") of a data set under root, its crops cut if need be.

    attributes: the order of the labels. template, size: of the crop, size in pixels. data: which pictures and
    labels; the group counts in training and validation alone. recipes: the folder that a split file is
    relative to.
    Raises: DataError where the data set, the split or all the labels are missing.
    """
    whole = divided(chosen, recipes, root)
    records = records_of(chosen, name, recipes, root)
    if name != "test":
        records = _of_group(records, data.group)
    records = spread(records, data.limit)
    chips = registry.named(chosen.dataset).chips
    crops = load_crops(records, chips=chips, template=template, size=size, cache=cache)
    found = {str(record.path): record for record in records}
    kept = [found[path] for path in crops.paths.tolist()]
    labels = np.array([labels_of(r, attributes, data.young_until) for r in kept], np.float32)
    if not len(kept) or np.isnan(labels).all():
        raise DataError(
            f"{whole.folder}: expected faces with labels of attributes in the {name} part, such as "
            f"{attributes[0]}; got none"
        )
    keys = [registry.key(record, whole.folder) for record in kept]
    return Part(
        crops=crops,
        labels=labels,
        keys=tuple(keys),
        clusters=tuple(whole.clusters[key] for key in keys),
        groups=tuple(record.group for record in kept),
        missed=len(records) - len(kept),
    )


def part_of(recipe: AttributeRecipe, chosen: FaceSet, name: str, root: Path, cache: Path) -> Part:
    """Return one part of a data set as a recipe's network takes it; all of it where it is a test part."""
    return load_part(
        chosen,
        name,
        root,
        cache,
        attributes=recipe.attributes,
        template=recipe.crop,
        size=recipe.network.size,
        data=replace(recipe.data, limit=0) if name == "test" else recipe.data,
        recipes=recipe.path.parent,
    )


def load_parts(
    recipe: AttributeRecipe, root: Path, cache: Path, parts: Collection[str] = BOTH
) -> dict[str, Part]:
    """Return a recipe's data sets as "train NAME" and "validation NAME". parts: which of the two kinds."""
    named = {"train": recipe.train, "validation": recipe.validation}
    return {
        f"{part} {each.dataset}": part_of(recipe, each, part, root, cache)
        for part in parts
        for each in named[part]
    }


def frequencies(labels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how frequent each attribute is among the known labels: (N, A) -> (A,), 1/2 where none is known.

    One picture with and one without are added, so that no frequency is 0 or 1.
    """
    known = ~np.isnan(labels)
    present = np.nansum(labels, axis=0)
    return np.asarray((present + 1) / (known.sum(0) + 2), dtype=np.float32)


def of_parts(parts: Mapping[str, Part]) -> Fingerprint:
    """Return the identity of what is trained on or tested: the pictures and labels of each part."""
    found = of_crops({name: part.crops for name, part in parts.items()}, "detector")
    return found | {f"labels of {name}": digest(part.labels.tolist()) for name, part in parts.items()}


def of_data(recipe: AttributeRecipe, chosen: FaceSet, root: Path) -> Fingerprint:
    """Return the identity of all parts of a data set: its pictures, and what is known of each."""
    parts = divided(chosen, recipe.path.parent, root).records
    records = [record for name in parts for record in parts[name]]
    labels = [(r.group, labels_of(r, recipe.attributes, recipe.data.young_until)) for r in records]
    pictures = of_pictures(record.path for record in records)
    return {f"pictures of {chosen.dataset}": pictures, f"labels of {chosen.dataset}": digest(labels)}


def labels_of(record: FaceRecord, names: Collection[str], young_until: float) -> list[float]:
    """Return a record's labels in the order of names, NaN where unknown.

    Male is also known from the gender, and Young from the age where young_until, in years, is over 0.
    """
    known: dict[str, bool] = {}
    if record.gender is not None:
        known["Male"] = record.gender == "male"
    if record.age is not None and young_until > 0:
        known["Young"] = record.age <= young_until
    known |= record.attributes or {}
    return [float(known[name]) if name in known else np.nan for name in names]


def _of_group(records: Sequence[FaceRecord], group: str) -> list[FaceRecord]:
    """Return the records of a group, or as many of each group, chosen by the SHA-256 of their file names."""
    if not group:
        return list(records)
    members: dict[str, list[FaceRecord]] = defaultdict(list)
    for record in records:
        if record.group is not None:
            members[record.group].append(record)
    if group != BALANCED:
        if group not in members:
            raise DataError(
                f"expected pictures of the group {group!r}; there are {', '.join(sorted(members))}"
            )
        return members[group]
    if not members:
        raise DataError("expected pictures with groups to balance, the data set names none")
    fewest = min(map(len, members.values()))
    chosen = [record for name in sorted(members) for record in sorted(members[name], key=_drawn)[:fewest]]
    return sorted(chosen, key=_drawn)  # so that a limit takes of every group alike


def _drawn(record: FaceRecord) -> str:
    return hashlib.sha256(record.path.name.encode(errors="surrogateescape")).hexdigest()
