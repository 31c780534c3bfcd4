"""Near-duplicate pictures: a perceptual fingerprint, its matches, and their clusters.

The fingerprint is the unit vector of the brightness differences between neighbouring pixels of
the picture shrunk to 32x32 grey. On aligned face chips it parts copies from look-alikes far
better than a 64-bit hash, whose bits mostly say "this is a face" (docs/data.md has the figures).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

SIDE = 32
_BLOCK = 1024

Small = NDArray[np.uint8]


def shrink(paths: Iterable[Path]) -> Small:
    """Return the pictures as grey (count, 32, 32) uint8; DataError names one that cannot be read."""
    small = [shrink_one(path) for path in paths]
    return np.stack(small) if small else np.zeros((0, SIDE, SIDE), np.uint8)


def shrink_one(path: Path) -> Small:
    """Return one picture as grey (32, 32) uint8; DataError where it cannot be read."""
    from PIL import Image  # base dependency; imported here so that readers stay importable without it

    try:
        with Image.open(path) as image:
            grey = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    except Exception as error:  # Pillow raises almost anything on damaged bytes, SyntaxError included
        raise DataError(f"{path}: expected a picture, could not read it: {error}; copy it again") from error
    return np.asarray(grey, dtype=np.uint8)


def fingerprints(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return unit fingerprints (count, 1922) of grey pictures (count, 32, 32)."""
    grey = small.astype(np.float32)
    across = np.diff(grey, axis=2)[:, :-1, :]
    down = np.diff(grey, axis=1)[:, :, :-1]
    flat = np.concatenate([across, down], axis=1).reshape(len(grey), -1)
    # A picture of one colour has no differences: it stays a zero vector and matches nothing.
    unit: NDArray[np.float32] = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    return unit


def matches(small: NDArray[np.uint8], threshold: float) -> Iterator[tuple[int, int, float]]:
    """Yield (i, j, correlation), i < j, of pictures alike upright or mirrored, at or over threshold."""
    upright = fingerprints(small)
    for start in range(0, len(small), _BLOCK):
        others = upright[start:]
        mirrored = fingerprints(small[start : start + _BLOCK, :, ::-1])
        alike = np.maximum(others[:_BLOCK] @ others.T, mirrored @ others.T)
        first, second = np.nonzero(np.triu(alike >= threshold, k=1))
        for i, j in zip(first, second, strict=True):
            yield start + int(i), start + int(j), float(alike[i, j])


def clusters(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return a cluster number for each of count items: those joined by pairs, directly or not, share one.

    Numbers run from 0 in the order in which clusters first appear (union-find).
    """
    parent = list(range(count))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for i, j in pairs:
        a, b = root(i), root(j)
        parent[max(a, b)] = min(a, b)
    return number([root(item) for item in range(count)])


def number(keys: Sequence[object]) -> list[int]:
    """Return each key's number, counted from 0 in order of first appearance."""
    seen: dict[object, int] = {}
    return [seen.setdefault(key, len(seen)) for key in keys]
