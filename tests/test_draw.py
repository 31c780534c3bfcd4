"""Drawing: on a copy, inside the picture, readable on anything, the same for everybody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageFont

from phiz import draw
from phiz.draw import annotate
from phiz.errors import ImageError
from phiz.types import Box, Face


def face(*box: float, gender: str = "female", age: float = 31.2) -> Face:
    x, y, width, height = box
    return Face((x, y, width, height), 0.97, (), age, gender, 0.98)


def plain(width: int, height: int, value: int = 128) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def luminance(colour: tuple[int, int, int]) -> float:
    """Relative luminance of an sRGB colour, as WCAG 2.2 defines it."""
    linear = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: tuple[int, int, int], b: tuple[int, int, int]) -> float:
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def drawn_rows(image: np.ndarray, pixels: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom (inclusive) of all that differs from the plain picture."""
    ys, xs = np.nonzero((image != pixels).any(axis=2))
    return int(xs.min()), int(ys.min()), int(xs.max()), int(ys.max())


def test_the_input_is_never_changed_and_the_copy_is_writable() -> None:
    pixels = plain(200, 150)
    before = pixels.copy()
    result = annotate(pixels, [face(60, 60, 50, 60)])
    assert np.array_equal(pixels, before)
    assert not np.shares_memory(result, pixels)
    assert result.flags.writeable
    assert result.shape == pixels.shape
    assert result.dtype == np.uint8


def test_no_face_gives_an_equal_copy() -> None:
    pixels = plain(20, 10)
    result = annotate(pixels, [])
    assert np.array_equal(result, pixels)
    assert not np.shares_memory(result, pixels)


def test_the_line_lies_on_the_box() -> None:
    result = annotate(plain(400, 300), [face(100, 120, 80, 90)])
    line = (result == draw._LINE).all(axis=2)
    for y, x in ((165, 100), (165, 179), (209, 140), (120, 140)):  # left, right, bottom, top
        assert line[y, x], (y, x)
    assert not line[140:200, 110:170].any()  # the face itself stays visible
    assert not line[165, 97]
    assert not line[165, 182]


def test_the_label_is_the_text_in_the_packaged_font(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    real = ImageFont.FreeTypeFont.getmask2

    def spy(self: ImageFont.FreeTypeFont, text: str, *args: object, **options: object) -> object:
        seen.append(text)
        return real(self, text, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(ImageFont.FreeTypeFont, "getmask2", spy)
    faces = [face(100, 120, 80, 90, age=31.7), face(250, 120, 80, 90, gender="male", age=4.2)]
    annotate(plain(400, 300), faces)
    assert seen == ["32, female", "4, male"]
    seen.clear()
    annotate(plain(30, 30), [face(5, 5, 10, 10)])
    assert seen == ["31, f"]


@pytest.mark.parametrize(
    ("changes", "text", "short"),
    [
        ({}, "28 to 41, female", "28 to 41, f"),
        ({"gender_score": 0.8}, "28 to 41, probably female", "28 to 41, f?"),
        ({"gender_score": 0.69}, "28 to 41, not sure", "28 to 41, ?"),
        ({"gender": None}, "28 to 41, not sure", "28 to 41, ?"),
        (
            {"age": None, "gender": None, "gender_score": None, "flags": ("small", "dark")},
            "small, dark",
            "?",
        ),
    ],
)
def test_the_label_is_no_surer_than_the_answer(changes: dict[str, Any], text: str, short: str) -> None:
    sure = replace(face(0, 0, 9, 9), age_interval=(27.5, 41.2))
    assert draw._texts(replace(sure, **changes)) == (text, short)


def test_colours_do_not_depend_on_what_was_estimated() -> None:
    def colours(gender: str, age: float) -> set[tuple[int, ...]]:
        result = annotate(plain(400, 300), [face(100, 120, 80, 90, gender=gender, age=age)])
        strong = result[(abs(result.astype(int) - 128) > 90).any(axis=2)]
        return {tuple(c) for c in strong if tuple(c) in (draw._LINE, draw._RIM)}

    assert colours("female", 20) == colours("male", 70) == {draw._LINE, draw._RIM}


@pytest.mark.parametrize("ground", [(0, 0, 0), (255, 255, 255), draw._LINE])
def test_line_or_rim_stands_out_on_any_ground(ground: tuple[int, int, int]) -> None:
    assert max(contrast(draw._LINE, ground), contrast(draw._RIM, ground)) >= 4.5
    assert contrast(draw._LINE, draw._RIM) >= 7  # the text on its label


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((400, 300), (0, 0, 60, 60)),
        ((400, 300), (340, 240, 60, 60)),
        ((400, 300), (0, 0, 400, 300)),
        ((400, 300), (-50, -50, 80, 80)),
        ((400, 300), (380, -10, 80, 80)),
        ((64, 64), (10, 10, 40, 40)),
        ((4000, 3000), (2000, 1500, 60, 60)),
    ],
)
def test_the_whole_label_lies_inside_the_picture(size: tuple[int, int], box: Box) -> None:
    taken: list[tuple[int, int, int, int]] = []
    real = draw._draw_label

    def spy(*args: object) -> None:
        real(*args)  # type: ignore[arg-type]
        taken.extend(args[-1])  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draw, "_draw_label", spy)
        result = annotate(plain(*size), [face(*box)])
    ((left, top, right, bottom),) = taken
    assert 0 <= left < right < size[0]
    assert 0 <= top < bottom < size[1]
    label = result[top : bottom + 1, left : right + 1]
    filled = (label == draw._LINE).all(axis=2).mean()
    assert 0.4 < filled < 0.95  # mostly ground, the rest text and rim
    assert bottom - top + 1 >= 1.3 * max(size) / 64 or max(size) < 640  # about 1/64 of the picture or more


def test_labels_of_neighbours_do_not_overlap() -> None:
    pixels = plain(300, 200)
    faces = [face(100, 80, 40, 50), face(120, 80, 40, 50, gender="male")]
    taken: list[list[tuple[int, int, int, int]]] = []
    real = draw._draw_label
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draw, "_draw_label", lambda *args: (real(*args), taken.append(list(args[-1]))))
        annotate(pixels, faces)
    first, second = taken[-1]
    assert not draw._overlap(first, second)
    assert draw._overlap(first, first)


def test_text_and_line_grow_with_the_picture() -> None:
    def heights(scale: int) -> tuple[int, int]:
        pixels = plain(400 * scale, 300 * scale)
        result = annotate(pixels, [face(*(scale * v for v in (100, 120, 80, 90)))])
        _, top, _, bottom = drawn_rows(result, pixels)
        middle = result[165 * scale, : 140 * scale]  # crosses the box's left side and nothing else
        return bottom - top, int((middle == draw._LINE).all(axis=1).sum())

    (drawn, line), (drawn4, line4) = heights(1), heights(4)
    assert 3.6 < drawn4 / drawn < 4.4
    assert (line, line4) == (1, 5)  # 1/240 of the shorter side


def test_a_picture_too_small_for_text_still_gets_its_box() -> None:
    result = annotate(plain(9, 9), [face(2, 2, 5, 5)])
    assert (result[2, 2:7] == draw._LINE).all()
    one = annotate(plain(1, 1), [face(0, 0, 1, 1)])
    assert one.shape == (1, 1, 3)


@settings(max_examples=100, deadline=None)
@given(
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
    st.lists(
        st.builds(
            face,
            *[st.floats(-200, 200) for _ in range(2)],
            *[st.floats(0, 300) for _ in range(2)],
            gender=st.sampled_from(["female", "male"]),
            age=st.floats(0, 120),
        ),
        max_size=4,
    ),
)
def test_any_box_on_any_picture_is_drawn_without_error(size: tuple[int, int], faces: list[Face]) -> None:
    pixels = plain(*size)
    result = annotate(pixels, faces)
    assert result.shape == pixels.shape
    assert (pixels == 128).all()


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ImageError) as caught:
        annotate(np.zeros((4, 4), np.uint8), [])
    assert str(caught.value) == (
        "array: expected shape (height, width, 3) in RGB order, got (4, 4); "
        "repeat a grey channel three times, drop an alpha channel"
    )
