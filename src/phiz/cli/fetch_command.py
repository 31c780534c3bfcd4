"""phiz fetch: bring the weights of a model that is too large to ship, once."""

from __future__ import annotations

from typing import Annotated

import typer


def fetch(
    name: Annotated[str, typer.Argument(help="A model's name, as `phiz models` lists it.")],
    source: Annotated[
        str | None, typer.Option(help="A file or an http(s) URL; by default the URL on the model's card.")
    ] = None,
) -> None:
    """Fetch a model's weights, checked by their hash; run again, it goes on where it stopped."""
    from tqdm import tqdm

    from ..models.fetch import fetch as bring
    from ..models.model_store import known_card

    card = known_card(name)
    with tqdm(unit="B", unit_scale=True, desc=card.name, disable=None, leave=False) as bar:

        def show(done: int, total: int | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        path = bring(card, source, show)
    typer.echo(f"{card.name}: {path}")
