"""phiz models: the models at hand, from their cards."""

from __future__ import annotations

import json
from enum import Enum
from typing import Annotated

import typer


class ModelsFormat(str, Enum):
    """How the list is written."""

    table = "table"
    json = "json"


def models(
    format: Annotated[ModelsFormat, typer.Option(help="A table to read, or the whole cards as JSON.")] = (
        ModelsFormat.table
    ),
) -> None:
    """List the models that ship with phiz."""
    from ..models.store import list_cards

    cards = list_cards()
    if format is ModelsFormat.json:
        typer.echo(json.dumps([card.to_dict() for card in cards], indent=2, ensure_ascii=False))
        return
    rows = [("name", "input", "parameters", "multiply-adds", "weights' licence", "task")]
    for card in cards:
        side = card.input.size
        size = (f"{card.parameters:,}", f"{card.multiply_adds:,}")
        rows.append((card.name, f"{side}x{side}", *size, card.license, card.task))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
