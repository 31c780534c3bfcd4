"""Reading pictures: the exact message of everything that cannot be read, and names that stay printable."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import KINDS, encode, message, scene
from PIL import Image

from phiz import image
from phiz.errors import ImageError, PhizError

EXPECTED = "expected JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC"
AGAIN = "copy it again from its source"
pytestmark = pytest.mark.filterwarnings("error")  # no warning of Pillow's may reach the user


# Bad files


def test_missing_file() -> None:
    assert message("no/such.jpg") == "no/such.jpg: no such file; check the path"
    assert message("") == '"": no such file; check the path'


def test_a_path_through_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    path = tmp_path / "a.jpg" / "b.jpg"
    assert message(path) == f"{path}: no such file; check the path"


def test_a_folder_given_as_a_file(tmp_path: Path) -> None:
    want = f"{tmp_path}: expected one picture file, got a folder; name a file inside it"
    assert message(tmp_path) == want


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe.jpg"
    os.mkfifo(path)
    assert message(path) == f"{path}: expected a regular file, got a pipe or device; pass its bytes"


def test_a_path_with_a_nul() -> None:
    assert message("a\0b.jpg") == r"a\x00b.jpg: cannot be opened (embedded null byte); check the path"


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.touch()
    want = f"{EXPECTED}, got an empty file (0 bytes); copy it again from its source"
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


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), ValueError("read of closed file")])
def test_a_disk_that_fails_while_it_is_read_is_not_a_damaged_picture(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise error

        def fileno(self) -> int:
            return descriptor

    path = tmp_path / "a.jpg"
    path.write_bytes(encode(scene(), "JPEG"))
    reason = getattr(error, "strerror", None) or str(error)
    end = f"cannot be read ({reason}); check its disk or copy it again"
    assert message(Failing(), name="upload") == f"upload: {end}"
    with path.open("rb") as opened:
        descriptor = opened.fileno()
        with monkeypatch.context() as patch:
            patch.setattr("builtins.open", lambda *args, **options: Failing())
            said = message(path)
    assert said == f"{path}: {end}"


@pytest.mark.parametrize("address", ["https://example.org/a.jpg", "rtsp://camera/1", "file:///tmp/a.jpg"])
def test_an_address_given_as_a_file(address: str) -> None:
    assert message(address) == (
        f"{address}: no such file; phiz analyses files, so download it first; phiz watch reads streams"
    )


def test_a_home_folder_that_no_shell_put_in() -> None:
    assert message("~/a.jpg") == (
        "~/a.jpg: no such file; only a shell puts a home folder in place of ~, so write the whole path"
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated(kind: str, share: float, tmp_path: Path) -> None:
    data = encode(scene(), kind)
    path = tmp_path / "cut.bin"
    path.write_bytes(data[: int(len(data) * share)])
    want = f"{path}: expected a whole {KINDS[kind]}, got one damaged or cut short; {AGAIN}"
    assert message(path) == want


def test_wrong_source_types() -> None:
    assert message(3) == (
        "picture: expected bytes, a path, an open file, a numpy array or a PIL image, got int; "
        "pass one of those"
    )
    assert message(None, name="frame").startswith("frame: expected bytes, a path,")


def test_name_replaces_the_path_in_messages(tmp_path: Path) -> None:
    assert message(tmp_path / "x.jpg", name="upload 1") == "upload 1: no such file; check the path"
    assert issubclass(ImageError, PhizError)


def test_files_that_give_no_bytes() -> None:
    assert message(io.StringIO("text")) == (
        "file object: expected a file that gives bytes, got str; open it with mode 'rb'"
    )
    assert message(io.BytesIO()).startswith(f"file object: {EXPECTED}, got an empty file (0 bytes)")


# Arrays and PIL images


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint16", "bool", "complex64", "object"])
def test_other_dtypes_are_refused_never_scaled_by_guess(dtype: str) -> None:
    assert message(np.zeros((4, 4, 3), dtype)) == (
        f"array: expected uint8 values from 0 to 255, got {dtype}; scale and convert it, "
        "for example (x * 255).round().astype('uint8') where x runs from 0 to 1"
    )


@pytest.mark.parametrize("shape", [(), (3,), (4, 4), (4, 4, 1), (4, 4, 4), (3, 4, 4), (1, 4, 4, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    assert message(np.zeros(shape, np.uint8), name="frame 7") == (
        f"frame 7: expected shape (height, width, 3) in RGB order, got {shape}; "
        "repeat a grey channel three times, drop an alpha channel"
    )


@pytest.mark.parametrize(("shape", "size"), [((0, 5, 3), "5x0"), ((5, 0, 3), "0x5"), ((0, 0, 3), "0x0")])
def test_arrays_without_pixels(shape: tuple[int, ...], size: str) -> None:
    want = f"array: expected at least 1x1 pixels, got {size}; check its source"
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
        f"PIL image: expected 8 or 16 bits a channel, got mode {mode} (32 bits, white unknown); "
        "convert it to L or RGB"
    )


def test_a_truncated_pil_image() -> None:
    with Image.open(io.BytesIO(encode(scene(), "JPEG")[:-40])) as lazy:
        assert message(lazy) == (
            f"PIL image: expected a whole PIL image, got one damaged or cut short; {AGAIN}"
        )


def test_a_pil_image_without_pixels() -> None:
    assert message(Image.new("RGB", (0, 4))) == (
        "PIL image: expected at least 1x1 pixels, got 0x4; check its source"
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
