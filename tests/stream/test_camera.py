"""Video files as OpenCV reads them, and cameras that vanish, on a scripted capture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from stream_fakes import FakeCapture, FakeStop, damage, plain, write_video

from phiz.stream.buffer import Stop
from phiz.stream.camera import CAMERA_FAILURES, FIRST_PAUSE, LONGEST_PAUSE, Camera, Video, opener
from phiz.stream.frame import Frame, StreamError
from phiz.stream.source import open_source

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


def test_every_frame_of_a_file_comes_with_its_time(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", [plain(20 * n) for n in range(10)], rate=10.0)
    source = open_source(str(path), say=print)
    frames = list(source.frames(Stop()))
    assert [frame.index for frame in frames] == list(range(10))
    assert [frame.time for frame in frames] == pytest.approx([n / 10 for n in range(10)], abs=0.002)
    assert [float(frame.image.mean()) for frame in frames] == pytest.approx(
        [20 * n for n in range(10)], abs=2
    )
    assert (source.live, source.rate, source.troubles.damaged) == (False, 10.0, 0)


def test_damaged_frames_of_a_file_are_counted_and_passed_over(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", [plain(20 * n) for n in range(10)])
    path.write_bytes(damage(path.read_bytes(), 3, 4))
    source = open_source(str(path), say=print)
    frames = list(source.frames(Stop()))
    assert [frame.index for frame in frames] == [0, 1, 2, 5, 6, 7, 8, 9]
    assert [frame.time for frame in frames] == pytest.approx(
        [frame.index / 25 for frame in frames], abs=0.002
    )
    assert source.troubles.damaged == 2


def test_a_file_that_ends_early_counts_what_its_header_promised(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", [plain(20 * n) for n in range(10)])
    data = path.read_bytes()
    path.write_bytes(data[: [i for i in range(len(data)) if data[i : i + 3] == b"\xff\xd8\xff"][7]])
    source = open_source(str(path), say=print)
    assert len(list(source.frames(Stop()))) == 7
    assert source.troubles.damaged == 3


def test_a_change_of_size_inside_a_video_is_scaled_to_the_first_one(tmp_path: Path) -> None:
    """OpenCV does that and tells nobody; phiz must get through and keep times growing."""
    parts = []
    for name, width in (("a.ts", 64), ("b.ts", 128)):
        path = tmp_path / name
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, (width, 48))
        for n in range(10):
            writer.write(plain(20 * n, width, 48))
        writer.release()
        parts.append(path.read_bytes())
    (tmp_path / "c.ts").write_bytes(b"".join(parts))
    frames = list(open_source(str(tmp_path / "c.ts"), say=print).frames(Stop()))
    assert len(frames) >= 18  # FFmpeg may lose one where the streams meet
    assert {frame.image.shape for frame in frames} == {(48, 64, 3)}
    times = [frame.time for frame in frames]
    assert times == sorted(set(times))


def test_times_always_grow_where_the_file_tells_none() -> None:
    source = Video(lambda: FakeCapture([plain(1), plain(2), plain(3)], rate=20.0), "made")
    assert [frame.time for frame in source.frames(Stop())] == [0.0, 0.05, 0.1]


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("not a video")
    with pytest.raises(StreamError, match=r"cannot open the video .*a\.mp4: expected one that OpenCV reads"):
        open_source(str(path), say=print)
    with pytest.raises(StreamError, match=r"cannot open .*none\.mp4: No such file"):
        open_source(str(tmp_path / "none.mp4"), say=print)
    with pytest.raises(StreamError, match="no frame of the video can be decoded"):
        list(Video(lambda: FakeCapture([]), "made").frames(Stop()))


def test_a_password_in_an_address_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", lambda *args: FakeCapture([], opens=False))
    with pytest.raises(StreamError) as caught:
        open_source("rtsp://admin:secret@camera.local/stream", say=print)
    assert "rtsp://camera.local/stream" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_address_with_a_length_is_read_like_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    class Long(FakeCapture):
        def get(self, property: int) -> float:
            return 3.0 if property == cv2.CAP_PROP_FRAME_COUNT else super().get(property)

    monkeypatch.setattr(cv2, "VideoCapture", lambda *args: Long([plain(1)]))
    assert not open_source("http://host/video.mp4", say=print).live
    monkeypatch.setattr(cv2, "VideoCapture", lambda *args: FakeCapture([plain(1)]))
    live = open_source("http://host/stream", say=print)
    assert live.live
    assert colours([next(iter(live.frames(Stop())))]) == [1]


def test_a_network_stream_may_not_be_silent_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(cv2, "VideoCapture", lambda *args: asked.append(args))
    opener("rtsp://host/a")()
    opener(2)()
    opener("videotestsrc ! appsink")()
    assert asked[0][:2] == ("rtsp://host/a", cv2.CAP_FFMPEG)
    assert cv2.CAP_PROP_READ_TIMEOUT_MSEC in asked[0][2]
    assert asked[1:] == [(2,), ("videotestsrc ! appsink", cv2.CAP_GSTREAMER)]
