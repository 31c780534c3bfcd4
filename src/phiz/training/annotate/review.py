"""The page on which a person decides what the networks disagree on: served to this machine alone."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from phiz import image
from phiz.errors import DataError, ImageError
from phiz.training.annotate.answers import Answer
from phiz.training.annotate.journal import Journal

PAGE = Path(__file__).parent / "page"
FILES = {
    "/": ("review.html", "text/html; charset=utf-8"),
    "/review.js": ("review.js", "text/javascript; charset=utf-8"),
    "/review.css": ("review.css", "text/css; charset=utf-8"),
}
#: The only address that is listened on, and the names by which a browser on this machine may call it.
LOOPBACK = "127.0.0.1"
NAMES = (LOOPBACK, "localhost")
#: The longer side of a picture on the page, in pixels, and the most bytes of a decision.
SHOWN = 640
MOST_BYTES = 4096
POLICY = (
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Review(ThreadingHTTPServer):
    """The server: one journal, the pictures of one data set, no outside request.

    paths: where each picture to decide lies, by its name in the journal. port: 0 for any free one.
    """

    daemon_threads = True

    def __init__(
        self, journal: Journal, answers: Sequence[Answer], paths: Mapping[str, Path], port: int = 0
    ) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.journal, self.paths = journal, dict(paths)
        self.female = {answer.file: answer.female for answer in answers}

    @property
    def url(self) -> str:
        """Return the page's address."""
        return f"http://{LOOPBACK}:{self.server_port}/"

    def state(self) -> dict[str, Any]:
        """Return what the page shows: the picture to decide, by its number, and how far the work is."""
        decided, file = self.journal.decided, self.journal.next()
        number = None if file is None else self.journal.files.index(file)
        said = [] if file is None else [round(p, 2) for p in self.female[file]]
        return {
            "total": len(self.journal.files),
            "decided": len(decided),
            "skipped": sum(decision == "skip" for decision in decided.values()),
            "number": number,
            "female": said,
        }


class _Handler(BaseHTTPRequestHandler):
    server: Review
    server_version, sys_version = "phiz", ""
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        """Answer with a file of the page, the state, or a picture by its number."""
        if not self._from_here():
            return
        path = urlsplit(self.path).path
        if path in FILES:
            name, kind = FILES[path]
            self._send(HTTPStatus.OK, (PAGE / name).read_bytes(), kind)
        elif path == "/state":
            self._json(HTTPStatus.OK, self.server.state())
        elif path.startswith("/picture/"):
            self._picture(path.removeprefix("/picture/"))
        else:
            self._json(HTTPStatus.NOT_FOUND, {"error": "expected /, /state or /picture/NUMBER"})

    def do_POST(self) -> None:
        """Take a decision, or the last one back; the answer is the new state."""
        if not self._from_here():
            return
        asked = self._asked()
        if asked is None:
            return
        path = urlsplit(self.path).path
        try:
            if path == "/undo":
                self.server.journal.undo()
                self._json(HTTPStatus.OK, self.server.state())
            elif path == "/decide":
                self._decide(asked)
            else:
                self._json(HTTPStatus.NOT_FOUND, {"error": "expected /decide or /undo"})
        except DataError as error:  # the disk is full: the page must not go on as if it were kept
            self._json(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": str(error)})

    def _decide(self, asked: dict[str, Any]) -> None:
        number, files = asked.get("number"), self.server.journal.files
        if type(number) is not int or not 0 <= number < len(files):
            self._json(
                HTTPStatus.BAD_REQUEST, {"error": f"number: expected 0 to {len(files) - 1}, got {number!r}"}
            )
            return
        try:
            fits = self.server.journal.decide(files[number], str(asked.get("decision")))
        except ValueError as error:
            self._json(HTTPStatus.BAD_REQUEST, {"error": f"decision: {error}"})
            return
        self._json(HTTPStatus.OK if fits else HTTPStatus.CONFLICT, self.server.state())

    def _asked(self) -> dict[str, Any] | None:
        """Return the request's JSON object; None where it has none, which was answered then."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self.close_connection = True  # what comes is not read
            self._json(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": f"expected at most {MOST_BYTES} bytes"})
            return None
        body = self.rfile.read(int(length))
        try:
            asked = json.loads(body)
        except ValueError:
            asked = None
        # No page of another origin may send this type without the browser's asking first, which is refused.
        if not isinstance(asked, dict) or self.headers.get_content_type() != "application/json":
            self._json(HTTPStatus.BAD_REQUEST, {"error": "expected a JSON object, as application/json"})
            return None
        return asked

    def _picture(self, text: str) -> None:
        files = self.server.journal.files
        if not (text.isascii() and text.isdecimal()) or int(text) >= len(files):
            self._json(HTTPStatus.NOT_FOUND, {"error": f"expected a picture's number under {len(files)}"})
            return
        try:
            pixels = image.load(self.server.paths[files[int(text)]])
        except ImageError as error:
            self._json(HTTPStatus.NOT_FOUND, {"error": str(error)})
            return
        picture, file = Image.fromarray(pixels), io.BytesIO()
        picture.thumbnail((SHOWN, SHOWN))
        picture.save(file, "JPEG", quality=90)
        self._send(HTTPStatus.OK, file.getvalue(), "image/jpeg")

    def _from_here(self) -> bool:
        """Refuse what a page of another site asks for, through its own name for this address or by itself."""
        port = self.server.server_port
        hosts = {f"{name}:{port}" for name in NAMES}
        origin = self.headers.get("Origin")
        fits = self.headers.get("Host") in hosts and (origin is None or urlsplit(origin).netloc in hosts)
        if not fits:
            self.close_connection = True
            self._json(HTTPStatus.FORBIDDEN, {"error": f"expected the page at {self.server.url}"})
        return fits

    def _json(self, status: HTTPStatus, value: dict[str, Any]) -> None:
        self._send(status, json.dumps(value).encode(), "application/json")

    def _send(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: a log would name pictures."""
