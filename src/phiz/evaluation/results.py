"""What phiz evaluate leaves behind: one page, and the CSV and SVG behind each of its plots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import plots, report_files
from .evaluation_page import render
from .groups import Scored
from .plot_tables import Table
from .summary import Evaluation, Numbers, headline, measure

#: The most pictures whose answers are kept beside the figures; about a megabyte.
KEPT = 20_000

_PLOTS: dict[str, Callable[[Table], str]] = {
    "cs_curve": plots.cs_curves,
    "error_by_age": plots.error_by_age,
    "density": plots.density,
    "reliability": plots.reliability,
}


def write(
    made: Evaluation, facts: Mapping[str, Any], folder: Path, worst: Sequence[tuple[Path, Scored]] = ()
) -> Numbers:
    """Write report.html and every CSV, SVG and JSON of an evaluation into a folder, and return its numbers.

    facts: provenance. worst: pictures to embed into the page, and nowhere else. Raises DataError.
    """
    report_files.make_folder(folder)
    numbers = measure(made)
    drawn = {name: draw(numbers.tables[name]) for name, draw in _PLOTS.items() if numbers.tables[name].rows}
    report_files.write_predictions(folder / "predictions.csv", made.rows)
    report_files.write_figures(folder / "figures.csv", numbers.figures)
    for table in numbers.tables.values():
        report_files.write_csv(folder / f"{table.name}.csv", table.columns, table.rows)
    for name, svg in drawn.items():
        report_files.write_text(folder / f"{name}.svg", plots.standalone(svg))
    report_files.write_provenance(folder / "provenance.json", facts)
    report_files.write_text(folder / "report.html", render(made, numbers, drawn, facts, worst))
    return numbers


def add_to_results(made: Evaluation, numbers: Numbers, facts: Mapping[str, Any], folder: Path) -> Path:
    """Keep an evaluation's figures in a folder of results, as MODEL_PROTOCOL.csv and .json; return the CSV.

    Its CS curve lies beside them, the folds too where there are several, its line in evaluations.csv, and,
    for up to KEPT pictures, each picture's answer (.answers.csv), of which `phiz compare` makes every paired
    difference again. Raises DataError.
    """
    stem = f"{made.model}_{made.protocol.name}"
    path = folder / f"{stem}.csv"
    report_files.write_figures(path, numbers.figures)
    report_files.write_provenance(folder / f"{stem}.json", facts)
    for name in ("cs_curve", "folds"):
        if (table := numbers.tables[name]).rows:
            report_files.write_csv(folder / f"{stem}.{name}.csv", table.columns, table.rows)
    if (curves := numbers.tables["cs_curve"]).rows:
        report_files.write_text(folder / f"{stem}.cs_curve.svg", plots.standalone(plots.cs_curves(curves)))
    if len(made.rows) <= KEPT:
        report_files.write_answers(folder / f"{stem}.answers.csv", made.rows)
    report_files.add_to_index(folder, _line(made, numbers, facts))
    return path


def _line(made: Evaluation, numbers: Numbers, facts: Mapping[str, Any]) -> dict[str, Any]:
    line: dict[str, Any] = {
        "model": made.model,
        "protocol": made.protocol.name,
        "dataset": made.protocol.dataset,
    }
    line["pictures"] = len(made.rows)
    line["answered"] = sum(row.problem is None for row in made.rows)
    line["folds"] = max(1, len(numbers.tables["folds"].rows))
    for metric in ("mae", "cs5", "gender_accuracy"):
        found = headline(numbers.figures, metric)
        for suffix in ("value", "low", "high"):
            name = metric if suffix == "value" else f"{metric}_{suffix}"
            line[name] = getattr(found, suffix) if found else None
    over = headline(numbers.figures, "mae", "mean over folds")
    line["mae_mean_over_folds"] = over.value if over else None
    line["commit"] = facts.get("commit")
    return line
