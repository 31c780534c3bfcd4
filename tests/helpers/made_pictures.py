"""Makes the pictures of the golden test from whole numbers, so that every machine makes the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def made_pictures(side: int) -> NDArray[np.uint8]:
    """Return 2 x side x side x 3, uint8: soft rings in three colours, and hashed noise."""
    y, x = np.mgrid[:side, :side].astype(np.int64)
    rings = [((x - side // 2) ** 2 + (y - side // 3) ** 2) // k % 256 for k in (37, 23, 11)]
    noise = [(x * 7919 + y * 104729 + (x * y) % 613 * k) % 256 for k in (31, 57, 91)]
    return np.stack([np.stack(rings, -1), np.stack(noise, -1)]).astype(np.uint8)
