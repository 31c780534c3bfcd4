"""Signals over a WebSocket: what one client sends, such as `phiz watch --signal`, every other one gets."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..audience.signal import Signal
from ..errors import DataError
from .access import SUBPROTOCOL
from .settings import Limits
from .stream import RESTART, TOO_BIG, TRY_LATER, UNSUPPORTED

#: Largest message in characters; a signal has under 300.
SIGNAL_LENGTH = 2000


class Signals:
    """The connections of a service's signals, and the newest signal.

    latest: None before the first. received: when it came, by time.monotonic().
    Each connection has one signal waiting at most, the newest, so that a slow one holds up nobody.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._clients: set[_Client] = set()
        self._listeners: list[Callable[[Signal], None]] = []
        self._ending = False
        self.latest: Signal | None = None
        self.received = 0.0

    def listen(self, told: Callable[[Signal], None]) -> None:
        """Let a part of the service be told of every signal, in the thread of its event loop."""
        self._listeners.append(told)

    async def serve(self, socket: WebSocket) -> None:
        """Pass on what a client sends, and send it what others do, until it leaves or the service ends."""
        offered = socket.scope.get("subprotocols", [])
        await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        if self._ending:
            await socket.close(RESTART, "the service is ending")
            return
        if len(self._clients) >= self._limits.streams:
            await socket.close(TRY_LATER, f"all {self._limits.streams} places are taken; try again later")
            return
        client = _Client(socket)
        self._clients.add(client)
        try:
            async with anyio.create_task_group() as both:
                both.start_soon(client.send_all)
                await self._take_all(socket, client)
                both.cancel_scope.cancel()
        finally:
            self._clients.discard(client)

    async def end(self) -> None:
        """Close every connection."""
        self._ending = True
        for client in list(self._clients):
            with suppress(RuntimeError, WebSocketDisconnect):  # it closed itself meanwhile
                await client.socket.close(RESTART, "the service is ending")

    async def _take_all(self, socket: WebSocket, client: _Client) -> None:
        while (message := await socket.receive())["type"] != "websocket.disconnect":
            text = message.get("text")
            if text is not None and len(text) > SIGNAL_LENGTH:
                await socket.close(TOO_BIG, f"expected at most {SIGNAL_LENGTH:,} characters a signal")
                return
            try:
                signal = Signal.from_dict(json.loads("null" if text is None else text))
            except (DataError, ValueError, RecursionError):
                await socket.close(UNSUPPORTED, "expected signals as docs/signal-1.schema.json has them")
                return
            self.latest, self.received = signal, time.monotonic()
            for other in self._clients - {client}:
                other.give(signal)
            for told in self._listeners:
                told(signal)


class _Client:
    """A connection and the signal that waits for it."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self._waiting: Signal | None = None
        self._given = anyio.Event()

    def give(self, signal: Signal) -> None:
        self._waiting = signal
        self._given.set()

    async def send_all(self) -> None:
        with suppress(RuntimeError, WebSocketDisconnect):  # closed; the one who reads knows it too
            while True:
                await self._given.wait()
                self._given = anyio.Event()
                if self._waiting is not None:
                    await self.socket.send_text(json.dumps(self._waiting.to_dict()))
