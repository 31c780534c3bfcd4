"""phiz watch --signal as a user runs it: lines, a web server that is there, and targets that are not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import pytest

pytest.importorskip("paho.mqtt.client", reason="the extra signal brings paho-mqtt")
from brokers import SmallBroker, free_port, web_server

from phiz.audience.signal import Signal
from phiz.data import ASTRONAUT
from phiz.image import load

PHIZ = [sys.executable, "-m", "phiz", "watch"]
SECRET = "pa55-word"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The portrait for 3 s at 5 frames a second, then nobody for 2 s."""
    path = tmp_path_factory.mktemp("signals") / "film.avi"
    picture = cv2.resize(load(ASTRONAUT)[:, :, ::-1], (256, 256), interpolation=cv2.INTER_AREA)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 5.0, (256, 256))
    for number in range(25):
        writer.write(picture if number < 15 else picture * 0 + 90)
    writer.release()
    return path


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [*PHIZ, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env=os.environ | environment
    )


def people(lines: list[Any]) -> list[tuple[str, int]]:
    signals = [Signal.from_dict(json.loads(line)) for line in lines]
    return [(f"{signal.at.astimezone():%H:%M:%S}", signal.people) for signal in signals]


#: Who is there at once, as a sign of life after two seconds, and that she is gone.
EXPECTED = [("09:30:00", 1), ("09:30:02", 1), ("09:30:03", 0)]


def test_lines_on_standard_output(film: Path) -> None:
    done = run(film, "--signal", "-", "--began", "2026-11-22T09:30")
    assert done.returncode == 0, done.stderr
    assert people(done.stdout.splitlines()) == EXPECTED
    first = json.loads(done.stdout.splitlines()[0])
    assert (first["female"], first["facing"]) == (1, 1)
    assert first["ages"]["not sure"] == 1  # of so small a face the interval is wider than two bands of ages


def test_several_targets_of_which_one_is_missing(film: Path) -> None:
    broker, nobody = SmallBroker(), free_port()
    with web_server() as server:
        begun = time.monotonic()
        done = run(
            *(film, "--began", "2026-11-22T09:30", "--no-window"),
            *("--signal", f"http://127.0.0.1:{server.server_address[1]}/hook"),
            *("--signal", f"mqtt://me:{SECRET}@127.0.0.1:{broker.port}/shop"),
            *("--signal", f"mqtt://me:{SECRET}@127.0.0.1:{nobody}/shop"),
            PHIZ_SIGNAL_TOKEN="to-ken",
        )
        took = time.monotonic() - begun
    broker.close()
    assert done.returncode == 0, done.stderr
    # The recording is over in a moment, so that only the newest surely arrive.
    heard: list[Any] = server.requests  # type: ignore[attr-defined]
    assert people([body for _, _, body in heard])[-1] == EXPECTED[-1]
    assert {headers["Authorization"] for _, headers, _ in heard} == {"Bearer to-ken"}
    assert people([payload for _, payload in broker.published])[-1] == EXPECTED[-1]
    missing = f"phiz: signals to mqtt://127.0.0.1:{nobody}/shop"
    told = [line for line in done.stderr.splitlines() if line.startswith(missing)]
    assert told == [
        f"{missing}: connection refused; tried again until it works",
        f"{missing}: 3 of 3 were not sent",
    ]
    assert SECRET not in done.stderr + done.stdout
    assert took < 60


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--signal", "-", "--jsonl", "-"], "room for one of --jsonl - and --signal -"),
        (["--signal", f"mqtt://me:{SECRET}@x@h/x"], "--signal mqtt://h/x: expected @ as %40"),
    ],
)
def test_mistakes_are_told_in_one_line(film: Path, options: list[str], message: str) -> None:
    done = run(film, "--no-window", *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert SECRET not in done.stderr


def test_a_reader_of_lines_that_leaves_ends_the_run(film: Path) -> None:
    """Live lines go through a thread, and the stream ends with it all the same."""
    picture = cv2.imencode(".jpg", cv2.VideoCapture(str(film)).read()[1])[1].tobytes()
    with subprocess.Popen(
        [*PHIZ, "-", "--live", "--fps", "2", "--no-window"],
        env=os.environ | {"PHIZ_SIGNAL": "-"},  # where no list of processes shows a URL
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(picture)
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["people"] == 1
        process.stdout.close()
        end = time.monotonic() + 60
        while process.poll() is None:
            assert time.monotonic() < end
            try:
                process.stdin.write(picture)
                process.stdin.flush()
            except BrokenPipeError:
                break
            time.sleep(0.02)
        assert process.wait(60) == 141
