"""Face mesh: Google MediaPipe's 468 points of a face, run by ONNX Runtime, 68 of them kept.

Source: Y. Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs",
arXiv 1907.06724. Weights: Apache-2.0, see weights/NOTICE.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phiz.crop import check_image, fit, resample
from phiz.detect import Image
from phiz.landmarks.base import FACE, Landmarks
from phiz.models.runtime import open_session, read_weights
from phiz.types import Detection

WEIGHTS = Path(__file__).parent / "weights"
FILE = "facemesh.onnx"
SHA256 = "e38a881581d0f912f6ac5e19fa4421556a7a80ad90b06ec68bacaf3dac71a41e"
#: Width and height of the network's input, pixels; its points are in these pixels too.
SIDE = 192
#: The network sees the face level in a square this many times as wide as FACE's.
REGION = FACE.zoomed_out(1.554)
#: Least probability, by the network, that there is a face in what it sees.
THRESHOLD = 0.5

#: The mesh's point, or the points whose mean, stands for each of the 68, in the order of base.Landmarks: even
#: steps along the mesh's oval from eye to eye for the jaw, the middle between a brow's upper and lower edge,
#: even steps along the rims of eyes and lips (docs/landmarks.md).
POINTS: tuple[tuple[int, ...], ...] = (
    *((127,), (234,), (93, 132), (132, 58), (172,), (136,), (149,), (176, 148), (152,)),  # jaw, right; chin
    *((400, 377), (378,), (365,), (397,), (361, 288), (323, 361), (454,), (356,)),  # jaw, left
    *((70, 46), (63, 53), (105, 52), (66, 65), (107, 55)),  # right brow
    *((336, 285), (296, 295), (334, 282), (293, 283), (300, 276)),  # left brow
    *((168,), (197,), (5,), (1, 4)),  # bridge and tip of the nose
    *((98,), (97,), (2,), (326,), (327,)),  # bottom of the nose
    *((33,), (160,), (158,), (133,), (153,), (144,)),  # right eye
    *((362,), (385,), (387,), (263,), (373,), (380,)),  # left eye
    *((61,), (39,), (37,), (0,), (267,), (269,), (291,)),  # outer lips, above
    *((321,), (314,), (17,), (84,), (91,)),  # outer lips, below
    *((78,), (81,), (13,), (311,), (308,)),  # inner lips, above
    *((402,), (14,), (178,)),  # inner lips, below
)
_MEANS = np.zeros((len(POINTS), 468))
for _row, _group in enumerate(POINTS):
    _MEANS[_row, list(_group)] = 1 / len(_group)


class FaceMesh:
    """The face mesh network. threads, provider: see `phiz.models.runtime`; ModelError on damaged weights."""

    def __init__(self, threads: int = 1, provider: str = "cpu") -> None:
        self._session = open_session(read_weights(WEIGHTS / FILE, SHA256), threads=threads, provider=provider)

    def find(self, image: Image, face: Detection) -> Landmarks | None:
        """Return the 68 points of `face`, in pixels of `image`; None where the network sees no face.

        image: uint8, H x W x 3, RGB. Raises ValueError on another type or shape.
        """
        surface = self.surface(image, face)
        return None if surface is None else _MEANS @ surface[:, :2]

    def surface(self, image: Image, face: Detection) -> NDArray[np.float64] | None:
        """Return all 468 points (468, 3) of `face`: x, y and depth; None where the network sees no face.

        In pixels of `image`; depth grows away from the camera, from the middle of the head. Raises ValueError
        on an image of another type or shape.
        """
        check_image(image)
        turn, shift = fit(face.keypoints, SIDE, REGION)
        seen = resample(image, turn, shift, SIDE)
        points, presence = self._session.run(["points", "presence"], {"image": seen[None]})
        if presence[0, 0] < np.log(THRESHOLD / (1 - THRESHOLD)):
            return None
        # The network counts from the centre of its first pixel, phiz from that pixel's corner: a point and
        # its like in the mirrored input add up to 190.6 on average, nearer to SIDE - 1 than to SIDE.
        x, y, depth = points[0].T.astype(np.float64)
        z = turn * (x + 0.5 + 1j * (y + 0.5)) + shift
        return np.stack([z.real, z.imag, abs(turn) * depth], axis=1)
