"""What the service counts, for Prometheus, and one log line a request; neither says anything of a picture."""

from __future__ import annotations

import logging
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("phiz.serve")

#: Most characters of a request's method and of its path in a log line.
WORD_LENGTH = 200

_SECONDS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """The counters of one service, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        at = self.registry
        ProcessCollector(registry=at)
        self.requests = Counter(
            "phiz_requests", "HTTP requests by route and status.", ["route", "status"], registry=at
        )
        self.request_seconds = Histogram(
            "phiz_request_seconds",
            "From a request's headers to its last byte out.",
            ["route"],
            buckets=_SECONDS,
            registry=at,
        )
        self.pictures = Counter("phiz_pictures", "Pictures by outcome.", ["outcome"], registry=at)
        self.picture_seconds = Histogram(
            "phiz_picture_seconds",
            "Decoding one picture, finding and cropping its faces.",
            buckets=_SECONDS,
            registry=at,
        )
        self.faces = Counter("phiz_faces", "Faces analysed.", registry=at)
        self.batch_faces = Histogram(
            "phiz_batch_faces",
            "Faces in one call of the network.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128),
            registry=at,
        )
        self.queue = Gauge("phiz_queue_pictures", "Pictures taken on and not yet answered.", registry=at)
        self.held = Gauge("phiz_held_bytes", "Request bodies in memory.", registry=at)
        self.streams = Gauge("phiz_streams", "Open camera streams.", registry=at)


class Observe:
    """ASGI middleware that counts, times and logs every HTTP request.

    The log line has the path without its query, the status and the time; no file name, no body.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and note what became of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception:
            status = 500
            raise
        finally:
            seconds = time.perf_counter() - start
            route = getattr(scope.get("route"), "path", None) or "other"
            # Without a status the client went away before there was an answer.
            self._metrics.requests.labels(route, str(status or "gone")).inc()
            self._metrics.request_seconds.labels(route).observe(seconds)
            client = (scope.get("client") or ("-",))[0]
            what = f"{scope['method'][:WORD_LENGTH]} {_printable(scope['path'])}"
            log.info("%s %s %s %.0f ms", client, what, status or "gone", seconds * 1000)


def _printable(path: str) -> str:
    return path[:WORD_LENGTH].encode("unicode_escape").decode("ascii")[:WORD_LENGTH]
