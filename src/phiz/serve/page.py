"""The files that browsers get: the page, and the weights for analysis on the visitor's own device."""

from __future__ import annotations

import gzip
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from .. import detect, models

PAGE = Path(__file__).parent / "page"
WEIGHTS = (Path(models.__file__).parent / "weights", Path(detect.__file__).parent / "weights")
#: Said here because the operating system's own table, which Python would ask, may say otherwise.
TYPES = {
    ".avif": "image/avif",
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".html": "text/html; charset=utf-8",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".mp4": "video/mp4",
    ".onnx": "application/octet-stream",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webm": "video/webm",
    ".webp": "image/webp",
    ".webmanifest": "application/manifest+json",
}
#: Browsers keep a file but ask whether it is still the same (ETag), so an upgrade never mixes two versions.
REVALIDATE = {"cache-control": "no-cache"}


class Page:
    """The page's files as an ASGI application; NAME is sent from NAME.gz where only that is there.

    The files are listed once, so that no path of a client is ever looked up on the disk.
    """

    def __init__(self, folder: Path = PAGE) -> None:
        root = folder.resolve()
        found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
        self._files = {
            name: path
            for name, path in found.items()
            if path.is_file() and path.resolve().is_relative_to(root)  # no link leads out of the folder
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the file at the request's path, or raise HTTPException (404, 405)."""
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        name = scope["path"].removeprefix("/") or "index.html"
        if name in self._files:
            response = _unchanged_or_whole(self._files[name], scope)
        elif f"{name}.gz" in self._files:
            response = _unpacked(self._files[f"{name}.gz"], scope)
        else:
            raise HTTPException(404)
        _describe(response, name)
        await response(scope, receive, send)


def weights_files() -> dict[str, Path]:
    """Return the files under /models/ by name: weights, their cards and their licences, nothing else."""
    return {path.name: path for folder in WEIGHTS for path in sorted(folder.iterdir()) if path.is_file()}


def file_response(path: Path, scope: Scope) -> Response:
    """Return a file with its type, or 304 where the client has it already."""
    response = _unchanged_or_whole(path, scope)
    _describe(response, path.name)
    return response


def _unchanged_or_whole(path: Path, scope: Scope) -> Response:
    return StaticFiles().file_response(path, path.stat(), scope)


def _unpacked(packed: Path, scope: Scope) -> Response:
    """Return the file that `packed` holds, packed as it is where the client takes that."""
    accepted = dict(scope["headers"]).get(b"accept-encoding", b"").decode("latin-1").lower()
    if "gzip" in accepted:
        response = _unchanged_or_whole(packed, scope)
        response.headers["content-encoding"] = "gzip"
    else:
        response = Response(gzip.decompress(packed.read_bytes()))
    response.headers["vary"] = "accept-encoding"
    return response


def _describe(response: Response, path: str) -> None:
    response.headers.update(REVALIDATE)
    suffix = Path(path).suffix or (".txt" if path.isupper() else ".html")
    if response.status_code == 200 and suffix in TYPES:
        response.headers["content-type"] = TYPES[suffix]
