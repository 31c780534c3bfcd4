"""A model ready to run: weights checked against their card, one ONNX Runtime call for all faces."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..crop import CropTemplate
from ..errors import ModelError
from ..types import Estimate
from .card import ModelCard
from .forking import Session
from .model_store import DEFAULT_MODEL, find_model
from .runtime import ask, open_session, read_weights, session_options

#: The outputs that an estimate is made of; a card may name more.
AGE, FEMALE = "age", "female"
#: The outputs that say how sure it is: the spread of the ages, and the branches that the two are means of.
AGE_STD, AGE_BRANCHES, FEMALE_BRANCHES = (
    "age_std",
    ("age1", "age2", "age3"),
    ("female1", "female2", "female3"),
)


def gender_model(card: ModelCard) -> str:
    """Return the name of the model whose gender answers beside a model's age, "" where its own does."""
    own = FEMALE in {output.name for output in card.outputs}
    return card.gender_from or ("" if own else DEFAULT_MODEL)


class Model:
    """A loaded age-and-gender model; `run` may be called from several threads at once.

    card: what the model is.
    size: side of the square crops it takes, in pixels.
    template: how those crops are cut (see `phiz.crop.face_crop`).
    """

    def __init__(self, card: ModelCard, session: Session) -> None:
        self.card = card
        self.size = card.input.size
        self.template = CropTemplate.from_dict(card.crop)
        self._session = session
        self._input = session.get_inputs()[0].name
        self._outputs = [output.name for output in card.outputs]

    def run(self, crops: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Return every output of the network for N face crops, in one call.

        crops: uint8 RGB, (N, size, size, 3).
        Returns output name -> float32 (N,); the units are on the card.
        Raises ValueError for crops of another type or shape, ModelError where the network cannot answer.
        """
        check_crops(crops, self.size)
        if len(crops) == 0:
            return {name: np.zeros(0, np.float32) for name in self._outputs}
        shapes = dict.fromkeys(self._outputs, (len(crops),))
        return ask(self._session, shapes, {self._input: crops}, self.card.name)

    def decode(self, outputs: dict[str, NDArray[np.float32]]) -> list[Estimate]:
        """Turn the network's outputs into one estimate per face.

        Female where the probability is at least 1/2, nothing without that output; an age below zero reads as
        zero. Raises ModelError where an output is not a finite number.
        """
        for name in (
            name for name in (AGE, FEMALE, AGE_STD, *AGE_BRANCHES, *FEMALE_BRANCHES) if name in outputs
        ):
            if not np.isfinite(outputs[name]).all():
                raise ModelError(
                    f"{self.card.name}: output {name!r} holds a value that is not a finite number"
                )
        ages = outputs[AGE].tolist()
        females = outputs[FEMALE].tolist() if FEMALE in outputs else [None] * len(ages)
        signals = _signals(outputs, len(ages))
        return [_estimate(*answers) for answers in zip(ages, females, signals, strict=True)]


def _estimate(age: float, female: float | None, signals: dict[str, float]) -> Estimate:
    age = max(age, 0.0)
    if female is None:
        return Estimate(age, None, None, signals)
    female = min(max(female, 0.0), 1.0)  # a mean of three probabilities may pass 1 by a rounding error
    gender = "female" if female >= 0.5 else "male"
    return Estimate(age, gender, max(female, 1.0 - female), signals)


def _signals(outputs: dict[str, NDArray[np.float32]], faces: int) -> list[dict[str, float]]:
    """Return for each face what else the network says of how sure it is, see `certainty.SIGNALS`."""
    found = {}
    if AGE_STD in outputs:
        found["age_std"] = outputs[AGE_STD].tolist()
    for name, branches in (("age_branches", AGE_BRANCHES), ("gender_branches", FEMALE_BRANCHES)):
        said = [outputs[branch].astype(np.float64) for branch in branches if branch in outputs]
        if len(said) > 1:
            found[name] = np.ptp(said, axis=0).tolist()
    return [{name: values[i] for name, values in found.items()} for i in range(faces)]


def check_crops(crops: NDArray[np.uint8], size: int) -> None:
    """Raise ValueError unless the crops are uint8 (N, size, size, 3)."""
    if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[1:] != (size, size, 3):
        raise ValueError(f"crops must be uint8 (N, {size}, {size}, 3), not {crops.dtype} {crops.shape}")


def load_model(
    model: str | PathLike[str] = DEFAULT_MODEL,
    *,
    threads: int = 1,
    provider: str = "cpu",
    gender_alone: bool = False,
) -> Model:
    """Load a model by name or by path, after checking its weights against its card.

    model: see `phiz.models.model_store.find_model`.
    threads: CPU threads inside one call of the network.
    provider: what runs it, and else the CPU with a warning; see `phiz.models.runtime.PROVIDERS`.
    gender_alone: take a model that tells no age too, which `run` serves and `decode` does not.
    Raises ModelError where weights or card are missing, damaged or do not fit each other.
    """
    card, path = find_model(model)
    session = open_checked(card, path, threads=threads, provider=provider)
    _check_graph(session, card, path, {AGE, FEMALE} if gender_alone else {AGE})
    _check_certainty(card, path)
    return Model(card, session)


def open_checked(card: ModelCard, path: Path, *, threads: int, provider: str) -> Session:
    """Open weights after comparing them with their card; see `load_model`. Raises ModelError."""
    weights = read_weights(path, card.sha256)
    session_options(threads)  # whose ValueError says nothing of the weights
    try:
        return open_session(weights, threads=threads, provider=provider)
    except ModelError:
        raise
    except Exception as error:  # ONNX Runtime's errors have no common base class
        raise ModelError(f"{path}: ONNX Runtime cannot load the weights: {error}") from error


def _check_graph(session: Session, card: ModelCard, path: Path, needed: set[str]) -> None:
    """Raise ModelError unless the graph is what the card says, with one of the needed outputs."""
    side = card.input.size
    inputs = [_described(node) for node in session.get_inputs()]
    expected = f"tensor(uint8) [N, {side}, {side}, 3]"
    if [text.partition(" ")[2] for text in inputs] != [expected]:
        raise ModelError(f"{path}: the card wants one input {expected}, the graph has {'; '.join(inputs)}")
    wanted = {output.name for output in card.outputs}
    if not wanted & needed:
        raise ModelError(f"{path}: the card must name the output {_listed(needed)}, it has {_listed(wanted)}")
    graph = {node.name: _described(node) for node in session.get_outputs()}
    if wanted != set(graph):
        raise ModelError(f"{path}: the card names outputs {_listed(wanted)}, the graph has {_listed(graph)}")
    for name, text in graph.items():
        if text != f"{name} tensor(float) [N]":
            raise ModelError(f"{path}: every output must be tensor(float) [N], the graph has {text}")


def _check_certainty(card: ModelCard, path: Path) -> None:
    """Raise ModelError where the card's tables need an output that the graph has not."""
    if card.certainty is None:
        return
    outputs = {output.name for output in card.outputs}
    needed = {"age_std": (AGE_STD,), "age_branches": AGE_BRANCHES[:2], "gender_branches": FEMALE_BRANCHES[:2]}
    tables = {*card.certainty.scale, *card.certainty.gender, *card.certainty.covered}
    for signal in tables & set(needed):
        if missing := set(needed[signal]) - outputs:
            raise ModelError(
                f"{path}: certainty needs the outputs {_listed(missing)}, the graph has {_listed(outputs)}; "
                "fit it again on this model"
            )


def _described(node: Any) -> str:
    """Write a graph's input or output as text: name, type, shape with any symbolic size as N."""
    shape = ", ".join(str(side) if isinstance(side, int) else "N" for side in node.shape)
    return f"{node.name} {node.type} [{shape}]"


def _listed(names: Any) -> str:
    return ", ".join(sorted(names))
