"""phiz evaluate: measure a model on a data set, through the same path as phiz analyze."""

from __future__ import annotations

import shlex
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

#: Data sets of tight chips; the others are photos, whose faces have to be found.
CHIPS = ("utkface",)


def evaluate(
    data: Annotated[Path, typer.Option(help="The folder that holds the data set.")],
    dataset: Annotated[str, typer.Option(help="Data set: utkface, fgnet or celeba.")],
    output: Annotated[
        Path, typer.Option(help="CSV file for the figures; a .json beside it says what made them.")
    ],
    model: Annotated[
        str, typer.Option(help="A shipped model's name, or a .onnx with its card.")
    ] = "multitask-64",
    detector: Annotated[str, typer.Option(help="Face detector.")] = "auto",
    split: Annotated[Path | None, typer.Option(help="Split file; all pictures without one.")] = None,
    part: Annotated[str | None, typer.Option(help="Part of the split, such as test.")] = None,
    conflicts: Annotated[
        Path | None,
        typer.Option(help="CSV file of contradicting labels: figures are also given without them."),
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Also write each picture's answer to this CSV file.")
    ] = None,
    cropped: Annotated[
        bool | None, typer.Option(help="Take pictures as cropped faces; by default for utkface alone.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
    resamples: Annotated[int, typer.Option(min=1, help="Resamples of the bootstrap.")] = 1000,
    smallest: Annotated[int, typer.Option(min=1, help="Groups of fewer pictures get no figure.")] = 30,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of the networks.")] = 1,
) -> None:
    """Measure age error and gender accuracy, with intervals, also by age band, gender and group."""
    from tqdm import tqdm

    from ..analyzer import Analyzer
    from ..datasets.readers import READERS
    from ..datasets.record import Skipped
    from ..datasets.splits import load_conflicts
    from ..evaluation import report, run
    from ..evaluation.groups import figures
    from ..models.store import find_model
    from ..provenance import environment

    if dataset not in READERS:
        raise typer.BadParameter(f"--dataset: expected one of {', '.join(READERS)}; got {dataset!r}")
    if (split is None) != (part is None):
        raise typer.BadParameter("--split and --part go together; give both or neither")
    for path in (output, predictions):
        if path is not None and not path.parent.is_dir():
            raise typer.BadParameter(f"{path}: its folder does not exist; make it first")
    if output.suffix != ".csv":
        raise typer.BadParameter(f"--output: expected a name that ends in .csv; got {str(output)!r}")

    as_chips = dataset in CHIPS if cropped is None else cropped
    skipped: list[Skipped] = []
    records, clusters = run.select(list(READERS[dataset](data, skipped)), split, part)
    contradicting = load_conflicts(conflicts) if conflicts else set()
    card, _ = find_model(model)
    analyzer = Analyzer(model, detector, threads=threads, cropped=as_chips)

    start = time.perf_counter()
    scored = list(
        tqdm(run.score(records, clusters, analyzer), total=len(records), unit="picture", disable=None)
    )
    seconds = time.perf_counter() - start
    rows = figures(scored, contradicting=contradicting, seed=seed, resamples=resamples, smallest=smallest)

    report.write_figures(output, rows)
    if predictions is not None:
        report.write_predictions(predictions, scored)
    facts = _facts(scored, skipped)
    report.write_provenance(
        output.with_suffix(".json"),
        {
            "command": shlex.join(["phiz", *sys.argv[1:]]),
            "data set": dataset,
            "part": part,
            "cropped": as_chips,
            "detector": detector,
            "model": {"name": card.name, "sha256": card.sha256},
            **facts,
            "bootstrap": {"seed": seed, "resamples": resamples, "level": 0.95, "unit": "cluster"},
            "smallest group": smallest,
            "seconds": round(seconds, 1),
            **environment(),
        },
    )
    typer.echo(report.table(rows))
    typer.echo(", ".join(f"{number} {name}" for name, number in facts.items()))
    typer.echo(f"written: {output} and {output.with_suffix('.json')}")


def _facts(scored: Sequence[Any], skipped: Sequence[Any]) -> dict[str, int]:
    problems = Counter(row.problem for row in scored)
    return {
        "pictures": len(scored),
        "faces not found": problems["no face found"],
        "unreadable": problems["unreadable"],
        "left out by the reader": len(skipped),
    }
