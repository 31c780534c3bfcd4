"""Face detection: pictures in, boxes with six keypoints out."""

from __future__ import annotations

from phiz.detect.auto import AutoDetector
from phiz.detect.base import Detector, Image
from phiz.detect.blazeface import VARIANTS, BlazeFace
from phiz.errors import ModelError
from phiz.types import Detection

__all__ = ["AutoDetector", "BlazeFace", "Detector", "Image", "detect_chip", "load_detector"]

#: What is added round a tight face chip, as a share of its longer side: first try, second try.
CHIP_PADDING = (0.25, 0.5)


def load_detector(
    name: str = "auto", *, min_face: int | None = None, threads: int = 1, provider: str = "cpu"
) -> Detector:
    """Load a face detector: "auto" (both networks and tiling), "short" or "back" (one look with one network).

    min_face: width in pixels of the smallest face to return, and for "auto" to search for; None for the
    detector's own reach ("auto": 48 pixels). Boxes under four fifths of it are left out.
    threads: processor threads of one network call. provider: see `phiz.models.runtime.PROVIDERS`.
    Raises ModelError on an unknown name or provider or damaged weights, ValueError on a min_face below 1.
    """
    if min_face is not None and min_face < 1:
        raise ValueError(f"min_face: expected at least 1 pixel, got {min_face}")
    if name == "auto":
        return AutoDetector(min_face, threads, provider)
    if name in VARIANTS:
        return BlazeFace(name, threads, min_face or 0, provider)
    raise ModelError(f"unknown detector {name!r}; there are {', '.join(['auto', *VARIANTS])}")


def detect_chip(image: Image, detector: Detector) -> Detection | None:
    """Find the one face of an already cropped, tight face chip; None where nothing is found.

    image: uint8, H x W x 3, RGB. The chip is padded with grey by 25% all round, by 50% on a second try: the
    networks know few faces that fill their whole input. Of several faces the largest and most central wins.
    Coordinates are pixels of `image`, unpadded. Raises ValueError on another type or shape.
    """
    for padding in CHIP_PADDING:
        faces = detector.detect(image, padding)
        if faces:
            return max(faces, key=lambda face: _prominence(face, image.shape[1], image.shape[0]))
    return None


def _prominence(face: Detection, width: int, height: int) -> float:
    """Return the face's area, divided by 1 + (distance from the middle / quarter of the longer side)^2."""
    x, y, w, h = face.box
    across, down = x + w / 2 - width / 2, y + h / 2 - height / 2
    return w * h / (1 + 16 * (across**2 + down**2) / max(width, height) ** 2)
