"""A model of facial attributes: weights checked against their card, and which attributes to show."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from ..crop import CropTemplate
from ..errors import ModelError
from .card import ModelCard
from .forking import Session
from .model_store import find_model
from .runtime import ask
from .session import check_crops, open_checked

#: The one output of such a graph.
ATTRIBUTES = "attributes"
#: Name of the shipped model.
DEFAULT_ATTRIBUTES = "attributes-112"
#: What `choose` takes in place of names: what the card shows by default, or all but the subjective ones.
DEFAULT, ALL = "default", "all"


class AttributeModel:
    """A loaded attribute model; `run` may be called from several threads at once.

    card: what the model is. names: its attributes, in the order of the output.
    size: side of the square crops it takes, in pixels. template: how those crops are cut.
    """

    def __init__(self, card: ModelCard, session: Session) -> None:
        self.card = card
        self.names = tuple(card.attributes)
        self.size = card.input.size
        self.template = CropTemplate.from_dict(card.crop)
        self._session = session
        self._input = session.get_inputs()[0].name

    def run(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probability of each attribute: uint8 RGB (N, size, size, 3) to float32 (N, A).

        Raises ValueError for crops of another type or shape, ModelError where the network cannot answer or an
        answer is no finite number.
        """
        check_crops(crops, self.size)
        if len(crops) == 0:
            return np.zeros((0, len(self.names)), np.float32)
        shapes = {ATTRIBUTES: (len(crops), len(self.names))}
        values = ask(self._session, shapes, {self._input: crops}, self.card.name)[ATTRIBUTES]
        if not np.isfinite(values).all():
            raise ModelError(
                f"{self.card.name}: output {ATTRIBUTES!r} holds a value that is no finite number"
            )
        return values

    def present(self, probabilities: dict[str, float]) -> list[str]:
        """Return the names whose probability reaches the card's threshold, in the given order."""
        return [name for name, p in probabilities.items() if p >= self.card.attributes[name].threshold]


def load_attributes(
    model: str | PathLike[str] = DEFAULT_ATTRIBUTES, *, threads: int = 1, provider: str = "cpu"
) -> AttributeModel:
    """Load an attribute model by name or by path, after checking its weights against its card.

    model, threads, provider: as in `phiz.models.session.load_model`.
    Raises ModelError where weights or card are missing, damaged or do not fit each other.
    """
    card, path = find_model(model)
    if not card.attributes:
        raise ModelError(
            f"{path}: expected a model of attributes, its card names none; its task is {card.task}"
        )
    session = open_checked(card, path, threads=threads, provider=provider)
    side, count = card.input.size, len(card.attributes)
    (source,), outputs = session.get_inputs(), session.get_outputs()
    found = [(source.type, list(source.shape[1:])), *((o.name, o.type, list(o.shape[1:])) for o in outputs)]
    wanted = [("tensor(uint8)", [side, side, 3]), (ATTRIBUTES, "tensor(float)", [count])]
    if found != wanted:
        raise ModelError(
            f"{path}: the card wants faces uint8 (N, {side}, {side}, 3) and {ATTRIBUTES} (N, {count}), "
            f"the graph has {found}"
        )
    return AttributeModel(card, session)


def choose(card: ModelCard, wanted: str | Sequence[str]) -> tuple[str, ...]:
    """Return the attributes that a user asks for, in the card's order.

    wanted: "default", "all" (without the subjective ones), or names, as a sequence or with commas between; a
    subjective attribute has to be named. Raises ModelError on a name that the model lacks.
    """
    if wanted == DEFAULT:
        return tuple(name for name, how in card.attributes.items() if how.default)
    if wanted == ALL:
        return tuple(name for name, how in card.attributes.items() if not how.subjective)
    names = [name.strip() for name in wanted.split(",")] if isinstance(wanted, str) else list(wanted)
    known = {name.casefold(): name for name in card.attributes}
    if unknown := [name for name in names if name.casefold() not in known]:
        raise ModelError(
            f"no attribute is called {unknown[0]!r}; give {DEFAULT}, {ALL}, or names among "
            f"{', '.join(card.attributes)}"
        )
    chosen = {known[name.casefold()] for name in names}
    return tuple(name for name in card.attributes if name in chosen)
