"""YuNet: one small anchor-free network that finds faces and five points of each, run by ONNX Runtime.

Source: W. Wu, H. Peng, S. Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research
20, 2023. Weights: MIT, see weights/LICENSE; constants: weights/yunet.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..crop import check_image
from ..models.runtime import open_session, read_weights
from ..types import Detection
from .detector_card import WEIGHTS, load_card
from .looks import Image, first_factor, fitting, nearest, padded, second_factor, shrink

#: Faces: float, n x 15: left, top, right, bottom, five points as x, y (types.KEYPOINT_NAMES), score.
Floats = NDArray[np.floating[Any]]
COLUMNS, SCORE = 15, 14
SAME = 0.5  # least intersection over union of two sights of one face


class Detector:
    """Finds the faces of a picture in one look, or in two where some may be larger than the network reaches.

    min_face: width of the smallest face to look for and return, in pixels, or below 1 as a share of a
    picture's longer side; None for the card's, within its bound for large pictures (docs/detector.md).
    threads: of a network call. provider: see `phiz.models.runtime.PROVIDERS`.
    Raises ValueError on a min_face of 0 or less, ModelError on an unknown provider or damaged weights.
    """

    def __init__(self, min_face: float | None = None, threads: int = 1, provider: str = "cpu") -> None:
        if min_face is not None and not 0 < min_face < float("inf"):
            raise ValueError(f"min_face: expected pixels, or a share below 1, got {min_face}")
        self.card = load_card()
        self.min_face = min_face
        weights = read_weights(WEIGHTS / f"{self.card.name}.onnx", self.card.sha256)
        self._session = open_session(weights, threads=threads, provider=provider)
        self._names = [f"{kind}_{s}" for s in self.card.strides for kind in ("cls", "obj", "bbox", "kps")]

    def detect(self, image: Image, scale: float = 1.0) -> list[Detection]:
        """Return the faces of `image` (uint8, H x W x 3, RGB), largest first.

        scale: how many pixels of the whole picture one of `image`'s stands for, where it was read smaller;
        `min_face` and the answers count in the whole picture's. Raises ValueError on another type or shape.
        """
        faces = self._faces(image, scale, self.card.score)
        height, width = (side * scale for side in image.shape[:2])
        least = self.card.slack * (self._smallest(width, height) or self.card.min_face)
        return to_detections(faces[faces[:, 2] - faces[:, 0] >= least])

    def reduction(self, width: int, height: int) -> float:
        """Return by how much a picture of this size may be read smaller before it is given to `detect`."""
        return first_factor(width, height, self._smallest(width, height), self.card)

    def detect_chip(self, image: Image, scale: float = 1.0) -> Detection | None:
        """Return the one face of an already cropped face chip; None where nothing is found.

        image: uint8, H x W x 3, RGB. Of several the largest and most central wins. A face should be there, so
        less certain ones count, and there is always a second look. Raises ValueError as `detect` does.
        """
        height, width = (side * scale for side in image.shape[:2])
        faces = to_detections(self._faces(image, scale, self.card.chip_score, chip=True))
        sure = [face for face in faces if face.score >= self.card.score]
        return max(sure or faces, key=lambda face: _prominence(face, width, height), default=None)

    def _smallest(self, width: float, height: float) -> float | None:
        side = self.min_face
        return side * max(width, height) if side is not None and side < 1 else side

    def _faces(self, image: Image, scale: float, score: float, *, chip: bool = False) -> Floats:
        """Return the faces of at least that score, n x 15 in pixels of the whole picture."""
        check_image(image)
        size = round(image.shape[1] * scale), round(image.shape[0] * scale)
        # A chip is one large face: small ones are looked at as they are, for steadier points.
        whole = fitting(size[0] * size[1], self.card.look_pixels) if chip else self.reduction(*size)
        factor = nearest(whole / scale)
        look = shrink(image, factor)
        found = [self._look(look, score, factor * scale)]
        again = second_factor(look.shape[1], look.shape[0], self.card, always=chip)
        if again is not None:
            coarse = again * factor * scale
            faces = self._look(shrink(look, again), score, coarse)
            found.append(faces[faces[:, 2] - faces[:, 0] >= self.card.coarse_least * coarse])
        return suppress(np.concatenate(found), self.card.overlap)

    def _look(self, look: Image, score: float, factor: float) -> Floats:
        """Return what the network sees, overlapping boxes included, times `factor`."""
        pixels = padded(look, max(self.card.strides))
        values = dict(zip(self._names, self._session.run(self._names, {"image": pixels}), strict=True))
        faces = decode(values, pixels.shape[2], self.card.strides, score)
        faces[:, :SCORE] *= factor
        return faces


def decode(outputs: Mapping[str, Floats], width: int, strides: Sequence[int], least: float) -> Floats:
    """Turn the network's outputs into faces of at least that score, n x 15 in pixels of its input.

    outputs: for each stride s, cls_s and obj_s (1, cells, 1), whose geometric mean is the score, bbox_s
    (1, cells, 4) and kps_s (1, cells, 10), cells row by row. A box's centre is (cell + d) x s, its side
    exp(d) x s; a point is (cell + d) x s (the paper's section 3.3). width: of the input, in pixels.
    """
    found = [np.zeros((0, COLUMNS))]
    for stride in strides:
        scores = np.sqrt(outputs[f"cls_{stride}"][0, :, 0] * outputs[f"obj_{stride}"][0, :, 0])
        kept = np.flatnonzero(scores >= least)
        if not len(kept):
            continue
        rows, columns = np.divmod(kept, width // stride)
        cell = np.stack([columns, rows], axis=1).astype(np.float64)
        box, points = outputs[f"bbox_{stride}"][0, kept], outputs[f"kps_{stride}"][0, kept]
        centre = (cell + box[:, :2]) * stride
        half = np.exp(np.minimum(box[:, 2:].astype(np.float64), 10.0)) * stride / 2
        points = (points.reshape(len(kept), -1, 2) + cell[:, None]) * stride
        parts = [centre - half, centre + half, points.reshape(len(kept), -1), scores[kept, None]]
        found.append(np.concatenate(parts, axis=1))
    return np.concatenate(found)


def suppress(faces: Floats, overlap: float) -> Floats:
    """Keep of boxes that overlap more than so much (intersection over union) the best, best score first.

    Box and points become the mean, by score, of all that overlap the best by more than SAME: those of single
    cells are half again as unsteady (docs/detector.md).
    """
    left = faces[np.argsort(-faces[:, SCORE], kind="stable")]
    kept = []
    while len(left):
        shared = overlaps(left[0], left)
        shared[0] = 1.0  # a box without area overlaps nothing, not even itself
        same = left[shared > SAME]
        mean = np.average(same, axis=0, weights=same[:, SCORE])
        kept.append(np.append(mean[:SCORE], left[0, SCORE]))
        left = left[shared <= overlap]
    return np.stack(kept) if kept else np.zeros((0, COLUMNS))


def overlaps(one: Floats, many: Floats) -> Floats:
    """Return the intersection over union of row `one`'s box with each of `many`'s, in [0, 1]."""
    sides = np.minimum(one[2:4], many[:, 2:4]) - np.maximum(one[0:2], many[:, 0:2])
    shared = np.prod(np.maximum(sides, 0.0), axis=1)
    union = np.prod(one[2:4] - one[0:2]) + np.prod(many[:, 2:4] - many[:, 0:2], axis=1) - shared
    return np.asarray(shared / np.maximum(union, 1e-12))


def to_detections(faces: Floats) -> list[Detection]:
    """Turn n x 15 faces into detections, largest box first."""
    detections = [
        Detection((x, y, right - x, bottom - y), points[-1], tuple(zip(points[:-1:2], points[1::2])))  # noqa: B905
        for x, y, right, bottom, *points in faces.tolist()
    ]
    return sorted(detections, key=lambda face: -face.box[2] * face.box[3])


def _prominence(face: Detection, width: float, height: float) -> float:
    """Return the face's area, divided by 1 + (distance from the middle / quarter of the longer side)^2."""
    x, y, w, h = face.box
    off = complex(x + w / 2 - width / 2, y + h / 2 - height / 2)
    return w * h / (1 + 16 * abs(off / max(width, height)) ** 2)
