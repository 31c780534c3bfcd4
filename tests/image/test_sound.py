"""Sound pictures that decoders may call damaged are read; damaged ones that they may pass are not."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pictures
import pytest
from pictures import encode, scene

from phiz import image
from phiz.errors import ImageError

pytestmark = pytest.mark.filterwarnings("error")  # no warning of Pillow's may reach the user


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"tEXt", b"iCCP", b"prVt"])
def test_a_png_with_a_long_text_or_profile_is_sound(kind: bytes) -> None:
    packed = zlib.compress(bytes(3 << 20))
    texts = {
        b"zTXt": b"history\0\0" + packed,
        b"iTXt": b"XML:com.adobe.xmp\0\1\0\0\0" + packed,
        b"tEXt": b"history\0" + b"x" * (65 << 20),
        b"iCCP": b"profile\0\0" + packed,
        b"prVt": bytes(1 << 20),
    }
    extra = pictures.png_chunk(kind, texts[kind])
    plain = pictures.png(scene(), pictures.RGB)
    begin, end = plain.index(b"IDAT") - 4, plain.index(b"IEND") - 4
    for data in (plain[:begin] + extra + plain[begin:], plain[:end] + extra + plain[end:]):
        assert np.array_equal(image.load(data), scene())


def test_a_png_whose_text_is_damaged_is_sound() -> None:
    extra = pictures.png_chunk(b"tEXt", b"note\0hello")[:-4] + b"\0\0\0\0"  # its sum of check is wrong
    plain = pictures.png(scene(), pictures.RGB)
    begin = plain.index(b"IDAT") - 4
    assert np.array_equal(image.load(plain[:begin] + extra + plain[begin:]), scene())


JPEGS = [
    {},
    {"quality": 100, "subsampling": 0},
    {"progressive": True},
    {"optimize": True, "restart_marker_blocks": 2},
]


@pytest.mark.parametrize("options", JPEGS)
def test_a_jpeg_that_lacks_only_its_end_marker_is_read(options: dict[str, Any]) -> None:
    data = encode(scene(), "JPEG", **options)
    assert data.endswith(b"\xff\xd9")
    whole = image.load(data)
    for cut in (data[:-1], data[:-2], data[:-2] + bytes(500)):  # zeros: a card that was not filled
        assert np.array_equal(image.load(cut), whole)


@pytest.mark.parametrize("options", JPEGS)
def test_a_jpeg_that_lacks_pixels_is_refused_wherever_it_ends(options: dict[str, Any]) -> None:
    """Also between two scans or two restart intervals, where a decoder has all the bits that it began."""
    data = encode(scene(64, 48), "JPEG", **options)
    for end in range(len(data) - 2):
        with pytest.raises(ImageError, match=r"got one damaged or cut short|got no picture|got an empty"):
            image.load(data[:end])


@pytest.mark.parametrize("options", JPEGS)
def test_a_jpeg_that_lacks_pixels_is_refused_also_where_it_is_read_smaller(options: dict[str, Any]) -> None:
    """At an eighth a decoder takes the mean of each block, and the rest may be missing unseen."""
    data = encode(scene(64, 48), "JPEG", **options)
    sound = image.read(data[:-2], lambda width, height: 8.0)
    assert np.array_equal(sound.whole(), image.load(data))
    for end in range(len(data) // 2, len(data) - 2):
        with pytest.raises(ImageError, match="got one damaged or cut short"):
            image.read(data[:end], lambda width, height: 8.0)
