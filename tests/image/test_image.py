"""Reading pictures: every accepted kind gives the right pixels, anything else an ImageError and no more."""

from __future__ import annotations

import io
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pictures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pictures import KINDS, close, encode, scene
from PIL import Image, ImageFile

from phiz import image
from phiz.data import ASTRONAUT
from phiz.errors import ImageError
from phiz.image import pixels

pytestmark = pytest.mark.filterwarnings("error")  # no warning of Pillow's may reach the user


# What is accepted


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("JPEG", {"quality": 95, "subsampling": 0}, 12),
        ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}, 12),
        ("PNG", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {"quality": 95}, 24),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("TIFF", {"compression": "jpeg", "quality": 95}, 24),
        ("AVIF", {"quality": 95}, 24),
    ],
)
def test_formats_give_rgb_uint8_contiguous(kind: str, options: dict[str, Any], tolerance: int) -> None:
    got = image.load(encode(scene(), kind, **options))
    assert got.dtype == np.uint8
    assert got.flags.c_contiguous
    assert close(got, scene(), tolerance)


def test_every_source_gives_the_same_pixels(tmp_path: Path) -> None:
    data = encode(scene(), "PNG")
    path = tmp_path / "scene.png"
    path.write_bytes(data)
    sources = [data, bytearray(data), memoryview(data), path, str(path), scene(), Image.fromarray(scene())]
    with Image.open(path) as lazy, path.open("rb") as opened:
        sources += [lazy, opened, io.BytesIO(data)]
        for source in sources:
            assert np.array_equal(image.load(source), scene()), type(source)


def test_the_bundled_portrait_loads() -> None:
    assert image.load(ASTRONAUT).shape == (512, 512, 3)


def test_content_decides_not_the_extension(tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(encode(scene(), "PNG"))
    assert np.array_equal(image.load(path), scene())


def test_one_pixel() -> None:
    assert image.load(encode(np.full((1, 1, 3), 7, np.uint8), "PNG")).tolist() == [[[7, 7, 7]]]


def test_a_picture_of_many_strips_is_put_together_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "_STRIP_PIXELS", 5 * 48 + 1)  # strips of 5 rows, the last of 2
    assert np.array_equal(image.load(encode(scene(), "PNG")), scene())


def test_grey_and_one_bit() -> None:
    grey = scene()[:, :, 0]
    assert np.array_equal(image.load(encode(grey, "PNG")), np.stack([grey] * 3, axis=-1))
    bits = Image.fromarray(grey > 100)
    assert np.array_equal(image.load(encode(bits, "PNG"))[:, :, 1], 255 * (grey > 100))


@pytest.mark.parametrize(("colour", "channels"), [(pictures.GREY, 1), (pictures.RGB, 3)])
def test_16_bit_png_keeps_the_high_byte_and_is_not_clipped(colour: int, channels: int) -> None:
    ramp = np.linspace(0, 65535, 40 * 20 * channels).astype(np.uint16).reshape(20, 40, channels)
    got = image.load(pictures.png(ramp, colour))
    assert np.array_equal(got, np.broadcast_to(ramp >> 8, (20, 40, 3)))
    assert np.array_equal(
        image.load(pictures.png(np.full_like(ramp, 65535), colour)), np.full((20, 40, 3), 255)
    )


def test_16_bit_alpha_png_is_laid_on_white() -> None:
    pixels = np.zeros((4, 4, 4), np.uint16)
    pixels[:, 2:] = (0x4000, 0x8000, 0xFFFF, 0xFFFF)
    got = image.load(pictures.png(pixels, pictures.RGB_ALPHA))
    assert (got[:, :2] == 255).all()
    assert (got[:, 2:] == (0x40, 0x80, 0xFF)).all()


def test_transparent_pixels_become_white_and_half_transparent_ones_mix() -> None:
    rgba = np.zeros((3, 2, 4), np.uint8)
    rgba[:, :, :3] = (200, 10, 100)  # the hidden colour behind full transparency must not show
    rgba[0, :, 3], rgba[1, :, 3], rgba[2, :, 3] = 0, 51, 255
    for data in (pictures.png(rgba, pictures.RGB_ALPHA), encode(rgba, "WEBP", lossless=True, exact=True)):
        got = image.load(data)
        assert got[0, 0].tolist() == [255, 255, 255]
        assert got[1, 0].tolist() == [244, 206, 224]  # 1/5 colour, 4/5 white
        assert got[2, 0].tolist() == [200, 10, 100]
    assert np.array_equal(
        image.load(Image.fromarray(rgba)), image.load(pictures.png(rgba, pictures.RGB_ALPHA))
    )


def test_grey_alpha_and_a_colour_marked_transparent() -> None:
    grey = np.array([[[60, 255], [60, 0]]], np.uint8)
    assert image.load(pictures.png(grey, pictures.GREY_ALPHA))[0].tolist() == [[60] * 3, [255] * 3]
    marked = pictures.png(
        np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8), pictures.RGB, (b"tRNS", b"\0\4\0\5\0\6")
    )
    assert image.load(marked)[0].tolist() == [[1, 2, 3], [255, 255, 255]]


@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bit_tiff_keeps_the_high_byte(order: str) -> None:
    ramp = np.linspace(0, 65535, 800).astype(f"{order}u2").reshape(20, 40)
    got = image.load(encode(Image.fromarray(ramp), "TIFF"))
    assert np.array_equal(got, np.broadcast_to((ramp >> 8)[:, :, None], (20, 40, 3)))


def test_palette_with_and_without_transparency() -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([9, 8, 7, 60, 70, 80])
    picture.putdata([0, 1])
    assert image.load(encode(picture, "PNG"))[0].tolist() == [[9, 8, 7], [60, 70, 80]]
    for kind, transparency in (("PNG", 1), ("PNG", b"\xff\0"), ("GIF", 1)):
        data = encode(picture, kind, transparency=transparency)
        assert image.load(data)[0].tolist() == [[9, 8, 7], [255, 255, 255]]


def test_cmyk_jpeg_keeps_its_colours() -> None:
    cmyk = Image.fromarray(scene()).convert("CMYK")
    data = encode(cmyk, "JPEG", quality=95, subsampling=0)
    assert Image.open(io.BytesIO(data)).mode == "CMYK"
    assert close(image.load(data), scene(), 16)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("#f00", "#0f0", "#00f")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=40, **options)
    assert (image.load(data) == (255, 0, 0)).all()


def test_the_pictures_behind_the_first_of_a_jpeg_are_ignored() -> None:
    first, second = Image.new("RGB", (16, 16), "#fff"), Image.new("RGB", (16, 16), "#000")
    data = encode(first, "MPO", save_all=True, append_images=[second])
    assert (image.load(data) == 255).all()


def test_what_phones_write_is_read() -> None:
    pytest.importorskip("pillow_heif", reason="pillow-heif (extra heif) reads HEIC")
    assert close(image.load(pictures.heic(scene(), quality=95)), scene(), 24)
    turned = pictures.heic(
        np.ascontiguousarray(scene()[:, ::-1].transpose(1, 0, 2)), quality=95, exif=pictures.exif(6)
    )
    assert close(image.load(turned), scene(), 24)


# Nothing but ImageError, and no state left behind


@pytest.mark.parametrize("kind", KINDS)
def test_cut_anywhere_it_loads_or_raises_image_error(kind: str) -> None:
    data = encode(scene(20, 12), kind)
    whole = image.load(data)
    for end in range(len(data)):
        try:
            got = image.load(data[:end])
        except ImageError:
            continue
        # What loads although it was cut lost only bytes after the pixels.
        assert np.array_equal(got, whole), end


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(
        [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x30\0\0\0WEBPVP8 ", b"BM", b"GIF89a"]
    ),
    st.binary(max_size=200),
)
def test_random_bytes_raise_only_image_error(magic: bytes, rest: bytes) -> None:
    try:
        got = image.load(magic + rest, max_pixels=100_000)
    except ImageError:
        return
    assert got.ndim == 3
    assert got.dtype == np.uint8


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.data())
def test_damaged_pictures_raise_only_image_error(kind: str, data: st.DataObject) -> None:
    good = bytearray(encode(scene(20, 12), kind))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        got = image.load(bytes(good), max_pixels=100_000)
    except ImageError:
        return
    assert got.ndim == 3
    assert got.dtype == np.uint8


@settings(max_examples=200, deadline=None)
@given(
    hnp.arrays(
        dtype=st.one_of(
            st.just(np.dtype("u1")),
            hnp.scalar_dtypes(),
        ),
        shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    )
)
def test_random_arrays_load_unchanged_or_raise_image_error(array: np.ndarray) -> None:
    fits = array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] == 3 and array.size > 0
    if fits:
        assert np.array_equal(image.load(array), array)
    else:
        with pytest.raises(ImageError, match=r"^array: expected "):
            image.load(array)


def test_many_threads_and_untouched_globals() -> None:
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))
    data = {kind: encode(scene(), kind) for kind in KINDS}
    want = {kind: image.load(data[kind]) for kind in KINDS}
    wrong: list[str] = []

    def work() -> None:
        for kind in KINDS:
            if not np.array_equal(image.load(data[kind]), want[kind]):
                wrong.append(kind)
            try:
                image.load(data[kind][:99])
                wrong.append(f"{kind} cut")
            except ImageError:
                pass

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))
