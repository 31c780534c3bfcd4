"""Names of files as text that is safe to print."""

from __future__ import annotations

import os
import unicodedata


def display_name(path: str | bytes | os.PathLike[str]) -> str:
    r"""Return a path as text that is safe to print and to encode as UTF-8.

    Bytes that are not UTF-8, lone surrogates and control characters become escapes such as \xff or \n.
    """
    return "".join(map(_visible, os.fsdecode(path))) or '""'


def _visible(char: str) -> str:
    if unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp"):
        return char
    if "\udc80" <= char <= "\udcff":  # how Python carries a byte of a name that is not UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")
