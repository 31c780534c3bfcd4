"""What a file is goes by its content, and what is not read is called by its name."""

from __future__ import annotations

import pytest
from pictures import encode, message, scene

from phiz import image
from phiz.image import formats

EXPECTED = "expected JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC"
pytestmark = pytest.mark.filterwarnings("error")  # no warning of Pillow's may reach the user


@pytest.mark.parametrize(
    ("data", "got"),
    [
        (b"just some text", "no picture that phiz knows"),
        (b"\x89PNG", "no picture that phiz knows"),
        (b"%PDF-1.7\n", "PDF"),
        (b"8BPS\0\1", "a Photoshop file"),
        (b"\xff\x0a\xfa\x1f", "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"<?xml version='1.0'?><svg/>", "SVG or other XML"),
    ],
)
def test_not_a_picture(data: bytes, got: str) -> None:
    assert message(data) == f"picture bytes: {EXPECTED}, got {got}; convert it to JPEG or PNG"


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
        b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
        b"\x1aE\xdf\xa3\x01\0\0\0",
        b"RIFF\x24\0\0\0AVI LIST",
    ],
)
def test_a_video_is_called_one_and_shown_the_way(data: bytes) -> None:
    assert message(data) == f"picture bytes: {EXPECTED}, got a video; phiz watch reads videos"


def test_a_web_page_saved_as_a_picture() -> None:
    assert message(b"\n<!DOCTYPE html><html>") == (
        f"picture bytes: {EXPECTED}, got a web page; save the picture itself, not the page around it"
    )


@pytest.mark.parametrize(
    ("brands", "kind", "needs"),
    [
        (b"heic\0\0\0\0mif1heic", "HEIC", 'pip install "phiz[heif]"'),
        (b"mif1\0\0\0\0mif1heix", "HEIC", 'pip install "phiz[heif]"'),
        (b"avif\0\0\0\0avifmif1", "AVIF", "pip install --upgrade pillow"),
        (b"mif1\0\0\0\0mif1avif", "AVIF", "pip install --upgrade pillow"),
    ],
)
def test_what_this_installation_cannot_open_says_what_would(
    brands: bytes, kind: str, needs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, f"_{kind.lower()}", lambda: None)
    data = b"\0\0\0\x18ftyp" + brands
    assert message(data) == f"picture bytes: {EXPECTED}, got {kind}; {needs}, or convert it to JPEG or PNG"
    assert kind not in image.readable()
    assert not set(formats.SUFFIXES[kind]) & set(image.suffixes())


def test_the_preview_inside_a_raw_file_is_not_taken_for_the_picture() -> None:
    tiff = encode(scene(), "TIFF", tiffinfo={254: 1})
    assert message(tiff) == (
        f"picture bytes: {EXPECTED}, got a camera's raw picture, or a preview of one; "
        "convert it to JPEG or PNG"
    )
