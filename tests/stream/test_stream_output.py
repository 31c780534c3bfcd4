"""What a stream leaves behind: lines, videos and windows, also when the disk is full."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from stream_fakes import one_face, plain, read_video

from phiz.stream import output as module
from phiz.stream.buffer import Stop
from phiz.stream.frame import Frame, StreamError
from phiz.stream.output import RESERVE, AnnotatedVideo, Lines, Shown, Window, fitted, no_window, to_dict
from phiz.stream.quality import frontality
from phiz.stream.track import Tracker


def shown(
    index: int, image: np.ndarray | None = None, *, time: float | None = None, faces: bool = False
) -> Shown:
    image = plain(index) if image is None else image
    tracks = Tracker().update(one_face(image) if faces else [], 0.0)
    return Shown(Frame(index, index / 25 if time is None else time, image), True, tracks, (), 3)


def test_a_line_says_everything_about_a_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = Lines(str(path))
    lines.write(shown(0))
    lines.write(shown(7, plain(33), faces=True))
    assert len(path.read_text().splitlines()) == 2  # before it is closed
    lines.close()
    empty, full = map(json.loads, path.read_text().splitlines())
    assert (empty["frame"], empty["faces"], empty["dropped"]) == (0, [], 3)
    assert {key: full[key] for key in ("frame", "time", "width", "height", "detected")} == {
        "frame": 7,
        "time": 0.28,
        "width": 64,
        "height": 48,
        "detected": True,
    }
    (face,) = full["faces"]
    assert (face["id"], face["age"], face["gender"], face["seen"]) == (1, 33.0, "female", 1)
    assert (face["box"], len(face["keypoints"])) == ([16.0, 12.0, 32.0, 24.0], 5)
    assert face["facing"] == pytest.approx(frontality(one_face(plain(33))[0].keypoints), abs=1e-3)
    assert 0.5 < face["facing"] < 1  # neither end of the scale, so that the line above can tell
    assert "at" not in full


def test_a_live_line_says_the_time_of_day() -> None:
    begun = datetime(2024, 5, 1, 23, 59, 59, tzinfo=timezone.utc)
    assert to_dict(shown(50), begun)["at"] == "2024-05-02T00:00:01.000+00:00"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_keeps_the_lines_before() -> None:
    lines = Lines("/dev/full")
    with pytest.raises(
        StreamError, match="cannot write /dev/full: No space left on device; the 0 lines before"
    ):
        lines.write(shown(0))
    lines.close()


def test_no_half_line_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = Lines(str(path))
    lines.write(shown(0))
    whole = path.read_bytes()
    real = lines._file

    class Full:
        def write(self, data: memoryview) -> int:
            if len(data) < 100:
                raise OSError(28, "No space left on device")
            return real.write(data[:50])

        def truncate(self, size: int) -> int:
            return real.truncate(size)

    lines._file = Full()
    with pytest.raises(StreamError, match="the 1 lines before are kept"):
        lines.write(shown(1))
    real.close()
    assert path.read_bytes() == whole


def test_a_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(StreamError, match="Is a directory"):
        Lines(str(tmp_path))
    for name in ("none/a.mp4", "none/a.avi"):
        with pytest.raises(StreamError, match="No such file"):
            AnnotatedVideo(str(tmp_path / name), 25.0)
    with pytest.raises(StreamError, match=r"expected a video named \.mp4 .*, got .*a\.txt"):
        AnnotatedVideo(str(tmp_path / "a.txt"), 25.0)


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv", ".MOV"])
@pytest.mark.parametrize("size", [(64, 48), (65, 47)])
def test_every_frame_of_a_file_is_in_the_video(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    path = tmp_path / f"a{suffix}"
    video = AnnotatedVideo(str(path), 10.0)
    for index in range(6):
        video.write(shown(index, plain(40 * index, *size)))
    video.close()
    frames = read_video(path)
    assert len(frames) == 6
    assert frames[0].shape == (48, 64 + 2 * (size[0] > 64), 3)
    assert [float(frame[20:30, 20:40].mean()) for frame in frames] == pytest.approx(
        [40 * n for n in range(6)], abs=4
    )
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(10)


def test_faces_are_drawn_on_a_copy(tmp_path: Path) -> None:
    image = plain(90, 320, 240)
    video = AnnotatedVideo(str(tmp_path / "a.avi"), 25.0)
    video.write(shown(0, image, faces=True))
    video.close()
    assert (image == 90).all()
    (frame,) = read_video(tmp_path / "a.avi")
    amber = (frame[:, :, 0] > 200) & (frame[:, :, 2] < 90)
    assert amber.sum() > 300


def test_a_change_of_size_is_fitted_into_the_first_one(tmp_path: Path) -> None:
    video = AnnotatedVideo(str(tmp_path / "a.avi"), 25.0)
    for index, size in enumerate([(64, 48), (128, 48), (20, 90), (64, 48)]):
        video.write(shown(index, plain(200, *size)))
    video.close()
    frames = read_video(tmp_path / "a.avi")
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 4
    wide, tall = frames[1], frames[2]
    assert wide[:8].mean() < 20 < 180 < wide[20:28].mean()
    assert tall[:, :20].mean() < 20 < 180 < tall[:, 29:35].mean()


def test_fitted_shows_the_whole_picture() -> None:
    assert fitted(plain(5, 10, 10), (10, 10)).shape == (10, 10, 3)
    assert fitted(plain(5, 1, 500), (64, 48)).shape == (48, 64, 3)
    assert fitted(plain(5, 500, 1), (64, 48)).max() == 5


def test_a_live_video_keeps_to_the_clock(tmp_path: Path) -> None:
    video = AnnotatedVideo(str(tmp_path / "a.avi"), 10.0, live=True)
    for index, time in enumerate(
        [5.0, 5.1, 5.11, 5.5, 65.0, 65.1]
    ):  # too early, 3 dropped, gone for a minute
        video.write(shown(index, plain(index * 40), time=time))
    video.close()
    seen = [round(float(frame.mean()) / 40) for frame in read_video(tmp_path / "a.avi")]
    assert seen == [0, 1, 3, 3, 3, 3, 4, 5]


def test_a_video_ends_before_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = [RESERVE * 2]
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free[0]))
    video = AnnotatedVideo(str(tmp_path / "a.mp4"), 25.0)
    for index in range(5):
        video.write(shown(index))
    free[0] = RESERVE - 1
    with pytest.raises(StreamError, match=r"the disk is full \(15 MiB free, .*the 5 frames before are kept"):
        video.write(shown(5))
    video.close()
    assert len(read_video(tmp_path / "a.mp4")) == 5
    with pytest.raises(StreamError, match="the disk is full"):
        AnnotatedVideo(str(tmp_path / "a.mp4"), 25.0)
    assert len(read_video(tmp_path / "a.mp4")) == 5  # the earlier video of the name is still there


def test_a_video_writer_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = AnnotatedVideo(str(tmp_path / "a.mp4"), 25.0)
    video.write(shown(0))
    real = video._writer
    monkeypatch.setattr(video, "_writer", SimpleNamespace(write=lambda frame: False, release=real.release))
    with pytest.raises(StreamError, match=r"cannot write .*a\.mp4: the 1 frames before are kept"):
        video.write(shown(1))
    video.close()


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """An OpenCV with windows, of which one is open."""
    found = SimpleNamespace(pictures=[], key=-1, visible=1.0, closed=False)
    monkeypatch.setattr(module, "no_window", lambda: None)
    names: dict[str, Callable[..., object]] = {
        "namedWindow": lambda *args: None,
        "resizeWindow": lambda *args: None,
        "imshow": lambda title, picture: found.pictures.append(picture),
        "waitKey": lambda wait: found.key,
        "getWindowProperty": lambda *args: found.visible,
        "destroyAllWindows": lambda: setattr(found, "closed", True),
    }
    for name, function in names.items():
        monkeypatch.setattr(cv2, name, function)
    return found


@pytest.mark.parametrize(
    ("key", "visible", "ends"), [(-1, 1, False), (ord("q"), 1, True), (27, 1, True), (-1, 0, True)]
)
def test_a_window_shows_frames_until_it_is_closed(
    screen: SimpleNamespace, key: int, visible: float, ends: bool
) -> None:
    stop = Stop()
    window = Window(stop)
    screen.key, screen.visible = key, visible
    red = plain(0)
    red[:, :, 0] = 250
    window.write(shown(0, red))
    assert screen.pictures[0][0, 0].tolist() == [0, 0, 250]  # BGR, as OpenCV wants it
    assert stop.is_set() == ends
    window.close()
    assert screen.closed


def test_without_a_gui_or_a_screen_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: "  GUI:                           NONE\n")
    assert "opencv-python-headless" in str(no_window())
    with pytest.raises(StreamError, match="no window: this OpenCV is built without"):
        Window(Stop())
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: "  GUI:                           QT5\n")
    monkeypatch.setattr(module.sys, "platform", "linux")
    assert no_window() == "there is no screen (neither DISPLAY nor WAYLAND_DISPLAY is set)"
    monkeypatch.setenv("DISPLAY", ":0")
    assert no_window() is None
