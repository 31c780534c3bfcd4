"""What signals are sent to: a broker of few words, a web server, mosquitto where it is installed."""

from __future__ import annotations

import http.server
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE = 20.0  # seconds after which a test gives up; never reached where things work
# Debian has it where only the administrator's shell looks.
MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def wait_until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.01)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class SmallBroker:
    """Speaks as much MQTT 3.1.1 as a publisher needs; keeps every byte that came, and what was published.

    answer: the return code of its CONNACK, 0 to let clients in, 5 for "not authorized".
    """

    def __init__(self, answer: int = 0) -> None:
        self.answer = answer
        self.received = bytearray()
        self.published: list[tuple[str, bytes]] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as stream, suppress(OSError):
            while head := stream.read(1):
                length, shift, sizes = 0, 0, b""
                while not shift or sizes[-1] & 128:
                    sizes += stream.read(1)
                    length |= (sizes[-1] & 127) << shift
                    shift += 7
                body = stream.read(length)
                self.received += head + sizes + body
                kind = head[0] >> 4
                if kind == 1:  # CONNECT
                    client.sendall(bytes([0x20, 2, 0, self.answer]))
                elif kind == 3:  # PUBLISH, with QoS 1
                    end = 2 + int.from_bytes(body[:2], "big")
                    self.published.append((body[2:end].decode(), body[end + 2 :]))
                    client.sendall(b"\x40\x02" + body[end : end + 2])
                elif kind == 14:  # DISCONNECT
                    return

    def close(self) -> None:
        self._listening.close()


class Mosquitto:
    """Mosquitto on a free port, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        assert MOSQUITTO
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [MOSQUITTO, "-c", self._config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self._reachable)

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _reachable(self) -> bool:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False


class Heard(http.server.BaseHTTPRequestHandler):
    """Keeps the requests in `server.requests` and answers with `server.status`."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append((self.path, dict(self.headers.items()), body))  # type: ignore[attr-defined]
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def web_server(port: int = 0) -> Iterator[http.server.ThreadingHTTPServer]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Heard)
    server.requests, server.status = [], 200  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
