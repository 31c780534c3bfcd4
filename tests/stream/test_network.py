"""A real HTTP camera, read by OpenCV: its frames, its end, its return."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from stream_fakes import FakeStop, jpeg, plain

from phiz.stream.source import open_source

BOUNDARY = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"


class Server(ThreadingHTTPServer):
    """Serves 8 frames of one colour to each client and hangs up; the first two clients get 40 and 120."""

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
        picture = jpeg(plain(40 if server.clients == 1 else 120, 160, 120))
        for _ in range(8):
            self.wfile.write(BOUNDARY % len(picture) + picture + b"\r\n")

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
