"""What declares or unpacks too much is refused before it costs anything."""

from __future__ import annotations

import zlib
from typing import Any

import pictures
import pytest
from pictures import encode, message, scene
from PIL import Image, ImageFile

from phiz import image
from phiz.image import formats

pytestmark = pytest.mark.filterwarnings("error")  # no warning of Pillow's may reach the user


@pytest.mark.parametrize("kind", pictures.bombs(2, 2))
def test_a_header_bomb_is_refused_before_decoding(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    side = 16_000 if kind in ("webp-lossy", "webp-lossless") else 20_000  # the most that 14 bits can say
    data = pictures.bombs(side, side)[kind]

    def decoded(*args: Any) -> Any:
        pytest.fail("pixels were decoded, or a canvas was allocated")

    monkeypatch.setattr(ImageFile.ImageFile, "load", decoded)
    monkeypatch.setattr(formats, "WebPImageFile", decoded)
    monkeypatch.setattr(formats, "GifImageFile", decoded)
    assert message(data, name="bomb") == (
        f"bomb: expected at most 80,000,000 pixels, got {side}x{side} ({side * side:,}); "
        "make it smaller or allow more with max_pixels (phiz analyze: --max-pixels)"
    )


def test_the_limits_are_exact_and_can_be_moved() -> None:
    data = encode(scene(48, 32), "PNG")
    assert image.load(data, max_pixels=48 * 32, max_bytes=len(data)).shape == (32, 48, 3)
    assert message(data, max_pixels=48 * 32 - 1) == (
        "picture bytes: expected at most 1,535 pixels, got 48x32 (1,536); "
        "make it smaller or allow more with max_pixels (phiz analyze: --max-pixels)"
    )
    assert message(data, max_bytes=len(data) - 1) == (
        f"picture bytes: expected at most {len(data) - 1:,} bytes, got {len(data):,}; make it smaller"
    )
    for source in (scene(48, 32), Image.fromarray(scene(48, 32))):
        assert "expected at most 1,535 pixels, got 48x32" in message(source, max_pixels=1535)


def test_a_picture_between_pillows_own_two_limits_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Image, "MAX_IMAGE_PIXELS", 1000
    )  # Image.open would warn above, and fail above twice that
    assert image.load(encode(scene(48, 32), "PNG")).shape == (32, 48, 3)
    assert image.load(encode(scene(96, 64), "JPEG")).shape == (64, 96, 3)


def test_what_unpacks_to_more_than_it_declares_is_stopped() -> None:
    """A TIFF's tile is unpacked whole, however small the picture that it belongs to."""
    tiff = encode(scene(), "TIFF", tiffinfo={269: "a", 270: "b"})
    huge = pictures.retag(pictures.retag(tiff, 269, 20_000, into=322), 270, 20_000, into=323)
    assert "expected at most 80,000,000 pixels, got 20000x20000" in message(huge)
    for kind in ("AVIF", "HEIC"):
        if kind in image.readable():
            data = encode(scene(), "AVIF") if kind == "AVIF" else pictures.heic(scene())
            assert message(pictures.declare(data, 20_000, 20_000))


def test_a_tiff_above_pillows_own_limit_is_read_within_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert image.load(encode(scene(), "TIFF")).shape == (32, 48, 3)


def test_an_oversized_bomb_behind_a_valid_header_is_stopped() -> None:
    data = pictures.png_header(64, 64) + pictures.png_chunk(b"IDAT", zlib.compress(bytes(10_000_000)))
    data += pictures.png_chunk(b"IEND", b"")
    assert image.load(data).shape == (64, 64, 3)  # the surplus is never unpacked into memory


def test_too_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    assert message(encode(scene(), "PNG")) == (
        "picture bytes: expected memory for 48x32 pixels, got too little; make it smaller"
    )
