"""phiz fairness: attributes by group, before and after fine-tuning."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Measure how unequal errors are between groups, and change it.")

Seed = Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")]
Resamples = Annotated[int, typer.Option(min=1, help="Resamples of the bootstrap.")]
Smallest = Annotated[int, typer.Option(min=1, help="Groups of fewer pictures get no figure.")]


@app.command()
def compare(
    answers: Annotated[
        list[Path],
        typer.Argument(help="answers.csv of each model on the same pictures; the first is the one before."),
    ],
    attributes: Annotated[str, typer.Option(help="Attributes to compare, commas between.")] = "Male,Young",
    source: Annotated[
        list[Path] | None,
        typer.Option(
            help="The same models' answers on what they were first trained on, in the same order, to say "
            "what was forgotten; repeatable."
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Also write the table to this CSV file.")] = None,
    seed: Seed = 0,
    resamples: Resamples = 1000,
    smallest: Smallest = 30,
) -> None:
    """Print accuracy in percent by group before and after, the gap between groups, and what was forgotten."""
    from ..evaluation import attribute_fairness as fairness
    from ..evaluation.attribute_figures import read_answers
    from ..evaluation.compare import names

    if source and len(source) != len(answers):
        raise typer.BadParameter(
            f"expected --source once for each of {len(answers)} models, got {len(source)}"
        )
    named = [path.resolve().parent.name if path.stem == "answers" else path.stem for path in answers]
    if len(set(named)) < len(named):
        named = names(answers)
    lines = fairness.lines(
        dict(zip(named, map(read_answers, answers), strict=True)),
        [name.strip() for name in attributes.split(",")],
        dict(zip(named, map(read_answers, source), strict=True)) if source else None,
        seed=seed,
        resamples=resamples,
        smallest=smallest,
    )
    typer.echo(fairness.text(lines))
    if output is not None:
        fairness.write_lines(output, lines)


@app.command()
def experiment(
    recipe: Annotated[Path, typer.Argument(help="Recipe for attributes, with start and [source].")],
    data: Annotated[Path, typer.Option(help="Folder that holds the data sets.")] = Path("../shared/data"),
    output: Annotated[Path | None, typer.Option(help="Folder; runs/NAME-SEED by default.")] = None,
    results: Annotated[Path | None, typer.Option(help="Also keep the table in this folder.")] = None,
    cache: Annotated[Path, typer.Option(help="Folder of the cut crops.")] = Path("runs/cache"),
    training_seed: Annotated[int | None, typer.Option(help="Use this seed, not the recipe's.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores by default.")] = None,
    seed: Seed = 0,
    resamples: Resamples = 1000,
    smallest: Smallest = 30,
) -> None:
    """Measure a model by group, fine-tune it on the worst group and on a balanced mix, and compare.

    Started again after a kill it goes on where it stopped.
    """
    import torch

    from ..evaluation import attribute_fairness as fairness
    from ..evaluation import report_files
    from ..provenance import environment
    from ..training.attribute_recipe import load_attribute_recipe
    from ..training.bias import TOLD, experiment
    from ..training.run import with_seed

    if threads is not None:
        torch.set_num_threads(threads)
    chosen = with_seed(load_attribute_recipe(recipe), training_seed)
    name = f"{chosen.name}-{chosen.seed}"
    folder = output or Path("runs") / name
    if results is not None:
        report_files.make_folder(results)  # before the work, of which nothing would be kept
    outcome = experiment(chosen, data, folder, cache, smallest=smallest)
    lines = fairness.lines(
        outcome.models, TOLD, outcome.source, seed=seed, resamples=resamples, smallest=smallest
    )
    facts = {
        "command": shlex.join(["phiz", *sys.argv[1:]]),
        "recipe": chosen.path.name,
        "seed": chosen.seed,
        "young until": chosen.data.young_until,
        "worst group on validation": outcome.worst,
        "mean accuracy on validation before": outcome.before,
        "bootstrap": {"seed": seed, "resamples": resamples, "level": 0.95, "unit": "cluster"},
        **environment("torch"),
    }
    for stem in (folder / "fairness", *([results / f"fairness_{name}"] if results else [])):
        fairness.write_lines(stem.with_name(f"{stem.name}.csv"), lines)
        report_files.write_provenance(stem.with_name(f"{stem.name}.json"), facts)
    typer.echo(f"worst group on validation: {outcome.worst}")
    typer.echo(fairness.text(lines))


@app.command()
def young(
    data: Annotated[Path, typer.Option(help="Folder that holds CelebA/.")],
    split: Annotated[Path, typer.Option(help="Split file; its training part is read.")],
    pictures: Annotated[int, typer.Option(min=100, help="How many pictures to read.")] = 2000,
    model: Annotated[str, typer.Option(help="Model of age.")] = "multitask-64",
) -> None:
    """Say at which age CelebA's Young ends, by what a model of age reads from its training pictures."""
    from tqdm import tqdm

    from ..analyzer import Analyzer
    from ..datasets import registry
    from ..datasets.splits import load_split
    from ..training.bias import last_young_age

    listed = set(load_split(split)["train"])
    records = [r for r in registry.read("celeba", data) if r.path.name in listed and r.attributes]
    taken = [records[i * len(records) // pictures] for i in range(pictures)][: len(records)]
    ages, labels = [], []
    results = Analyzer(model).analyze_many([record.path for record in taken])
    for record, result in zip(taken, tqdm(results, total=len(taken), disable=None), strict=True):
        if result.faces and record.attributes:
            ages.append(result.faces[0].age)
            labels.append(record.attributes["Young"])
    age, value = last_young_age(ages, labels)
    typer.echo(
        f"Young ends after the year {age}: 'at most {age}' agrees with the label at a balanced accuracy of "
        f"{value:.1%}, by {model} on {len(ages)} pictures"
    )
