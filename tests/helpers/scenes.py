"""Made scenes: pictures with blots of every size and colours of their own, as different as two places are."""

from __future__ import annotations

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 320, 240


def scene(seed: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A picture of its own for each seed: uint8 RGB."""
    random = np.random.default_rng(seed)
    levels = np.zeros((height, width))
    for size in (3, 6, 12, 40):
        noise = random.uniform(0, 255, (size, size)).astype(np.uint8)
        blots = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
        levels += np.asarray(blots, float) / size**0.5
    levels = (levels - levels.min()) / np.ptp(levels)
    dark, bright = random.uniform(0, 120, 3), random.uniform(100, 255, 3)
    return (dark + levels[..., None] * (bright - dark)).astype(np.uint8)


def with_patch(picture: np.ndarray, patch: np.ndarray, left: int, top: int) -> np.ndarray:
    """A copy of a picture with another one laid on it."""
    copy = picture.copy()
    copy[top : top + patch.shape[0], left : left + patch.shape[1]] = patch
    return copy
