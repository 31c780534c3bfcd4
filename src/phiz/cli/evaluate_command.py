"""phiz evaluate: measure a model, or a recipe fold by fold, under a protocol."""

from __future__ import annotations

import shlex
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import PhizError
from .options import FanWeights, Provider

if TYPE_CHECKING:
    from ..evaluation.answering import Plan
    from ..evaluation.groups import Scored
    from ..evaluation.protocols import Protocol


def evaluate(
    model: Annotated[
        str, typer.Argument(help="A shipped model's name, a .onnx with its card, or a recipe (.toml).")
    ],
    protocol: Annotated[Path, typer.Option(help="Protocol file, see phiz protocols list.")],
    data: Annotated[Path, typer.Option(help="Folder that holds the data sets, such as UTKFace/ and FGNET/.")],
    output: Annotated[
        Path | None, typer.Option(help="Folder of the report; reports/MODEL_PROTOCOL by default.")
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(help="Also keep the figures in this folder, with a line in its evaluations.csv."),
    ] = None,
    compare_with: Annotated[
        list[Path] | None,
        typer.Option(
            help="Another model's predictions.csv on the same pictures, for the CS plot; repeatable."
        ),
    ] = None,
    worst: Annotated[
        int, typer.Option(min=0, help="Embed so many pictures of the largest age errors into the page.")
    ] = 0,
    cropped: Annotated[
        bool | None, typer.Option(help="Take pictures as cropped faces; by default for utkface alone.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    resamples: Annotated[int, typer.Option(min=1, help="Resamples of the bootstrap.")] = 1000,
    smallest: Annotated[int, typer.Option(min=1, help="Groups of fewer pictures get no figure.")] = 30,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of a model's networks.")] = 1,
    provider: Provider = "cpu",
    cache: Annotated[Path, typer.Option(help="Folder of the cut crops, for a recipe.")] = Path("runs/cache"),
    fan_weights: FanWeights = None,
    engine: Annotated[str, typer.Option(help="What trains a recipe's folds: serial or ray.")] = "serial",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Folds trained at a time; by default what the engine holds.")
    ] = None,
    ray_address: Annotated[
        str | None, typer.Option(help="A running Ray cluster; a local one without.")
    ] = None,
) -> None:
    """Measure age error and gender accuracy under a protocol; writes a report and the numbers behind it."""
    import matplotlib  # noqa: F401  # missing, it should be named before minutes of work, not after

    from ..datasets import registry
    from ..datasets.record import Skipped
    from ..datasets.splits import load_conflicts
    from ..evaluation import answering, evaluation_page, report_files
    from ..evaluation import results as kept
    from ..evaluation.protocols import load_protocol
    from ..evaluation.summary import Evaluation
    from ..models.runtime import check_provider
    from ..provenance import environment

    if results is not None:
        report_files.make_folder(results)  # before the work, of which nothing would be kept
    check_provider(provider)
    chosen = load_protocol(protocol)
    recipe = Path(model) if Path(model).suffix == ".toml" else None
    if recipe and provider != "cpu":
        raise PhizError("--provider belongs to a model; a recipe names its device in [optimisation]")
    if recipe:
        name, facts, caution = _recipe(recipe, chosen)
    else:
        name, facts, caution = _model(model, chosen, _chips(chosen, cropped))
    folder = output or Path("reports") / f"{name}_{chosen.name}"
    report_files.make_folder(folder)

    skipped: list[Skipped] = []
    records = registry.read(chosen.dataset, data, skipped)
    plan = answering.plan(chosen, records, data / registry.named(chosen.dataset).folder)
    others = _others(name, compare_with or [], [answering.labels(plan, key) for key in plan.records])
    contradicting = load_conflicts(chosen.conflicts) if chosen.conflicts else set()

    start = time.perf_counter()
    if recipe:
        from ..training.folds import run_folds

        rows = run_folds(
            recipe,
            protocol,
            data,
            folder,
            cache,
            engine=engine,
            workers=workers,
            address=ray_address,
            fan_weights=fan_weights,
        )
    else:
        rows = _analyze(plan, model, threads=threads, cropped=_chips(chosen, cropped), provider=provider)
    seconds = time.perf_counter() - start

    made = Evaluation(
        model=name,
        protocol=chosen,
        rows=rows,
        made_by=_made_by(name, len(plan.folds), facts, promised=not caution),
        skipped=skipped,
        contradicting=contradicting,
        others=others,
        caution=caution,
        seed=seed,
        resamples=resamples,
        smallest=smallest,
    )
    counts = _counts(rows, skipped)
    facts = {
        "command": shlex.join(["phiz", *sys.argv[1:]]),
        "protocol": {"name": chosen.name, "kind": chosen.kind, "data set": chosen.dataset},
        **facts,
        **counts,
        "bootstrap": {"seed": seed, "resamples": resamples, "level": 0.95, "unit": "cluster"},
        "smallest group": smallest,
        "seconds": round(seconds, 1),
        **environment("scikit-learn", "scipy", "matplotlib", *(("torch",) if recipe else ())),
    }
    pictures = [(plan.records[row.file].path, row) for row in evaluation_page.worst_rows(rows, worst)]
    numbers = kept.write(made, facts, folder, pictures)
    by_group = [f for f in numbers.figures if f.kind in ("all", "age band", "gender", "group")]
    typer.echo(report_files.table(by_group, chosen.metrics))
    typer.echo(", ".join(f"{number} {what}" for what, number in counts.items()))
    if made.caution:
        typer.echo(f"caution: {made.caution}", err=True)
    if worst:
        typer.echo(f"{folder / 'report.html'} holds research pictures: do not publish it", err=True)
    typer.echo(f"written: {folder / 'report.html'} and the numbers behind it")
    if results is not None:
        typer.echo(f"kept: {kept.add_to_results(made, numbers, facts, results)}")


def _analyze(plan: Plan, model: str, *, threads: int, cropped: bool, provider: str) -> list[Scored]:
    """Return the answers that phiz analyze gives on the test pictures of every fold."""
    from tqdm import tqdm

    from ..analyzer import Analyzer
    from ..evaluation import answering

    analyzer = Analyzer(model, threads=threads, cropped=cropped, provider=provider)
    answers = answering.score(plan, analyzer)
    return answering.spread(tqdm(answers, total=len(plan.records), unit="picture", disable=None), plan.folds)


def _chips(protocol: Protocol, cropped: bool | None) -> bool:
    from ..datasets.registry import named

    return named(protocol.dataset).chips if cropped is None else cropped


def _model(model: str, protocol: Protocol, cropped: bool) -> tuple[str, dict[str, Any], str]:
    """Return a model's name, the facts of provenance, and a caution or ""."""
    from ..detect import load_card
    from ..evaluation import cautions
    from ..models.model_store import find_model
    from ..models.session import gender_model

    card, _ = find_model(model)
    other = gender_model(card)
    facts: dict[str, Any] = {
        "model": {"name": card.name, "sha256": card.sha256},
        "detector": load_card().sha256,
        "cropped": cropped,
    }
    if other:
        facts["model"]["gender from"] = other
    cards = [card, *([find_model(other)[0]] if other else [])]
    return card.name, facts, cautions.of_models(cards, protocol)


def _recipe(path: Path, protocol: Protocol) -> tuple[str, dict[str, Any], str]:
    """Return a recipe's name, the facts of provenance, and a caution or ""."""
    import hashlib

    from ..evaluation import cautions
    from ..training import learnt
    from ..training.recipe import load_recipe

    recipe = load_recipe(path)
    facts: dict[str, Any] = {"name": recipe.name, "file": path.name}
    facts["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    if recipe.start:
        facts["start"] = recipe.start.name
    ways = learnt.beside_folds(recipe, protocol.dataset)
    return recipe.name, {"recipe": facts}, cautions.of_recipe(recipe.name, ways, protocol)


def _others(model: str, paths: Sequence[Path], tested: Sequence[Scored]) -> dict[str, list[Scored]]:
    """Return further models' predictions by a name that is not the model's own.

    Raises DataError where one is not of the same data.
    """
    from ..errors import DataError
    from ..evaluation import compare
    from ..evaluation.report_files import read_predictions

    names = [f"{name} (other)" if name == model else name for name in compare.names(paths)]
    found = dict(zip(names, map(read_predictions, paths), strict=True))
    for path, rows in zip(paths, found.values(), strict=True):
        try:
            compare.match(tested, rows)
        except DataError as error:
            raise DataError(f"--compare-with {path}: {error}") from error
    return found


def _made_by(name: str, folds: int, facts: Mapping[str, Any], *, promised: bool) -> str:
    if recipe := facts.get("recipe"):
        start = f", starting from {recipe['start']}," if "start" in recipe else ""
        several = f"each of {folds} folds" if folds > 1 else "the training part"
        promise = "; no fold trains on what it tests" if promised else ""
        return f"Trained by the recipe {name}{start} on {several}{promise}."
    several = f" of all {folds} folds" if folds > 1 else ""
    gender_from = facts["model"].get("gender from")
    other = f" Gender is {gender_from}'s answer, not its own." if gender_from else ""
    return f"The same weights, {name}, answer the test pictures{several}, by the way of phiz analyze.{other}"


def _counts(rows: Sequence[Scored], skipped: Sequence[Any]) -> dict[str, int]:
    problems = Counter(row.problem for row in rows)
    return {
        "pictures": len(rows),
        "faces not found": problems["no face found"],
        "unreadable": problems["unreadable"],
        "left out by the reader": len(skipped),
    }
