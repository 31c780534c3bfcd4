"""What every face detector offers."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from phiz.types import Detection

#: A picture: uint8, height x width x 3, RGB.
Image = NDArray[np.uint8]
#: A box is left out as narrower than min_face below this share of it: box widths are only so exact, and a
#: sharp bound would drop half of the faces that are just min_face wide.
MIN_FACE_SLACK = 0.8


class Detector(Protocol):
    """Anything that finds faces in a picture."""

    def detect(self, image: Image, padding: float | None = None) -> list[Detection]:
        """Return the faces of `image` (uint8, H x W x 3, RGB), largest first, in its own pixels.

        padding: search once, with this share of the longer side added all round (for a picture that one
        face fills); None leaves the search to the detector.
        """
        ...


def check_image(image: NDArray[Any]) -> None:
    """Raise ValueError unless `image` is a uint8 array of H x W x 3 with at least one pixel."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(
            f"expected a uint8 RGB picture of height x width x 3, got {image.dtype} of shape {image.shape}; "
            "phiz.image.load makes one from any picture file"
        )
