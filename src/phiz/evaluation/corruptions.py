"""The common corruptions at five strengths, by NumPy, SciPy and Pillow, and what else befalls a face.

Kinds, and where the recipe is the same the numbers too, after D. Hendrycks and T. Dietterich, "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations", ICLR 2019, whose pictures are SIDE pixels
wide as the patches here are. Frost is left out: it lays the authors' photographs over the picture.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import fft, ndimage

Picture = NDArray[np.floating[Any]]
Recipe = Callable[[Picture, Any, np.random.Generator], Picture]

#: Pixels along the patches that the recipes' lengths are meant for.
SIDE = 224


@dataclass(frozen=True, slots=True)
class Corruption:
    """One kind: settings of its five strengths, what they mean, and what it does to a picture from 0 to 1.

    group: noise, blur, weather or digital as the paper has them, "camera" for phiz's own.
    """

    name: str
    group: str
    settings: tuple[Any, ...]
    meaning: str
    recipe: Recipe

    def __call__(
        self, picture: NDArray[np.uint8], strength: int, rng: np.random.Generator
    ) -> NDArray[np.uint8]:
        """Return the picture (SIDE, SIDE, 3) corrupted with strength 1 to 5; "resolution" shrinks it."""
        made = self.recipe(picture.astype(np.float32) / 255, self.settings[strength - 1], rng)
        return np.round(np.clip(made, 0, 1) * 255).astype(np.uint8)


def _gaussian_noise(x: Picture, deviation: float, rng: np.random.Generator) -> Picture:
    return x + deviation * rng.standard_normal(x.shape, np.float32)


def _shot_noise(x: Picture, photons: float, rng: np.random.Generator) -> Picture:
    return (rng.poisson(x * photons) / photons).astype(np.float32)


def _impulse_noise(x: Picture, share: float, rng: np.random.Generator) -> Picture:
    hit = rng.random(x.shape, np.float32)
    return np.where(hit < share / 2, np.float32(0), np.where(hit < share, np.float32(1), x))


def _filtered(x: Picture, kernel: Picture) -> Picture:
    """Convolve each channel with a kernel of odd sides that sums to 1; the picture goes on mirrored."""
    up, across = (side // 2 for side in kernel.shape)
    wide = np.pad(x, ((up, up), (across, across), (0, 0)), mode="symmetric")
    size = [fft.next_fast_len(side, real=True) for side in wide.shape[:2]]
    spectrum = fft.rfft2(wide, size, axes=(0, 1)) * fft.rfft2(kernel, size)[..., None]
    whole = fft.irfft2(spectrum, size, axes=(0, 1))
    return np.asarray(whole[2 * up : 2 * up + x.shape[0], 2 * across : 2 * across + x.shape[1]], np.float32)


def _defocus_blur(x: Picture, setting: tuple[float, float], rng: np.random.Generator) -> Picture:
    radius, soft = setting
    reach = math.ceil(radius) + 2
    along = np.arange(-reach, reach + 1)
    disk = (along**2 + along[:, None] ** 2 <= radius**2).astype(np.float32)
    disk = ndimage.gaussian_filter(disk, soft)
    return _filtered(x, disk / disk.sum())


def _glass_blur(x: Picture, setting: tuple[float, int, int], rng: np.random.Generator) -> Picture:
    """Blur, let every pixel show one near it, so many times, and blur again."""
    deviation, reach, times = setting
    x = ndimage.gaussian_filter(x, (deviation, deviation, 0))
    height, width = x.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    for _ in range(times):
        down, across = rng.integers(-reach, reach + 1, (2, height, width))
        x = x[np.clip(rows + down, 0, height - 1), np.clip(columns + across, 0, width - 1)]
    return np.asarray(ndimage.gaussian_filter(x, (deviation, deviation, 0)))


def _motion_kernel(length: float, deviation: float, angle: float) -> Picture:
    """Weights along a line through the middle, falling off like a Gaussian from its middle."""
    reach = math.ceil(length)
    along = np.arange(-reach, reach + 1.0)
    ahead = along * math.cos(angle) + along[:, None] * math.sin(angle)
    beside = along[:, None] * math.cos(angle) - along * math.sin(angle)
    weight = (
        np.exp(-(ahead**2) / (2 * deviation**2))
        * np.clip(1 - np.abs(beside), 0, 1)
        * (np.abs(ahead) <= length)
    )
    return np.asarray(weight / weight.sum(), np.float32)


def _motion_blur(x: Picture, setting: tuple[float, float], rng: np.random.Generator) -> Picture:
    return _filtered(x, _motion_kernel(*setting, rng.uniform(-math.pi / 4, math.pi / 4)))


def _zoom_blur(x: Picture, setting: tuple[float, float], rng: np.random.Generator) -> Picture:
    most, step = setting
    picture, total = Image.fromarray(_bytes(x)), x.copy()
    zooms = np.arange(1 + step, most, step)
    height, width = x.shape[:2]
    for zoom in zooms:
        left, top, right, bottom = (
            side / 2 * (1 + sign / zoom) for sign in (-1, 1) for side in (width, height)
        )
        box = (left, top, right, bottom)
        total += _floats(picture.resize((width, height), Image.Resampling.BILINEAR, box))
    return np.asarray(total / (len(zooms) + 1))


def _snow(
    x: Picture, setting: tuple[float, float, float, float, float, float], rng: np.random.Generator
) -> Picture:
    """Whiten the picture and lay flakes over it, drawn out by the wind."""
    mean, zoom, least, length, drift, kept = setting
    height, width = x.shape[:2]
    flakes = rng.normal(mean, 0.3, (math.ceil(height / zoom), math.ceil(width / zoom)))
    large = np.asarray(Image.fromarray(np.float32(flakes)).resize((width, height), Image.Resampling.BILINEAR))
    lit = np.clip(np.where(large < least, 0, large), 0, 1).astype(np.float32)[..., None]
    lit = _filtered(lit, _motion_kernel(length, drift, rng.uniform(-3 * math.pi / 4, -math.pi / 4)))
    grey = x @ np.array([0.299, 0.587, 0.114], np.float32)
    pale = np.maximum(x, (grey * 1.5 + 0.5)[..., None])
    return np.asarray(kept * x + (1 - kept) * pale + lit + lit[::-1, ::-1])


def _clouds(side: int, decay: float, rng: np.random.Generator) -> Picture:
    """Return a square of cloud from 0 to 1: noise at every scale, each finer one weaker by the decay."""
    made, weight, cells = np.zeros((side, side), np.float32), 1.0, 2
    while cells <= side:
        grid = Image.fromarray(rng.random((cells, cells), np.float32))
        made += weight * np.asarray(grid.resize((side, side), Image.Resampling.BICUBIC))
        weight, cells = weight / decay, cells * 2
    made -= made.min()
    return np.asarray(made / made.max())


def _fog(x: Picture, setting: tuple[float, float], rng: np.random.Generator) -> Picture:
    thick, decay = setting
    brightest = float(x.max())
    fog = _clouds(max(x.shape[:2]), decay, rng)[: x.shape[0], : x.shape[1], None]
    return (x + thick * fog) * brightest / (brightest + thick)


def _value(x: Picture, added: float, rng: np.random.Generator) -> Picture:
    """Add to the value of HSV, which keeps hue and saturation: a pixel is multiplied as a whole."""
    value = x.max(2, keepdims=True)
    wanted = np.clip(value + added, 0, 1)
    return np.asarray(np.where(value > 0, x * (wanted / np.maximum(value, 1e-6)), wanted))


def _contrast(x: Picture, kept: float, rng: np.random.Generator) -> Picture:
    mean = x.mean((0, 1), keepdims=True)
    return np.asarray((x - mean) * kept + mean)


def _elastic(x: Picture, amplitude: float, rng: np.random.Generator) -> Picture:
    """Move every pixel by a field of noise, smoothed over a hundredth of the picture."""
    height, width = x.shape[:2]
    noise = rng.uniform(-1, 1, (2, height, width)).astype(np.float32)
    moved = amplitude * ndimage.gaussian_filter(noise, (0, 0.01 * height, 0.01 * width), mode="reflect")
    places = np.mgrid[:height, :width] + moved
    channels = [ndimage.map_coordinates(x[..., c], places, order=1, mode="reflect") for c in range(3)]
    return np.stack(channels, axis=-1)


def _pixelate(x: Picture, share: float, rng: np.random.Generator) -> Picture:
    height, width = x.shape[:2]
    small = Image.fromarray(_bytes(x)).resize((int(width * share), int(height * share)), Image.Resampling.BOX)
    return _floats(small.resize((width, height), Image.Resampling.NEAREST))


def _jpeg(x: Picture, quality: int, rng: np.random.Generator) -> Picture:
    file = io.BytesIO()
    Image.fromarray(_bytes(x)).save(file, "JPEG", quality=quality)
    return _floats(Image.open(file))


def _exposure(x: Picture, stops: float, rng: np.random.Generator) -> Picture:
    """Give a camera so many stops of light less: pixels are about the 2.2th root of light."""
    return np.asarray(x * np.float32(2 ** (stops / 2.2)))


def _few_pixels(x: Picture, side: int, rng: np.random.Generator) -> Picture:
    """Shrink the picture, each pixel the mean of what it covers."""
    picture = Image.fromarray(_bytes(x))
    return _floats(picture.resize((side, side), Image.Resampling.BOX))


def _floats(picture: Image.Image) -> Picture:
    return np.asarray(np.asarray(picture) / np.float32(255))


def _bytes(x: Picture) -> NDArray[np.uint8]:
    return np.round(np.clip(x, 0, 1) * 255).astype(np.uint8)


#: How much wider than the network's crop a patch is.
MARGIN = 1.5
_PIXELS = (48, 32, 24, 16, 12)
_ALL = (
    Corruption("Gaussian noise", "noise", (0.08, 0.12, 0.18, 0.26, 0.38), "deviation", _gaussian_noise),
    Corruption("shot noise", "noise", (60, 25, 12, 5, 3), "photons at white", _shot_noise),
    Corruption("impulse noise", "noise", (0.03, 0.06, 0.09, 0.17, 0.27), "share of values", _impulse_noise),
    Corruption(
        "defocus blur",
        "blur",
        ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
        "radius, softness of the edge, pixels",
        _defocus_blur,
    ),
    Corruption(
        "glass blur",
        "blur",
        ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
        "blur, reach, pixels; times",
        _glass_blur,
    ),
    Corruption(
        "motion blur",
        "blur",
        ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
        "length, deviation, pixels",
        _motion_blur,
    ),
    Corruption(
        "zoom blur",
        "blur",
        ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
        "largest zoom, step",
        _zoom_blur,
    ),
    Corruption(
        "snow",
        "weather",
        (
            (0.1, 3, 0.5, 10, 4, 0.8),
            (0.2, 2, 0.5, 12, 4, 0.7),
            (0.55, 4, 0.9, 12, 8, 0.7),
            (0.55, 4.5, 0.85, 12, 8, 0.65),
            (0.55, 2.5, 0.85, 12, 12, 0.55),
        ),
        "flakes: mean, size, threshold, length, drift; picture kept",
        _snow,
    ),
    Corruption(
        "fog", "weather", ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)), "thickness, decay", _fog
    ),
    Corruption("brightness", "weather", (0.1, 0.2, 0.3, 0.4, 0.5), "added to HSV's value", _value),
    Corruption("contrast", "digital", (0.4, 0.3, 0.2, 0.1, 0.05), "share kept", _contrast),
    Corruption("elastic", "digital", (6, 9, 12.2, 17.1, 29.3), "amplitude, pixels", _elastic),
    Corruption("pixelate", "digital", (0.6, 0.5, 0.4, 0.3, 0.25), "share of pixels along a side", _pixelate),
    Corruption("JPEG", "digital", (25, 18, 15, 10, 7), "quality", _jpeg),
    Corruption("JPEG quality", "camera", (90, 70, 50, 30, 10), "quality", _jpeg),
    Corruption("darkness", "camera", (-1, -2, -3, -4, -5), "stops of light", _exposure),
    Corruption(
        "resolution",
        "camera",
        _PIXELS,
        "pixels along the network's crop",
        lambda x, side, rng: _few_pixels(x, round(side * MARGIN), rng),
    ),
)
#: Every kind that changes pixels, by name, the paper's first.
CORRUPTIONS: dict[str, Corruption] = {each.name: each for each in _ALL}
#: Groups of the paper, over which its mean is taken.
COMMON = ("noise", "blur", "weather", "digital")
