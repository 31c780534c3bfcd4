"""phiz compare: models side by side on the same pictures, with paired significance."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def compare(
    predictions: Annotated[
        list[Path],
        typer.Argument(
            help="predictions.csv of each model, two or more; the first is what others differ from."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option(help="Folder for compare.html and the CSV behind its plots.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
    resamples: Annotated[int, typer.Option(min=1, help="Resamples of the bootstrap.")] = 1000,
) -> None:
    """Compare models by their predictions: differences, 95% intervals and tests on pictures both answered."""
    from ..errors import DataError
    from ..evaluation import compare as comparing
    from ..evaluation import compare_page
    from ..evaluation.report_files import read_predictions

    if len(predictions) < 2:
        raise typer.BadParameter("expected two files of predictions or more, got one")
    rows = [read_predictions(path) for path in predictions]
    names = comparing.names(predictions)
    found = []
    for path, name, other in zip(predictions[1:], names[1:], rows[1:], strict=True):
        try:
            pairs = comparing.pair(rows[0], other)
            made = comparing.differences(pairs, seed=seed, resamples=resamples)
        except DataError as error:
            raise DataError(f"{predictions[0]} and {path}: {error}") from error
        found += [(names[0], name, difference) for difference in made]
    if output is not None:
        compare_page.write(output, dict(zip(names, rows, strict=True)), found, seed=seed, resamples=resamples)
    typer.echo(comparing.text(found))
    if output is not None:
        typer.echo(f"written: {output / 'compare.html'} and the CSV behind it")
