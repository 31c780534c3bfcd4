"""phiz export: a run's best checkpoint, or a model, as the file that a program or a device wants."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import PhizError


class Kind(str, Enum):
    """What can be written; the names are those of --format."""

    onnx = "onnx"
    int8 = "onnx-int8"
    int8_weights = "onnx-int8-weights"
    fp16 = "onnx-fp16"
    ncnn = "ncnn"
    openvino = "openvino"


def export(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="Folder of a run, as phiz train wrote it; a shipped model's name; or a .onnx with its card.",
        ),
    ],
    format: Annotated[Kind, typer.Option(help="The file to write.")] = Kind.onnx,
    recipe: Annotated[
        Path | None,
        typer.Option(help="The recipe of the run; smaller models are measured on its validation part."),
    ] = None,
    data: Annotated[Path, typer.Option(help="Folder that holds the data sets.")] = Path("../shared/data"),
    cache: Annotated[Path, typer.Option(help="Folder of the cut crops.")] = Path("runs/cache"),
    weights: Annotated[
        str | None, typer.Option(help="Branch weights of a run: fixed or fitted; the recipe's by default.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder to write to; by default the run's, or this one.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of an ONNX file made of another; by default NAME-FORMAT.")
    ] = None,
) -> None:
    """Write a model in another format, after checking that the file gives the model's answers.

    A run gives its best checkpoint so far, also where it was stopped early. onnx-int8 is calibrated on the
    training part and measured on the validation part. docs/deploy.md says which format is for which device.
    """
    run = Path(source) if Path(source).is_dir() else None
    if run and recipe is None:
        raise PhizError(f"{run} is the folder of a run: give its recipe too (--recipe FILE)")
    if not run and weights is not None:
        raise PhizError("--weights belongs to a run's folder; a model's branch weights are in its graph")
    folder = output or run or Path()
    model: str | Path = source
    if run and recipe:
        model = _from_run(run, recipe, weights, data, cache, folder)
    if format is Kind.onnx:
        if not run:
            raise PhizError(f"{source} is an ONNX model already; --format names what to make of it")
        return
    if recipe is not None and _of_attributes(recipe):
        _say(_of_attributes_smaller(model, format, recipe, data, cache, folder, name))
    elif format is Kind.int8:
        if recipe is None:
            raise PhizError(
                "onnx-int8 is calibrated on pictures: give the recipe that names them (--recipe FILE)"
            )
        _say(_int8(model, recipe, data, cache, folder, name))
    elif format in (Kind.fp16, Kind.int8_weights):
        _say(_smaller(model, format, recipe, data, cache, folder, name))
    else:
        from ..training.convert import convert

        for path in convert(format.value, model, folder):
            typer.echo(f"written: {path}")


def _of_attributes(recipe: Path) -> bool:
    from ..training.attribute_recipe import is_attribute_recipe

    return is_attribute_recipe(recipe)


def _of_attributes_smaller(
    model: str | Path, format: Kind, recipe: Path, data: Path, cache: Path, folder: Path, name: str | None
) -> Path:
    """Make a smaller network of attributes, and measure both on the validation part."""
    from ..training.attribute_data import load_parts
    from ..training.attribute_recipe import load_attribute_recipe
    from ..training.attribute_shrink import shrink

    parts = load_parts(load_attribute_recipe(recipe), data, cache, ["validation"])
    return shrink(model, format.value.removeprefix("onnx-"), list(parts.values()), folder, name)


def _from_run(run: Path, recipe: Path, weights: str | None, data: Path, cache: Path, folder: Path) -> Path:
    from ..training.recipe import Recipe, with_weights
    from ..training.run import export_run, load_any_recipe

    chosen = load_any_recipe(recipe)
    if isinstance(chosen, Recipe):
        chosen = with_weights(chosen, weights)
    path = export_run(chosen, run, data, cache, folder)
    _say(path)
    return path


def _int8(model: str | Path, recipe: Path, data: Path, cache: Path, folder: Path, name: str | None) -> Path:
    """Quantise, and measure both on the validation part."""
    from dataclasses import asdict

    import onnx

    from ..models.model_store import find_model
    from ..models.session import load_model
    from ..training import quantise as q
    from ..training.age_gender_data import load_parts
    from ..training.recipe import load_recipe

    card, path = find_model(model)
    train, *_ = load_parts(load_recipe(recipe), data, cache, ["train"]).values()
    crops = q.calibration_crops(train, load_model(model).size)
    how = q.Settings()
    graph = q.quantise(onnx.load(path), crops, how)
    called = name or f"{card.name}-int8"
    made = q.write(graph, model, called, {}, folder)
    figures: dict[str, Any] = {
        "validation": _both(model, made, "int8", recipe, data, cache),
        "quantisation": {"of sha256": card.sha256, **asdict(how), "calibration crops": len(crops)},
    }
    return q.write(graph, model, called, figures, folder)  # the card with its figures


def _smaller(
    model: str | Path,
    format: Kind,
    recipe: Path | None,
    data: Path,
    cache: Path,
    folder: Path,
    name: str | None,
) -> Path:
    """Store the weights in fewer bits, the arithmetic stays float32; measure both where a recipe is given."""
    import onnx

    from ..models.model_store import find_model
    from ..models.session import load_model
    from ..training import quantise as q
    from ..training.convert import parity

    card, path = find_model(model)
    bits, make = ("fp16", q.half) if format is Kind.fp16 else ("int8-weights", q.byte_weights)
    graph = make(onnx.load(path))
    called = name or f"{card.name}-{bits}"
    made = q.write(graph, model, called, {}, folder)
    difference = parity(load_model(model), load_model(made).run)
    typer.echo(
        f"largest change on made pictures: {difference:.2g} (relative to 1, or to the value if larger)"
    )
    figures = {
        **card.figures,
        "weights": {"bits": bits, "of sha256": card.sha256, "largest change": difference},
    }
    if recipe:
        figures["validation"] = _both(model, made, bits, recipe, data, cache)
    return q.write(graph, model, called, figures, folder)


def _both(
    model: str | Path, made: Path, bits: str, recipe: Path, data: Path, cache: Path
) -> dict[str, dict[str, float]]:
    """Measure a float model and what was made of it on the recipe's validation part, and say it."""
    from ..training.age_gender_data import load_parts
    from ..training.figures import said
    from ..training.quantise import measure
    from ..training.recipe import load_recipe

    validation, *_ = load_parts(load_recipe(recipe), data, cache, ["validation"]).values()
    found = {"float32": measure(model, validation), bits: measure(made, validation)}
    for which, values in found.items():
        typer.echo(f"validation, {which}: {said(values)}")
    return found


def _say(path: Path) -> None:
    typer.echo(f"written: {path} and {path.with_suffix('.json')}")
