"""Pictures are turned upright by their EXIF orientation, once."""

from __future__ import annotations

import io
import struct

import numpy as np
import pictures
import pytest
from pictures import close, encode, scene
from PIL import Image, ImageOps

from phiz import image

pytestmark = pytest.mark.filterwarnings("error")  # no warning of Pillow's may reach the user


def stored(orientation: int) -> np.ndarray:
    """How a camera stores scene() under an orientation, by the words of the EXIF standard.

    The standard says at which side of the upright picture the stored row 0 and the stored column 0 lie.
    """
    upright = scene()
    row0, column0 = {
        1: ("top", "left"),
        2: ("top", "right"),
        3: ("bottom", "right"),
        4: ("bottom", "left"),
        5: ("left", "top"),
        6: ("right", "top"),
        7: ("right", "bottom"),
        8: ("left", "bottom"),
    }[orientation]
    if "right" in (row0, column0):
        upright = upright[:, ::-1]
    if "bottom" in (row0, column0):
        upright = upright[::-1]
    return upright if row0 in ("top", "bottom") else upright.transpose(1, 0, 2)


TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_exif_orientation_is_turned_upright(orientation: int, order: str) -> None:
    pixels, block = np.ascontiguousarray(stored(orientation)), pictures.exif(orientation, order)
    jpeg = pictures.jpeg_with_exif(encode(pixels, "JPEG", quality=95, subsampling=0), block)
    assert close(image.load(jpeg), scene(), 12)
    assert image.load(jpeg).flags.c_contiguous
    assert np.array_equal(image.load(pictures.png(pixels, pictures.RGB, (b"eXIf", block[6:]))), scene())
    webp = encode(pixels, "WEBP", lossless=True, exif=block)
    assert np.array_equal(image.load(webp), scene())
    with Image.open(io.BytesIO(webp)) as opened:
        assert np.array_equal(image.load(opened), scene())
    tiff = encode(pixels, "TIFF", tiffinfo={274: orientation})
    assert np.array_equal(image.load(tiff), scene())
    with Image.open(io.BytesIO(tiff)) as opened:
        assert np.array_equal(image.load(opened), scene())
    assert close(image.load(encode(pixels, "AVIF", quality=95, exif=block)), scene(), 24)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_pil_image_that_was_turned_by_hand_is_not_turned_again(orientation: int) -> None:
    """Pillow's rotate, transpose, resize and convert keep the EXIF block, whatever they do to the pixels."""
    data = encode(
        np.ascontiguousarray(stored(orientation)), "PNG", exif=pictures.exif(orientation)[len(b"Exif\0\0") :]
    )
    with Image.open(io.BytesIO(data)) as opened:
        by_hand = opened.transpose(TURNS[orientation])
        assert by_hand.info["exif"] == opened.info["exif"]
        assert np.array_equal(image.load(by_hand), scene())
        assert np.array_equal(image.load(ImageOps.exif_transpose(opened)), scene())
        assert np.array_equal(image.load(opened.convert("RGB")), stored(orientation))  # as it stands
        assert np.array_equal(image.load(opened), scene())
        ImageOps.exif_transpose(opened, in_place=True)
        assert np.array_equal(image.load(opened), scene())


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"Exif\0\0",
        b"Exif\0\0II*\0",
        b"Exif\0\0garbage that is no TIFF",
        pictures.exif(0),
        pictures.exif(9),
        pictures.exif(6)[:-10],
        b"Exif\0\0MM\0*" + struct.pack(">I", 0xFFFFFFFF),
        b"Exif\0\0II*\0" + struct.pack("<IH", 8, 0xFFFF),
    ],
)
def test_a_damaged_exif_block_is_ignored_without_a_word(block: bytes) -> None:
    jpeg = encode(scene(), "JPEG", quality=95, subsampling=0)
    assert np.array_equal(image.load(pictures.jpeg_with_exif(jpeg, block)), image.load(jpeg))
