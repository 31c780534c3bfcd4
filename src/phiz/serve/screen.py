"""The routes of a service's screen: the player's page, the contents, the playlist, the players' WebSocket."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import JSONResponse, RedirectResponse, Response

from .page import file_response
from .refusal import Code, Refused
from .schema import REFUSALS, Playlist
from .signage import Signage

PLAYER = Path(__file__).parent / "player"
#: The player shows what it fetched itself (blob:), and pages in frames.
PLAYER_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src blob:",
        "media-src blob:",
        "frame-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
#: A page to be shown has an origin of its own, runs what is inside it, and reaches nothing else.
CONTENT_POLICY = "; ".join(
    (
        "sandbox allow-scripts",
        "default-src 'none'",
        "script-src 'unsafe-inline'",
        "style-src 'unsafe-inline'",
        "img-src data: blob:",
        "media-src data: blob:",
        "font-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)
#: The address changes with the file.
FOR_EVER = "public, max-age=31536000, immutable"


def add_screen(
    app: FastAPI,
    signage: Signage,
    protected: Sequence[Any],
    authorise_socket: Callable[[WebSocket], None],
) -> None:
    """Add a screen's routes to the application.

    protected: what a route needs that asks for the token. authorise_socket: raises for a socket without it.
    """
    index = PLAYER / "index.html"  # not among the parts: it is sent with a policy of its own
    parts = {path.name: path for path in sorted(PLAYER.iterdir()) if path.is_file() and path != index}

    @app.get(
        "/v1/signage", response_model=Playlist, responses={401: REFUSALS[401]}, dependencies=[*protected]
    )
    async def playlist() -> Response:
        """Tell a player every content that it may be told to show."""
        return JSONResponse(dict(signage.playlist))

    @app.websocket("/v1/signage/player")
    async def player(socket: WebSocket) -> None:
        authorise_socket(socket)
        await signage.serve(socket)

    @app.get("/signage", include_in_schema=False)
    async def without_slash() -> Response:
        return RedirectResponse("signage/")

    @app.get("/signage/", include_in_schema=False)
    async def page(request: Request) -> Response:
        response = file_response(index, request.scope)
        response.headers["content-security-policy"] = PLAYER_POLICY
        return response

    @app.get("/signage/{name}", include_in_schema=False)
    async def part(name: str, request: Request) -> Response:
        return file_response(_among(parts, name), request.scope)

    @app.get("/signage/content/{key}", include_in_schema=False)
    async def content(key: str, request: Request) -> Response:
        response = file_response(_among(signage.files, key), request.scope)
        response.headers["cache-control"] = FOR_EVER
        if key.endswith(".html"):
            response.headers["content-security-policy"] = CONTENT_POLICY
        return response


def _among(files: Mapping[str, Path], name: str) -> Path:
    """Return a file that is known by this name: no name of a client is ever looked up on the disk."""
    path = files.get(name)
    if path is None or not path.is_file():
        raise Refused(404, Code.not_found, "expected a file of the screen")
    return path
