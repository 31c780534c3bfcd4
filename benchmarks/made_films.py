"""Films of photographed faces as a poor camera would take them: motion, blur, light, noise, H.264."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from phiz.image import load
from phiz.types import Box

#: Width and height of a film in pixels, and its frames a second.
SIZE = (320, 240)
RATE = 12.5

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Shot:
    """How one film is taken; everything about it follows from `random`."""

    width: float  # of the face, in pixels of the film
    place: complex  # of its centre
    way: complex  # a second
    sway: float  # pixels
    turn: float  # degrees to each side, in the plane of the picture
    focus: float  # deviation of the blur at its worst, in pixels
    light: float  # brightness is multiplied by this
    noise: float  # of the sensor, in levels of 255
    quality: int  # CRF of H.264; larger is poorer

    @classmethod
    def of(cls, random: np.random.Generator) -> Shot:
        """Draw how a film is taken."""
        return cls(
            width=random.uniform(40, 100),
            place=complex(random.uniform(130, 190), random.uniform(105, 135)),
            way=complex(*random.normal(0, 12, 2)),
            sway=random.uniform(0, 12),
            turn=random.uniform(0, 10),
            focus=random.choice([0.0, random.uniform(0.5, 2.5)]),
            light=random.uniform(0.6, 1.3),
            noise=random.uniform(1, 8),
            quality=int(random.integers(24, 37)),
        )


def film(photos: Sequence[tuple[Path, Box]], random: np.random.Generator, each: float) -> bytes:
    """Return a video (MP4) in which photographed faces take turns at one place.

    photos: pictures and the boxes of their faces. each: seconds for which each is shown.
    """
    shot, count = Shot.of(random), round(each * RATE)
    shown = (
        _frame(load(path), box, shot, number * count + step, random)
        for number, (path, box) in enumerate(photos)
        for step in range(count)
    )
    return _encoded(shown, shot.quality)


def frames(video: bytes) -> Iterator[tuple[float, Image]]:
    """Yield seconds and picture of each frame of a video."""
    with av.open(io.BytesIO(video)) as file:
        for number, frame in enumerate(file.decode(video=0)):
            yield number / RATE, frame.to_ndarray(format="rgb24")


def _frame(photo: Image, box: Box, shot: Shot, index: int, random: np.random.Generator) -> Image:
    time = index / RATE
    wave = np.sin(2 * np.pi * time / 1.7)
    centre = shot.place + shot.way * np.sin(time) + shot.sway * wave
    speed = shot.way * np.cos(time) + shot.sway * 2 * np.pi / 1.7 * np.cos(2 * np.pi * time / 1.7)
    scale = shot.width / box[2] * (1 + 0.1 * np.sin(time))
    middle = box[0] + box[2] / 2, box[1] + box[3] / 2
    matrix = cv2.getRotationMatrix2D(middle, shot.turn * wave, scale)
    matrix[:, 2] += (centre.real - middle[0], centre.imag - middle[1])
    small = photo
    if scale < 0.5:  # warping takes four pixels each; what is shrunk more is averaged before
        matrix[:, :2] /= scale
        small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    seen = cv2.warpAffine(small, matrix, SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    moved = abs(speed) / RATE / 2  # the shutter is open for half of the time
    if moved >= 2:
        seen = cv2.filter2D(seen, -1, _streak(speed / abs(speed) * moved))
    if (sigma := shot.focus * np.sin(2 * np.pi * time / 4) ** 2) > 0.3:
        seen = cv2.GaussianBlur(seen, (0, 0), sigma)
    levels = seen * shot.light + random.normal(0, shot.noise, seen.shape)
    return np.clip(levels, 0, 255).astype(np.uint8)


def _streak(way: complex) -> NDArray[np.float32]:
    kernel = np.zeros((21, 21), np.float32)
    half = way / 2 * min(1.0, 20 / abs(way))
    ends = [(round(10 + sign * half.real), round(10 + sign * half.imag)) for sign in (-1, 1)]
    cv2.line(kernel, *ends, 1.0)
    return kernel / kernel.sum()


def _encoded(shown: Iterator[Image], quality: int) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=Fraction(RATE))
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.options = {"crf": str(quality), "preset": "veryfast", "threads": "1"}
        for image in shown:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode())
    return file.getvalue()
