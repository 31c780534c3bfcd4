"""phiz annotate: gender labels for a data set without them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Cache

if TYPE_CHECKING:
    from ..datasets.record import FaceRecord
    from ..training.annotate.annotator import Annotator
    from ..training.annotate.answers import Answer
    from ..training.annotate.journal import Journal

app = typer.Typer(help="Label a data set's genders: by networks where all agree, by you where they do not.")

Recipe = Annotated[Path, typer.Argument(help="The annotator, a recipe with a section [annotation].")]
Data = Annotated[Path, typer.Option(help="Folder that holds the data sets.")]
Output = Annotated[Path, typer.Option(help="Folder of networks, answers, decisions and labels.")]
_DATA, _OUTPUT = Path("../shared/data"), Path("runs/annotation")


@app.command()
def label(
    recipe: Recipe,
    data: Data = _DATA,
    output: Output = _OUTPUT,
    cache: Cache = Path("runs/cache"),
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores by default.")] = None,
) -> None:
    """Train the networks that are not trained yet, ask all of them, and write where all agree.

    A run that was killed goes on. faces.csv is in the format of your own pictures (docs/datasets.md).
    """
    import torch

    from ..training.annotate.annotator import load_annotator, train_networks
    from ..training.annotate.answers import ask

    if threads is not None:
        torch.set_num_threads(threads)
    annotator = load_annotator(recipe)
    models = train_networks(annotator, data, output / "networks", cache)
    answers = ask(annotator, models, data, output, cache)
    _write(annotator, data, output, answers)


@app.command()
def review(
    recipe: Recipe,
    data: Data = _DATA,
    output: Output = _OUTPUT,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 for a free one.")] = 0,
) -> None:
    """Open a page on this machine alone that asks you about every picture on which the networks differ.

    f, m and s label, u takes the last one back. Each decision is on the disk before the next picture comes.
    """
    from ..training.annotate.annotator import load_annotator
    from ..training.annotate.answers import read_answers, records_to_label
    from ..training.annotate.review import Review

    annotator = load_annotator(recipe)
    answers, records = read_answers(output), records_to_label(annotator, data)
    journal = _journal(output, answers)
    paths = {file: records[file].path for file in journal.files}
    with Review(journal, answers, paths, port) as server:
        typer.echo(f"{len(journal.files)} pictures to decide: open {server.url} (stop with Ctrl-C)", err=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            _write(annotator, data, output, answers)


@app.command()
def score(
    recipe: Recipe,
    data: Data = _DATA,
    output: Output = _OUTPUT,
    results: Annotated[Path | None, typer.Option(help="Also keep the figures in this CSV file.")] = None,
) -> None:
    """Compare with the genders that the data set has, which labelling did not look at."""
    from ..evaluation.report_files import aligned
    from ..training.annotate.annotator import load_annotator
    from ..training.annotate.answers import read_answers, records_to_label
    from ..training.annotate.score import score as measure
    from ..training.annotate.score import write_scores

    annotator = load_annotator(recipe)
    answers, records = read_answers(output), records_to_label(annotator, data)
    rows = measure(answers, annotator.annotation.networks, _journal(output, answers).decided, records)
    lines = [
        [who, metric, f"{100 * v:.1f}% [{100 * low:.1f}, {100 * high:.1f}]", str(n)]
        for who, metric, v, low, high, n in rows
    ]
    typer.echo(aligned([["", "", "", "pictures"], *lines]))
    if results is not None:
        write_scores(results, rows)


def _journal(output: Path, answers: list[Answer]) -> Journal:
    from ..training.annotate.answers import JOURNAL
    from ..training.annotate.journal import Journal

    return Journal(output / JOURNAL, [answer.file for answer in answers if answer.agreed is None])


def _write(annotator: Annotator, data: Path, output: Path, answers: list[Answer]) -> None:
    """Write faces.csv of all that is decided, and say how far the work is."""
    from ..training.annotate.answers import TABLE, records_to_label, write_table

    records: dict[str, FaceRecord] = records_to_label(annotator, data)
    journal = _journal(output, answers)
    counts = write_table(output, answers, journal.decided, records)
    left = len(journal.files) - len(journal.decided)
    typer.echo(
        f"written: {output / TABLE}: {counts['agreed']:,} labels agreed, {counts['reviewed']:,} reviewed; "
        f"{left:,} to review, {len(records) - len(answers):,} without a face"
    )
