"""Who may use the service, and the headers that keep browsers from being used against it."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..image import display_name
from .refusal import Code, Refused, plain

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
    """ASGI middleware that adds SECURITY_HEADERS to every response that has no own, and no-store."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and add the headers to its response."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


#: A host as the Host header writes it, with its port if it has one (RFC 3986, section 3.2.2).
_HOST = re.compile(r"(?:\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9_.-]+))(?::[0-9]*)?")


def host_name(text: str) -> str | IPv4Address | IPv6Address | None:
    """Return the host of "name:port", "1.2.3.4:port" or "[::1]:port", without the port; None for no host."""
    found = _HOST.fullmatch(text)
    try:
        return ip_address((found["address"] or found["name"]) if found else text)
    except ValueError:
        return found["name"].lower() if found and found["name"] else None


class KnownHosts:
    """ASGI middleware that refuses requests for a host that is not the service's (400, a WebSocket 403).

    Whoever owns a name can let it lead to 127.0.0.1, and the pages under that name are then of one origin
    with this service (DNS rebinding); but their requests carry the name. hosts: names and addresses in any
    writing that `host_name` reads, beside localhost and the loopback addresses. 0.0.0.0 or [::] among them
    stands for every address: an address cannot be rebound.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str] = ()) -> None:
        self._app = app
        self._hosts = {"localhost", *map(host_name, hosts)}
        self._any_address = any(getattr(host, "is_unspecified", False) for host in self._hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on where its Host is known."""
        if scope["type"] == "lifespan" or self._known(given := Headers(scope=scope).get("host", "")):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            error = Refused(
                400,
                Code.unknown_host,
                f"expected a Host that is this service's, got {display_name(given[:100])}; "
                "whoever runs it can add one with --allow-host",
            )
            await JSONResponse(plain(error), error.status_code)(scope, receive, send)

    def _known(self, given: str) -> bool:
        host = host_name(given)
        if host is None or host in self._hosts:
            return host is not None
        return not isinstance(host, str) and (host.is_loopback or self._any_address)


def origin_allowed(headers: Mapping[str, str], allowed: tuple[str, ...]) -> bool:
    """Whether a request comes from no web page, from the service's own, or from an allowed origin.

    Browsers name the page's origin with every POST and every WebSocket. Without this check any page a visitor
    opens could put the service on the visitor's machine to work. The Host is one that KnownHosts let pass.
    """
    origin = headers.get("origin")
    if origin is None or origin in allowed:
        return True
    return origin in (f"http://{headers['host']}", f"https://{headers['host']}")


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
