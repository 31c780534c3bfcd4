"""The files that browsers get: the page, and the weights for analysis on the visitor's own device."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from .. import detect, models

PAGE = Path(__file__).parent / "page"
WEIGHTS = (Path(models.__file__).parent / "weights", Path(detect.__file__).parent / "weights")
#: Said here because the operating system's own table, which Python would ask, may say otherwise.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".onnx": "application/octet-stream",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}
#: Browsers keep a file but ask whether it is still the same (ETag), so an upgrade never mixes two versions.
REVALIDATE = {"cache-control": "no-cache"}


class Page(StaticFiles):
    """The page's files; NAME is sent from NAME.gz where only that is there."""

    def __init__(self, folder: Path = PAGE) -> None:
        super().__init__(directory=folder, html=True)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file at `path`, or raise HTTPException (404, 405)."""
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or "\0" in path:
                raise
            packed, found = self.lookup_path(path + ".gz")
            if found is None or not os.path.isfile(packed):
                raise
            response = self._unpacked(packed, found, scope)
        _describe(response, path)
        return response

    def _unpacked(self, packed: str, found: os.stat_result, scope: Scope) -> Response:
        """Return the file that `packed` holds, packed as it is where the client takes that."""
        accepted = dict(scope["headers"]).get(b"accept-encoding", b"").decode("latin-1").lower()
        if "gzip" in accepted:
            response = self.file_response(packed, found, scope)
            response.headers["content-encoding"] = "gzip"
        else:
            response = Response(gzip.decompress(Path(packed).read_bytes()))
        response.headers["vary"] = "accept-encoding"
        return response


def weights_files() -> dict[str, Path]:
    """Return the files under /models/ by name: weights, their cards and their licences, nothing else."""
    return {path.name: path for folder in WEIGHTS for path in sorted(folder.iterdir()) if path.is_file()}


def weights_response(path: Path, scope: Scope) -> Response:
    """Return one file of `weights_files`."""
    response = StaticFiles().file_response(path, path.stat(), scope)
    _describe(response, path.name)
    return response


def _describe(response: Response, path: str) -> None:
    response.headers.update(REVALIDATE)
    suffix = Path(path).suffix or (".txt" if path.isupper() else ".html")
    if response.status_code == 200 and suffix in TYPES:
        response.headers["content-type"] = TYPES[suffix]
