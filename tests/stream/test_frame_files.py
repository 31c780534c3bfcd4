"""Folders of frames, and JPEG pictures through a pipe, whole and damaged."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import encode, jpeg_with_exif, scene
from stream_fakes import jpeg, plain

from phiz.stream.buffer import Stop
from phiz.stream.frame import StreamError
from phiz.stream.frame_files import Folder, Pipe, jpegs, natural

ONE, TWO = jpeg(plain(10)), encode(scene(), "JPEG", progressive=True)


def split(data: bytes, chunk: int, limit: int = 1 << 20) -> list[bytes | None]:
    parts = iter([data[i : i + chunk] for i in range(0, len(data), chunk)])
    return list(jpegs(lambda: next(parts, b""), limit))


@pytest.mark.parametrize("chunk", [1, 7, 1000, 1 << 20])
def test_pictures_are_separated_wherever_the_reads_fall(chunk: int) -> None:
    assert split(ONE + TWO + ONE, chunk) == [ONE, TWO, ONE]


def test_a_preview_inside_a_picture_is_not_a_frame() -> None:
    with_preview = jpeg_with_exif(ONE, b"Exif\0\0" + ONE)
    assert split(with_preview + ONE, 100) == [with_preview, ONE]


def test_bytes_between_the_pictures_are_passed_over() -> None:
    boundary = b"\r\n--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\n"
    assert split(boundary + ONE + boundary + TWO + boundary, 50) == [ONE, TWO]


def test_a_picture_cut_short_is_told_and_the_next_one_is_whole() -> None:
    assert split(ONE[: len(ONE) // 2] + TWO + ONE, 64) == [None, TWO, ONE]
    assert split(ONE + TWO[:-2], 64) == [ONE, None]
    assert split(ONE[:8] + b"\xff\xe0\x00\x02", 64) == [None]


def test_a_picture_without_end_is_given_up() -> None:
    endless = ONE[:-2] + b"\x11" * 50_000
    assert split(endless + ONE, 999, limit=20_000)[0] is None
    assert split(endless + ONE, 999, limit=20_000)[-1] == ONE


def test_other_bytes_hold_no_pictures() -> None:
    assert split(b"", 10) == split(b"\0" * 5000, 99) == split(b"\xff\xd8", 10) == []


@given(st.binary(max_size=300), st.integers(1, 50))
def test_no_bytes_break_the_search(data: bytes, chunk: int) -> None:
    for found in split(data + ONE[:200], chunk, 500):
        assert found is None or found.startswith(b"\xff\xd8\xff")


@given(st.lists(st.tuples(st.integers(0, len(TWO) - 1), st.integers(0, 255)), max_size=5))
def test_a_damaged_picture_ends_and_never_loops(changes: list[tuple[int, int]]) -> None:
    data = bytearray(TWO)
    for place, value in changes:
        data[place] = value
    assert len(split(bytes(data) + ONE, 128)) >= 1


def pipe_of(*parts: bytes) -> Iterator[int]:
    reading, writing = os.pipe()

    def write() -> None:
        for part in parts:
            os.write(writing, part)
        os.close(writing)

    thread = threading.Thread(target=write)
    thread.start()
    yield reading
    thread.join()
    os.close(reading)


def test_a_pipe_gives_the_good_frames_and_counts_the_others() -> None:
    for descriptor in pipe_of(ONE, ONE[:-40], ONE):
        source = Pipe(descriptor, "made", 10.0)
        frames = list(source.frames(Stop()))
    assert [(frame.index, frame.time) for frame in frames] == [(0, 0.0), (2, 0.2)]
    assert source.troubles.damaged == 1
    assert np.array_equal(frames[0].image, frames[1].image)


def test_frames_of_a_live_pipe_have_the_time_of_their_coming() -> None:
    for descriptor in pipe_of(ONE, ONE, ONE):
        times = [frame.time for frame in Pipe(descriptor, "made", 0.001, live=True).frames(Stop())]
    assert times == sorted(times)
    assert 0 < times[-1] < 100  # not 2000 s, as the rate would have it


def test_a_pipe_without_a_picture_says_what_it_expected() -> None:
    for descriptor in pipe_of(b"ftypisom" * 100):
        with pytest.raises(StreamError, match=r"expected JPEG pictures one after another.*ffmpeg"):
            list(Pipe(descriptor, "standard input", 25.0).frames(Stop()))


def test_waiting_for_a_silent_pipe_ends_with_the_stop() -> None:
    reading, writing = os.pipe()
    stop = Stop()
    frames: list[object] = []
    thread = threading.Thread(target=lambda: frames.extend(Pipe(reading, "made", 25.0).frames(stop)))
    thread.start()
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert frames == []
    os.close(reading)
    os.close(writing)


def test_a_folder_is_read_in_natural_order_and_bad_pictures_are_counted(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        (tmp_path / f"frame{number}.jpg").write_bytes(jpeg(plain(number)))
    (tmp_path / "frame3.jpg").write_bytes(ONE[:200])
    (tmp_path / ".hidden.jpg").write_bytes(ONE)
    (tmp_path / "notes.txt").write_text("no picture")
    source = Folder(str(tmp_path), 5.0)
    frames = list(source.frames(Stop()))
    assert [(frame.index, frame.time) for frame in frames] == [(0, 0.0), (1, 0.2), (3, 0.6)]
    assert [round(frame.image.mean()) for frame in frames] == [1, 2, 10]
    assert source.troubles.damaged == 1
    assert source.length == pytest.approx(0.8)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StreamError, match=r"no pictures in the folder .*; looked for( \.[a-z]+)+$"):
        Folder(str(tmp_path), 25.0)


@pytest.mark.parametrize("suffix", [".mp4", ".MOV", ".webm", ".avi"])
def test_a_folder_of_videos_says_how_to_watch_one(tmp_path: Path, suffix: str) -> None:
    for name in (f"day10{suffix}", f"day9{suffix}", f".day1{suffix}", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    words = rf"one video is watched at a time: phiz watch {re.escape(str(tmp_path))}/day9{suffix}$"
    with pytest.raises(StreamError, match=words):
        Folder(str(tmp_path), 25.0)


def test_natural_order_takes_digits_as_numbers() -> None:
    names = ["b2", "a10", "a9", "a", "10", "9"]
    assert sorted(names, key=natural) == ["9", "10", "a", "a9", "a10", "b2"]
