"""Every kind of input from outside: well-formed examples, cut or changed ones, all that was found wrong."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="the onnx package (extra train) builds the fake model")
for module in ("scipy", "h5py", "fastapi"):
    pytest.importorskip(module)

from fuzz_targets import ROOT, TARGETS, found  # noqa: E402


@pytest.mark.parametrize("name", TARGETS)
def test_examples_and_cut_or_changed_ones_are_borne(name: str) -> None:
    target = TARGETS[name]
    for example in target.examples():
        target.run(example)
        target.run(example[: len(example) // 2])
        for at in range(3, min(len(example), 400), max(1, len(example) // 5)):
            target.run(example[:at] + bytes([example[at] ^ 0x81]) + example[at + 1 :])
    target.run(b"")


@pytest.mark.parametrize(("name", "path"), list(found()), ids=lambda value: getattr(value, "stem", value))
def test_what_was_found_stays_mended(name: str, path: Path) -> None:
    TARGETS[name].run(path.read_bytes())


def test_the_long_runs_take_every_target() -> None:
    program = runpy.run_path(str(ROOT / "benchmarks" / "fuzz.py"))
    assert program["NAMES"] == tuple(TARGETS)
