"""One golden answer, from the API through every format of the command line."""

import json
from pathlib import Path
from typing import Any

import certain
import pytest

from phiz.analyzer import Analyzer
from phiz.cli.output import Format, header, render

pytest.importorskip("onnx", reason="the onnx package (extra train) builds the fake model")


@pytest.mark.parametrize(
    ("options", "face", "cells", "words"),
    [(*case, *rest) for case, *rest in zip(certain.CASES, certain.CSV, certain.TABLE, strict=True)],
)
def test_every_format_tells_how_sure_an_answer_is(
    tmp_path: Path, options: dict[str, Any], face: dict[str, Any], cells: str, words: tuple[str, ...]
) -> None:
    model, chip = certain.write(tmp_path)
    result = Analyzer(model, cropped=True, **options).analyze(chip, name="chip.png")
    (line,) = json.loads(render(result, Format.jsonl))["faces"]
    assert line == face
    columns = header(Format.csv).strip().split(",")
    row = render(result, Format.csv).strip("\n").split(",")
    start, end = columns.index("age"), columns.index("error")
    assert ",".join(row[start:end]) == cells
    table = render(result, Format.table)
    assert tuple(table[a:b].strip() for a, b in ((0, 18), (20, 35), (37, 41))) == words
    assert table.endswith("chip.png (small, blurred)\n")
