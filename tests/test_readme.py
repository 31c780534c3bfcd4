"""What README and docs/ promise: commands that run, figures of results/, links that lead somewhere."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

from phiz import analyze, draw, image
from phiz.cli import app
from phiz.data import ASTRONAUT

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.S | re.M)
SHELL = [line.split("#")[0].strip() for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
COMMAND = "phiz analyze src/phiz/data/astronaut.jpg"


def test_make_has_the_targets() -> None:
    made = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    asked = [line.split()[1] for line in SHELL if line.startswith("make ")]
    assert asked[:2] == ["demo", "test"]
    assert set(asked) <= set(made)


def _code(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.S | re.M)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_are_understood(page: Path) -> None:
    indented = [line[4:] for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("    ")]
    for line in "\n".join([*_code(page, "sh"), *indented]).replace("\\\n", " ").splitlines():
        asked = re.search(r"(?:^|\| |&& |\$ |do )\s*phiz ([a-z].*)", line)
        if asked is None:
            continue
        alone = re.split(r" \| | && |; | > ", asked[1].replace("$seed", "1"))[0]
        words = shlex.split(alone, comments=True)
        command = typer.main.get_command(app)
        while hasattr(command, "get_command"):
            command = command.get_command(None, words.pop(0))
        assert command is not None, line
        files = [ROOT / word for word in words if word.startswith(("recipes/", "protocols/", "splits/"))]
        assert [file for file in files if file.suffix in (".toml", ".csv") and not file.parent.exists()] == []
        command.make_context("phiz", words)  # raises its usage error


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_imports_of_snippets_exist(page: Path) -> None:
    for snippet in _code(page, "python"):
        for node in ast.parse(snippet).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                exec(compile(ast.Module([node], []), str(page), "exec"), {})


def test_the_sample_is_what_the_command_prints() -> None:
    assert COMMAND in SHELL
    head, row = dict(BLOCKS)["text"].splitlines()
    done = subprocess.run(
        [sys.executable, "-m", "phiz", *COMMAND.split()[1:]],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    printed_head, printed_row = done.stdout.splitlines()
    assert head.split() == printed_head.split()
    numbers = [
        [float(n) for n in re.findall(r"[\d.]+", text.rsplit(maxsplit=1)[0])] for text in (row, printed_row)
    ]
    assert numbers[0] == pytest.approx(numbers[1], abs=1), "README's sample is stale: paste what it prints"
    assert re.sub(r"[\d.]+", "0", row) == re.sub(r"[\d.]+", "0", printed_row)


def test_the_snippet_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    exec(compile(dict(BLOCKS)["python"], "README.md", "exec"), {})
    assert "female" in capsys.readouterr().out


def test_the_picture_is_what_phiz_draws() -> None:
    (name,) = re.findall(r'<img src="(.*?)"', README)
    pixels = image.load(ASTRONAUT)
    drawn = draw.annotate(pixels, analyze(ASTRONAUT).faces)
    with Image.open(ROOT / name) as shown:
        difference = np.abs(np.asarray(shown.convert("RGB")).astype(int) - np.asarray(drawn))
    assert difference.mean() < 2, f"make it again: {COMMAND} --annotate docs"


@pytest.mark.parametrize("tool", ["figures", "detector_figures"])
def test_figures_are_those_of_results(tool: str) -> None:
    check = [sys.executable, str(ROOT / "tools" / f"{tool}.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def _anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith(("http:", "https:")):
            continue
        name, _, anchor = target.partition("#")
        there = page.parent / name if name else page
        assert there.exists(), target
        if anchor and there.suffix == ".md":
            assert anchor in _anchors(there), target


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    lost = pages - set(re.findall(r"\]\(([^)#]+)\)", index))
    assert not lost, f"docs/README.md: give {lost} a row"


def test_the_front_page_is_short() -> None:
    assert len(README.splitlines()) < 120


def test_the_network_table_is_the_networks() -> None:
    pytest.importorskip("torch", reason="the extra train brings PyTorch")
    from phiz.networks.layers import count, parts_table
    from phiz.networks.multitask import MultiTaskNet

    assert parts_table(count(MultiTaskNet())) in (ROOT / "docs" / "network.md").read_text(encoding="utf-8")
