"""Camera frames over a WebSocket: one binary message in, one JSON message out, in order."""

from __future__ import annotations

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..models.certainty import Caution
from ..types import Result
from .access import SUBPROTOCOL
from .prometheus import Metrics
from .queue import Engine, result_json
from .refusal import Busy, Code, Refused, unread
from .serve_options import asked
from .settings import Limits

#: A stream without a frame for so many seconds is closed.
IDLE_SECONDS = 60.0
# Close codes of RFC 6455, section 7.4.1, and of its registry.
GOING_AWAY, UNSUPPORTED, POLICY, TOO_BIG, RESTART, TRY_LATER = 1001, 1003, 1008, 1009, 1012, 1013


class Streams:
    """The open streams of a service.

    The client sets the pace: a frame is taken from the line once the one before it is answered, so a client
    that sends the newest picture of its camera with each answer is never behind by more than one frame, and
    no frame is dropped without an answer.
    """

    def __init__(self, engine: Engine, limits: Limits, metrics: Metrics) -> None:
        self._engine, self._limits = engine, limits
        self._open = 0
        self._waiting: set[anyio.CancelScope] = set()
        self._ending = False
        metrics.streams.set_function(lambda: self._open)

    async def serve(self, socket: WebSocket) -> None:
        """Answer one client's frames, as its query asks, until it leaves or the service ends."""
        offered = socket.scope.get("subprotocols", [])
        await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        if self._open >= self._limits.streams:
            await socket.close(TRY_LATER, f"all {self._limits.streams} streams are taken; try again later")
            return
        try:
            caution = asked(socket.query_params, self._engine.card)
        except Refused as refusal:
            await socket.close(POLICY, refusal.detail)
            return
        self._open += 1
        try:
            while (frame := await self._next(socket)) is not None:
                await socket.send_text(result_json(await self._answer(frame, caution)))
        except WebSocketDisconnect:
            pass
        finally:
            self._open -= 1

    async def _next(self, socket: WebSocket) -> bytes | None:
        """Return the next frame, or None after closing a stream that ends."""
        message = None
        with anyio.move_on_after(IDLE_SECONDS) as scope:
            self._waiting.add(scope)
            try:
                if not self._ending:
                    message = await socket.receive()
            finally:
                self._waiting.discard(scope)
        if message is None:
            if self._ending:
                await socket.close(RESTART, "the service is ending")
            else:
                await socket.close(GOING_AWAY, f"no frame for {IDLE_SECONDS:g} seconds")
            return None
        if message["type"] == "websocket.disconnect":
            return None
        frame: bytes | None = message.get("bytes")
        if frame is None:
            await socket.close(UNSUPPORTED, "expected each frame as one binary message, got text")
        elif len(frame) > self._limits.max_frame_bytes:
            await socket.close(TOO_BIG, f"expected at most {self._limits.max_frame_bytes:,} bytes a frame")
            return None
        return frame

    async def _answer(self, frame: bytes, caution: Caution) -> Result:
        try:
            (result,) = await self._engine.analyze([(None, frame)], caution)
        except Busy as busy:
            return unread(busy.detail, busy.code)
        except TimeoutError:
            words = f"expected an answer within {self._limits.answer_seconds:g} seconds, got none"
            return unread(f"{words}; try a later frame", Code.answer_timeout)
        return result

    async def end(self, seconds: float) -> None:
        """Let every stream finish the frame it is at and close it; wait for that at most so long."""
        self._ending = True
        for scope in list(self._waiting):
            scope.cancel()
        with anyio.move_on_after(seconds):
            while self._open:
                await anyio.sleep(0.02)
