"""Who is before a screen: as made signals, or as a made film that a real `phiz watch` looks at."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import time
from types import TracebackType

from PIL import Image
from websockets.sync.client import connect

from phiz.audience.signal import Signal
from phiz.data import ASTRONAUT


class Signals:
    """A stand-in for `phiz watch --signal`: sends what it was given last, on a change and every second."""

    def __init__(self, url: str, token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._url, self._headers = f"{url.replace('http', 'ws', 1)}v1/signals", headers
        self._signal: Signal | None = None
        self._changed, self._over = threading.Event(), False
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def see(self, signal: Signal) -> float:
        """See other people from now on; returns the time, in Unix seconds."""
        self._signal = signal
        self._changed.set()
        return time.time()

    def pull(self) -> float:
        """End; returns the time, in Unix seconds."""
        self._over = True
        self._changed.set()
        self._thread.join()
        return time.time()

    def _send(self) -> None:
        with connect(self._url, additional_headers=self._headers) as socket:
            while not self._over:
                if self._signal is not None:
                    socket.send(json.dumps(self._signal.to_dict()))
                self._changed.wait(1)
                self._changed.clear()

    def __enter__(self) -> Signals:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._over:
            self.pull()


class FilmedPeople:
    """`phiz watch` before a made film, JPEG in a pipe: a wall and people, each the bundled photo's."""

    RATE = 10

    def __init__(self, url: str) -> None:
        target = f"{url.replace('http', 'ws', 1)}v1/signals"
        command = [sys.executable, "-m", "phiz", "watch", "-", "--live", "--no-window", "--signal", target]
        self._process = subprocess.Popen(
            [*command, "--fps", str(self.RATE)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        head = Image.open(ASTRONAUT).crop((96, 0, 352, 256)).resize((200, 200))
        self._frames = [self._frame(head, count) for count in range(4)]
        self._count, self._over = 0, False
        self._thread = threading.Thread(target=self._film)
        self._thread.start()

    def show(self, count: int) -> float:
        """Film so many people from now on; returns the time, in Unix seconds."""
        self._count = count
        return time.time()

    def pull(self) -> float:
        """Cut the cable: no frame comes any more, and nobody says so; returns the time, in Unix seconds."""
        self._over = True
        self._thread.join()
        return time.time()

    def end(self) -> None:
        """End phiz watch, whatever it does."""
        if not self._over:
            self.pull()
        self._process.kill()
        self._process.wait()

    def _film(self) -> None:
        assert self._process.stdin is not None
        while not self._over:
            self._process.stdin.write(self._frames[self._count])
            self._process.stdin.flush()
            time.sleep(1 / self.RATE)

    @staticmethod
    def _frame(head: Image.Image, count: int) -> bytes:
        wall = Image.new("RGB", (640, 360), (190, 196, 200))
        for i in range(count):
            wall.paste(head, (10 + 210 * i, 80))
        encoded = io.BytesIO()
        wall.save(encoded, "JPEG", quality=90)
        return encoded.getvalue()
