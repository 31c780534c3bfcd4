"""URLs without the passwords that they carry, fit for messages, logs and results."""

from __future__ import annotations

import re

#: A scheme of two letters or more: one letter is a drive of Windows. One slash alone is a slip of the hand.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+:/{1,3})(.*)", re.DOTALL)


def public_address(url: str) -> str:
    """Return a URL without user, password and options; any other name as it is.

    Passwords with @ or / that should have been written as %40 or %2F are hidden as well: where there is a
    user or a colon, everything up to the last @ goes, be it one of the path.
    """
    parts = _SCHEME.fullmatch(url)
    if parts is None:
        return url
    scheme, rest = parts.groups()
    if re.match(r"[^/]*[@:]", rest) and scheme != "file:///":
        rest = rest.rpartition("@")[2]
    return scheme + re.split("[?#]", rest, maxsplit=1)[0]


def has_bare_secret(url: str) -> bool:
    """Whether user or password of a URL have an @ or / as it is, where programs would cut it wrongly."""
    secret, at, _ = url.partition("?")[0].partition("://")[2].rpartition("@")
    return bool(at and re.search("[@/]", secret))
