"""Drawing results on a copy of a picture: a box for every face and a label that stays readable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from phiz.image import load
from phiz.types import Box, Face
from phiz.words import NOT_SURE, age_range, gender_words

# One pair for every face, whatever was estimated; the dark rim keeps the line visible on light and amber.
_LINE = (255, 190, 0)
_RIM = (24, 24, 24)

_MIN_TEXT = 10  # pixels; below this the font's digits run together

_Corners = tuple[int, int, int, int]  # left, top, right, bottom in whole pixels, the last two inclusive


def annotate(image: NDArray[np.uint8], faces: Sequence[Face]) -> NDArray[np.uint8]:
    """Return a copy of a picture with a box and a label such as "30 to 41, probably female" for every face.

    image: HxWx3 uint8 RGB, never changed; the copy has its shape. Lines and text grow with picture and face.
    A label lies above its box, or else where it fits inside the picture clear of other labels; in a picture
    too small for it, it is shortened ("30 to 41, f?"), and left out where even that would be unreadable. A
    face without an answer has its flags instead.
    Raises ImageError where image is not such an array.
    """
    canvas = Image.fromarray(load(image, max_pixels=max(1, image.size)))
    pen = ImageDraw.Draw(canvas)
    line = max(1, round(min(canvas.size) / 240))
    boxes = [_inside(face.box, canvas.size) for face in faces]
    rim = 1 + line // 3
    for box in boxes:
        pen.rectangle(_grown(box, rim), outline=_RIM, width=rim)
        pen.rectangle(box, outline=_LINE, width=line)
    taken: list[_Corners] = []
    for face, box in zip(faces, boxes, strict=True):
        _draw_label(pen, face, box, line, canvas.size, taken)
    return np.array(canvas)


def _inside(box: Box, size: tuple[int, int]) -> _Corners:
    """Round a box to whole pixels and cut it at the picture's edge, so that every side can be seen."""
    x, y, width, height = box
    right, bottom = size[0] - 1, size[1] - 1
    left, top = min(max(round(x), 0), right), min(max(round(y), 0), bottom)
    return (
        left,
        top,
        min(max(round(x + width) - 1, left), right),
        min(max(round(y + height) - 1, top), bottom),
    )


def _grown(corners: _Corners, by: int) -> _Corners:
    left, top, right, bottom = corners
    return left - by, top - by, right + by, bottom + by


def _draw_label(
    pen: ImageDraw.ImageDraw,
    face: Face,
    box: _Corners,
    line: int,
    size: tuple[int, int],
    taken: list[_Corners],
) -> None:
    long_side = max(size)
    wanted = (box[2] - box[0]) / 5  # about nine characters across the box
    text_size = max(_MIN_TEXT, round(min(max(wanted, long_side / 64), long_side / 25)))
    full, short = _texts(face)
    for text, points in ((full, text_size), (full, _MIN_TEXT), (short, _MIN_TEXT)):
        font = ImageFont.load_default(points)
        width = round(font.getlength(text) + 0.7 * points)
        height = round(1.35 * points)
        if width <= size[0] and height <= size[1]:
            places = list(_places(box, width, height, line, size))
            place = next((p for p in places if not any(_overlap(p, t) for t in taken)), places[0])
            taken.append(place)
            pen.rectangle(place, fill=_LINE, outline=_RIM, width=max(1, line // 3))
            centre = (place[0] + place[2] + 1) / 2, (place[1] + place[3] + 1) / 2
            pen.text(centre, text, fill=_RIM, font=font, anchor="mm")
            return


def _texts(face: Face) -> tuple[str, str]:
    """Return what a label says, and the same in short: age first, gender without a word where not sure."""
    if face.age is None:
        return ", ".join(face.flags), "?"
    age, gender = age_range(face), gender_words(face)
    if gender == NOT_SURE:
        return f"{age}, {gender}", f"{age}, ?"
    return f"{age}, {gender}", f"{age}, {gender.split()[-1][0]}{'?' * gender.startswith('probably')}"


def _places(box: _Corners, width: int, height: int, line: int, size: tuple[int, int]) -> Iterator[_Corners]:
    """Yield where a label may lie, best first: above the box, below it, inside at the top, at the bottom."""
    left = min(max(box[0] - line, 0), size[0] - width)
    for top in (box[1] - line - height, box[3] + line + 1, box[1], box[3] - height + 1):
        if 0 <= top <= size[1] - height:
            yield left, top, left + width - 1, top + height - 1
    top = min(max(box[1], 0), size[1] - height)
    yield left, top, left + width - 1, top + height - 1


def _overlap(a: _Corners, b: _Corners) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]
