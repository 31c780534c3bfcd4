"""The one canonical face crop, used by training and by analysis alike.

A crop that differs between training and use is the commonest silent accuracy loss in this field
(Paplham & Franc, CVPR 2024, arXiv 2307.04570), so there is exactly this one.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .errors import ModelError
from .types import KEYPOINT_NAMES, Point

#: The keypoints that a crop is fitted to.
POINTS = ("right_eye", "left_eye", "right_mouth", "left_mouth")
#: Raised by one with any change to reading, finding or cutting a face that makes other pixels of the same
#: picture: training crops of another version are cut anew.
CROP_VERSION = 2


@dataclass(frozen=True, slots=True)
class CropTemplate:
    """Where the eyes and the corners of the mouth land in the crop, as fractions of its side.

    right_eye, left_eye, right_mouth, left_mouth: (x, y) in the unit square, y down; the person's own right
        and left. The tip of the nose has no place: it moves with the turn of the head.
    chip: (x, y, side) of the crop's square within an already cropped face chip on which no
        keypoint was found, as fractions of the chip's shorter side, measured from the chip's centre square.
    """

    right_eye: Point
    left_eye: Point
    right_mouth: Point
    left_mouth: Point
    chip: tuple[float, float, float]

    def zoomed_out(self, factor: float) -> CropTemplate:
        """Return the template of a crop that shows `factor` times as wide a square, same centre."""
        x, y, side = self.chip
        grown = side * factor
        chip = (x + (side - grown) / 2, y + (side - grown) / 2, grown)
        return self._with(lambda x, y: (0.5 + (x - 0.5) / factor, 0.5 + (y - 0.5) / factor), chip)

    def moved(self, across: float, down: float) -> CropTemplate:
        """Return the template of a crop whose square lies so many of its sides further right and down."""
        x, y, side = self.chip
        return self._with(lambda x, y: (x - across, y - down), (x + across * side, y + down * side, side))

    def _with(self, move: Callable[[float, float], Point], chip: tuple[float, float, float]) -> CropTemplate:
        points = {name: move(*getattr(self, name)) for name in POINTS}
        return CropTemplate(**points, chip=chip)

    def to_dict(self) -> dict[str, list[float]]:
        """Return the template as plain lists, for a model card or a recipe."""
        return {name: list(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> CropTemplate:
        """Read a template written by to_dict.

        Raises: ModelError where a field is missing, unknown or not numbers of the right count.
        """
        counts = {name: 2 for name in POINTS} | {"chip": 3}
        if not isinstance(data, dict) or set(data) != set(counts):
            came = sorted(data) if isinstance(data, dict) else type(data).__name__
            raise ModelError(f"crop template: expected the fields {sorted(counts)}, got {came}")
        for name, count in counts.items():
            value = data[name]
            if not isinstance(value, (list, tuple)) or len(value) != count or not all(map(finite, value)):
                raise ModelError(f"crop template: {name} must be {count} finite numbers, got {value!r}")
        points = {name: (float(data[name][0]), float(data[name][1])) for name in POINTS}
        x, y, side = (float(v) for v in data["chip"])
        return cls(**points, chip=(x, y, side))


def finite(value: object) -> bool:
    """Whether a value of a card or a recipe is a number that a float can hold; true and false are none."""
    most = sys.float_info.max  # compared, since math.isfinite fails on a whole number beyond it
    return type(value) in (int, float) and -most <= value <= most  # type: ignore[operator]


def face_crop(
    image: NDArray[np.uint8], keypoints: Sequence[Point], size: int, template: CropTemplate
) -> NDArray[np.uint8]:
    """Return the face as an upright square of `size` pixels, eyes and mouth on the template.

    image: (H, W, 3) uint8. keypoints: pixels, in the order of types.KEYPOINT_NAMES.
    The least-squares similarity transform (rotation, one scale, shift; never a mirror or a shear)
    takes the eyes and the corners of the mouth to the template. Returns (size, size, 3) uint8. Beyond the
    picture's edge the nearest edge pixel is repeated.

    Raises: ValueError where the keypoints coincide, so that no scale can be told.
    """
    return resample(image, *fit(keypoints, size, template), size)


def fit(keypoints: Sequence[Point], size: int, template: CropTemplate) -> tuple[complex, complex]:
    """Return (turn, shift): pixel z of `face_crop`'s crop shows picture position turn * z + shift, as x + yi.

    Raises: ValueError where the keypoints coincide, so that no scale can be told.
    """
    found = np.array([keypoints[KEYPOINT_NAMES.index(name)] for name in POINTS], dtype=np.float64)
    wanted = np.array([getattr(template, name) for name in POINTS], dtype=np.float64) * size
    # With points as complex numbers a similarity is z -> turn * z + shift. Solved from the crop to
    # the picture, because resampling asks where in the picture a pixel of the crop comes from.
    source, target = wanted @ (1, 1j), found @ (1, 1j)
    from_centre = source - source.mean()
    spread = float(np.sum(np.abs(from_centre) ** 2))
    turn = complex(np.sum(from_centre.conj() * (target - target.mean())) / spread)
    if not math.isfinite(abs(turn)) or abs(turn) < 1e-6:
        raise ValueError(f"expected eyes and corners of the mouth in separate places, got {found.tolist()}")
    return turn, complex(target.mean() - turn * source.mean())


def chip_crop(image: NDArray[np.uint8], size: int, template: CropTemplate) -> NDArray[np.uint8]:
    """Return the crop of an already cropped face chip on which no keypoint was found.

    image: (H, W, 3) uint8. Takes the square that the template's crop has on an average chip.
    Returns (size, size, 3) uint8.
    """
    height, width = image.shape[:2]
    return resample(image, *chip_fit(width, height, size, template), size)


def chip_fit(width: int, height: int, size: int, template: CropTemplate) -> tuple[complex, complex]:
    """Return (turn, shift) of `chip_crop` for a chip of this size, as `fit` does of `face_crop`."""
    short = min(height, width)
    x, y, side = template.chip
    corner = complex((width - short) / 2 + x * short, (height - short) / 2 + y * short)
    return complex(side * short / size), corner


def check_image(image: NDArray[Any]) -> None:
    """Raise ValueError unless `image` is a uint8 array of H x W x 3 with at least one pixel."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(
            f"expected a uint8 RGB picture of height x width x 3, got {image.dtype} of shape {image.shape}; "
            "phiz.image.load makes one from any picture file"
        )


def resample(image: NDArray[np.uint8], turn: complex, shift: complex, size: int) -> NDArray[np.uint8]:
    """Sample crop pixel z at picture position turn * z + shift, averaging so that nothing aliases.

    image: (H, W, 3) uint8; positions are complex numbers x + yi in pixels. Returns (size, size, 3) uint8.
    Beyond the picture's edge the nearest edge pixel is repeated.
    """
    height, width = image.shape[:2]
    # Off by a rounding error, a whole step would take the pixel before; no face is known to a billionth.
    turn, shift = (complex(round(z.real, 9), round(z.imag, 9)) for z in (turn, shift))
    corners = turn * np.array([0, size, size * 1j, size + size * 1j]) + shift
    step = abs(turn)  # picture pixels per crop pixel
    # First shrink by a whole factor with a box filter (cheap), until fewer than 4 remain ...
    factor = max(1, int(step // 2))
    margin = 2 * factor
    left, top = math.floor(corners.real.min()) - margin, math.floor(corners.imag.min()) - margin
    columns = -(-(math.ceil(corners.real.max()) + margin - left) // factor) * factor
    rows = -(-(math.ceil(corners.imag.max()) + margin - top) // factor) * factor
    inside = left >= 0 and top >= 0 and left + columns <= width and top + rows <= height
    if inside:
        region = image[top : top + rows, left : left + columns]
    else:
        x = np.clip(np.arange(left, left + columns), 0, width - 1)
        y = np.clip(np.arange(top, top + rows), 0, height - 1)
        region = image[y[:, None], x[None, :]]
    picture = Image.fromarray(np.ascontiguousarray(region))
    if factor > 1:
        picture = picture.reduce(factor)
    turn, shift = turn / factor, (shift - complex(left, top)) / factor
    # ... then sample `fine` x `fine` points per crop pixel, at most one picture pixel apart, and average.
    fine = max(1, math.ceil(abs(turn) - 1e-9))
    turn /= fine
    picture = picture.transform(
        (size * fine, size * fine),
        Image.Transform.AFFINE,
        (turn.real, -turn.imag, shift.real, turn.imag, turn.real, shift.imag),
        Image.Resampling.BILINEAR,
    )
    if fine > 1:
        picture = picture.reduce(fine)
    return np.asarray(picture)
