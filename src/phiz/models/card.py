"""The card: everything about a model that its graph does not say, in one JSON file beside the weights."""

from __future__ import annotations

import json
import math
import re
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from os import PathLike
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from ..crop import CropTemplate
from ..errors import ModelError
from .certainty import Certainty


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What the graph takes: square crops of `size` pixels; the normalisation is inside the graph."""

    size: int
    layout: str
    dtype: str
    color: str


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """One output of the graph: one number per face, its unit and what it means."""

    name: str
    unit: str
    meaning: str


#: Terms of training data that weights come with but do not name.
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TrainingData:
    """One data set the weights were trained on, and its terms; UNKNOWN where nothing says which."""

    name: str
    terms: str


@dataclass(frozen=True, slots=True)
class AttributeSpec:
    """One attribute of a face that a model tells.

    threshold: probability from which it counts as present. default: whether it is shown unless asked for by
    name. subjective: whether it is a judgement rather than something to see. balanced_accuracy: on validation
    at the threshold; 0 where it could not be measured.
    """

    threshold: float
    default: bool
    subjective: bool
    balanced_accuracy: float


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is, what it was trained on and how well it does; `NAME.json` beside `NAME.onnx`.

    sha256: of the weights' file, 64 hexadecimal digits.
    crop: the template of the face crop, for `phiz.crop.CropTemplate.from_dict`.
    labels: for each estimate that is a class, the names of its classes.
    branch_weights: for "age" and "gender", the weight of each branch in the mean; each sums to 1.
    parameters, multiply_adds: size of the network and its work for one face.
    figures: measured results, free in form.
    recipe, commit, created: what made the weights, from which source, and when (ISO 8601).
    url: where weights that are too large to ship are fetched from; "" for those that lie beside the card.
    attributes: of a model that tells attributes, by name and in the order of its output; else empty.
    aligner: whose points the crop is cut by: "detector", or a landmark finder (`phiz.landmarks`).
    gender_from: the shipped model whose gender answers beside this one's age; "" where its own does.
    certainty: how sure its answers are; without it they have no interval and no flag.
    """

    name: str
    task: str
    sha256: str
    input: InputSpec
    crop: dict[str, Any]
    outputs: tuple[OutputSpec, ...]
    labels: dict[str, tuple[str, ...]]
    branch_weights: dict[str, tuple[float, ...]]
    parameters: int
    multiply_adds: int
    training_data: tuple[TrainingData, ...]
    license: str
    figures: dict[str, Any]
    recipe: str
    commit: str
    created: str
    url: str = ""
    attributes: dict[str, AttributeSpec] = field(default_factory=dict)
    aligner: str = "detector"
    gender_from: str = ""
    certainty: Certainty | None = None

    @classmethod
    def from_dict(cls, data: Any, where: str = "card") -> ModelCard:
        """Check a decoded card and return it; `where` names it in errors. Raises ModelError."""
        card: ModelCard = read_record(cls, data, where)
        _check_values(card, where)
        return card

    @classmethod
    def load(cls, path: str | PathLike[str]) -> ModelCard:
        """Read and check a card's file. Raises ModelError."""
        return cls.from_dict(read_json(path), str(path))

    def to_dict(self) -> dict[str, Any]:
        """Return the card as JSON-ready values; `from_dict` takes them back."""
        return asdict(self)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the card as JSON, keys in the order of this class, after the same checks as on reading."""
        plain = json.loads(json.dumps(self.to_dict(), allow_nan=False))
        ModelCard.from_dict(plain, str(path))
        text = json.dumps(plain, indent=2, ensure_ascii=False)
        Path(path).write_text(text + "\n", encoding="utf-8")


def read_json(path: str | PathLike[str]) -> Any:
    """Return what a card's file holds. Raises ModelError where it cannot be read or is no JSON."""
    try:
        data = json.loads(Path(path).read_bytes(), parse_int=_whole)
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
        return data
    except FileNotFoundError:
        raise ModelError(
            f"{path}: no such card; weights need their card beside them under the same name"
        ) from None
    except OSError as error:
        raise ModelError(f"{path}: cannot read the card: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # what is no JSON, and what Python alone takes for it
        raise ModelError(f"{path}: the card is not valid JSON: {error}") from None


def _whole(digits: str) -> int:
    if len(digits) > 18:  # beyond what other programs hold, and in time beyond what Python turns into a float
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


_KINDS = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "an object",
    tuple: "a list",
}


def _read(hint: Any, value: Any, where: str, key: str) -> Any:
    """Turn JSON `value` into the type `hint` says, or raise ModelError naming the file and the key."""
    if hint is Any:
        return value
    kind = get_origin(hint) or hint
    if kind is UnionType:  # of something and None
        return None if value is None else _read(get_args(hint)[0], value, where, key)
    if is_dataclass(kind):
        return read_record(kind, value, where, key)
    accepted: Any = {float: (int, float), tuple: list}.get(kind, kind)
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise ModelError(f"{where}: {_named(key)} must be {_KINDS[kind]}, not {json.dumps(value)[:60]}")
    if kind is tuple:
        return tuple(_read(get_args(hint)[0], item, where, f"{key}[{i}]") for i, item in enumerate(value))
    if kind is dict:
        return {name: _read(get_args(hint)[1], item, where, f"{key}.{name}") for name, item in value.items()}
    return float(value) if kind is float else value


def read_record(cls: Any, value: Any, where: str, key: str = "") -> Any:
    """Fill the dataclass `cls` from decoded JSON; `where` and `key` name the place. Raises ModelError."""
    if not isinstance(value, dict):
        raise ModelError(f"{where}: {_named(key)} must be an object, not {json.dumps(value)[:60]}")
    names = [f.name for f in fields(cls)]
    needed = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]
    if missing := [name for name in needed if name not in value]:
        raise ModelError(f"{where}: {_named(key)} lacks {', '.join(missing)}")
    if unknown := [name for name in value if name not in names]:
        raise ModelError(
            f"{where}: {_named(key)} has unknown {', '.join(unknown)}; known: {', '.join(names)}"
        )
    hints = get_type_hints(cls)
    prefix = f"{key}." if key else ""
    return cls(**{name: _read(hints[name], item, where, prefix + name) for name, item in value.items()})


def _named(key: str) -> str:
    return key or "the card"


def _check_values(card: ModelCard, where: str) -> None:
    if not re.fullmatch(r"[0-9a-f]{64}", card.sha256):
        raise ModelError(
            f"{where}: sha256 must be 64 lower-case hexadecimal digits, not {card.sha256[:70]!r}"
        )
    if card.input.size < 1:
        raise ModelError(f"{where}: input.size must be at least 1, not {card.input.size}")
    for key, expected in (("layout", "NHWC"), ("dtype", "uint8"), ("color", "RGB")):
        if (found := getattr(card.input, key)) != expected:
            raise ModelError(f"{where}: input.{key} must be {expected!r}, not {found!r}")
    names = [output.name for output in card.outputs]
    if len(set(names)) != len(names):
        raise ModelError(f"{where}: outputs name the same output twice: {', '.join(names)}")
    try:
        CropTemplate.from_dict(card.crop)
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from None
    for key, weights in card.branch_weights.items():
        if any(w < 0 for w in weights) or not math.isclose(sum(weights), 1.0, abs_tol=1e-6):
            raise ModelError(
                f"{where}: branch_weights.{key} must be at least 0 and sum to 1, not {list(weights)}"
            )
    for name, attribute in card.attributes.items():
        for key in ("threshold", "balanced_accuracy"):
            if not 0 <= (share := getattr(attribute, key)) <= 1:
                raise ModelError(f"{where}: attributes.{name}.{key} must be from 0 to 1, not {share}")
    if card.certainty and (problem := card.certainty.problem()):
        raise ModelError(f"{where}: certainty: {problem}")
