"""Where models are kept: those that ship with phiz by name, larger ones fetched once, the user's own by path.

Nothing is fetched by itself: a kiosk that has no network must not find out at its first picture.
"""

from __future__ import annotations

import os
from os import PathLike, fspath
from pathlib import Path

from ..errors import ModelError
from .card import ModelCard

DEFAULT_MODEL = "multitask-64"
WEIGHTS = Path(__file__).parent / "weights"
_BESIDE = (".onnx", ".json")
#: Short names that `--model` takes as well.
ALIASES = {"accurate": "age-accurate", "int8": "multitask-64-int8"}


def list_cards() -> list[ModelCard]:
    """Return the cards of the models that phiz knows by name. Raises ModelError for a damaged card."""
    return [ModelCard.load(path) for path in sorted(WEIGHTS.glob("*.json"))]


def find_model(model: str | PathLike[str] = DEFAULT_MODEL) -> tuple[ModelCard, Path]:
    """Return a model's card and the path of its weights.

    model: the name of a known model, or the path of a `.onnx` file or of its `.json` card; the
    two lie beside each other under one name. Raises ModelError where either is missing or damaged.
    """
    card, path = find_card(model), Path(model)
    if path.suffix in _BESIDE:
        return card, path.with_suffix(".onnx")
    shipped, fetched = WEIGHTS / f"{card.name}.onnx", fetched_path(card)
    if shipped.exists() or not (card.url or fetched.exists()):
        return card, shipped
    if not fetched.exists():
        raise ModelError(
            f"the weights of {card.name} are too large to ship and not on this machine yet: run "
            f"`phiz fetch {card.name}` once where there is a network, or `phiz fetch {card.name} --source "
            f"FILE` with a copy of {card.url}"
        )
    return card, fetched


def find_card(model: str | PathLike[str]) -> ModelCard:
    """Return a model's card alone, of weights that were not fetched too; model as in `find_model`."""
    path = Path(model)
    return ModelCard.load(path.with_suffix(".json")) if path.suffix in _BESIDE else known_card(fspath(model))


def known_card(name: str) -> ModelCard:
    """Return the card of a model known by name. Raises ModelError, listing the known ones, for another."""
    names = [known.stem for known in sorted(WEIGHTS.glob("*.json"))]
    name = ALIASES.get(name, name)
    if name not in names:
        raise ModelError(
            f"no model is called {name!r}; known: {', '.join(names) or 'none'}; "
            "or give the path of a .onnx file with its .json card beside it"
        )
    return ModelCard.load(WEIGHTS / f"{name}.json")


def fetched_path(card: ModelCard) -> Path:
    """Return where fetched weights lie: PHIZ_MODELS, or phiz/ in the user's cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    folder = Path(os.environ.get("PHIZ_MODELS") or Path(cache) / "phiz")
    # Other weights of the same name, from another version of phiz, lie beside these.
    return folder / f"{card.name}-{card.sha256[:12]}.onnx"
