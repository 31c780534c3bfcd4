"""What a service may be told: its bounds, and who may use it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields

from ..errors import PhizError
from ..signage.rules import Rules
from .access import host_name

MIB = 1 << 20
#: Characters that a token needs no quoting for, neither in a header nor as a WebSocket's subprotocol.
_TOKEN = re.compile(r"[A-Za-z0-9._~+-]{16,}")


class ServeError(PhizError):
    """The service is told something it cannot do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Every bound that can be set; docs/service.md says what happens at each.

    Sizes in bytes, times in seconds. max_bytes: body of one request. max_pixels: width x height of one
    picture. max_pictures: pictures of one request. max_frame_bytes: one frame of a stream.
    body_seconds: from a request's headers to the end of its body. answer_seconds: from there to the answer.
    queue: pictures taken on and not yet answered, of all clients. held_bytes: bodies in memory, of all
    clients. streams, connections: open at the same time.
    """

    max_bytes: int = 32 * MIB
    max_pixels: int = 25_000_000
    max_pictures: int = 16
    max_frame_bytes: int = 4 * MIB
    body_seconds: float = 30.0
    answer_seconds: float = 30.0
    queue: int = 64
    held_bytes: int = 256 * MIB
    streams: int = 16
    connections: int = 512

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if not value > 0:
                raise ServeError(f"{entry.name}: expected more than 0, got {value}")
        for small, large in (("max_pictures", "queue"), ("max_bytes", "held_bytes")):
            if getattr(self, small) > getattr(self, large):
                raise ServeError(
                    f"{small} ({getattr(self, small)}) is above {large} ({getattr(self, large)}), so the "
                    f"largest request could never be taken on; raise {large} or lower {small}"
                )


@dataclass(frozen=True, slots=True)
class Settings:
    """How a service runs.

    workers: pictures decoded and searched for faces at the same time. batch_seconds: longest wait of a face
    for company on its way into the network, 0 for none; batch_faces: most faces that wait.
    token: what every client of /v1 must show, or None. hosts: names and addresses under which clients may
    ask, beside this machine's loopback (see access.KnownHosts). allow_origins: web pages of other origins
    that may use the service. audience: the database to report, a file or a postgresql:// URL, or None.
    signage: the rules of a screen that the service drives, or None.
    """

    limits: Limits = field(default_factory=Limits)
    workers: int = 2
    batch_seconds: float = 0.002
    batch_faces: int = 64
    token: str | None = field(default=None, repr=False)
    hosts: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()
    audience: str | None = field(default=None, repr=False)  # a URL may hold a password
    signage: Rules | None = None

    def __post_init__(self) -> None:
        if self.workers < 1 or self.batch_faces < 1 or self.batch_seconds < 0:
            raise ServeError("expected at least one worker, one face in a batch and a wait of 0 or more")
        if self.token is not None and not _TOKEN.fullmatch(self.token):
            raise ServeError(
                "the token must have at least 16 characters, all letters, digits or one of . _ ~ + -; "
                "make one: python -c 'import secrets; print(secrets.token_urlsafe())'"
            )
        for host in self.hosts:
            if host_name(host) is None:
                raise ServeError(
                    f"--host, --allow-host: expected a name or address such as example.org, got {host!r}"
                )
        for origin in self.allow_origins:
            if not re.fullmatch(r"https?://[^/\s?#]+", origin):
                raise ServeError(
                    f"--allow-origin: expected an origin such as https://example.org, got {origin!r}"
                )
