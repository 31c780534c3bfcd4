"""A stand-in for `phiz watch --signal`: tells a service who is there, on a change and every second."""

from __future__ import annotations

import json
import threading
import time
from types import TracebackType

from websockets.sync.client import connect

from phiz.audience.signal import Signal


class Camera:
    """Sends the signal that it is given last, until it is pulled or its context is left."""

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

    def __enter__(self) -> Camera:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._over:
            self.pull()
