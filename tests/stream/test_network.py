"""A real HTTP camera, read by OpenCV: its frames, its end, its return."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from stream_fakes import FakeStop, jpeg, plain

from phiz.stream.source_kind import open_source

BOUNDARY = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"


class Server(ThreadingHTTPServer):
    """Hangs up on its first client after 8 frames, on later ones, who get larger frames, after 80."""

    daemon_threads = True
    clients = 0


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        server.clients += 1
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        first = server.clients == 1
        picture = jpeg(plain(40, 160, 120) if first else plain(120, 320, 240))
        try:
            for _ in range(8 if first else 80):
                self.wfile.write(BOUNDARY % len(picture) + picture + b"\r\n")
                time.sleep(0.01)
        except OSError:  # the client has what it wants
            pass

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/stream"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_network_camera_that_hangs_up_is_opened_again(address: str) -> None:
    said: list[str] = []
    source = open_source(address, say=said.append)
    assert source.live
    colours = []
    for frame in source.frames(FakeStop()):
        colours.append(round(float(frame.image.mean()) / 40))
        if colours.count(3) == 3:
            break
    assert colours[0] == 1
    assert colours == sorted(colours)
    assert source.troubles.lost == 1
    assert said[0] == f"{address} has vanished; trying again in 0.5 s"
    assert said[1].startswith(f"{address} is back after")


def test_the_command_goes_on_after_the_camera_was_pulled(address: str, tmp_path: Path) -> None:
    lines = tmp_path / "a.jsonl"
    command = [sys.executable, "-m", "phiz", "watch", address, "--no-window"]
    done = subprocess.run(
        [*command, "--jsonl", str(lines), "--max-frames", "20"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in lines.read_text().splitlines()]
    assert len(answers) == 20
    widths = [answer["width"] for answer in answers]
    assert widths == sorted(widths)
    assert set(widths) == {160, 320}
    assert all(answer["at"].endswith("+00:00") for answer in answers)
    for words in (
        f"phiz: {address} has vanished; trying again in 0.5 s\n",
        f"phiz: {address} is back after ",
        "phiz: the frames changed from 160x120 to 320x240 pixels\n",
        f"phiz: {address}: 20 frames",
        " dropped; vanished ",
    ):
        assert words in done.stderr
