"""phiz data: look at a data set, and make the splits again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from ..datasets import description, splits
from ..datasets.contact_sheet import chosen, write_contact_sheet
from ..datasets.near_duplicates import Small, shrink, shrink_one
from ..datasets.record import FaceRecord, Skipped
from ..datasets.registry import DATA_SETS, Reader
from ..errors import DataError

app = typer.Typer(no_args_is_help=True, help="Check data sets and make their splits.")

DataSet = Annotated[str, typer.Argument(help="Data set: " + ", ".join(DATA_SETS) + ".")]
Folder = Annotated[Path, typer.Argument(help="The folder that holds the data set.")]


def _reader(dataset: str) -> Reader:
    if dataset not in DATA_SETS:
        raise typer.BadParameter(f"expected one of {', '.join(DATA_SETS)}; got {dataset!r}")
    return DATA_SETS[dataset].reader


@app.command()
def check(
    dataset: DataSet,
    folder: Folder,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Name every row left out and every near-duplicate, not the first ones."),
    ] = False,
    near_duplicates: Annotated[
        bool, typer.Option("--near-duplicates", help="Also look for copies; this reads every picture.")
    ] = False,
    contact_sheet: Annotated[
        Path | None,
        typer.Option(
            help="Also write up to 48 of the pictures, with labels, to this .png, .jpg or .webp file. "
            "It holds faces: the data set's terms say whether anybody else may see it."
        ),
    ] = None,
) -> None:
    """Count a data set's usable pictures, their labels, and the rows left out with the reasons.

    Exit status: 0, 1 without a usable picture, 2 wrong usage.
    """
    if contact_sheet is not None:
        _check_output(contact_sheet, (".png", ".jpg", ".jpeg", ".webp"))
    skipped: list[Skipped] = []
    records = list(_reader(dataset)(folder, skipped))
    typer.echo(f"{dataset}: {len(records)} pictures, {len(skipped)} left out")
    _print(description.counts(records))
    _print(description.left_out(skipped, everything=everything))
    if near_duplicates:
        readable, small, unreadable = _shrink(records)
        _print(description.left_out(unreadable, everything=everything))
        _print(description.alike(readable, folder, small, everything=everything))
    if contact_sheet is not None:
        for problem in write_contact_sheet(contact_sheet, records):
            typer.echo(f"  not on the contact sheet: {problem}")
        typer.echo(f"{contact_sheet}: {len(chosen(records))} pictures; mind the data set's terms")
    if not records:
        raise typer.Exit(1)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(f"  {line}")


def _shrink(records: list[FaceRecord]) -> tuple[list[FaceRecord], Small, list[Skipped]]:
    """Read every picture small; those that cannot be read are left out of the comparison."""
    from tqdm import tqdm

    readable, small, unreadable = [], [], []
    for record in tqdm(records, unit="picture", disable=None):
        try:
            small.append(shrink_one(record.path))
        except DataError:
            unreadable.append(Skipped(record.path.name, "picture not readable, not compared"))
        else:
            readable.append(record)
    return readable, np.stack(small) if small else shrink([]), unreadable


def _check_output(path: Path, suffixes: tuple[str, ...] = (".csv",)) -> None:
    if path.suffix.lower() not in suffixes:
        raise typer.BadParameter(f"{path}: expected a name that ends in {', '.join(suffixes)}")
    if not path.parent.is_dir():
        raise typer.BadParameter(f"{path}: its folder does not exist; make it first")


@app.command()
def split(
    dataset: DataSet,
    folder: Folder,
    output: Annotated[Path, typer.Option(help="The CSV file to write: file, part, cluster.")],
    conflicts: Annotated[
        Path | None, typer.Option(help="UTKFace: also write the contradicting labels to this CSV file.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Which of the possible splits.")] = 0,
    test: Annotated[bool, typer.Option("--test", help="CelebA: with a test part, for attributes.")] = False,
) -> None:
    """Split a data set: near-duplicates (UTKFace), a person (CelebA) or a family (FIW) stay on one side."""
    if dataset not in ("utkface", "celeba", "fiw"):
        raise typer.BadParameter(
            f"expected utkface, celeba or fiw; {dataset!r} is only measured on, never split"
        )
    for path in (output, conflicts):
        if path is not None:
            _check_output(path)
    records = list(_reader(dataset)(folder, []))
    if test and dataset != "celeba":
        raise typer.BadParameter(f"--test belongs to celeba; the split of {dataset} has a test part anyway")
    command = f"phiz data split {dataset} DIR --seed {seed}" + (" --test" if test else "")
    if dataset == "utkface":
        rows, contradicting = splits.split_utkface(records, seed)
        typer.echo(f"{len(contradicting)} pictures in {len({c.cluster for c in contradicting})} conflicts")
        if conflicts is not None:
            header = f"Copies of one photo with contradicting labels; see README.md. {command}"
            splits.write_conflicts(conflicts, contradicting, header)
    elif dataset == "fiw":
        rows = splits.split_fiw(records, seed)
    else:
        rows = splits.split_celeba(records, seed, test=test)
    splits.write_split(output, rows, f"Rule and counts: README.md. Made by: {command}")
    parts = Counter(row.part for row in rows)
    typer.echo(f"{output}: " + ", ".join(f"{part} {number}" for part, number in sorted(parts.items())))
