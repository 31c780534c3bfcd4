"""The one place that reads TOML: recipes and protocols."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from .errors import RecipeError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """Return a TOML file as a table; `what` it is, such as "recipe", is named in errors.

    Raises RecipeError where it cannot be read or is no TOML.
    """
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"{path}: cannot read the {what}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # no UTF-8, no TOML, a number without end, too deep
        raise RecipeError(f"{path}: not a TOML file: {error}") from error
    return table
