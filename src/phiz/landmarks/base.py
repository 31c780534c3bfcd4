"""What every landmark finder offers, and the order of its points."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from phiz.crop import CropTemplate
from phiz.detect import Image
from phiz.types import Detection

#: 68 points: float64, 68 x 2 (x, y), pixels of the upright picture as in phiz.types, in the order of iBUG
#: (Sagonas et al., "300 Faces in-the-Wild Challenge", ICCVW 2013). Seen from the front, right and left being
#: the person's own: jaw 0-16 from the right ear over the chin, 8, to the left ear; right brow 17-21 and left
#: brow 22-26, both from the picture's left to its right; bridge of the nose 27-30, its tip last; bottom of
#: the nose 31-35; right eye 36-41 and left eye 42-47, each clockwise from the corner on the picture's left;
#: outer lips 48-59 and inner lips 60-67, clockwise from the mouth's right corner.
Landmarks = NDArray[np.float64]

#: Eyes and mouth in a square about as large as the face; finders say what they look at by it.
FACE = CropTemplate(
    right_eye=(0.283, 0.2577),
    left_eye=(0.717, 0.2577),
    right_mouth=(0.3137, 0.6949),
    left_mouth=(0.6863, 0.6949),
    chip=(0.055, 0.055, 0.89),
)


class Landmarker(Protocol):
    """Anything that finds the 68 points of a face that a detector has found."""

    def find(self, image: Image, face: Detection) -> Landmarks | None:
        """Return the 68 points of `face`, in pixels of `image`; None where no face is seen there.

        image: uint8, H x W x 3, RGB, upright. Raises ValueError on another type or shape.
        """
        ...
