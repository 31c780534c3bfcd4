"""Fuzz targets of the service: any body of a request, any bytes on an open WebSocket."""

from __future__ import annotations

import asyncio
import functools
import itertools
import json
import logging
import socket
import threading
import time
from typing import Any

import numpy as np
from fastapi import FastAPI
from pictures import encode, scene

from phiz.analyzer import Analyzer, Located
from phiz.serve.app import create_app
from phiz.serve.server import listen, make_server
from phiz.serve.settings import Limits, Settings

LIMITS = Limits(max_bytes=1 << 16, max_pixels=1 << 18, max_pictures=3, max_frame_bytes=1 << 14)
PATIENCE = 30.0
_HANDSHAKE = (
    b"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class Blind(Analyzer):
    """Decodes as the real one does and sees no face: what is tried here lies before the networks."""

    def locate(self, picture: Any) -> Located:
        return Located(picture.width, picture.height, (), np.zeros((0, 64, 64, 3), np.uint8))


class Faults(logging.Handler):
    """Collects what is logged as an error: an exception that the service did not expect."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []
        for name in ("uvicorn.error", "asyncio", "phiz.serve"):
            logging.getLogger(name).addHandler(self)
        logging.getLogger("python_multipart").setLevel(logging.ERROR)  # as phiz serve does

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(self.format(record))

    def check(self) -> None:
        seen, self.seen = self.seen, []
        assert not seen, "\n".join(seen)


@functools.cache
def faults() -> Faults:
    return Faults()


@functools.cache
def app() -> FastAPI:
    faults()
    return create_app(Blind(), Settings(limits=LIMITS, workers=1))


@functools.cache
def loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def body(data: bytes) -> None:
    """Send a request whose Content-Type is the first line, its body the rest."""
    kind, _, content = data.partition(b"\n")
    kind = bytes(byte for byte in kind if byte >= 0x20 and byte != 0x7F)  # the HTTP parser takes no others
    status, answer = loop().run_until_complete(_ask(kind, content, 1 + data[-1] if data else 1))
    assert status in (200, 400, 413, 415, 422), (status, answer)
    assert len(answer) < 20_000, f"an answer of {len(answer)} bytes"
    assert json.loads(answer).keys() & {"results", "detail"}
    assert app().state.service.bodies.held == 0
    faults().check()


async def _ask(kind: bytes, content: bytes, step: int) -> tuple[int, bytes]:
    """Ask for an analysis; the body comes in chunks of `step` bytes, the last one larger."""
    cuts = [*range(0, min(len(content), 200 * step), step), len(content)]
    chunks = [content[start:end] for start, end in itertools.pairwise(cuts)] or [b""]
    messages = iter(chunks)
    left = len(chunks)

    async def receive() -> dict[str, Any]:
        nonlocal left
        left -= 1
        if left < 0:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": next(messages), "more_body": left > 0}

    answer: dict[str, Any] = {"status": 0, "body": b""}

    async def send(message: dict[str, Any]) -> None:
        answer["status"] = message.get("status", answer["status"])
        answer["body"] += message.get("body", b"")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/analyze",
        "raw_path": b"/v1/analyze",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", kind)],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    await app()(scope, receive, send)  # type: ignore[arg-type]
    return answer["status"], answer["body"]


def body_examples() -> list[bytes]:
    small = scene(8, 6)
    jpeg, damaged = encode(small, "JPEG"), encode(small, "PNG")[:60]
    form = b"multipart/form-data; boundary=b\n"
    part = (
        b'--b\r\nContent-Disposition: form-data; name="x"; filename="%s"\r\nContent-Type: image/jpeg\r\n\r\n'
    )
    return [
        b"image/jpeg\n" + jpeg,
        b"application/octet-stream\n" + damaged,
        form + part % b"a.jpg" + jpeg + b"\r\n" + part % b"\xff\\b" + damaged + b"\r\n--b--\r\n",
        form + part.replace(b"filename=", b"filename*=utf-8''") % b"%ff" + jpeg + b"\r\n--b--\r\n",
        form + b'--b\r\nContent-Disposition: form-data; name="word"\r\n\r\nfield\r\n--b--\r\n',
        b'multipart/form-data; boundary="a b"; charset=\xe9\n--a b--',
        b"text/plain\nhello",
    ]


@functools.cache
def port() -> int:
    """Serve the application on a free port of the loopback interface, until this process ends."""
    server, listening = make_server(app()), listen("127.0.0.1", 0)
    threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True).start()
    end = time.monotonic() + PATIENCE
    while not server.started:
        assert time.monotonic() < end, "the service did not start"
        time.sleep(0.01)
    number: int = listening.getsockname()[1]
    return number


def stream(data: bytes) -> None:
    """Open a stream and send frames made of the data, see `frames`; then leave."""
    with socket.create_connection(("127.0.0.1", port()), timeout=PATIENCE) as line:
        answer = b""
        try:
            line.sendall(_HANDSHAKE + frames(data))
            line.shutdown(socket.SHUT_WR)
            while chunk := line.recv(65536):
                answer += chunk
        except ConnectionError:  # it was cut off, as hostile frames may be
            pass
    assert answer.startswith((b"HTTP/1.1 101 ", b"")), answer[:200]
    end = time.monotonic() + PATIENCE
    while app().state.service.streams._open:
        assert time.monotonic() < end, "the stream is still open after its client has left"
        time.sleep(0.001)
    faults().check()


def frames(data: bytes) -> bytes:
    """Turn bytes into WebSocket frames, most of them well-formed (RFC 6455, section 5.2).

    Two bytes make a frame: its first byte as it is sent, and how the next bytes of data fill it: the low 6
    bits are its length, 64 asks for 16 times as much, 128 for a length, a mask or both that are wrong.
    """
    made, at = bytearray(), 0
    while at + 2 <= len(data):
        first, how = data[at], data[at + 1]
        length = (how & 63) * (16 if how & 64 else 1)
        payload = data[at + 2 : at + 2 + length]
        at += 2 + length
        lie = payload[0] if how & 128 and payload else 0
        declared = len(payload) + (lie & 15) * 0x1111
        masked = 0 if lie & 16 else 128
        made.append(first)
        if declared < 126 and not lie & 32:
            made.append(masked | declared)
        elif declared < 1 << 16 and not lie & 64:
            made += bytes([masked | 126]) + declared.to_bytes(2, "big")
        else:
            made += bytes([masked | 127]) + (declared | (lie & 128) << 56).to_bytes(8, "big")
        made += (b"\0\0\0\0" if masked else b"") + payload
    return bytes(made)


def stream_examples() -> list[bytes]:
    jpeg = encode(scene(8, 6), "JPEG", quality=30)
    length = -(-len(jpeg) // 16)
    picture = bytes([0x82, 64 | length]) + jpeg.ljust(16 * length, b"\0")
    close = b"\x88\x02\x03\xe8"
    return [
        picture + close,
        b"\x02\x05hello\x00\x03abc\x80\x01d" + close,  # in three pieces
        b"\x89\x03abc\x8a\x00" + picture + b"\x81\x02hi",
        b"\x82\x00" * 5 + b"\x82\x86\xff12345\x82\x86\x1f12345\x88\x86\x603123",
    ]
