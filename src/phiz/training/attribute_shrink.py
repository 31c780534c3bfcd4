"""An attribute model with its weights in fewer bits, measured beside the one that it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx

from phiz.errors import ModelError
from phiz.models.attribute_model import load_attributes
from phiz.models.model_store import find_model
from phiz.training import quantise
from phiz.training.attribute_answers import of_model
from phiz.training.attribute_data import Part
from phiz.training.attribute_finish import figures_of
from phiz.training.convert import made_crops

#: What can be made, by the suffix of the file's name.
KINDS = {"int8-weights": quantise.byte_weights, "fp16": quantise.half}


def shrink(
    model: str | Path, kind: str, validation: Sequence[Part], folder: Path, name: str | None = None
) -> Path:
    """Write a model with its weights in 8 or 16 bits and return its path; the arithmetic stays float32.

    kind: a key of KINDS. validation: both are measured on these; the figures stand on the new card. name: of
    the file, by default NAME-KIND. Raises ModelError on another kind, or on the model's own name and folder.
    """
    if kind not in KINDS:
        raise ModelError(f"a model of attributes comes as {' or '.join(KINDS)}, not as {kind!r}")
    card, path = find_model(model)
    graph, called = KINDS[kind](onnx.load(path)), name or f"{card.name}-{kind}"
    if (folder / f"{called}.onnx").resolve() == path.resolve():
        raise ModelError(f"{path}: expected another name or folder than that of the model itself")
    made = quantise.write(graph, path, called, card.figures, folder)
    before, after = load_attributes(path), load_attributes(made)
    crops = made_crops(before.size)
    thresholds = np.array([how.threshold for how in card.attributes.values()])
    found = {
        which: figures_of(
            np.concatenate([of_model(one, part).probability for part in validation]).astype(np.float32),
            np.concatenate([part.labels for part in validation]),
            thresholds,
        )
        for which, one in (("float32", before), (kind, after))
    }
    change = float(np.abs(before.run(crops) - after.run(crops)).max())
    figures = {**card.figures, "smaller": {**found, "of sha256": card.sha256, "largest change": change}}
    return quantise.write(graph, path, called, figures, folder)
