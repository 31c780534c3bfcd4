"""Reading pictures: every accepted kind gives the right pixels, every bad input its exact message."""

from __future__ import annotations

import io
import os
import struct
import threading
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pictures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pictures import encode, scene
from PIL import Image, ImageFile

from phiz import image
from phiz.data import ASTRONAUT
from phiz.errors import ImageError, PhizError

KINDS = {"JPEG": "JPEG", "PNG": "PNG", "WEBP": "WebP", "BMP": "BMP", "GIF": "GIF"}  # Pillow's name: ours
EXPECTED = "expected JPEG, PNG, WebP, BMP or GIF"
pytestmark = pytest.mark.filterwarnings("error")  # no warning of Pillow's may reach the user


def message(source: Any, **options: Any) -> str:
    with pytest.raises(ImageError) as caught:
        image.load(source, **options)
    return str(caught.value)


def close(got: np.ndarray, want: np.ndarray, tolerance: int) -> bool:
    return got.shape == want.shape and int(np.abs(got.astype(int) - want).max()) <= tolerance


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
    with Image.open(path) as lazy:
        sources.append(lazy)
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
    monkeypatch.setattr(image, "_STRIP_PIXELS", 5 * 48 + 1)  # strips of 5 rows, the last of 2
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


# Upright


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


# Bad files


def test_missing_file() -> None:
    assert message("no/such.jpg") == "no/such.jpg: no such file; check the path"
    assert message("") == '"": no such file; check the path'


def test_a_path_through_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    path = tmp_path / "a.jpg" / "b.jpg"
    assert message(path) == f"{path}: no such file; check the path"


def test_a_folder_given_as_a_file(tmp_path: Path) -> None:
    want = f"{tmp_path}: expected one picture file, came a folder; name a file inside it"
    assert message(tmp_path) == want


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe.jpg"
    os.mkfifo(path)
    assert message(path) == f"{path}: expected a regular file, came a pipe or device; pass its bytes"


def test_a_path_with_a_nul() -> None:
    assert message("a\0b.jpg") == r"a\x00b.jpg: cannot be opened (embedded null byte); check the path"


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.touch()
    want = f"{EXPECTED}, came an empty file (0 bytes); copy it again from its source"
    assert message(path) == f"{path}: {want}"
    assert message(b"") == f"picture bytes: {want}"


NO_PERMISSION = "no permission to read it; change its access rights or copy it"


def test_an_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "secret.jpg"
    path.write_bytes(encode(scene(), "JPEG"))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user (root?) may read every file; the next test covers the message")
    assert message(path) == f"{path}: {NO_PERMISSION}"


@pytest.mark.parametrize("call", ["builtins.open", "os.stat"])
def test_a_system_that_denies_reading(call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.jpg"
    path.write_bytes(encode(scene(), "JPEG"))
    real = open if call == "builtins.open" else os.stat

    def deny(asked: Any, *args: Any, **kwargs: Any) -> Any:
        if asked == path:
            raise PermissionError(13, "Permission denied", str(path))
        return real(asked, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(call, deny)
        with pytest.raises(ImageError) as caught:
            image.load(path)
    assert str(caught.value) == f"{path}: {NO_PERMISSION}"


def test_a_failing_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"x")

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", fail)
        with pytest.raises(ImageError) as caught:
            image.load(path)
    assert str(caught.value) == f"{path}: cannot be opened (Input/output error); check the path"


@pytest.mark.parametrize(
    ("data", "came"),
    [
        (b"just some text", "no picture that phiz knows"),
        (b"\x89PNG", "no picture that phiz knows"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC, AVIF or a video"),
        (b"%PDF-1.7\n", "PDF"),
    ],
)
def test_not_a_picture(data: bytes, came: str) -> None:
    assert message(data) == f"picture bytes: {EXPECTED}, came {came}; convert it to JPEG or PNG"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated(kind: str, share: float, tmp_path: Path) -> None:
    data = encode(scene(), kind)
    path = tmp_path / "cut.bin"
    path.write_bytes(data[: int(len(data) * share)])
    want = f"{path}: expected a whole {KINDS[kind]}, came damaged or cut short; copy it again from its source"
    assert message(path) == want


@pytest.mark.parametrize("kind", pictures.bombs(2, 2))
def test_a_header_bomb_is_refused_before_decoding(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    side = 16_000 if kind in ("webp-lossy", "webp-lossless") else 20_000  # the most that 14 bits can say
    data = pictures.bombs(side, side)[kind]

    def decoded(*args: Any) -> Any:
        pytest.fail("pixels were decoded, or a canvas was allocated")

    monkeypatch.setattr(ImageFile.ImageFile, "load", decoded)
    monkeypatch.setitem(image._PLUGINS, "WebP", decoded)
    monkeypatch.setitem(image._PLUGINS, "GIF", decoded)
    assert message(data, name="bomb") == (
        f"bomb: expected at most 80,000,000 pixels, came {side}x{side} ({side * side:,}); "
        "make it smaller or raise max_pixels"
    )


def test_the_limits_are_exact_and_can_be_moved() -> None:
    data = encode(scene(48, 32), "PNG")
    assert image.load(data, max_pixels=48 * 32, max_bytes=len(data)).shape == (32, 48, 3)
    assert message(data, max_pixels=48 * 32 - 1) == (
        "picture bytes: expected at most 1,535 pixels, came 48x32 (1,536); "
        "make it smaller or raise max_pixels"
    )
    assert message(data, max_bytes=len(data) - 1) == (
        f"picture bytes: expected at most {len(data) - 1:,} bytes, came {len(data):,}; make it smaller"
    )
    for source in (scene(48, 32), Image.fromarray(scene(48, 32))):
        assert "expected at most 1,535 pixels, came 48x32" in message(source, max_pixels=1535)


def test_a_picture_between_pillows_own_two_limits_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Image, "MAX_IMAGE_PIXELS", 1000
    )  # Image.open would warn above, and fail above twice that
    assert image.load(encode(scene(48, 32), "PNG")).shape == (32, 48, 3)
    assert image.load(encode(scene(96, 64), "JPEG")).shape == (64, 96, 3)


def test_an_oversized_bomb_behind_a_valid_header_is_stopped() -> None:
    data = pictures.png_header(64, 64) + pictures.png_chunk(b"IDAT", zlib.compress(bytes(10_000_000)))
    data += pictures.png_chunk(b"IEND", b"")
    assert image.load(data).shape == (64, 64, 3)  # the surplus is never unpacked into memory


def test_wrong_source_types() -> None:
    assert message(3) == (
        "picture: expected bytes, a path, a numpy array or a PIL image, came int; pass one of those"
    )
    assert message(None, name="frame").startswith("frame: expected bytes, a path,")


def test_name_replaces_the_path_in_messages(tmp_path: Path) -> None:
    assert message(tmp_path / "x.jpg", name="upload 1") == "upload 1: no such file; check the path"
    assert issubclass(ImageError, PhizError)


# Arrays and PIL images


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint16", "bool", "complex64", "object"])
def test_other_dtypes_are_refused_never_scaled_by_guess(dtype: str) -> None:
    assert message(np.zeros((4, 4, 3), dtype)) == (
        f"array: expected uint8 values from 0 to 255, came {dtype}; scale and convert it, "
        "for example (x * 255).round().astype('uint8') where x runs from 0 to 1"
    )


@pytest.mark.parametrize("shape", [(), (3,), (4, 4), (4, 4, 1), (4, 4, 4), (3, 4, 4), (1, 4, 4, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    assert message(np.zeros(shape, np.uint8), name="frame 7") == (
        f"frame 7: expected shape (height, width, 3) in RGB order, came {shape}; "
        "repeat a grey channel three times, drop an alpha channel"
    )


@pytest.mark.parametrize(("shape", "size"), [((0, 5, 3), "5x0"), ((5, 0, 3), "0x5"), ((0, 0, 3), "0x0")])
def test_arrays_without_pixels(shape: tuple[int, ...], size: str) -> None:
    want = f"array: expected at least 1x1 pixels, came {size}; check its source"
    assert message(np.zeros(shape, np.uint8)) == want


def test_array_views_become_contiguous_and_whole_ones_are_not_copied() -> None:
    pixels = scene()
    assert image.load(pixels) is pixels
    view = image.load(pixels[:, ::-1])
    assert view.flags.c_contiguous
    assert np.array_equal(view, pixels[:, ::-1])


@pytest.mark.parametrize("mode", ["I", "F"])
def test_32_bit_pil_images_are_refused(mode: str) -> None:
    assert message(Image.new(mode, (4, 4))) == (
        f"PIL image: expected 8 or 16 bits a channel, came mode {mode} (32 bits, white unknown); "
        "convert it to L or RGB"
    )


def test_a_truncated_pil_image() -> None:
    with Image.open(io.BytesIO(encode(scene(), "JPEG")[:-40])) as lazy:
        assert message(lazy) == (
            "PIL image: expected a whole PIL image, came damaged or cut short; copy it again from its source"
        )


def test_a_pil_image_without_pixels() -> None:
    assert message(Image.new("RGB", (0, 4))) == (
        "PIL image: expected at least 1x1 pixels, came 0x4; check its source"
    )


# Names


def test_names_that_are_not_utf8_are_escaped(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9 \xff.jpg")
    assert image.display_name(name) == r"caf\xe9 \xff.jpg"
    assert image.display_name(b"caf\xe9.jpg") == r"caf\xe9.jpg"
    assert message(name) == r"caf\xe9 \xff.jpg: no such file; check the path"
    try:
        (tmp_path / name).write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    assert message(tmp_path / name).startswith(f"{tmp_path}/" + r"caf\xe9 \xff.jpg: " + EXPECTED)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain name.jpg", "plain name.jpg"),
        ("größe-写真-😀.jpg", "größe-写真-😀.jpg"),
        ("two\nlines\x1b[31m.jpg", r"two\nlines\x1b[31m.jpg"),
        ("\ud800.jpg", r"\ud800.jpg"),
        (Path("a/b.jpg"), "a/b.jpg"),
        ("", '""'),
    ],
)
def test_display_name(name: str | Path, shown: str) -> None:
    assert image.display_name(name) == shown


@given(st.binary(max_size=50))
def test_every_name_can_be_printed_on_one_line(name: bytes) -> None:
    shown = image.display_name(name)
    shown.encode("utf-8")
    assert len(shown.splitlines()) == 1


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
        assert message(array).startswith("array: expected ")


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
