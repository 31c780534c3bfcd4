"""Cameras that vanish, on a scripted capture, and what a user's name of one means."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from stream_fakes import FakeCapture, FakeStop, jpeg, plain

from phiz.stream.buffer import Stop
from phiz.stream.camera import CAMERA_FAILURES, FIRST_PAUSE, LONGEST_PAUSE, Camera, opener
from phiz.stream.frame import Frame, StreamError
from phiz.stream.source_kind import open_source

GONE = ["gone"] * CAMERA_FAILURES


def camera(*captures: FakeCapture, said: list[str] | None = None) -> Camera:
    following = iter(captures)
    return Camera(lambda: next(following), "camera 7", (said if said is not None else []).append)


def colours(frames: Iterator[Frame]) -> list[int]:
    return [int(frame.image[0, 0, 0]) for frame in frames]


def test_a_vanished_camera_is_looked_for_with_growing_bounded_pauses() -> None:
    said: list[str] = []
    dead = [FakeCapture([], opens=False) for _ in range(8)]
    again = FakeCapture([plain(0), plain(2)])
    source = camera(FakeCapture([plain(1), *GONE]), *dead, again, said=said)
    stop = FakeStop()
    frames = source.frames(stop)
    assert [next(frames).image[0, 0, 0], next(frames).image[0, 0, 0]] == [1, 2]
    assert stop.waits == [FIRST_PAUSE * 2**n for n in range(6)] + [LONGEST_PAUSE] * 3
    assert said[0] == "camera 7 has vanished; trying again in 0.5 s"
    assert said[-1].startswith("camera 7 is back after")
    assert source.troubles.lost == 1
    assert all(capture.released for capture in dead)


def test_a_camera_that_opens_but_gives_nothing_is_still_gone() -> None:
    source = camera(
        FakeCapture([plain(1), *GONE]), FakeCapture([]), FakeCapture([]), FakeCapture([plain(0), plain(3)])
    )
    stop = FakeStop()
    frames = source.frames(stop)
    assert [int(next(frames).image[0, 0, 0]) for _ in range(2)] == [1, 3]
    assert stop.waits == [0.5, 1.0, 2.0]


def test_the_pauses_begin_anew_after_a_return() -> None:
    source = camera(
        FakeCapture([plain(1), *GONE]),
        FakeCapture([], opens=False),
        FakeCapture([plain(0), plain(2), *GONE]),
        FakeCapture([plain(0), plain(3)]),
    )
    stop = FakeStop()
    frames = source.frames(stop)
    assert [int(next(frames).image[0, 0, 0]) for _ in range(3)] == [1, 2, 3]
    assert stop.waits == [0.5, 1.0, 0.5]
    assert source.troubles.lost == 2


def test_the_wait_for_a_camera_ends_with_the_stop() -> None:
    dead = [FakeCapture([], opens=False) for _ in range(20)]
    stop = FakeStop(most=5)
    assert colours(camera(FakeCapture([plain(1), *GONE]), *dead).frames(stop)) == [1]
    assert len(stop.waits) == 5


def test_a_damaged_frame_of_a_camera_is_counted_and_passed_over() -> None:
    source = camera(FakeCapture([plain(1), "bad", "gone", plain(2), np.zeros((0, 0, 3), np.uint8), plain(3)]))
    frames = source.frames(Stop())
    found = [next(frames) for _ in range(3)]
    assert [(frame.index, int(frame.image[0, 0, 0])) for frame in found] == [(0, 1), (3, 2), (5, 3)]
    assert source.troubles.damaged == 3
    assert source.troubles.lost == 0
    assert [frame.time for frame in found] == sorted(frame.time for frame in found)


def test_a_camera_that_is_not_there_at_first_is_an_error() -> None:
    with pytest.raises(StreamError, match="cannot open camera 7: check"):
        camera(FakeCapture([], opens=False))


def test_frames_become_rgb_and_grey_ones_too() -> None:
    blue = plain(0)
    blue[:, :, 0] = 200
    source = camera(FakeCapture([blue, np.full((48, 64), 90, np.uint8)]))
    frames = source.frames(Stop())
    assert next(frames).image[0, 0].tolist() == [0, 0, 200]
    assert next(frames).image[0, 0].tolist() == [90, 90, 90]


@pytest.mark.parametrize(
    ("rate", "taken"), [(30.0, 30.0), (0.0, 25.0), (float("nan"), 25.0), (90000.0, 25.0)]
)
def test_an_impossible_rate_is_not_believed(rate: float, taken: float) -> None:
    assert camera(FakeCapture([], rate=rate)).rate == taken


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://admin:secret@camera.local/stream",
        "rtsp://admin:secr@t@camera.local/stream",
        "rtsp://admin:secr/et@camera.local/stream",
        "rtsp://admin:123/secr@et?#@camera.local/stream",
        "rtsp://secret@camera.local/stream",
        "rtsp://camera.local/stream?user=admin&password=secret",
    ],
)
def test_a_password_in_an_address_is_not_repeated(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", lambda *args: FakeCapture([], opens=False))
    with pytest.raises(StreamError) as caught:
        open_source(address, say=print)
    assert str(caught.value).startswith("cannot open rtsp://camera.local/stream: check the name")
    said: list[str] = []
    captures = iter([FakeCapture([plain(1), *GONE]), FakeCapture([plain(0), plain(2)])])
    monkeypatch.setattr(cv2, "VideoCapture", lambda *args: next(captures))
    frames = open_source(address, say=said.append).frames(FakeStop())
    assert [int(next(frames).image[0, 0, 0]) for _ in range(2)] == [1, 2]
    assert [text.split()[0] for text in said] == ["rtsp://camera.local/stream"] * 2


def test_a_slip_in_an_address_does_not_show_its_password_either() -> None:
    with pytest.raises(StreamError, match=r"cannot open rtsp:/camera\.local/stream: No such file") as caught:
        open_source("rtsp:/admin:secret@camera.local/stream", say=print)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["0", "7", "001", "0042"])
def test_a_folder_named_by_digits_is_no_camera(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", lambda *args: pytest.fail("a camera was opened"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    (tmp_path / name / "1.jpg").write_bytes(jpeg(plain(1)))
    said: list[str] = []
    source = open_source(name, say=said.append)
    assert (source.name, source.live, len(list(source.frames(Stop())))) == (name, False, 1)
    doubtful = f"{name} is taken as the file or folder of that name, not as a camera's number"
    assert said == ([] if name.startswith("00") else [doubtful])


def test_a_number_is_a_camera_where_there_is_no_such_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(cv2, "VideoCapture", lambda *args: asked.append(*args) or FakeCapture([]))
    monkeypatch.chdir(tmp_path)
    assert [open_source(name, say=print).name for name in ("0", "12")] == ["camera 0", "camera 12"]
    assert asked == [0, 12]
    with pytest.raises(StreamError, match="No such file or directory; a camera's number is written without"):
        open_source("001", say=print)


@pytest.mark.parametrize(
    "name",
    ["caf\udce9.mp4", "rtsp://caf\udce9/stream", "v4l2src device=\udce9 ! appsink", "http://a\udcff/b"],
)
def test_a_name_that_opencv_would_not_survive_never_reaches_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", lambda *args: pytest.fail(f"OpenCV was given {args}"))
    monkeypatch.chdir(tmp_path)
    if name.endswith(".mp4"):
        Path(name).write_bytes(b"")
    with pytest.raises(
        StreamError, match=r"expected a name in UTF-8, got .*\\x(e9|ff).*: rename it, or name a link"
    ):
        open_source(name, say=print)


@pytest.mark.skipif(os.name != "posix", reason="a device of POSIX")
def test_a_device_with_such_a_name_is_refused_too(tmp_path: Path) -> None:
    link = tmp_path / "caf\udce9"
    link.symlink_to("/dev/null")
    with pytest.raises(StreamError, match="expected a name in UTF-8"):
        open_source(str(link), say=print)


def test_a_zero_byte_is_no_name() -> None:
    for name in ("a\0b", "rtsp://host/a\0b", "a\0 ! appsink"):
        with pytest.raises(StreamError, match=r"\\x00"):
            open_source(name, say=print)


def test_a_network_stream_may_not_be_silent_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(cv2, "VideoCapture", lambda *args: asked.append(args))
    opener("rtsp://host/a")()
    opener(2)()
    opener("videotestsrc ! appsink")()
    assert asked[0][:2] == ("rtsp://host/a", cv2.CAP_FFMPEG)
    assert cv2.CAP_PROP_READ_TIMEOUT_MSEC in asked[0][2]
    assert asked[1:] == [(2,), ("videotestsrc ! appsink", cv2.CAP_GSTREAMER)]
