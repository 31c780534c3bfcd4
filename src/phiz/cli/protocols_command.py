"""phiz protocols: which pictures train and which test, to read and as a file for other tools."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..errors import RecipeError

app = typer.Typer(no_args_is_help=True, help="List, show and save evaluation protocols.")

File = Annotated[Path, typer.Argument(help="A protocol file, such as protocols/utkface-test.toml.")]


@app.command("list")
def list_(
    folder: Annotated[Path, typer.Argument(help="The folder that holds protocol files.")] = Path("protocols"),
) -> None:
    """List the protocols of a folder: name, data set, kind, what it is."""
    from ..evaluation.protocols import load_protocol

    files = sorted(folder.glob("*.toml"), key=lambda path: path.stem)
    if not files:
        raise RecipeError(
            f"{folder}: expected a folder of protocol files (.toml), got none; "
            "phiz recipes FOLDER writes those that ship with phiz"
        )
    rows = [("name", "data set", "kind", "about")]
    for path in files:
        protocol = load_protocol(path)
        rows.append((protocol.name, protocol.dataset, protocol.kind, protocol.about))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


@app.command()
def show(
    file: File,
    data: Annotated[
        Path | None,
        typer.Option(help="The folder that holds the data sets: also count each fold's pictures."),
    ] = None,
) -> None:
    """Print a protocol's settings and, with --data, the size of its folds."""
    from ..evaluation.protocols import OFFICIAL, divide, load_protocol

    protocol = load_protocol(file)
    for key, value in asdict(protocol).items():
        if key == "split" and protocol.kind == "fixed":
            typer.echo(f"split: {value or OFFICIAL}")
        elif value not in ("", 0, None) or (key == "seed" and protocol.kind in ("k-fold", "random-repeats")):
            typer.echo(f"{key}: {value}")
    if data is not None:
        for fold in divide(protocol, data):
            typer.echo(f"fold {fold.name}: {len(fold.train):,} train, {len(fold.test):,} test")


@app.command()
def save(
    file: File,
    data: Annotated[Path, typer.Option(help="The folder that holds the data sets.")],
    output: Annotated[Path, typer.Option(help="The CSV file to write: fold, part (train or test), file.")],
) -> None:
    """Write a protocol's folds as a CSV file that another tool can read."""
    from ..evaluation.protocols import divide, load_protocol, save_folds

    if not output.parent.is_dir():
        raise typer.BadParameter(f"{output}: its folder does not exist; make it first")
    made = divide(load_protocol(file), data)
    save_folds(output, made)
    tested = len({key for fold in made for key in fold.test})
    typer.echo(f"{output}: {len(made)} folds, {tested:,} pictures tested")
