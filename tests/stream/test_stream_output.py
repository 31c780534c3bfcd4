"""What a stream leaves behind: lines and windows, also when the disk is full."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from stream_fakes import one_face, plain

from phiz.stream import stream_output as module
from phiz.stream.buffer import Stop
from phiz.stream.facing import frontality
from phiz.stream.frame import Frame, StreamError
from phiz.stream.stream_output import Lines, Shown, Window, no_window, to_dict
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
