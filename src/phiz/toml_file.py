"""The one place that reads TOML: recipes, protocols and rules of a screen."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .errors import PhizError, RecipeError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def read_toml(path: Path, what: str, error: type[PhizError] = RecipeError) -> dict[str, Any]:
    """Return a TOML file as a table; `what` it is, such as "recipe", is named in errors.

    Raises `error` where it cannot be read or is no TOML.
    """
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as failure:
        shipped = ""
        if error is RecipeError and not path.exists():
            shipped = "; phiz recipes FOLDER writes those that ship with phiz"
        raise error(f"{path}: cannot read the {what}: {failure.strerror}{shipped}") from failure
    except (ValueError, RecursionError) as failure:  # no UTF-8, no TOML, a number without end, too deep
        raise error(f"{path}: not a TOML file: {failure}") from failure
    return table


def line_of(text: str, keys: Sequence[str | int]) -> int:
    """Return the number, from 1, of the line of a TOML file on which the value at `keys` begins.

    text: the whole file, which is TOML and has the value. keys: of tables and, as numbers, of lists.
    The parser tells no lines, but the value is there in the first n lines, and not in those before it.
    """
    lines = text.split("\n")

    def found(n: int) -> bool | None:
        """Whether the first n lines have it; None where they are no TOML, as inside a list over lines."""
        try:
            here: Any = tomllib.loads("\n".join(lines[:n]))
        except ValueError:
            return None
        for key in keys:
            try:
                here = here[key]
            except (KeyError, IndexError, TypeError):
                return False
        return True

    low, high, end = 0, len(lines), len(lines)  # not in the first `low` lines; in the first `end`
    while high - low > 1:
        middle = at = (low + high) // 2
        while (there := found(at)) is None and at < high - 1:
            at += 1
        if there is False:
            low = at
        else:
            high, end = middle, at if there else end
    while found(end - 1) is None:
        end -= 1
    return end
