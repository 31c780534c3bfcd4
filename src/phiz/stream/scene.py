"""Where a video cuts from one scene to another: nearly all of the frame is another picture at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import PIL.Image
from numpy.typing import NDArray

#: A frame is judged on a picture of so many pixels a side, and by so many parts a side.
SIDE, PARTS = 32, 8
#: A cut: the brightness of the two pictures correlates less than ALIKE, their colours share less than
#: 1 - OTHER_COLOURS, and in more than MOST of the parts they differ by more than NOTABLE of 255. A light that
#: goes on leaves the first, a camera that turns or comes nearer the second, who steps before it the third.
ALIKE, OTHER_COLOURS, MOST, NOTABLE = 0.75, 0.2, 0.6, 15.0
#: Standard deviation of brightness below which a frame shows nothing: black, white, a fade.
EMPTY = 4.0


@dataclass(frozen=True, slots=True)
class _Look:
    """A frame as SIDE x SIDE x 3, its brightness with mean 0 and deviation 1, and each colour's share."""

    small: NDArray[np.float32]
    shape: NDArray[np.float32]
    colours: NDArray[np.float64]


class Scene:
    """Compares each frame with the one before."""

    def __init__(self) -> None:
        self._last: _Look | None = None

    def cut(self, image: NDArray[np.uint8]) -> bool:
        """Return whether a frame begins another scene than the one before; the first frame does not.

        image: uint8, height x width x 3. A frame of one colour is passed over: what comes after it is
        compared with what came before it. A slow dissolve is no cut.
        """
        look = _look(image)
        if look is None:
            return False
        before, self._last = self._last, look
        return before is not None and _cut(before, look)


def _look(image: NDArray[np.uint8]) -> _Look | None:
    """Return what is kept of a frame; None where it shows nothing."""
    step = max(1, min(image.shape[:2]) // (2 * SIDE))  # of a large frame most pixels are left out, for speed
    part = PIL.Image.fromarray(image[::step, ::step]).resize((SIDE, SIDE), PIL.Image.Resampling.BOX)
    small = np.asarray(part, np.float32)
    grey = small.mean(axis=2)
    spread = float(grey.std())
    if spread < EMPTY:
        return None
    coarse = np.asarray(part) >> 6  # four steps a channel, 64 colours
    numbers = coarse[..., 0] * 16 + coarse[..., 1] * 4 + coarse[..., 2]
    return _Look(small, (grey - grey.mean()) / spread, np.bincount(numbers.ravel(), minlength=64) / SIDE**2)


def _cut(before: _Look, after: _Look) -> bool:
    if float((before.shape * after.shape).mean()) >= ALIKE:
        return False
    if 1.0 - float(np.minimum(before.colours, after.colours).sum()) <= OTHER_COLOURS:
        return False
    change = np.abs(before.small - after.small).mean(axis=2)
    parts = change.reshape(PARTS, SIDE // PARTS, PARTS, SIDE // PARTS).mean(axis=(1, 3))
    return float((parts > NOTABLE).mean()) > MOST
