"""phiz robustness: what bad pictures and badly cut crops do to a model's answers."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..evaluation.robustness import Row


def robustness(
    model: Annotated[str, typer.Argument(help="A shipped model's name, or a .onnx with its card.")],
    data: Annotated[Path, typer.Option(help="Folder that holds the data sets, such as UTKFace/.")],
    protocol: Annotated[
        list[Path] | None,
        typer.Option(
            help="Protocol file of the pictures, see phiz protocols list; repeatable. "
            "protocols/utkface-validation.toml by default."
        ),
    ] = None,
    pictures: Annotated[int, typer.Option(min=1, help="Pictures drawn of each protocol.")] = 500,
    output: Annotated[Path, typer.Option(help="Folder of table and plot.")] = Path("reports/robustness"),
    cropped: Annotated[
        bool | None, typer.Option(help="Take pictures as cropped faces; by default as the data set has them.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw and of the bootstrap.")] = 0,
    resamples: Annotated[int, typer.Option(min=1, help="Resamples of the bootstrap.")] = 1000,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; by default one a core.")] = None,
) -> None:
    """Measure age error and gender under noise, blur, weather, JPEG, few pixels and badly cut crops."""
    import matplotlib  # noqa: F401  # missing, it should be named before minutes of work, not after
    from tqdm import tqdm

    from ..datasets import registry
    from ..datasets.record import Skipped
    from ..evaluation import answering, plots, report_files, robustness_plot
    from ..evaluation import robustness as measuring
    from ..evaluation.protocols import load_protocol
    from ..models.model_store import find_model
    from ..provenance import environment

    report_files.make_folder(output)
    card, _ = find_model(model)
    for path in protocol or [Path("protocols/utkface-validation.toml")]:
        start = time.perf_counter()
        chosen = load_protocol(path)
        skipped: list[Skipped] = []
        records = registry.read(chosen.dataset, data, skipped)
        plan = answering.plan(chosen, records, data / registry.named(chosen.dataset).folder)
        drawn = {key: plan.records[key] for key in measuring.draw(plan.records, pictures, seed)}
        chips = registry.named(chosen.dataset).chips if cropped is None else cropped
        asked = measuring.answers(drawn, plan.clusters, model, cropped=chips, workers=workers)
        found = list(tqdm(asked, total=len(drawn), unit="picture", disable=None))
        answered = [each for each in found if each is not None]
        rows = measuring.rows(answered, card.input.size, seed=seed, resamples=resamples)
        stem = output / f"{card.name}_{chosen.name}"
        facts = {
            "command": shlex.join(["phiz", *sys.argv[1:]]),
            "protocol": {"name": chosen.name, "data set": chosen.dataset},
            "model": {"name": card.name, "sha256": card.sha256},
            "cropped": chips,
            "pictures": len(drawn),
            "faces not found": len(found) - len(answered),
            "seed": seed,
            "bootstrap": {"resamples": resamples, "level": 0.95, "unit": "cluster"},
            "seconds": round(time.perf_counter() - start, 1),
            **environment("scipy", "matplotlib"),
        }
        report_files.write_csv(stem.with_suffix(".csv"), measuring.COLUMNS, map(measuring.cells, rows))
        drawing = robustness_plot.draw(rows, f"{card.name} on {chosen.name}")
        report_files.write_text(stem.with_suffix(".svg"), plots.standalone(drawing))
        report_files.write_provenance(stem.with_suffix(".json"), facts)
        typer.echo(_table(rows))
        typer.echo(f"{len(drawn)} pictures, a face found in {len(answered)}")
        typer.echo(f"written: {stem}.csv, .svg and .json")


def _table(rows: Sequence[Row]) -> str:
    """Return a line per kind: age error in years and flipped genders at each strength."""
    from ..evaluation.report_files import aligned
    from ..evaluation.robustness import MEASURES

    shown = [name for name in ("error", "flipped") if any(row.measure == name for row in rows)]
    titles = [{"error": "years", "flipped": "flips, %"}[name] for name in shown]
    lines = [["", *(title if i == 0 else "" for title in titles for i in range(6))]]
    lines.append(["strength", *(str(i or "mean") for _ in shown for i in range(6))])
    for kind in dict.fromkeys(row.kind for row in rows):
        lines.append([kind])
        for name, digits in zip(shown, (1, 0) if "error" in shown else (0,), strict=True):
            values = {
                r.strength: r.value * MEASURES[name][1] for r in rows if (r.kind, r.measure) == (kind, name)
            }
            values[0] = sum(values.values()) / max(1, len(values))
            lines[-1] += [f"{values[i]:.{digits}f}" if i in values else "" for i in range(6)]
    return aligned(lines)
