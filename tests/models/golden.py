"""Golden answers of the shipped models on inputs that code makes.

python tests/models/golden.py     writes golden*.json anew; do that only when new weights ship
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from phiz.models.attribute_model import DEFAULT_ATTRIBUTES, load_attributes
from phiz.models.model_store import DEFAULT_MODEL
from phiz.models.session import load_model

FILE = Path(__file__).with_name("golden.json")
#: The file of each shipped model's answers.
FILES = {
    DEFAULT_MODEL: FILE,
    f"{DEFAULT_MODEL}-int8": FILE.with_name("golden-int8.json"),
    "age-accurate": FILE.with_name("golden-accurate.json"),
    DEFAULT_ATTRIBUTES: FILE.with_name("golden-attributes.json"),
}


def crops(size: int = 64) -> np.ndarray:
    """Six crops, uint8 (6, size, size, 3): flat, ramps and fixed noise, the same on every machine."""
    y, x = np.mgrid[:size, :size]
    flat = [np.full((size, size, 3), value, np.uint8) for value in (0, 128, 255)]
    ramp = np.stack([x * 256, y * 256, (x + y) * 128], axis=-1) // size
    ramp = ramp.astype(np.uint8)
    radius = (x - size // 2) ** 2 + (y - size // 2) ** 2
    rings = np.stack([radius // k % 256 for k in (3, 5, 7)], axis=-1).astype(np.uint8)
    noise = ((x * 7919 + y * 104729)[..., None] * np.array([3, 5, 11]) // 17 % 256).astype(np.uint8)
    return np.stack([*flat, ramp, rings, noise])


def answers(model: str = DEFAULT_MODEL) -> dict[str, list[float]]:
    """Every output of a shipped model on `crops`, or every attribute, rounded to five decimals."""
    if model == DEFAULT_ATTRIBUTES:
        told = load_attributes(model)
        columns = told.run(crops(told.size)).T
        return {name: [round(float(v), 5) for v in c] for name, c in zip(told.names, columns, strict=True)}
    loaded = load_model(model)
    found = loaded.run(crops(loaded.size))
    return {name: [round(float(v), 5) for v in values] for name, values in found.items()}


if __name__ == "__main__":
    for model, file in FILES.items():
        file.write_text(json.dumps(answers(model), indent=1) + "\n", encoding="utf-8")
