"""LFWA (Liu et al., ICCV 2015): LFW's pictures with CelebA's 40 attributes and an official partition."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from . import listed, matfile
from .listed import LabelError
from .record import FaceRecord, Skipped

PICTURES = "lfw"
LABELS = "lfw_att_40.mat"
PARTITION = "indices_train_test.mat"
PARTS = {"train": "indices_img_train", "test": "indices_img_test"}


def read_lfwa(folder: Path | str, skipped: list[Skipped] | None = None) -> Iterator[FaceRecord]:
    r"""Yield one record per picture that lfw_att_40.mat lists, in its order.

    Names read Aaron_Eckhart\Aaron_Eckhart_0001.jpg within lfw/; the folder is the subject. Gender is the
    attribute Male. part comes from indices_train_test.mat where that is present. Rows that cannot be used
    are added to skipped. Raises DataError where a file is missing, damaged or not LFWA's.
    """
    folder = Path(folder)
    path = folder / LABELS
    fields = matfile.columns(path, ("AttrName", "label", "name"))
    attributes = [str(name).strip().replace(" ", "_") for name in fields["AttrName"]]
    names, label = fields["name"], fields["label"]
    shape = (len(names), len(attributes))
    if label.shape != shape or label.dtype.kind not in "iufb":
        raise DataError(
            f"{path}: expected numbers of shape {shape} in label; got {label.dtype} {label.shape}"
        )
    if "Male" not in attributes:
        raise DataError(f"{path}: expected CelebA's attribute names with 'Male'; got {attributes}")
    parts = _parts(folder / PARTITION, len(names))
    rows = (
        (f"{LABELS}:{entry + 1} {name}", (str(name), values, parts.get(entry)))
        for entry, (name, values) in enumerate(zip(names, label, strict=True))
    )
    make = partial(_record, folder / PICTURES, attributes)
    return listed.usable(folder, rows, make, [] if skipped is None else skipped)


def _record(
    pictures: Path, attributes: list[str], row: tuple[str, NDArray[np.float64], str | None]
) -> FaceRecord:
    name, values, part = row
    path = listed.inside(pictures, name)
    if path.parent.parent != pictures:
        raise LabelError("name is not person\\picture.jpg")
    wrong = [attribute for attribute, v in zip(attributes, values, strict=True) if v not in (-1, 0, 1)]
    if wrong:
        raise LabelError(f"attribute {wrong[0]} is not 1 or 0")
    present = {attribute: bool(v == 1) for attribute, v in zip(attributes, values, strict=True)}
    gender = "male" if present["Male"] else "female"
    return FaceRecord(path, gender=gender, subject=path.parent.name, attributes=present, part=part)


def _parts(path: Path, count: int) -> dict[int, str]:
    """Return the part by row, counted from 0; Matlab's indices count from 1."""
    if not path.is_file():
        return {}
    fields = matfile.columns(path, tuple(PARTS.values()))
    parts = {}
    for part, field in PARTS.items():
        for index in fields[field].ravel():
            if not 1 <= index <= count:
                raise DataError(f"{path}: expected {field} from 1 to {count}; got {index}")
            if int(index) - 1 in parts:
                raise DataError(f"{path}: expected each picture in one part; {int(index)} comes twice")
            parts[int(index) - 1] = part
    return parts
