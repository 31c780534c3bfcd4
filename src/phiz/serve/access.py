"""Who may use the service, and the headers that keep browsers from being used against it."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The page runs WebAssembly and shows pictures and camera frames that never leave the browser (blob:).
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self' blob:",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self' blob:",
        "font-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
#: COOP and COEP together isolate the page, without which browsers grant WebAssembly no threads.
SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
#: A browser's script cannot set a WebSocket's Authorization header, but can offer subprotocols.
SUBPROTOCOL = "phiz.v1"
TOKEN_SUBPROTOCOL = "phiz.token."


class SecurityHeaders:
    """ASGI middleware that adds SECURITY_HEADERS to every response, and no-store by default."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and add the headers to its response."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


def origin_allowed(headers: Mapping[str, str], allowed: tuple[str, ...]) -> bool:
    """Whether a request comes from no web page, from the service's own, or from an allowed origin.

    Browsers name the page's origin with every POST and every WebSocket. Without this check any page a visitor
    opens could put the service on the visitor's machine to work.
    """
    origin = headers.get("origin")
    if origin is None or origin in allowed:
        return True
    return urlsplit(origin).netloc == headers.get("host")


def token_matches(expected: str | None, given: str) -> bool:
    """Whether the token is the expected one, in a time that does not tell how much of it is right."""
    return expected is None or hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


def bearer(headers: Mapping[str, str]) -> str:
    """Return the token of an Authorization header, empty where there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def subprotocol_token(offered: list[str]) -> str:
    """Return the token among a WebSocket's offered subprotocols, empty where there is none."""
    tokens = [text.removeprefix(TOKEN_SUBPROTOCOL) for text in offered if text.startswith(TOKEN_SUBPROTOCOL)]
    return tokens[0] if tokens else ""
