"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

#: The names are those of `phiz.models.runtime.PROVIDERS`, which importing takes too long for --help.
Provider = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Execution provider of the networks: cpu, cuda, tensorrt, openvino, coreml or xnnpack; one that "
        "the installed ONNX Runtime has not falls back with a warning.",
    ),
]
Model = Annotated[
    str, typer.Option(help="A name that `phiz models` lists, or a .onnx file with its card beside it.")
]
Coverage = Annotated[
    float,
    typer.Option(
        min=0.01,
        max=0.99,
        metavar="SHARE",
        help="Share of ages that lie in their interval: one on the model's card, such as 0.5, 0.8, 0.9.",
    ),
]
MinGenderScore = Annotated[
    float,
    typer.Option(
        min=0.5,
        max=1,
        metavar="SHARE",
        help="Tell no gender that is less sure than this; 0.5 always answers.",
    ),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Tell neither age nor gender of a face with a flag, such as blurred.")
]
MinFace = Annotated[int | None, typer.Option(min=1, metavar="PIXELS", help="Smallest face to look for.")]
MaxPixels = Annotated[
    int, typer.Option(min=1, help="Largest picture that is read, width x height; it takes 8 bytes a pixel.")
]
Cache = Annotated[Path, typer.Option(help="Folder of the cut crops, shared by runs.")]
FanWeights = Annotated[Path | None, typer.Option(help="FAN's weights, for a recipe whose aligner is fan.")]
