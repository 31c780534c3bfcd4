"""phiz analyze: pictures in, one answer per picture out."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ImageError, OutputError, PhizError
from ..files import own_part
from ..image import MAX_PIXELS
from .options import Coverage, MaxPixels, MinFace, MinGenderScore, Model, Provider, Strict
from .output import Format, Sink, format_of, header, render

if TYPE_CHECKING:
    from ..analyzer import Image
    from ..image.inputs import Aside
    from ..types import Result


class Engine(str, Enum):
    """What does the work; the names are those of --engine."""

    serial = "serial"
    ray = "ray"


#: A progress bar is worth its line from this many pictures on.
BAR_FROM = 6


def analyze(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Pictures, folders (searched at any depth), globs, or - for standard input; "
            "with --engine ray also URIs such as s3://bucket/folder.",
        ),
    ],
    format: Annotated[
        Format | None,
        typer.Option(
            help="A table to read, one JSON object per picture, or CSV with a row per face; by default what "
            "--output's name ends in (.jsonl, .csv), else a table."
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write there; the file appears once it is complete. With --engine ray: Parquet, "
            "a NAME.parquet, or a folder or URI of parts.",
        ),
    ] = None,
    annotate: Annotated[
        str | None, typer.Option(metavar="DIR", help="Also draw the answers on copies of the pictures there.")
    ] = None,
    cropped: Annotated[
        bool, typer.Option("--cropped", help="Every picture is one already cropped face.")
    ] = False,
    model: Model = "multitask-64",
    coverage: Coverage = 0.9,
    min_gender_score: MinGenderScore = 0.5,
    strict: Strict = False,
    min_face: MinFace = None,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads inside one network call.")] = 1,
    max_pixels: MaxPixels = MAX_PIXELS,
    provider: Provider = "cpu",
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first picture that cannot be read.")
    ] = False,
    attributes: Annotated[
        str | None,
        typer.Option(
            metavar="default|all|NAME,NAME",
            help="Also tell attributes such as Eyeglasses; `phiz attributes list` names them.",
        ),
    ] = None,
    attribute_model: Annotated[
        str, typer.Option(help="The model that tells them: a name, or a .onnx with its card.")
    ] = "attributes-112",
    engine: Annotated[
        Engine, typer.Option(help="Work here, or in many processes on Ray (extra scale), into Parquet.")
    ] = Engine.serial,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processes of --engine ray; default: every CPU.")
    ] = None,
    ray_address: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="A running Ray cluster; default: a Ray on this machine."),
    ] = None,
) -> None:
    """Say age and gender for every face in the pictures, in the order given.

    Exit status: 0 all pictures read, 1 some could not be read, a folder or pattern among several gave
    none, or the output could not be written, 2 wrong usage.
    """
    if engine is Engine.ray:
        if format not in (None, Format.table) or annotate is not None or fail_fast:
            raise PhizError("--engine ray writes Parquet; leave out --format, --annotate and --fail-fast")
        if provider != "cpu":
            raise PhizError("--engine ray runs the networks on the CPU; leave out --provider")
        if attributes is not None:
            raise PhizError("--engine ray tells age and gender; leave out --attributes")
        _analyze_on_ray(
            paths,
            output,
            workers,
            ray_address,
            model=model,
            min_face=min_face,
            threads=threads,
            cropped=cropped,
            max_pixels=max_pixels,
            coverage=coverage,
            min_gender_score=min_gender_score,
            strict=strict,
        )
        return
    if workers is not None or ray_address is not None:
        raise PhizError("--workers and --ray-address belong to --engine ray; add it, or leave them out")

    from tqdm import tqdm

    from ..analyzer import Analyzer
    from ..image.inputs import Aside, expand, named_sources

    format = format_of(format, output)
    pictures = expand(paths, aside := Aside())
    _tell(aside)
    _check_output(output, pictures)
    analyzer = Analyzer(
        model,
        min_face=min_face,
        threads=threads,
        max_pixels=max_pixels,
        cropped=cropped,
        provider=provider,
        attributes=attributes,
        attribute_model=attribute_model,
        coverage=coverage,
        min_gender_score=min_gender_score,
        strict=strict,
    )
    thresholds = analyzer.attribute_thresholds
    copies = AnnotatedCopies(annotate, pictures) if annotate is not None else None
    show_bar = len(pictures) >= BAR_FROM and sys.stderr.isatty()
    failed = 0
    with (
        Sink(output) as sink,
        tqdm(total=len(pictures), unit=" pictures", disable=not show_bar) as bar,
        closing(analyzer.analyze_named(named_sources(pictures))) as results,
    ):
        sink.write(header(format, thresholds))
        for source, (result, picture) in zip(pictures, results, strict=True):
            with bar.external_write_mode():  # takes the bar off the screen meanwhile
                sink.write(render(result, format, thresholds))
            if picture is None:
                failed += 1
                if fail_fast:
                    raise OutputError(f"stopped at the first unreadable picture: {result.error}")
            elif copies:
                try:
                    copies.write(source, picture.whole(), result)
                except ImageError as error:  # it was read smaller, and cannot be read whole
                    failed += 1
                    print(f"phiz: {error}", file=sys.stderr)
            bar.update()
    _exit(failed, len(pictures), aside)


def _tell(aside: Aside) -> None:
    for line in aside.lines():
        print(f"phiz: {line}", file=sys.stderr)


def _exit(failed: int, pictures: int, aside: Aside) -> None:
    if failed:
        print(f"phiz: {failed} of {pictures} pictures could not be read", file=sys.stderr)
    if failed or aside.problems:
        raise typer.Exit(1)


def _analyze_on_ray(
    paths: list[str], output: str | None, workers: int | None, address: str | None, **settings: Any
) -> None:
    if output is None:
        raise PhizError("--engine ray needs --output: a NAME.parquet, or a folder or URI for its parts")
    try:
        from ..scale.analysis import Settings
        from ..scale.analysis import analyze as analyze_on_ray
        from ..scale.pictures import expand
    except ModuleNotFoundError as error:
        raise PhizError(f'--engine ray needs {error.name}: pip install "phiz[scale]"') from error
    from ..image.inputs import Aside

    pictures = expand(paths, aside := Aside())
    _tell(aside)
    try:
        count = analyze_on_ray(pictures, output, Settings(**settings), workers=workers, address=address)
    except KeyboardInterrupt:
        print("phiz: not complete; the same command goes on with the parts that are missing", file=sys.stderr)
        raise
    _exit(count.unreadable, count.pictures, aside)


def _check_output(output: str | None, pictures: list[str]) -> None:
    if output is not None and os.path.realpath(output) in map(os.path.realpath, pictures):
        raise PhizError(f"--output {output} is one of the pictures; name another file")


class AnnotatedCopies:
    """Writes `NAME.annotated.jpg` for each picture, under names that no source and no other copy has."""

    def __init__(self, folder: str, pictures: list[str]) -> None:
        self._folder = Path(folder)
        self._taken = {os.path.realpath(picture).casefold() for picture in pictures}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from error

    def write(self, source: str, image: Image, result: Result) -> None:
        """Draw the result on a copy of the picture. Raises OutputError."""
        from PIL import Image as Pillow

        from ..draw import annotate
        from ..image import display_name

        path = self._free_path("stdin" if source == "-" else Path(source).stem)
        part = own_part(path)
        try:
            Pillow.fromarray(annotate(image, result.faces)).save(part, "JPEG", quality=92)
            os.replace(part, path)  # never writes through a link that bears the name
        except OSError as error:
            part.unlink(missing_ok=True)
            raise OutputError(f"cannot write {display_name(path)}: {error.strerror or error}") from error

    def _free_path(self, stem: str) -> Path:
        stem = os.fsdecode(os.fsencode(stem)[:200])  # with the suffix still within a file name's 255 bytes
        number = 1
        while True:
            path = self._folder / f"{stem}.annotated{f'-{number}' if number > 1 else ''}.jpg"
            key = os.path.realpath(path).casefold()
            if key not in self._taken:
                self._taken.add(key)
                return path
            number += 1
