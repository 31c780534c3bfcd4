"""The faces of one picture as networks take them, and how good a look each crop gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .crop import CropTemplate, chip_fit, fit, resample
from .image import Picture
from .landmarks import Landmarker, keypoints
from .quality import inside, light, pose
from .types import Detection

Image = NDArray[np.uint8]


class Cutter:
    """Cuts the faces of one picture as networks take them, every size and template once."""

    def __init__(self, picture: Picture, detections: Sequence[Detection | None]) -> None:
        self._picture, self._detections = picture, detections
        self._made: dict[tuple[int, CropTemplate, bool], Image] = {}
        self._fits: dict[tuple[int, CropTemplate, bool], list[tuple[complex, complex]]] = {}
        self._whole: Image | None = None

    def __call__(self, size: int, template: CropTemplate, landmarker: Landmarker | None = None) -> Image:
        """Return the crops, (N, size, size, 3), cut by the landmark finder's points where there is one."""
        key = size, template, landmarker is not None
        if key not in self._made:
            crops = np.empty((len(self._detections), size, size, 3), np.uint8)
            for crop, place in zip(crops, self._places(size, template, landmarker), strict=True):
                crop[:] = self._cut(*place, size)
            self._made[key] = crops
        return self._made[key]

    def quality(
        self, size: int, template: CropTemplate, landmarker: Landmarker | None = None
    ) -> tuple[Mapping[str, float], ...]:
        """Return how good the look is that each of the crops gives."""
        picture, found = self._picture, []
        lit, places = light(self(size, template, landmarker)), self._places(size, template, landmarker)
        for detection, (turn, shift), (sharpness, brightness) in zip(
            self._detections, places, lit, strict=True
        ):
            values = {"size": abs(turn) * size, "sharpness": sharpness, "brightness": brightness}
            if detection is not None:
                values |= zip(("yaw", "pitch", "roll"), pose(detection.keypoints), strict=True)
            values["inside"] = inside(turn, shift, size, picture.width, picture.height)
            found.append(values)
        return tuple(found)

    def _places(
        self, size: int, template: CropTemplate, landmarker: Landmarker | None
    ) -> list[tuple[complex, complex]]:
        """Return where in the picture each crop lies, see `phiz.crop.fit`; landmarks are found once."""
        key = size, template, landmarker is not None
        if key not in self._fits:
            self._fits[key] = [self._fit(each, size, template, landmarker) for each in self._detections]
        return self._fits[key]

    def _fit(
        self, detection: Detection | None, size: int, template: CropTemplate, landmarker: Landmarker | None
    ) -> tuple[complex, complex]:
        if detection is None:
            return chip_fit(self._picture.width, self._picture.height, size, template)
        if landmarker is None:
            return fit(detection.keypoints, size, template)
        return fit(keypoints(self._full(), detection, landmarker), size, template)

    def _cut(self, turn: complex, shift: complex, size: int) -> Image:
        scale = self._picture.scale
        if abs(turn) >= scale:
            return resample(self._picture.pixels, turn / scale, shift / scale, size)
        # A pixel of what was read smaller would spread over several of the crop.
        return resample(self._full(), turn, shift, size)

    def _full(self) -> Image:
        if self._whole is None:
            self._whole = self._picture.whole()
        return self._whole
