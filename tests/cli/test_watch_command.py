"""phiz watch as a user runs it: real files, real pipes, real signals."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from phiz.audience import open_store
from phiz.data import ASTRONAUT
from phiz.image import load
from phiz.types import QUALITY

PHIZ = [sys.executable, "-m", "phiz", "watch"]
SIDE = 256


def frames(count: int) -> list[np.ndarray]:
    """The portrait in BGR, moving sideways by a pixel a frame."""
    picture = cv2.resize(load(ASTRONAUT)[:, :, ::-1], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return [np.roll(picture, step % 40, axis=1) for step in range(count)]


def jpegs(count: int) -> list[bytes]:
    return [cv2.imencode(".jpg", frame)[1].tobytes() for frame in frames(count)]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Motion JPEG AVI of 12 frames."""
    path = tmp_path_factory.mktemp("watch") / "portrait.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (SIDE, SIDE))
    for frame in frames(12):
        writer.write(frame)
    writer.release()
    return path


def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [*PHIZ, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)  # type: ignore[call-overload,no-any-return]


def count_frames(path: Path) -> int:
    capture = cv2.VideoCapture(str(path))
    count = 0
    while capture.read()[0]:
        count += 1
    return count


def test_a_file_becomes_lines_and_a_video(video: Path, tmp_path: Path) -> None:
    made, lines = tmp_path / "a.mp4", tmp_path / "a.jsonl"
    done = run(video, "--output", made, "--jsonl", lines, "--every", 3)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [answer["frame"] for answer in answers] == list(range(12))
    assert [answer["time"] for answer in answers] == [n / 10 for n in range(12)]
    assert [answer["detected"] for answer in answers] == [n % 3 == 0 for n in range(12)]
    assert {face["id"] for answer in answers for face in answer["faces"]} == {1}
    assert len({face["age"] for answer in answers for face in answer["faces"]}) <= 4  # one answer a look
    assert count_frames(made) == 12
    assert "12 frames" in done.stderr
    assert "4 of them analysed; 1 person" in done.stderr
    assert done.stdout == ""


def test_lines_may_go_to_standard_output_and_end_early(video: Path) -> None:
    done = run(video, "--jsonl", "-", "--max-frames", 4)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["frame"] for line in done.stdout.splitlines()] == [0, 1, 2, 3]


def test_standard_input_brings_jpegs_of_which_damaged_ones_are_counted() -> None:
    first, second, third = jpegs(3)
    done = subprocess.run(
        [*PHIZ, "-", "--jsonl", "-", "--fps", "5"],
        input=first + second[: len(second) // 2] + third,
        capture_output=True,
        timeout=120,
        check=False,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(answer["frame"], answer["time"]) for answer in answers] == [(0, 0.0), (2, 0.4)]
    assert b"1 damaged or missing" in done.stderr
    assert done.returncode == 0


def test_a_recording_that_goes_nowhere_ends_in_a_table_of_its_people(video: Path) -> None:
    done = run(video, "--no-window")
    assert done.returncode == 0, done.stderr
    head, *people = done.stdout.splitlines()
    assert head.split() == ["person", "from", "to", "age", "gender", "sure"]
    (person,) = [re.split(" {2,}", line.strip()) for line in people]
    assert person[:3] == ["1", "0:00:00.0", "0:00:01.1"]
    assert re.fullmatch(r"(\d+ to \d+, about )?[2-5]\d", person[3])
    assert person[4] in ("female", "probably female", "not sure")
    assert re.fullmatch(r"\d\d%", person[5])
    assert "12 frames" in done.stderr


@pytest.fixture(scope="module")
def sure_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that ages everybody by their brightness, with an interval, and flags what is not very sharp."""
    fake = pytest.importorskip("fake_model", reason="the onnx package (extra train) builds the fake model")
    tables = fake.certainty()
    blurred = replace(tables.flags["blurred"], least=2.0)
    strict = replace(tables, flags={"blurred": blurred})
    return Path(fake.write(tmp_path_factory.mktemp("sure"), certainty=strict))


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line)["faces"][0] for line in done.stdout.splitlines()]


def test_lines_tell_how_sure_a_track_is(video: Path, sure_model: Path) -> None:
    options = ["--no-window", "--jsonl", "-", "--model", sure_model]
    told = lines(run(video, *options))
    assert all(low < face["age"] < high for face in told for low, high in [face["age_interval"]])
    assert (told[0]["flags"], list(told[0]["quality"])) == (["blurred"], list(QUALITY))
    half = lines(run(video, *options, "--coverage", "0.5", "--min-gender-score", "1"))
    for one, other in zip(told, half, strict=True):
        assert other["age_interval"][1] < one["age_interval"][1]
        assert (other["gender"], other["gender_score"]) == (None, one["gender_score"])


def test_strict_tracks_with_a_flag_at_every_look_have_no_answer(video: Path, sure_model: Path) -> None:
    options = ["--no-window", "--strict", "--model", sure_model]
    for face in lines(run(video, *options, "--jsonl", "-")):
        assert [face[name] for name in ("age", "age_interval", "gender", "gender_score")] == [None] * 4
        assert face["flags"] == ["blurred"]
    table = run(video, *options).stdout.splitlines()
    assert re.split(" {2,}", table[1].strip())[3:] == ["-", "-", "- (blurred)"]


def test_a_coverage_that_the_model_has_not_is_refused(video: Path, sure_model: Path) -> None:
    done = run(video, "--no-window", "--coverage", "0.7", "--model", sure_model)
    assert done.returncode == 2
    assert "fake: expected a coverage of 0.5, 0.9, got 0.7" in done.stderr


def test_a_live_stream_that_goes_nowhere_is_refused(video: Path) -> None:
    done = subprocess.run(
        [*PHIZ, "-", "--live", "--no-window"], input=b"", capture_output=True, timeout=120, check=False
    )
    words = b"phiz: nothing would be shown or written (--no-window): "
    words += b"give --jsonl, --output, --audience or --signal\n"
    assert (done.returncode, done.stderr) == (2, words)


def test_output_and_lines_agree_about_time(tmp_path: Path) -> None:
    """Frames of a telephone come when they come; both outputs say when."""
    due = [0, 0.04, 0.08, 5.08, 10.08, 10.12]
    film = tmp_path / "film.mp4"
    with av.open(str(film), "w") as file:
        stream = file.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = SIDE, SIDE, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 100)
        for time_, frame in zip(due, frames(len(due)), strict=True):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="bgr24")
            picture.pts, picture.time_base = round(100 * time_), Fraction(1, 100)
            file.mux(stream.encode(picture))
        file.mux(stream.encode())
    for suffix in (".mp4", ".mkv", ".avi"):
        made, lines = tmp_path / f"a{suffix}", tmp_path / "a.jsonl"
        done = run(film, "--output", made, "--jsonl", lines)
        assert done.returncode == 0, done.stderr
        told = [json.loads(line)["time"] for line in lines.read_text().splitlines()]
        assert told == pytest.approx(due, abs=0.001)
        with av.open(str(made)) as file:
            assert [frame.time for frame in file.decode(video=0)] == pytest.approx(told, abs=0.001)


@pytest.mark.skipif(sys.platform != "linux", reason="names of bytes, as Linux has them")
def test_a_name_that_is_not_utf_8_is_refused_and_nothing_is_emptied(video: Path, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9.mp4"))
    lines = tmp_path / "a.jsonl"
    lines.write_text("earlier lines")
    odd.write_bytes(video.read_bytes())
    for arguments in ([odd, "--jsonl", lines], [video, "--output", odd, "--jsonl", lines]):
        done = run(*arguments)
        assert done.returncode == 1, done.stderr
        assert done.stderr.startswith("phiz: expected a name in UTF-8, got ")
        assert done.stderr.endswith("caf\\xe9.mp4: rename it, or name a link to it\n")
    assert odd.read_bytes() == video.read_bytes()
    assert lines.read_text() == "earlier lines"


@pytest.mark.skipif(os.name != "posix", reason="a terminal of POSIX")
def test_a_progress_line_is_shown_on_a_terminal_and_only_there(video: Path, tmp_path: Path) -> None:
    import fcntl
    import pty
    import struct
    import termios

    command = [*PHIZ, str(video), "--jsonl", str(tmp_path / "a.jsonl")]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 120, 0, 0))
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    said = b""
    with suppress(OSError):  # how Linux tells that the other end is closed
        while part := os.read(ours, 1 << 16):
            said += part
    os.close(ours)
    assert child.wait(60) == 0
    shown = re.findall(
        r"(\d+)%: (\d+) frames?, ([\d.]+) a second, (\d) (person|people), [\d:?]+ left", said.decode()
    )
    assert shown, said
    assert int(shown[-1][0]) > 0
    *_, last = said.decode().replace("\r\n", "\n").split("\r")
    assert re.fullmatch(r"(\x1b\S*)?phiz: \S+portrait\.avi: 12 frames, .*\n", last)  # the line is taken away
    assert "%" not in run(video, "--jsonl", tmp_path / "b.jsonl").stderr


def test_mistakes_are_told_in_one_line(video: Path, tmp_path: Path) -> None:
    for arguments, status, words in (
        ([tmp_path / "none.mp4"], 1, "No such file or directory"),
        ([video, "--jsonl", video], 2, "must be different files"),
    ):
        done = run(*arguments)
        assert done.returncode == status
        assert done.stderr.startswith("phiz: ")
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert count_frames(video) == 12


@pytest.mark.parametrize("password", ["secret", "secr@et", "secr/et"])
def test_libraries_below_show_no_password_either(password: str, tmp_path: Path) -> None:
    done = run(f"rtsp://admin:{password}@127.0.0.1:1/a", "--jsonl", "-", "--output", tmp_path / "a.mp4")
    assert done.stderr.startswith("phiz: cannot open rtsp://127.0.0.1:1/a: check the name")
    assert len(done.stderr.splitlines()) == 1


def test_people_are_counted_into_a_database(video: Path, tmp_path: Path) -> None:
    counts = tmp_path / "counts.db"
    began = datetime.now() - timedelta(days=1)
    done = run(video, "--audience", counts, "--began", began.strftime("%Y-%m-%dT%H:00"))
    assert done.returncode == 0, done.stderr
    with closing(open_store(counts, create=False)) as store:
        assert store.rows() == {}  # one person is told to nobody
        rows = store.rows(unfinished=True)
    assert {row.people for row in rows.values()} == {1}
    assert {row.presence for row in rows.values()} == {1100}  # 12 frames at 10 a second
    # In view to the end of the film, yet with a dwell time, in the way of counting that has them.
    assert sorted(row.dwell for row in rows.values()) == [(0,) * 6, (1, 0, 0, 0, 0, 0)]
    day = began.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    assert {key.start for key in rows} == {day}


def test_a_locked_database_is_told_before_any_frame(video: Path, tmp_path: Path) -> None:
    counts, lines = tmp_path / "counts.db", tmp_path / "a.jsonl"
    open_store(counts).close()
    with closing(sqlite3.connect(counts, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        done = run(video, "--audience", counts, "--jsonl", lines)
        locked = f"phiz: {counts}: another program has the database locked for over 2 s"
        assert done.stderr == f"{locked}; let it finish or close it\n"
        assert done.returncode == 1
        assert not lines.exists()


@pytest.mark.skipif(os.name != "posix", reason="a limit of POSIX stands for the full disk")
def test_a_full_disk_ends_the_run_and_keeps_whole_lines(video: Path, tmp_path: Path) -> None:
    import resource

    lines = tmp_path / "a.jsonl"
    limit = 1500  # bytes of a file: room for some lines and a part of the next
    done = run(
        video, "--jsonl", lines, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    )
    answers = [json.loads(line) for line in lines.read_text().splitlines()]
    assert 1 <= len(answers) < 12
    assert (
        f"phiz: cannot write {lines}: File too large; the {len(answers)} lines before are kept" in done.stderr
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 1


class Run:
    """phiz watch on a pipe that never ends, fed until it is told to stop."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.lines, self.video = folder / "a.jsonl", folder / "a.mp4"
        command = [*PHIZ, "-", "--jsonl", str(self.lines), "--output", str(self.video), *options]
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        self._feeder = threading.Thread(target=self._feed, daemon=True)
        self._feeder.start()

    def _feed(self) -> None:
        assert self.child.stdin
        try:
            while True:
                for picture in jpegs(10):
                    self.child.stdin.write(picture)
        except (OSError, ValueError):  # nobody reads any more
            pass

    def wait_for_lines(self, count: int) -> None:
        end = time.monotonic() + 90
        while not self.lines.exists() or self.lines.read_bytes().count(b"\n") < count:
            assert self.child.poll() is None, self.child.stderr and self.child.stderr.read()
            assert time.monotonic() < end
            time.sleep(0.02)

    def close(self) -> None:
        self.child.kill()
        self.child.wait()
        self._feeder.join(10)


@pytest.fixture
def running(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Run]:
    process = Run(tmp_path, *request.param)
    yield process
    process.close()


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("running", "number", "status"),
    [
        ([], signal.SIGINT, 128 + signal.SIGINT),
        ([], signal.SIGTERM, 128 + signal.SIGTERM),
        (["--live"], signal.SIGINT, 0),
    ],
    indirect=["running"],
)
def test_a_signal_loses_nothing_that_was_announced(running: Run, number: int, status: int) -> None:
    running.wait_for_lines(6)
    running.child.send_signal(number)
    _, said = running.child.communicate(timeout=60)
    assert running.child.returncode == status, said
    assert b"Traceback" not in said
    data = running.lines.read_bytes()
    assert data.endswith(b"}\n")
    answers = [json.loads(line) for line in data.splitlines()]
    assert len(answers) >= 6
    assert f"{len(answers)} frames".encode() in said
    if status:  # a live video repeats and leaves out frames to keep to the clock
        assert [answer["frame"] for answer in answers] == list(range(len(answers)))
        assert count_frames(running.video) == len(answers)
    else:
        assert answers[-1]["dropped"] >= answers[-1]["frame"] + 1 - len(answers)
        assert count_frames(running.video) > 0
