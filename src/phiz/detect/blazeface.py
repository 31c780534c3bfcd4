"""BlazeFace: Google MediaPipe's small face detector, run by ONNX Runtime.

Source: V. Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs",
arXiv 1907.05047. Weights: Apache-2.0, see weights/NOTICE.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import PIL.Image

from phiz.detect.base import MIN_FACE_SLACK, Image, check_image
from phiz.detect.boxes import COLUMNS, Floats, decode, make_anchors, weighted_nms
from phiz.detect.window import GREY, Fill, Window, sample, whole
from phiz.errors import ModelError
from phiz.models import runtime
from phiz.types import Detection

WEIGHTS = Path(__file__).parent / "weights"
#: Candidates of one window that overlap more (intersection over union) are blended into one face.
NMS_THRESHOLD = 0.3


@dataclass(frozen=True, slots=True)
class Variant:
    """One of BlazeFace's trained networks.

    side: input width and height in pixels. grids: pixels per cell and anchors per cell, by output grid.
    threshold: least score of a face. padding: share of the picture's longer side added all round.
    """

    file: str
    sha256: str
    side: int
    grids: tuple[tuple[int, int], ...]
    threshold: float
    padding: float


VARIANTS = {
    "short": Variant(
        file="blazeface_short.onnx",
        sha256="f9d929d1e40908069bdb59c7ddd3fd1def816dbf607c107bcc51220b6dae860c",
        side=128,
        grids=((8, 2), (16, 6)),
        threshold=0.5,
        padding=0.15,
    ),
    "back": Variant(
        file="blazeface_back.onnx",
        sha256="5fcf767bfdd3fc6946d2255b7fa6b366b7d6d9f683aec49a8ddf6f81beb96b1d",
        side=256,
        grids=((16, 2), (32, 6)),
        threshold=0.5,
        padding=0.15,
    ),
}


class BlazeFace:
    """One BlazeFace network, looking at a whole picture or at square windows of it.

    variant: a name in VARIANTS. threads: processor threads of one network call. min_face: faces clearly
    narrower, in pixels, are left out. provider: see `phiz.models.runtime.PROVIDERS`.
    Raises ModelError on an unknown variant or provider or damaged weights.
    """

    def __init__(self, variant: str, threads: int = 1, min_face: int = 0, provider: str = "cpu") -> None:
        if variant not in VARIANTS:
            raise ModelError(f"unknown BlazeFace network {variant!r}; there are {', '.join(VARIANTS)}")
        self.variant = VARIANTS[variant]
        self._min_face = min_face
        self._anchors: dict[tuple[int, int], Floats] = {}
        self._session = open_session(WEIGHTS / self.variant.file, self.variant.sha256, threads, provider)

    def detect(self, image: Image, padding: float | None = None) -> list[Detection]:
        """Return the faces of `image` (uint8, H x W x 3, RGB), largest first, in its own pixels.

        padding: share of the longer side added all round; None for the network's usual one.
        Raises ValueError on another type or shape.
        """
        check_image(image)
        height, width = image.shape[:2]
        window = whole(width, height, self.variant.padding if padding is None else padding)
        faces = self.candidates(PIL.Image.fromarray(image), [window])
        return to_detections(faces[faces[:, 2] - faces[:, 0] >= MIN_FACE_SLACK * self._min_face])

    def candidates(
        self,
        picture: PIL.Image.Image,
        windows: Sequence[Window],
        fill: Fill = GREY,
        threshold: float | None = None,
        trim: bool = False,
    ) -> Floats:
        """Return the faces seen in each window, merged, as n x 17 candidates in picture pixels.

        trim: leave out the cells of a window past the picture's right and lower end. They cost time, and to
        the network grey is the zero that it sees beyond its input anyway.
        """
        least = self.variant.threshold if threshold is None else threshold
        side = self.variant.side
        found: list[Floats] = [np.zeros((0, COLUMNS))]
        cell = max(pixels for pixels, _ in self.variant.grids) if trim else side
        for window in windows:
            # One by one: on one processor thread more windows in a call fall out of its cache.
            pixels = sample(picture, window, side, fill, cell)
            regressors, logits = self._session.run(["regressors", "classificators"], {"image": pixels[None]})
            shape = (pixels.shape[0], pixels.shape[1])
            if shape not in self._anchors:
                self._anchors[shape] = make_anchors(self.variant.grids, *shape)
            found_here = decode(regressors[0], logits[0, :, 0], self._anchors[shape], least)
            faces = weighted_nms(found_here, NMS_THRESHOLD)
            faces[:, :16] *= window.side / side
            faces[:, 0:16:2] += window.x
            faces[:, 1:16:2] += window.y
            found.append(faces)
        return np.concatenate(found)


def open_session(
    path: Path, sha256: str, threads: int, provider: str = "cpu"
) -> onnxruntime.InferenceSession:
    """Open an ONNX file after checking its sha256; ModelError if it is missing or not the file it was."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read the weights {path.name}: {error.strerror}; reinstall phiz") from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != sha256:
        raise ModelError(
            f"the weights {path.name} are damaged: expected sha256 {sha256}, got {digest}; reinstall phiz"
        )
    return runtime.open_session(data, threads=threads, provider=provider)


def to_detections(candidates: Floats) -> list[Detection]:
    """Turn n x 17 candidates into detections, largest box first."""
    detections = []
    for row in candidates.tolist():
        left, top, right, bottom = row[:4]
        keypoints = tuple(zip(row[4:16:2], row[5:16:2], strict=True))
        detections.append(Detection((left, top, right - left, bottom - top), row[16], keypoints))
    return sorted(detections, key=lambda face: -face.box[2] * face.box[3])
