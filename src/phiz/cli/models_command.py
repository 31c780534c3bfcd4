"""phiz models: the models at hand, from their cards, and everything about one of them."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..models.card import ModelCard

app = typer.Typer(help="List the models that ship with phiz, or show all that there is to say of one.")


class ListFormat(str, Enum):
    """How the list is written."""

    table = "table"
    json = "json"


class ShowFormat(str, Enum):
    """How one model is told."""

    text = "text"
    markdown = "markdown"
    json = "json"


@app.callback(invoke_without_command=True)
def models(
    context: typer.Context,
    format: Annotated[ListFormat, typer.Option(help="A table to read, or the whole cards as JSON.")] = (
        ListFormat.table
    ),
) -> None:
    """List the models that ship with phiz."""
    if context.invoked_subcommand is not None:
        return
    from ..models.model_store import list_cards

    cards = list_cards()
    if format is ListFormat.json:
        typer.echo(json.dumps([card.to_dict() for card in cards], indent=2, ensure_ascii=False))
    else:
        typer.echo(_table(cards))


@app.command()
def show(
    model: Annotated[str, typer.Argument(help="A model's name, or a .onnx with its card.")],
    format: Annotated[
        ShowFormat, typer.Option(help="Text to read, Markdown, or card and figures as JSON.")
    ] = ShowFormat.text,
) -> None:
    """Show use, limits, figures by group, coverage, robustness, data with terms, and how to make it again."""
    from ..models import about
    from ..models.model_store import find_card

    card = find_card(model)
    if format is ShowFormat.json:
        whole = {"card": card.to_dict(), "measured": about.measured(card)}
        typer.echo(json.dumps(whole, indent=2, ensure_ascii=False))
    elif format is ShowFormat.markdown:
        typer.echo(about.markdown(about.about(card)), nl=False)
    else:
        typer.echo(about.plain(about.about(card)))


def _table(cards: Sequence[ModelCard]) -> str:
    """Return a line per model; the terms of its weights in a word, and the sentences below."""
    rows = [("name", "input", "parameters", "multiply-adds", "weights", "task")]
    for card in cards:
        side, size = card.input.size, (f"{card.parameters:,}", f"{card.multiply_adds:,}")
        rows.append((card.name, f"{side}x{side}", *size, _word(card), card.task))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    terms = dict.fromkeys((_word(card), card.license) for card in cards)
    below = [textwrap.fill(f"{word}: {text}", 100) for word, text in terms if word != text]
    return "\n".join([*lines, "", *below, "phiz models show NAME tells more."])


def _word(card: ModelCard) -> str:
    """Return the terms of a model's weights in a word: research where any of its data says so."""
    if any("research" in data.terms for data in card.training_data):
        return "research only"
    return card.license if len(card.license) <= 13 else "see below"
