"""Video files: every frame, at the file's own time, upright; only what was counted is called damaged."""

from __future__ import annotations

import functools
import struct
import threading
from collections.abc import Iterator, Sequence
from fractions import Fraction
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from scenes import scene
from stream_fakes import damage, plain, write_video

from phiz.stream.buffer import Stop
from phiz.stream.frame import StreamError
from phiz.stream.source_kind import open_source
from phiz.stream.video import Video


def write(
    path: Path,
    times: Sequence[float],
    images: Sequence[np.ndarray] | None = None,
    *,
    codec: str = "libx264",
    head: dict[str, str] | None = None,
    **options: object,
) -> Path:
    """Write frames at the given seconds with PyAV; head: options of the container."""
    images = images or [plain(20 * n % 256) for n in range(len(times))]
    with av.open(str(path), "w", options=head or {}) as file:
        stream = file.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt, stream.codec_context.time_base = "yuv420p", Fraction(1, 1000)
        stream.options = {"g": "10", "bf": "0", **options}
        for time, image in zip(times, images, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts, frame.time_base = round(1000 * time), Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def even(count: int) -> list[float]:
    return [n / 25 for n in range(count)]


def moving(count: int) -> list[np.ndarray]:
    return [np.roll(scene(1), n, axis=1) for n in range(count)]


def test_every_frame_of_a_file_comes_with_its_time(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", [plain(20 * n) for n in range(10)], rate=10.0)
    source = open_source(str(path), say=print)
    frames = list(source.frames(Stop()))
    assert [frame.index for frame in frames] == list(range(10))
    assert [frame.time for frame in frames] == pytest.approx([n / 10 for n in range(10)], abs=0.002)
    assert [float(frame.image.mean()) for frame in frames] == pytest.approx(
        [20 * n for n in range(10)], abs=2
    )
    assert (source.live, source.rate, source.length, source.troubles.damaged) == (False, 10.0, 1.0, 0)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm", ".ts", ".flv"])
@pytest.mark.parametrize("times", [even(40), [0, 0.04, 0.08, 5.08, 10.08, 10.12]], ids=["even", "uneven"])
def test_an_intact_file_has_every_frame_at_its_time_and_nothing_missing(
    suffix: str, times: list[float], tmp_path: Path
) -> None:
    codec = "libvpx-vp9" if suffix == ".webm" else "libx264"
    options = {"lag-in-frames": "25", "auto-alt-ref": "1"} if suffix == ".webm" else {"bf": "2"}
    path = write(tmp_path / f"a{suffix}", times, codec=codec, **options)
    source = open_source(str(path), say=print)
    frames = list(source.frames(Stop()))
    assert [frame.time for frame in frames] == pytest.approx(times, abs=0.002)
    assert [frame.index for frame in frames] == list(range(len(times)))
    assert (source.troubles.damaged, source.troubles.missing) == (0, 0)


def test_frames_of_vp8_that_are_never_shown_are_not_damaged(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.webm",
        even(60),
        [scene(n // 20) for n in range(60)],
        codec="libvpx",
        **{"lag-in-frames": "25", "auto-alt-ref": "1"},
    )
    source = open_source(str(path), say=print)
    assert [frame.index for frame in source.frames(Stop())] == list(range(60))
    assert (source.troubles.damaged, source.troubles.missing) == (0, 0)


def test_damaged_frames_of_a_file_are_counted_and_passed_over(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", [plain(20 * n) for n in range(10)])
    path.write_bytes(damage(path.read_bytes(), 3, 4))
    source = open_source(str(path), say=print)
    frames = list(source.frames(Stop()))
    assert [frame.index for frame in frames] == [0, 1, 2, 5, 6, 7, 8, 9]
    assert [frame.time for frame in frames] == pytest.approx(
        [frame.index / 25 for frame in frames], abs=0.002
    )
    assert (source.troubles.damaged, source.troubles.missing) == (2, 0)


def test_frames_that_hang_on_a_damaged_one_are_counted_with_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", even(30), moving(30))
    with av.open(str(path)) as file:
        (place, size), *_ = [(packet.pos, packet.size) for packet in file.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    data[place + 8 : place + size] = b"\xff" * (size - 8)
    path.write_bytes(data)
    source = open_source(str(path), say=print)
    assert [frame.index for frame in source.frames(Stop())] == list(range(10, 30))  # a whole one every 10
    assert (source.troubles.damaged, source.troubles.missing) == (10, 0)


def test_a_file_that_ends_early_tells_by_how_much(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", [plain(20 * n) for n in range(10)])
    data = path.read_bytes()
    path.write_bytes(data[: [i for i in range(len(data)) if data[i : i + 3] == b"\xff\xd8\xff"][7]])
    source = open_source(str(path), say=print)
    assert len(list(source.frames(Stop()))) == 7
    assert source.troubles.missing == pytest.approx(3 / 25)
    assert source.troubles.damaged == 0


def test_an_mp4_that_ends_early_tells_by_how_much(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", even(50), moving(50), head={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4])
    source = open_source(str(path), say=print)
    frames = list(source.frames(Stop()))
    assert 25 < len(frames) < 45
    assert source.troubles.missing == pytest.approx(2.0 - frames[-1].time - 1 / 25, abs=1.5 / 25)


def test_a_film_that_was_trimmed_by_its_editor_is_whole(tmp_path: Path) -> None:
    """An MP4's edit list leaves out a part at the end; the table of frames still holds them."""
    path = write(tmp_path / "a.mp4", even(50))
    data = bytearray(path.read_bytes())
    place = data.index(b"elst") + 12
    (length,) = struct.unpack_from(">I", data, place)
    struct.pack_into(">I", data, place, length // 2)
    path.write_bytes(data)
    source = open_source(str(path), say=print)
    assert len(list(source.frames(Stop()))) == 25
    assert (source.troubles.damaged, source.troubles.missing) == (0, 0)


@pytest.mark.parametrize(
    ("turn", "matrix"), [(90, (0, 1, -1, 0)), (180, (-1, 0, 0, -1)), (270, (0, -1, 1, 0)), (0, (1, 0, 0, 1))]
)
def test_a_film_that_was_held_upright_comes_upright(
    turn: int, matrix: tuple[int, int, int, int], tmp_path: Path
) -> None:
    """Telephones write the sensor's picture and, in the head of the file, by how much it is turned."""
    image = plain(0)
    image[:24, :32] = (250, 0, 0)  # top left
    path = write(tmp_path / "a.mp4", even(3), [image] * 3)
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 44
    a, b, c, d = (part << 16 for part in matrix)
    struct.pack_into(">9i", data, place, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    frame = next(open_source(str(path), say=print).frames(Stop()))
    expected = np.rot90(image, -turn // 90)
    assert frame.image.shape == expected.shape
    assert np.abs(frame.image.astype(int) - expected).mean() < 8
    capture = cv2.VideoCapture(str(path))
    assert np.abs(capture.read()[1][:, :, ::-1].astype(int) - frame.image).mean() < 2


def test_a_change_of_size_inside_a_video_comes_as_it_is(tmp_path: Path) -> None:
    parts = [
        write(tmp_path / name, even(10), [plain(20 * n, width, 48) for n in range(10)], codec="mpeg4")
        for name, width in (("a.ts", 64), ("b.ts", 128))
    ]
    (tmp_path / "c.ts").write_bytes(b"".join(path.read_bytes() for path in parts))
    frames = list(open_source(str(tmp_path / "c.ts"), say=print).frames(Stop()))
    assert len(frames) >= 18  # FFmpeg may lose one where the streams meet
    shapes = [frame.image.shape for frame in frames]
    assert shapes == sorted(shapes)
    assert set(shapes) == {(48, 64, 3), (48, 128, 3)}
    times = [frame.time for frame in frames]
    assert times == sorted(set(times))


def test_times_always_grow_where_the_file_tells_none(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h264", even(6))
    assert [frame.time for frame in Video(str(path), "made").frames(Stop())] == pytest.approx(even(6))


def test_sound_and_cover_pictures_are_no_video(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.rate = 44100
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
    with pytest.raises(StreamError, match="expected a video, got a file that has no pictures"):
        open_source(str(path), say=print)


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("not a video")
    with pytest.raises(StreamError, match=r"cannot open the video .*a\.mp4: expected one that FFmpeg reads"):
        open_source(str(path), say=print)
    with pytest.raises(StreamError, match=r"cannot open .*none\.mp4: No such file"):
        open_source(str(tmp_path / "none.mp4"), say=print)


def test_a_video_of_which_nothing_can_be_decoded_is_an_error(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", [plain(20 * n) for n in range(4)])
    path.write_bytes(damage(path.read_bytes(), 0, 1, 2, 3))
    with pytest.raises(StreamError, match="no frame of the video can be decoded"):
        list(open_source(str(path), say=print).frames(Stop()))


@pytest.mark.parametrize("name", ["rtsp: 1.mp4", "concat:a|b.mp4", "%d.mp4", "-a.mp4", "ü 人.mp4"])
def test_a_file_may_have_any_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.mp4", even(3)).rename(tmp_path / name)
    assert len(list(open_source(name, say=print).frames(Stop()))) == 3


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    handler.log_message = lambda *args: None  # type: ignore[attr-defined]
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_address_with_a_length_is_read_like_a_file(served: str, tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", even(12))
    source = open_source(f"{served}/a.mp4?token=secret", say=print)
    assert (source.live, source.name) == (False, f"{served}/a.mp4")
    assert len(list(source.frames(Stop()))) == 12
