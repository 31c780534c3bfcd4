"""AI Hub's Korean faces in one JSON layout, with attributes under CelebA's names; docs/datasets.md.

AI Hub hands out several sets of Korean faces, each with JSON of its own, to applicants in Korea only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import DataError
from . import listed
from .attribute_names import MASK
from .listed import LabelError
from .record import FaceRecord, Skipped

LABELS = "labels"
PICTURES = "images"
GENDERS = {"female": "female", "male": "male", "F": "female", "M": "male", "여": "female", "남": "male"}
#: JSON name to attribute; a beard is the contrary of No_Beard.
ATTRIBUTES = {
    "eyeglasses": "Eyeglasses",
    "hat": "Wearing_Hat",
    "blurry": "Blurry",
    "smiling": "Smiling",
    "mask": MASK,
    "young": "Young",
    "beard": "No_Beard",
}
CONTRARY = ("beard",)
#: Hair of one colour has none of the others; "other" has none of the four.
HAIR = {"blond": "Blond_Hair", "brown": "Brown_Hair", "black": "Black_Hair", "gray": "Gray_Hair"}
FIELDS = ("image", "person_id", "age", "gender", "hair_color", *ATTRIBUTES)


def read_aihub_korean(folder: Path | str, skipped: list[Skipped] | None = None) -> Iterator[FaceRecord]:
    """Yield one record per face that a JSON file in labels/ describes, sorted by JSON file.

    Pictures lie in images/. Each JSON file holds one object or a list of them. Files and objects that
    cannot be used are added to skipped. Raises DataError where labels/ is missing or holds no JSON file.
    """
    folder = Path(folder)
    if not (folder / LABELS).is_dir():
        raise DataError(f"{folder}: expected a folder with {LABELS}/ and {PICTURES}/ in it, got none")
    files = sorted(path for path in (folder / LABELS).rglob("*.json") if path.is_file())
    if not files:
        raise DataError(f"{folder / LABELS}: expected JSON files, got none; check the path")
    left_out = [] if skipped is None else skipped
    return listed.usable(
        folder, _rows(folder, files, left_out), partial(_record, folder / PICTURES), left_out
    )


def _rows(folder: Path, files: list[Path], skipped: list[Skipped]) -> Iterator[tuple[str, Any]]:
    for path in files:
        name = path.relative_to(folder).as_posix()
        try:
            content = json.loads(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, RecursionError) as error:
            line = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
            skipped.append(Skipped(name + line, "not readable as JSON"))
            continue
        faces = content if isinstance(content, list) else [content]
        for number, face in enumerate(faces, start=1):
            yield (f"{name}:face {number}" if len(faces) > 1 else name), face


def _record(pictures: Path, face: Any) -> FaceRecord:
    if not isinstance(face, dict) or not isinstance(face.get("image"), str):
        raise LabelError("no JSON object with a text 'image'")
    unknown = [name for name in face if name not in FIELDS]
    if unknown:
        raise LabelError(f"unknown field {unknown[0]!r}")
    age, gender, person = face.get("age"), face.get("gender"), face.get("person_id")
    if isinstance(age, (bool, list, dict)):
        raise LabelError(f"age {age!r} is not a number")
    return FaceRecord(
        listed.inside(pictures, face["image"]),
        None if age is None else listed.age(age),
        None if gender is None else listed.coded(str(gender), GENDERS, "gender"),
        None if person is None else str(person),
        attributes=_attributes(face) or None,
    )


def _attributes(face: Mapping[str, Any]) -> dict[str, bool]:
    found = {}
    for name, attribute in ATTRIBUTES.items():
        value = face.get(name)
        if value is None:
            continue
        if not isinstance(value, bool):
            raise LabelError(f"{name} {value!r} is not true, false or null")
        found[attribute] = value != (name in CONTRARY)
    hair = face.get("hair_color")
    if hair is None:
        return found
    if hair not in (*HAIR, "other"):
        raise LabelError(f"hair_color {hair!r} is not one of {', '.join(HAIR)}, other")
    return found | {attribute: hair == colour for colour, attribute in HAIR.items()}
