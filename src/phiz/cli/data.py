"""phiz data: look at a data set, and make the splits again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from ..datasets import splits
from ..datasets.readers import READERS, Reader
from ..datasets.record import Skipped

app = typer.Typer(no_args_is_help=True, help="Check data sets and make their splits.")

DataSet = Annotated[str, typer.Argument(help="Data set: " + ", ".join(READERS) + ".")]
Folder = Annotated[Path, typer.Argument(help="The folder that holds the data set.")]


def _reader(dataset: str) -> Reader:
    if dataset not in READERS:
        raise typer.BadParameter(f"expected one of {', '.join(READERS)}; got {dataset!r}")
    return READERS[dataset]


@app.command()
def check(dataset: DataSet, folder: Folder) -> None:
    """Count a data set's usable pictures, and the rows left out with the reasons."""
    skipped: list[Skipped] = []
    records = list(_reader(dataset)(folder, skipped))
    typer.echo(f"{dataset}: {len(records)} pictures, {len(skipped)} left out")
    _counts("age", Counter(splits.age_band(r.age) for r in records if r.age is not None))
    _counts("gender", Counter(r.gender for r in records if r.gender is not None))
    _counts("group", Counter(r.group for r in records if r.group is not None))
    subjects = {r.subject for r in records if r.subject is not None}
    if subjects:
        typer.echo(f"  people: {len(subjects)}")
    for reason, number in sorted(Counter(row.reason for row in skipped).items()):
        names = [row.name for row in skipped if row.reason == reason]
        shown = ", ".join(map(repr, names[:5])) + (" ..." if number > 5 else "")
        typer.echo(f"  left out, {reason}: {number} ({shown})")


def _counts(title: str, counts: Counter[str]) -> None:
    if counts:
        typer.echo(f"  {title}: " + ", ".join(f"{name} {counts[name]}" for name in sorted(counts)))


@app.command()
def split(
    dataset: DataSet,
    folder: Folder,
    output: Annotated[Path, typer.Option(help="The CSV file to write: file, part, cluster.")],
    conflicts: Annotated[
        Path | None, typer.Option(help="UTKFace: also write the contradicting labels to this CSV file.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Which of the possible splits.")] = 0,
) -> None:
    """Split a data set, with near-duplicates (UTKFace) or one person's pictures (CelebA) on one side."""
    if dataset not in ("utkface", "celeba"):
        raise typer.BadParameter(f"expected utkface or celeba; {dataset!r} is only measured on, never split")
    for path in (output, conflicts):
        if path is not None and not path.parent.is_dir():
            raise typer.BadParameter(f"{path}: its folder does not exist; make it first")
    records = list(_reader(dataset)(folder, []))
    command = f"phiz data split {dataset} DIR --seed {seed}"
    if dataset == "utkface":
        rows, contradicting = splits.split_utkface(records, seed)
        typer.echo(f"{len(contradicting)} pictures in {len({c.cluster for c in contradicting})} conflicts")
        if conflicts is not None:
            header = f"Copies of one photo with contradicting labels; see README.md. {command}"
            splits.write_conflicts(conflicts, contradicting, header)
    else:
        rows = splits.split_celeba(records, seed)
    splits.write_split(output, rows, f"Rule and counts: README.md. Made by: {command}")
    parts = Counter(row.part for row in rows)
    typer.echo(f"{output}: " + ", ".join(f"{part} {number}" for part, number in sorted(parts.items())))
