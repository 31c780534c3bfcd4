"""Services to test against: in the test's own process, in a thread with a real socket, as a real process."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from phiz import Analyzer
from phiz.serve.app import create_app
from phiz.serve.server import listen, make_server
from phiz.serve.settings import Limits, Settings

PATIENCE = 30.0  # seconds after which a test gives up; never reached where things work


class Gated(Analyzer):
    """An Analyzer that waits in `locate` until `gate` is set, and tells how many pictures have come there."""

    def __init__(self, analyzer: Analyzer) -> None:
        self.__dict__.update(analyzer.__dict__)
        self.gate = threading.Event()
        self.begun = threading.Semaphore(0)

    def locate(self, *arguments: Any) -> Any:
        self.begun.release()
        assert self.gate.wait(PATIENCE)
        return super().locate(*arguments)


def make_app(analyzer: Analyzer, *, settings: dict[str, Any] | None = None, **limits: Any) -> FastAPI:
    return create_app(
        analyzer, Settings(limits=Limits(**limits), **{"hosts": ("testserver",)} | (settings or {}))
    )


@contextmanager
def live(app: FastAPI) -> Iterator[int]:
    """Serve the application on a free port, which is yielded, and end it in good order."""
    server = make_server(app)
    with closing(listen("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
    assert not thread.is_alive()


def wait_until(condition: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.01)


class Process:
    """`phiz serve` as its own process, on a free port."""

    def __init__(self, *options: str, **environment: str) -> None:
        command = [sys.executable, "-m", "phiz", "serve", "--port", "0", *options]
        self._process = subprocess.Popen(
            command, stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1", **environment}
        )
        assert self._process.stderr is not None
        ready, _, _ = select.select([self._process.stderr], [], [], PATIENCE)
        first = self._process.stderr.readline().decode() if ready else ""
        found = re.fullmatch(r"phiz serves at (http://[a-z0-9.:\[\]]+:(\d+)) \(Ctrl-C ends it\)\n", first)
        assert found, first
        self.url, self.port = found[1], int(found[2])
        self._log: list[bytes] = []
        self._reader = threading.Thread(target=lambda: self._log.extend(self._process.stderr))
        self._reader.start()

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Return the exit status."""
        status = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status

    @property
    def log(self) -> bytes:
        return b"".join(self._log)

    def peak_memory(self) -> int:
        """Return the most resident memory so far, in bytes."""
        text = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s*(\d+) kB", text)[1]) * 1024

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self.wait()
        self._process.stderr.close()


def talk(port: int, data: bytes, *, end: bool = False) -> bytes:
    """Send bytes to a server as they are and return everything that it answers until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as line:
        line.sendall(data)
        if end:
            line.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := line.recv(65536):
            answer += chunk
        return answer


def request(body: bytes, *headers: str, length: int | None = None) -> bytes:
    """Return the bytes of a POST to /v1/analyze; `length` is a Content-Length that lies."""
    lines = [
        "POST /v1/analyze HTTP/1.1",
        "Host: localhost",
        "Connection: close",
        f"Content-Length: {len(body) if length is None else length}",
        *(headers or ("Content-Type: image/jpeg",)),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def grey_picture(side: int) -> bytes:
    """A PNG that is small to send and, where it is large, takes a while to search."""
    import numpy as np
    from pictures import encode

    return encode(np.full((side, side, 3), 128, np.uint8), "PNG")
