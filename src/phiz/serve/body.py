"""A request's body as pictures: read into memory within every bound, never onto a disk.

Starlette's own form parser moves large files to temporary ones, so the parts are collected here, from
python-multipart's streaming parser.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import anyio
from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ..image import display_name
from .queue import Picture
from .refusal import Busy, Code, Refused
from .settings import Limits

FORM = "multipart/form-data"
#: Longest name of a picture that is kept, in characters; the rest is cut.
NAME_LENGTH = 255
#: Longest boundary of a form (RFC 2046, section 5.1.1).
BOUNDARY_LENGTH = 70
#: Most bytes of one part's headers together, names and values. The parser's own bounds differ by its version,
#: and the time that it takes for one header grows with the square of its length.
PART_HEADER_BYTES = 4096


class Bodies:
    """Reads request bodies and knows how many bytes of them are in memory, over all clients."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.held = 0

    @asynccontextmanager
    async def pictures(self, request: Request, retry_after: int) -> AsyncGenerator[list[Picture], None]:
        """Read a request's pictures and hold their bytes until the block ends.

        Raises Refused (400, 408, 413, 415, 422) for what cannot be taken, Busy where the bodies in
        memory are at their bound.
        """
        kind, options = parse_options_header(request.headers.get("content-type"))
        _check_head(request, kind, self._limits.max_bytes)
        taken = 0

        async def chunks() -> AsyncIterator[bytes]:
            nonlocal taken
            async for chunk in request.stream():
                taken += len(chunk)
                self.held += len(chunk)
                if taken > self._limits.max_bytes:
                    raise _too_large(self._limits.max_bytes, "more")
                if self.held > self._limits.held_bytes:
                    detail = f"expected room for the body, got all {self._limits.held_bytes:,} bytes taken"
                    raise Busy(detail, retry_after)
                yield chunk

        try:
            try:
                with anyio.fail_after(self._limits.body_seconds):
                    if kind == FORM.encode():
                        parts = _Parts(options.get(b"boundary"), self._limits.max_pictures)
                        pictures = await parts.read(chunks())
                    else:
                        pictures = [(None, b"".join([chunk async for chunk in chunks()]))]
            except TimeoutError:
                raise Refused(
                    408,
                    Code.body_timeout,
                    f"expected the whole body within {self._limits.body_seconds:g} seconds, "
                    f"got {taken:,} bytes; send a smaller picture or use a faster line",
                ) from None
            yield pictures
        finally:
            self.held -= taken


def _check_head(request: Request, kind: bytes, max_bytes: int) -> None:
    """Refuse by its headers a body that cannot be taken."""
    if not (kind.startswith(b"image/") or kind in (FORM.encode(), b"application/octet-stream")):
        got = display_name(kind[:100]) if kind else "none"
        raise Refused(
            415,
            Code.body_type,
            f"expected Content-Type image/* (the body is one picture) or {FORM} (one or more files), "
            f"got {got}",
        )
    if (encoding := request.headers.get("content-encoding", "identity").lower()) != "identity":
        got = display_name(encoding[:100])
        raise Refused(
            415,
            Code.body_encoding,
            f"expected a body without Content-Encoding, got {got}; send it as it is",
        )
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise _too_large(max_bytes, f"{int(declared):,}")


def _too_large(most: int, got: str) -> Refused:
    return Refused(
        413,
        Code.body_too_large,
        f"expected a body of at most {most:,} bytes, got {got}; send fewer or smaller pictures",
    )


class _Parts:
    """Collects the files of a multipart body."""

    def __init__(self, boundary: bytes | None, most: int) -> None:
        self._most = most
        self._pictures: list[Picture] = []
        self._data = bytearray()
        self._header, self._value = bytearray(), bytearray()
        self._disposition = b""
        self._ended = False
        if not boundary or len(boundary) > BOUNDARY_LENGTH:
            got = f"one of {len(boundary):,}" if boundary else "none"
            wanted = f"a boundary of at most {BOUNDARY_LENGTH} characters in Content-Type: {FORM}"
            raise Refused(400, Code.damaged_form, f"expected {wanted}, got {got}")
        callbacks = {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._add(self._header, data[start:end]),
            "on_header_value": lambda data, start, end: self._add(self._value, data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": lambda data, start, end: self._data.extend(memoryview(data)[start:end]),
            "on_end": self._end,
        }
        self._parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]

    async def read(self, chunks: AsyncIterator[bytes]) -> list[Picture]:
        """Return (name, bytes) of every file. Raises Refused for a body that is not well-formed."""
        try:
            async for chunk in chunks:
                self._parser.write(chunk)
        except FormParserError:
            raise _malformed() from None
        if not self._ended:
            raise _malformed()
        if not self._pictures:
            raise Refused(
                422, Code.no_pictures, "expected at least one picture, got none; send each as a file"
            )
        return self._pictures

    def _begin(self) -> None:
        if len(self._pictures) == self._most:
            raise Refused(
                413,
                Code.too_many_pictures,
                f"expected at most {self._most} pictures in a request, got more; send several requests",
            )
        self._disposition = b""
        self._header_bytes = 0

    def _add(self, text: bytearray, more: bytes) -> None:
        self._header_bytes += len(more)
        if self._header_bytes > PART_HEADER_BYTES:
            raise Refused(
                400,
                Code.damaged_form,
                f"expected at most {PART_HEADER_BYTES:,} bytes of headers for a file, got more; send fewer",
            )
        text.extend(more)

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"filename" not in options:
            field = display_name(options.get(b"name", b"")[:100])
            raise Refused(
                422,
                Code.form_field,
                f"expected only files, got the form field {field}; send each picture with a file name",
            )
        self._data = bytearray()
        self._pictures.append((_bare_name(options[b"filename"]), self._data))

    def _end(self) -> None:
        self._ended = True


def _bare_name(sent: bytes) -> str | None:
    """Return the name without folders, as any system writes them; None where nothing is left."""
    bare = sent.replace(b"\\", b"/").rpartition(b"/")[2]
    return None if bare in (b"", b".", b"..") else display_name(bare)[:NAME_LENGTH]


def _malformed() -> Refused:
    return Refused(
        400, Code.damaged_form, f"expected a well-formed {FORM} body, got one that is damaged or cut short"
    )
