"""The default detector: BlazeFace's two networks, each used where it reaches."""

from __future__ import annotations

from phiz.detect.base import Image
from phiz.detect.blazeface import BlazeFace
from phiz.types import Detection


class AutoDetector:
    """`short` first."""

    def __init__(self, min_face: int | None = None, threads: int = 1) -> None:
        self.short = BlazeFace("short", threads)

    def detect(self, image: Image, padding: float | None = None) -> list[Detection]:
        """Return the faces of `image` (uint8, H x W x 3, RGB), largest first, in its own pixels."""
        return self.short.detect(image, padding)
