"""What a reader must know before trusting a figure: whether the test pictures may have been learnt from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..datasets import registry
from ..models.card import UNKNOWN, ModelCard, TrainingData
from .protocols import Protocol

_MAY = "pictures tested here may be among them, which flatters it."


def saw(learnt: Iterable[TrainingData], dataset: str) -> str:
    """Return under what name training data may hold a data set's pictures, "" where they do not.

    learnt: as a card lists it; what it does not name may hold anything. dataset: a name in the registry.
    """
    found = list(learnt)
    for each in found:
        known = registry.find(each.name)
        if known is not None and registry.share(known.name, dataset):
            return known.title
    return next((each.name for each in found if each.terms == UNKNOWN), "")


def of_models(cards: Sequence[ModelCard], protocol: Protocol) -> str:
    """Say so where models may be tested on what they were trained on; a fixed test part is kept for testing.

    cards: of every model that answers.
    """
    if (protocol.kind, protocol.part) == ("fixed", "test"):
        return ""
    said = []
    for card in cards:
        name = saw(card.training_data, protocol.dataset)
        if name and protocol.kind == "fixed" and protocol.part != "train":
            part = f"the {protocol.part} part of {name}"
            said.append(f"{card.name} was chosen by {part}: its figures may flatter a little.")
        elif name:
            said.append(f"{card.name} was trained on {name}: {_MAY}")
    return " ".join(said)


def of_recipe(name: str, ways: Mapping[str, Iterable[TrainingData]], protocol: Protocol) -> str:
    """Say so where a recipe brings what is tested to every fold; "" where no fold trains on what it tests.

    ways: what is learnt from beside a fold's own training pictures, by how it comes.
    """
    found = [f"{seen} ({way})" for way, each in ways.items() if (seen := saw(each, protocol.dataset))]
    return f"{name} also learnt from {' and '.join(found)}: {_MAY}" if found else ""
