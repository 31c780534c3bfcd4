"""A token from a file or the environment, where no list of processes shows it."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import PhizError


def read_token(file: Path | None, variable: str) -> str | None:
    """Return the token of a file, else of an environment variable, else None.

    Raises PhizError for a file that cannot be read or is empty.
    """
    if file is None:
        return os.environ.get(variable, "").strip() or None
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise PhizError(f"cannot read the token file {file}: {reason}") from None
    if not token:
        raise PhizError(f"the token file {file} is empty; put the token into its first line")
    return token
