"""Annotated videos: frames at their own time, as browsers play them, with the sound; full disks too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest
from children import environment
from stream_fakes import one_face, plain, read_video

from phiz.stream.buffer import Stop
from phiz.stream.frame import Frame, StreamError
from phiz.stream.recording import RESERVE, AnnotatedVideo, fitted
from phiz.stream.stream_output import Shown
from phiz.stream.track import Tracker
from phiz.stream.video import Video

#: Frames of a telephone that was busy twice: 3 at 25 a second, two after 5 s each, one more.
UNEVEN = [0, 0.04, 0.08, 5.08, 10.08, 10.12]
EVEN = [n / 25 for n in range(60)]


def shown(
    index: int, image: np.ndarray | None = None, *, time: float | None = None, faces: bool = False
) -> Shown:
    image = plain(index) if image is None else image
    tracks = Tracker().update(one_face(image) if faces else [], 0.0)
    return Shown(Frame(index, index / 25 if time is None else time, image), True, tracks, (), 3)


def record(path: Path, times: Sequence[float], rate: float = 25.0, **options: object) -> list[str]:
    """Record a frame at each of the times; return what was said."""
    said: list[str] = []
    video = AnnotatedVideo(str(path), rate, say=said.append, **options)  # type: ignore[arg-type]
    for index, time in enumerate(times):
        video.write(shown(index, plain(20 * index % 256), time=time))
    video.close()
    return said


def times(path: Path, kind: str = "video") -> list[float]:
    """When each frame, or each piece of sound, of a file is due."""
    with av.open(str(path)) as file:
        track = file.streams.best(kind)
        assert track is not None
        assert track.time_base
        return [float(packet.pts * track.time_base) for packet in file.demux(track) if packet.pts is not None]


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv", ".MOV", ".m4v"])
@pytest.mark.parametrize("size", [(64, 48), (65, 47)])
def test_every_frame_of_a_file_is_in_the_video(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    path = tmp_path / f"a{suffix}"
    video = AnnotatedVideo(str(path), 10.0)
    for index in range(6):
        video.write(shown(index, plain(40 * index, *size), time=index / 10))
    video.close()
    frames = read_video(path)
    assert len(frames) == 6
    assert frames[0].shape == (48, 64 + 2 * (size[0] > 64), 3)
    assert [float(frame[20:30, 20:40].mean()) for frame in frames] == pytest.approx(
        [40 * n for n in range(6)], abs=4
    )
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(10)


@pytest.mark.parametrize(
    ("suffix", "due"),
    [(suffix, due) for suffix in (".mp4", ".m4v", ".mov", ".mkv", ".avi") for due in (UNEVEN, EVEN)]
    # An AVI begins with its first frame; where that is late, as after damaged ones, the others keep it so.
    + [(suffix, [0.48, 0.52, 0.6]) for suffix in (".mp4", ".m4v", ".mov", ".mkv")],
)
def test_every_frame_is_at_its_own_time(tmp_path: Path, suffix: str, due: list[float]) -> None:
    path = tmp_path / f"a{suffix}"
    record(path, due)
    with av.open(str(path)) as file:
        assert [frame.time for frame in file.decode(video=0)] == pytest.approx(due, abs=0.001)
        length = file.duration / av.time_base + (due[0] if suffix != ".mkv" else 0)
        assert length == pytest.approx(due[-1] + 0.04, abs=0.01)
    again = Video(str(path), "again")
    assert len(list(again.frames(Stop()))) == len(due)
    assert again.troubles.missing == 0


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_live_video_keeps_to_the_clock(tmp_path: Path, suffix: str) -> None:
    """Also where the camera was gone for a minute: lines and video agree about when."""
    due = [0.013, 0.1, 0.11, 0.5, 60.0, 60.1]
    path = tmp_path / f"a{suffix}"
    record(path, due, rate=10.0)
    assert times(path) == pytest.approx(due, abs=0.001)


def test_an_avi_knows_only_steps_of_its_rate(tmp_path: Path) -> None:
    record(tmp_path / "a.avi", [0.0, 0.1, 0.11, 0.5, 3.02], rate=10.0)
    with av.open(str(tmp_path / "a.avi")) as file:
        assert [frame.time for frame in file.decode(video=0)] == pytest.approx([0.0, 0.1, 0.5, 3.0])


@pytest.mark.parametrize("suffix", [".mp4", ".m4v", ".mov", ".mkv"])
def test_the_video_is_of_a_kind_that_browsers_play(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    record(path, [0.0, 0.04])
    with av.open(str(path)) as file:
        (video,) = file.streams.video
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert video.profile in ("Constrained Baseline", "Main", "High")


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


def with_sound(path: Path, codec: str, pictures_begin: float = 0.0) -> Path:
    """A film of 2 s whose sound is a tone that begins at 1 s; the pictures may begin later than the file."""
    rate = 48000
    tone = np.sin(np.arange(2 * rate) / 20) * (np.arange(2 * rate) >= rate)
    with av.open(str(path), "w") as file:
        video, audio = file.add_stream("mpeg4", rate=25), file.add_stream(codec, rate=rate)
        assert isinstance(video, av.VideoStream)
        assert isinstance(audio, av.AudioStream)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for n in range(50):
            frame = av.VideoFrame.from_ndarray(plain(n), format="rgb24")
            frame.pts, frame.time_base = n + round(25 * pictures_begin), Fraction(1, 25)
            file.mux(video.encode(frame))
        sound = av.AudioFrame.from_ndarray((30000 * tone).astype(np.int16)[None], format="s16", layout="mono")
        sound.rate, sound.pts, sound.time_base = rate, 0, Fraction(1, rate)
        file.mux(audio.encode(sound))
        file.mux(audio.encode())
        file.mux(video.encode())
    return path


def loud(path: Path) -> tuple[float, float]:
    """When the tone of a film begins and how long the sound lasts, in seconds."""
    with av.open(str(path)) as file:
        begins, ends = None, 0.0
        for frame in file.decode(audio=0):
            level = np.abs(frame.to_ndarray().astype(float)).mean()
            scale = 1.0 if frame.format.name.startswith("flt") else 32768.0
            if begins is None and level > 0.1 * scale:
                begins = frame.time
            ends = frame.time + frame.samples / frame.rate
        assert begins is not None
        return begins, ends


@pytest.mark.parametrize(
    ("source", "codec", "suffix"),
    [
        (".mp4", "aac", ".mp4"),
        (".mp4", "aac", ".mkv"),
        (".ts", "aac", ".mp4"),
        (".mkv", "flac", ".mkv"),
        (".avi", "pcm_s16le", ".mov"),
    ],
)
def test_the_sound_is_copied_in_time_with_the_pictures(
    source: str, codec: str, suffix: str, tmp_path: Path
) -> None:
    film = with_sound(tmp_path / f"film{source}", codec)
    path = tmp_path / f"a{suffix}"
    assert record(path, [n / 25 for n in range(50)], sound=str(film)) == []
    begins, ends = loud(path)
    assert begins == pytest.approx(1.0, abs=0.06)
    assert ends == pytest.approx(2.0, abs=0.08)
    assert len(times(path)) == 50


def test_sound_from_before_the_first_picture_is_left_out(tmp_path: Path) -> None:
    """The pictures' own beginning is second 0 of a stream, also where the file's sound begins earlier."""
    film = with_sound(tmp_path / "film.mkv", "flac", pictures_begin=0.4)
    path = tmp_path / "a.mkv"
    record(path, [n / 25 for n in range(50)], sound=str(film))
    assert loud(path)[0] == pytest.approx(0.6, abs=0.06)
    assert min(times(path, "audio")) >= 0


def test_the_sound_ends_with_the_pictures(tmp_path: Path) -> None:
    film = with_sound(tmp_path / "film.mp4", "aac")
    record(tmp_path / "a.mp4", [n / 25 for n in range(30)], sound=str(film))
    assert loud(tmp_path / "a.mp4")[1] == pytest.approx(1.2, abs=0.08)


@pytest.mark.parametrize(
    ("codec", "suffix", "words"),
    [("flac", ".mov", "mov cannot hold flac"), ("flac", ".avi", "avi cannot hold flac")],
)
def test_sound_that_cannot_be_copied_is_told_and_the_video_is_whole(
    codec: str, suffix: str, words: str, tmp_path: Path
) -> None:
    film = with_sound(tmp_path / "film.mkv", codec)
    path = tmp_path / f"a{suffix}"
    said = record(path, [n / 25 for n in range(50)], sound=str(film))
    assert said == [f"the sound is left out: {words}; most often .mkv can"]
    assert len(times(path)) == 50


def test_a_film_without_sound_is_recorded_without(tmp_path: Path) -> None:
    record(tmp_path / "film.mp4", [0.0, 0.04])
    assert record(tmp_path / "a.mp4", [0.0, 0.04], sound=str(tmp_path / "film.mp4")) == []
    with av.open(str(tmp_path / "a.mp4")) as file:
        assert [stream.type for stream in file.streams] == ["video"]


def test_a_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    for name in ("none/a.mp4", "none/a.avi"):
        with pytest.raises(StreamError, match="No such file"):
            AnnotatedVideo(str(tmp_path / name), 25.0)
    with pytest.raises(StreamError, match=r"expected a video named \.mp4 .*, got .*a\.txt"):
        AnnotatedVideo(str(tmp_path / "a.txt"), 25.0)


@pytest.mark.skipif(sys.platform != "linux", reason="names of bytes, as Linux has them")
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".txt"])
def test_a_name_that_is_not_utf_8_is_refused_and_its_file_kept(tmp_path: Path, suffix: str) -> None:
    path = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9" + suffix.encode()))
    path.write_bytes(b"an earlier video")
    with pytest.raises(StreamError, match=r"expected a name in UTF-8, got .*caf\\xe9"):
        AnnotatedVideo(str(path), 25.0)
    assert path.read_bytes() == b"an earlier video"


def test_an_earlier_video_stays_until_a_frame_comes(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    record(path, [0.0, 0.04])
    before = path.read_bytes()
    AnnotatedVideo(str(path), 25.0).close()
    assert path.read_bytes() == before
    record(path, [0.0])
    assert times(path) == [0.0]


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


WRITE = """
import sys
from scenes import scene
from phiz.stream.frame import Frame, StreamError
from phiz.stream.stream_output import Shown
from phiz.stream.recording import AnnotatedVideo

video, count = AnnotatedVideo(sys.argv[1], 25.0), 0
try:
    try:
        for count in range(300):
            video.write(Shown(Frame(count, count / 25, scene(count % 7)), True, (), (), 0))
    finally:
        video.close()
except StreamError as error:
    print(count, error)
"""


@pytest.mark.skipif(os.name != "posix", reason="a limit of POSIX stands for the full disk")
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_a_disk_that_refuses_is_told_once(tmp_path: Path, suffix: str) -> None:
    import resource

    path, limit = tmp_path / f"a{suffix}", 150_000
    done = subprocess.run(
        [sys.executable, "-c", WRITE, str(path)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    count, _, words = done.stdout.partition(" ")
    if suffix == ".mp4":
        kept = "it cannot be played; an .mkv could"
    else:
        kept = f"the {count} frames before are kept"
        assert len(times(path)) > 0.4 * int(count)  # what the encoder held is lost
    assert words == f"cannot write {path}: File too large; {kept}\n"
