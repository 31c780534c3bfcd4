"""Options that several commands share."""

from __future__ import annotations

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
