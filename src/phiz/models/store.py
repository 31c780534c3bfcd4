"""Where models are kept: the ones that ship with phiz by name, the user's own by path."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path

from ..errors import ModelError
from .card import ModelCard

DEFAULT_MODEL = "multitask-64"
WEIGHTS = Path(__file__).parent / "weights"


def list_cards() -> list[ModelCard]:
    """Return the cards of the models that ship with phiz, by name. Raises ModelError for a damaged card."""
    return [ModelCard.load(path) for path in sorted(WEIGHTS.glob("*.json"))]


def find_model(model: str | PathLike[str] = DEFAULT_MODEL) -> tuple[ModelCard, Path]:
    """Return a model's card and the path of its weights.

    model: the name of a shipped model, or the path of a `.onnx` file or of its `.json` card; the
    two lie beside each other under one name. Raises ModelError where either is missing or damaged.
    """
    path = Path(model)
    if path.suffix not in (".onnx", ".json"):
        path = WEIGHTS / f"{fspath(model)}.json"
        names = [known.stem for known in sorted(WEIGHTS.glob("*.json"))]
        if fspath(model) not in names:
            raise ModelError(
                f"no model is called {fspath(model)!r}; known: {', '.join(names) or 'none'}; "
                "or give the path of a .onnx file with its .json card beside it"
            )
    return ModelCard.load(path.with_suffix(".json")), path.with_suffix(".onnx")
