"""docs/service.md says what holds: every bound with its default and its tests, and what was measured."""

from __future__ import annotations

import csv
import importlib
import inspect
import re
from dataclasses import fields
from pathlib import Path
from statistics import median

import pytest

from phiz.cli.serve_command import serve
from phiz.serve.audience import SPANS
from phiz.serve.refusal import Code
from phiz.serve.settings import Limits, Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
UNITS = {"MiB": 1 << 20, "KiB": 1 << 10, "million": 1_000_000}
#: Constants of the service's modules that are bounds.
BOUND = re.compile(r"^([A-Z_]+_(?:SECONDS|BYTES|LENGTH)|SPANS)\b", re.MULTILINE)


def table(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    section = PAGE.split(f"\n## {heading}\n")[1]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


BOUNDS = [row for row in table("Bounds") if len(row) == 5]


def options() -> dict[str, object]:
    """The defaults of phiz serve's options."""
    parameters = inspect.signature(serve).parameters.values()
    return {f"--{parameter.name.replace('_', '-')}": parameter.default for parameter in parameters}


def number(text: str) -> float:
    """A default such as "32 MiB" or "2 ms, 64 faces" in the unit of its setting."""
    figure, unit = re.match(r"(?:at least |its last part, )?([\d.]+) ?(\w*)", text).groups()
    return float(figure) * UNITS.get(unit, 1)


def test_every_bound_is_in_the_table() -> None:
    settings = " ".join(row[2] for row in BOUNDS)
    wanted = {f"--{field.name.replace('_', '-')}" for field in fields(Limits)} | {"--workers", "--batch-ms"}
    for module in sorted((ROOT / "src" / "phiz" / "serve").glob("*.py")):
        found = BOUND.findall(module.read_text(encoding="utf-8"))
        wanted |= {f"{module.stem}.{name}" for name in found}
    assert len(wanted) > 18
    assert {name for name in wanted if f"`{name}`" not in settings} == set()


@pytest.mark.parametrize("row", BOUNDS, ids=lambda row: row[0])
def test_a_bound_has_the_default_and_the_tests_that_are_named(row: list[str]) -> None:
    _, default, settings, _, tests = row
    for setting in re.findall(r"`(--[a-z-]+|[a-z]+\.[A-Z_]+)`", settings):
        if setting == "--token-file":
            assert number(default) == 16
            Settings(token="x" * 16)
        elif setting == "--allow-host":
            assert (options()[setting], Settings().hosts) == (None, ())
        elif setting == "audience.SPANS":
            assert default == ", ".join(f"{days} by the {period}" for period, days in SPANS.items())
        elif setting.startswith("--"):
            assert number(default) == options()[setting]
        else:
            module, name = setting.split(".")
            assert number(default) == getattr(importlib.import_module(f"phiz.serve.{module}"), name)
    named = re.findall(r"(\w+): ((?:`\w+`(?:, )?)+)", tests)
    assert named
    for file, names in named:
        text = (ROOT / "tests" / "serve" / f"test_service_{file}.py").read_text(encoding="utf-8")
        for name in re.findall(r"`(\w+)`", names):
            assert f"def test_{name}(" in text


def test_every_code_of_a_refusal_is_explained_and_tested() -> None:
    section = PAGE.split("\n### Refusals\n")[1].split("\n### ")[0]
    explained = [code for line in section.splitlines() for code in re.findall(r"^\| (`.*?`) \|", line)]
    names = [name for cell in explained for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(names) == sorted(code.value for code in Code)
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.py"))
    assert [name for name in names if f'"{name}"' not in tests] == []


def test_faces_of_a_batch() -> None:
    (row,) = (row for row in BOUNDS if "`--batch-ms`" in row[2])
    assert row[1] == f"{1000 * Settings().batch_seconds:g} ms, {Settings().batch_faces} faces"


def test_what_was_measured_is_what_the_page_says() -> None:
    with (ROOT / "results" / "speed" / "serve_load.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    words = " ".join((ROOT / "docs" / "experiments" / "service.md").read_text(encoding="utf-8").split())

    def figures(way: str, column: str) -> list[float]:
        return [float(row[column]) for row in rows if row["way"] == way]

    alone, beside, gathered = (
        figures(way, "requests_per_second") for way in ("one at a time", "side by side", "gathered")
    )
    for way, rates in (("one at a time", alone), ("side by side", beside), ("gathered", gathered)):
        assert f"| {median(rates):.1f} ({min(rates):.1f} to {max(rates):.1f}) |" in words
        assert f"| {median(figures(way, 'p99_ms')):.0f} ms |" in words
        factors = [rate / other for rate, other in zip(rates, alone, strict=True)]
        if way != "one at a time":
            assert f"| {median(factors):.2f} ({min(factors):.2f} to {max(factors):.2f}) |" in words
    factors = [rate / other for rate, other in zip(gathered, beside, strict=True)]
    assert f"({median(factors):.2f} times side by side, {min(factors):.2f} to {max(factors):.2f}" in words
    (load,) = (row for row in rows if row["way"] == "load")
    assert f"got {float(load['requests_per_second']):.1f} answers a second" in words
    assert load["statuses"] == re.search(r"all (\d+) with status 200", words).expand(r"200: \1")
    p50, p95, p99 = (f"{float(load[name]):.0f}" for name in ("p50_ms", "p95_ms", "p99_ms"))
    assert f"median {p50} ms, 95th percentile {p95} ms, 99th {p99} ms" in words
    held = f"{load['memory_before_mb']} MB before and {load['memory_peak_mb']} MB at most"
    assert held in words
