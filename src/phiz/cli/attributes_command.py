"""phiz attributes: what a model of attributes tells, how well, and whether another does better."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..evaluation.attribute_figures import AttributeFigure

app = typer.Typer(no_args_is_help=True, help="List, measure and compare facial attributes.")


@app.command("list")
def list_(
    model: Annotated[
        str, typer.Argument(help="A model's name, or a .onnx with its card.")
    ] = "attributes-112",
) -> None:
    """List a model's attributes: from which probability each counts, how well it does, if it is shown."""
    from ..evaluation.report_files import aligned
    from ..models.model_store import find_model

    rows = [["attribute", "present from", "balanced accuracy", "shown"]]
    for name, how in find_model(model)[0].attributes.items():
        shown = "by default" if how.default else "by name" if how.subjective else "by name or with all"
        rows.append([name, f"{how.threshold:.2f}", f"{how.balanced_accuracy:.1%}", shown])
    typer.echo(aligned(rows))


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="A model's name, or a .onnx with its card.")],
    split: Annotated[
        str, typer.Option(help="Split file with columns file, part, cluster; or official, or person.")
    ],
    data: Annotated[Path, typer.Option(help="Folder that holds the data sets, such as CelebA/.")],
    dataset: Annotated[str, typer.Option(help="The data set.")] = "celeba",
    part: Annotated[str, typer.Option(help="The part to measure: validation or test.")] = "test",
    young_until: Annotated[
        float, typer.Option(help="Last age that counts as Young, for a data set of ages; 0 for none.")
    ] = 0.0,
    output: Annotated[
        Path | None, typer.Option(help="Folder of the answers; reports/MODEL_DATASET-PART by default.")
    ] = None,
    results: Annotated[Path | None, typer.Option(help="Also keep the figures in this folder.")] = None,
    cache: Annotated[Path, typer.Option(help="Folder of the cut crops.")] = Path("runs/cache"),
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of the network.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    resamples: Annotated[int, typer.Option(min=1, help="Resamples of the bootstrap.")] = 1000,
) -> None:
    """Measure accuracy and balanced accuracy of every attribute, with 95% intervals over people."""
    import numpy as np

    from ..evaluation import attribute_figures as measuring
    from ..evaluation import report_files
    from ..models.attribute_model import load_attributes
    from ..provenance import environment
    from ..training import attribute_answers
    from ..training.attribute_data import load_part
    from ..training.attribute_recipe import AttributeData
    from ..training.sections import FaceSet

    loaded = load_attributes(model, threads=threads)
    tested = load_part(
        FaceSet(dataset, split),
        part,
        data,
        cache,
        attributes=loaded.names,
        template=loaded.template,
        size=loaded.size,
        data=AttributeData(young_until=young_until),
    )
    said = attribute_answers.of_model(loaded, tested)
    thresholds = np.array([how.threshold for how in loaded.card.attributes.values()])
    found = measuring.figures(said, thresholds, seed=seed, resamples=resamples)
    name = f"{loaded.card.name}_{dataset}-{part}"
    folder = output or Path("reports") / name
    for place in (folder, results):
        if place is not None:
            report_files.make_folder(place)
    measuring.write_answers(folder / "answers.csv", said)
    facts = {
        "command": shlex.join(["phiz", *sys.argv[1:]]),
        "model": {"name": loaded.card.name, "sha256": loaded.card.sha256},
        "data set": dataset,
        "split": Path(split).name,
        "part": part,
        "pictures": len(tested),
        "faces not found": tested.missed,
        "bootstrap": {"seed": seed, "resamples": resamples, "level": 0.95, "unit": "cluster"},
        **environment("torch"),
    }
    kept = [folder / "figures", *([results / name] if results else [])]
    for stem in kept:
        measuring.write_figures(stem.with_name(f"{stem.name}.csv"), found)
        report_files.write_provenance(stem.with_name(f"{stem.name}.json"), facts)
    typer.echo(_table(found))
    typer.echo(f"{len(tested)} faces, {tested.missed} not found; written: {folder / 'answers.csv'}")


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(help="A model's answers.csv.")],
    after: Annotated[Path, typer.Argument(help="Another model's answers.csv, on the same pictures.")],
    output: Annotated[Path | None, typer.Option(help="Also write the differences to this CSV file.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    resamples: Annotated[int, typer.Option(min=1, help="Resamples of the bootstrap.")] = 1000,
) -> None:
    """Say how mean accuracy and mean balanced accuracy, decided at 1/2, differ: second less first, paired."""
    from ..evaluation import attribute_figures as measuring
    from ..evaluation.report_files import aligned, write_csv

    answers = measuring.read_answers(before), measuring.read_answers(after)
    rows = [["", "n", "first", "second", "difference [95%]"]]
    kept: list[list[object]] = []
    for what, compute in (
        ("mean accuracy, %", measuring.mean_accuracy),
        ("mean balanced accuracy, %", measuring.mean_balanced_accuracy),
    ):
        d = measuring.change(what, compute, *answers, seed=seed, resamples=resamples)
        kept.append([what.removesuffix(", %"), d.n, d.before, d.after, d.change, d.low, d.high])
        values = [f"{100 * v:.2f}" for v in (d.before, d.after)]
        difference = f"{100 * d.change:+.2f} [{100 * d.low:+.2f}, {100 * d.high:+.2f}]"
        rows.append([what, str(d.n), *values, difference])
    typer.echo(aligned(rows))
    if output is not None:
        write_csv(output, ("figure", "n", "first", "second", "difference", "low", "high"), kept)


def _table(found: list[AttributeFigure]) -> str:
    """Return a row per attribute, the means first, in percent."""
    from ..evaluation.report_files import aligned

    metrics = list(dict.fromkeys(figure.metric for figure in found))
    rows: dict[str, dict[str, AttributeFigure]] = {}
    for figure in found:
        rows.setdefault(figure.attribute, {})[figure.metric] = figure
    lines = [["", "present", *metrics]]
    for name, by_metric in rows.items():
        share = by_metric[metrics[0]].present
        cells = [f"{100 * f.value:.1f} [{100 * f.low:.1f}, {100 * f.high:.1f}]" for f in by_metric.values()]
        lines.append([name, "" if share is None else f"{100 * share:.1f}", *cells])
    return aligned(lines)
