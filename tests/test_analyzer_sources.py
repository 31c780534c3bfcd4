"""Many pictures in a row: buffers that their owner uses again, threads and processes, and what is no list."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures import encode
from PIL import Image

import phiz
from phiz import analyzer as module
from phiz.analyzer import Analyzer
from phiz.data import ASTRONAUT
from phiz.errors import ImageError


def frame(bright: bool) -> np.ndarray:
    """A chip that the fake model calls female where it is bright."""
    return np.full((50, 40, 3), (204, 50, 46) if bright else (51, 99, 90), np.uint8)


def into_array(held: Any, pixels: np.ndarray) -> Any:
    held = np.zeros_like(pixels) if held is None else held
    held[:] = pixels
    return held


def into_view(held: Any, pixels: np.ndarray) -> Any:
    """As `frame[:, :, ::-1]` turns OpenCV's BGR: not contiguous, so that reading makes a copy anyway."""
    held = np.zeros_like(pixels)[:, :, ::-1] if held is None else held
    held[:] = pixels
    return held


def into_bytes(held: Any, pixels: np.ndarray) -> Any:
    held = bytearray() if held is None else held
    held[:] = encode(pixels, "BMP")
    return held


def into_view_of_bytes(held: Any, pixels: np.ndarray) -> Any:
    data = encode(pixels, "BMP")
    held = memoryview(bytearray(data)) if held is None else held
    held[:] = data
    return held


def into_pil(held: Any, pixels: np.ndarray) -> Any:
    held = Image.new("RGB", (40, 50)) if held is None else held
    held.paste(Image.fromarray(pixels))
    return held


def into_file(held: Any, pixels: np.ndarray) -> Any:
    held = io.BytesIO() if held is None else held
    held.seek(0)
    held.write(encode(pixels, "BMP"))
    held.seek(0)
    return held


@pytest.mark.parametrize("fill", [into_array, into_view, into_bytes, into_view_of_bytes, into_pil, into_file])
def test_a_buffer_may_be_used_again_once_the_next_is_asked_for(
    fill: Callable[[Any, np.ndarray], Any], fake_model: Path
) -> None:
    def frames() -> Iterator[Any]:
        held = None
        for number in range(8):
            held = fill(held, frame(number % 2 == 0))
            yield held

    results = Analyzer(fake_model, cropped=True).analyze_many(frames())
    assert [result.faces[0].gender for result in results] == ["female", "male"] * 4


def test_a_picture_may_be_closed_once_the_next_is_asked_for(fake_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encode(frame(True), "PNG"))

    def pictures() -> Iterator[Any]:
        for _ in range(4):
            with Image.open(path) as opened:
                yield opened
            with path.open("rb") as file:
                yield file

    results = list(Analyzer(fake_model, cropped=True).analyze_many(pictures()))
    assert [result.error for result in results] == [None] * 8
    assert [result.path for result in results] == [None, str(path)] * 4


@pytest.mark.parametrize(
    "one",
    ["a.jpg", Path("a.jpg"), b"x", bytearray(b"x"), memoryview(b"x"), frame(True), Image.new("L", (2, 2))],
)
def test_one_picture_given_for_several_is_refused_at_once(one: Any, fake_model: Path) -> None:
    with pytest.raises(TypeError) as caught:
        Analyzer(fake_model).analyze_many(one)
    assert str(caught.value) == (
        f"sources: expected several pictures, such as a list, got one {type(one).__name__}; "
        "use analyze, or put it in a list"
    )


def test_a_batch_in_one_array_is_several_pictures(fake_model: Path) -> None:
    batch = np.stack([frame(True), frame(False)])
    results = phiz.analyze_many(batch, model=fake_model, cropped=True)
    assert [result.faces[0].gender for result in results] == ["female", "male"]


def test_the_bound_of_pixels_can_be_moved(fake_model: Path) -> None:
    small = Analyzer(fake_model, max_pixels=1999)
    with pytest.raises(ImageError, match=r"^array: expected at most 1,999 pixels, got 40x50 \(2,000\)"):
        small.analyze(frame(True))
    sources = [frame(True), encode(frame(True), "PNG")]
    assert all("1,999 pixels" in (result.error or "") for result in small.analyze_many(sources))
    assert Analyzer(fake_model, max_pixels=2000).analyze(frame(True)).error is None


def test_attributes_may_be_any_sequence() -> None:
    for names in (["Smiling"], ("Smiling",), "Smiling"):
        (face,) = phiz.analyze(ASTRONAUT, attributes=names).faces
        assert list(face.attributes or ()) == ["Smiling"]


def test_threads_that_come_first_at_once_load_the_networks_once(
    fake_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[int] = []
    together = threading.Barrier(8)

    class Slow(Analyzer):
        def __init__(self, *args: Any, **options: Any) -> None:
            loads.append(threading.get_ident())
            super().__init__(*args, **options)

    def ask(_: int) -> None:
        together.wait(timeout=30)
        phiz.analyze(frame(True), model=fake_model, cropped=True)

    monkeypatch.setattr(module, "Analyzer", Slow)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert len(loads) == 1


def test_the_networks_of_old_options_go(fake_model: Path) -> None:
    for pixels in range(100, 110):
        phiz.analyze(np.zeros((4, 4, 3), np.uint8), model=fake_model, max_pixels=pixels)
    assert len(phiz._analyzers) == 4


def test_where_no_thread_is_to_be_had_pictures_are_read_in_turn(
    fake_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    results = Analyzer(fake_model, cropped=True).analyze_many([frame(True), b"", frame(False)])
    assert [result.error is None for result in results] == [True, False, True]


def test_a_thread_that_outlives_the_main_one_goes_on(fake_model: Path) -> None:
    """Python's own pools take no work any more once its main thread has ended."""
    script = (
        "import sys, threading, phiz\n"
        "def work():\n"
        "    threading.main_thread().join()\n"
        "    results = phiz.analyze_many([sys.argv[1]] * 6, model=sys.argv[2])\n"
        "    print([len(result.faces) for result in results], flush=True)\n"
        "threading.Thread(target=work).start()\n"
    )
    command = [sys.executable, "-c", script, str(ASTRONAUT), str(fake_model)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr, done.returncode) == ("[1, 1, 1, 1, 1, 1]\n", "", 0)
