"""Runs the application under uvicorn, with the bounds that only the layer below HTTP can keep."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import socket
import sys
from ipaddress import ip_address

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from .settings import ServeError, Settings

#: Longest wait for a request's headers to be complete, from the connection or the last answer on.
HEADER_SECONDS = 10.0
#: Longest time in which a client may take nothing of an answer that waits for it.
STALL_SECONDS = 30.0
#: How long an idle connection is kept for another request.
KEEP_ALIVE_SECONDS = 5
#: Most bytes of a request's first line and headers together.
HEADER_BYTES = 16 * 1024


#: What `phiz serve` says where other machines reach it and it asks nobody for a token.
NO_TOKEN = (
    "caution: other machines may reach this service and none needs a token; "
    "give it one (--token-file FILE or PHIZ_TOKEN), or listen on this machine alone (--host 127.0.0.1)"
)


class TimedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 connection, which also ends where the client keeps it waiting.

    uvicorn itself waits for ever for headers that never end and for a client that never reads.
    """

    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait for the first request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take bytes in, which may complete a request's headers."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Start to wait for the next request."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget both timers."""
        super().connection_lost(exc)
        for timer in (self._deadline, self._stalled):
            if timer:
                timer.cancel()

    def pause_writing(self) -> None:
        """Give the client so long to take what waits for it."""
        super().pause_writing()
        self._stalled = self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        super().resume_writing()
        if self._stalled:
            self._stalled.cancel()

    def _watch(self) -> None:
        between = self.cycle is None or self.cycle.response_complete
        if not between and self._deadline:
            self._deadline.cancel()
            self._deadline = None
        elif between and not self._deadline:
            self._deadline = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self in self.connections:  # it is not where the connection became a WebSocket
            self.transport.close()


class Server(uvicorn.Server):
    """uvicorn's server, which at the end first lets the camera streams have their last answer."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what was accepted, then close."""
        app = self.config.app
        assert isinstance(app, FastAPI)
        await app.state.service.end()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket; port 0 takes any free one. Raises ServeError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        opened = socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        # Python adds the address to an OSError's own text.
        known = isinstance(error, OSError) and not isinstance(error, socket.gaierror) and error.errno
        reason = os.strerror(known) if known else getattr(error, "strerror", None) or error
        raise ServeError(f"cannot listen on {host} port {port}: {reason}; choose another") from None
    opened.setblocking(False)
    return opened


def loopback(listening: socket.socket) -> bool:
    """Whether only this machine reaches a listening socket."""
    return ip_address(listening.getsockname()[0]).is_loopback


def make_server(app: FastAPI) -> Server:
    """Return the server; `run(sockets=[...])` serves until SIGINT or SIGTERM, then finishes what it took."""
    settings: Settings = app.state.service.settings
    limits = settings.limits
    config = uvicorn.Config(
        app,
        http=TimedProtocol,
        ws="websockets-sansio",
        ws_max_size=limits.max_frame_bytes,
        ws_per_message_deflate=False,  # frames are compressed pictures already
        limit_concurrency=limits.connections,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(limits.body_seconds + limits.answer_seconds) + 1,
        h11_max_incomplete_event_size=HEADER_BYTES,
        proxy_headers=False,  # no client may say who it is
        server_header=False,
        access_log=False,  # `Observe` logs without queries
        log_config=None,
        lifespan="on",
    )
    return Server(config)


def set_up_logging(level: int = logging.INFO) -> None:
    """Log to standard error: one line a request, and what fails."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name, least in (("phiz.serve", level), ("uvicorn.error", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(least)
        logger.propagate = False
    # It would quote bytes of a malformed body.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
