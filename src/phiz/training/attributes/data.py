"""Pictures and attribute labels of a recipe, part by part."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phiz.crop import CropTemplate
from phiz.datasets import near_duplicates, registry
from phiz.datasets.record import FaceRecord
from phiz.datasets.splits import CELEBA_TEST_SHARES, assign, read_split
from phiz.errors import DataError
from phiz.training.attributes.recipe import BALANCED, OFFICIAL, PERSON, AttributeData, AttributeRecipe
from phiz.training.crops import Crops, load_crops, of_crops
from phiz.training.fingerprint import Fingerprint, digest, of_pictures


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
    data: AttributeData,
    name: str,
    root: Path,
    cache: Path,
    *,
    attributes: Sequence[str],
    template: CropTemplate,
    size: int,
) -> Part:
    """Return one part ("train", "validation" or "test") of a data set under root, its crops cut if need be.

    attributes: the order of the labels. template, size: of the crop, size in pixels. The group counts in
    training and validation alone.
    Raises: DataError where the data set, the split or all the labels are missing.
    """
    records, clusters = divided(data, root)[name]
    if name != "test":
        records = _of_group(records, data.group)
    if data.limit and len(records) > data.limit:
        records = [records[i * len(records) // data.limit] for i in range(data.limit)]
    chips = registry.named(data.dataset).chips
    crops = load_crops(records, chips=chips, template=template, size=size, cache=cache)
    found = {str(record.path): record for record in records}
    kept = [found[path] for path in crops.paths.tolist()]
    labels = np.array([labels_of(r, attributes, data.young_until) for r in kept], np.float32)
    folder = root / registry.named(data.dataset).folder
    if not len(kept) or np.isnan(labels).all():
        raise DataError(
            f"{folder}: expected faces with labels of attributes in the {name} part, such as "
            f"{attributes[0]}; got none"
        )
    keys = [registry.key(record, folder) for record in kept]
    return Part(
        crops=crops,
        labels=labels,
        keys=tuple(keys),
        clusters=tuple(clusters[key] for key in keys),
        groups=tuple(record.group for record in kept),
        missed=len(records) - len(kept),
    )


def part_of(
    recipe: AttributeRecipe, name: str, root: Path, cache: Path, data: AttributeData | None = None
) -> Part:
    """Return one part of a recipe's data set, or of another one, as its network takes it."""
    return load_part(
        data or recipe.data,
        name,
        root,
        cache,
        attributes=recipe.attributes,
        template=recipe.crop,
        size=recipe.network.size,
    )


def divided(data: AttributeData, root: Path) -> dict[str, tuple[list[FaceRecord], dict[str, str]]]:
    """Return the records of each part, and the cluster of each picture by key."""
    folder = root / registry.named(data.dataset).folder
    records = registry.read(data.dataset, root)
    by_key = {registry.key(record, folder): record for record in records}
    if data.split == OFFICIAL:
        part = {key: record.part or "" for key, record in by_key.items()}
        cluster = {key: record.subject or key for key, record in by_key.items()}
    elif data.split == PERSON:
        numbers = near_duplicates.number([record.subject or str(record.path) for record in records])
        rows = assign(records, numbers, CELEBA_TEST_SHARES, seed=0)
        part = {key: row.part for key, row in zip(by_key, rows, strict=True)}
        cluster = {key: str(row.cluster) for key, row in zip(by_key, rows, strict=True)}
    else:
        listed = [row for row in read_split(data.split) if row.file in by_key]
        part, cluster = {r.file: r.part for r in listed}, {r.file: str(r.cluster) for r in listed}
    found: dict[str, tuple[list[FaceRecord], dict[str, str]]] = {}
    for name in ("train", "validation", "test"):
        found[name] = [by_key[key] for key in part if part[key] == name], cluster
    if empty := [name for name, (chosen, _) in found.items() if not chosen]:
        raise DataError(f"{data.split} of {folder}: expected pictures in the part {empty[0]!r}, got none")
    return found


def of_parts(parts: Mapping[str, Part]) -> Fingerprint:
    """Return the identity of what is trained on or tested: the pictures and labels of each part."""
    found = of_crops({name: part.crops for name, part in parts.items()}, "detector")
    return found | {f"labels of {name}": digest(part.labels.tolist()) for name, part in parts.items()}


def of_data(data: AttributeData, root: Path, attributes: Sequence[str]) -> Fingerprint:
    """Return the identity of a whole data set: its pictures, and what is known of each."""
    records = [record for chosen, _ in divided(data, root).values() for record in chosen]
    labels = [(r.group, labels_of(r, attributes, data.young_until)) for r in records]
    pictures = of_pictures(record.path for record in records)
    return {f"pictures of {data.dataset}": pictures, f"labels of {data.dataset}": digest(labels)}


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
