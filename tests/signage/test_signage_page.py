"""docs/signage.md says what holds: its example is read, its commands exist, its tables have the defaults."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields
from pathlib import Path

import typer
from screens import people

from phiz.audience.totals import AGES
from phiz.cli import app
from phiz.signage import load_rules
from phiz.signage.fit import fitting
from phiz.signage.reading import AUDIENCE
from phiz.signage.rules import KINDS, STEER_FROM, Content, Rules

PAGE = (Path(__file__).parents[2] / "docs" / "signage.md").read_text(encoding="utf-8")
RULES = PAGE.split("\n## Rules\n")[1].split("\n### ")[0]


def table(first: str) -> dict[str, list[str]]:
    """The rows of the table whose head begins so, by the words in their first cell."""
    rows = RULES.split(f"\n| {first} |")[1].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {name: row[1:] for row in cells for name in re.findall(r"`(\w+)`", row[0])}


def test_the_example_says_what_the_page_says(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
    (code,) = re.findall(r"python -c '\n(.*?)'\n", PAGE, re.S)
    assert set(re.findall(r'\("(\w+)", "\w+"\)', code)) == set(re.findall(r'file = "(\w+)\.png"', example))
    for name in re.findall(r'file = "(.*?)"', example):
        (tmp_path / name).write_bytes(b"")
    path = tmp_path / "signage.toml"
    path.write_text(example, encoding="utf-8")
    rules = load_rules(path)
    now = people().at
    assert fitting(rules, people(), now) == set()
    assert fitting(rules, people(male=1), now) == {"one"}
    assert fitting(rules, people(female=1, male=1), now) == {"group"}


def test_the_pages_commands_are_ones_that_phiz_has() -> None:
    calls = [shlex.split(call) for call in re.findall(r"^    phiz-env/bin/phiz (.*)$", PAGE, re.M)]
    assert [words[0] for words in calls] == ["signage", "signage", "serve", "watch", "signage"]
    calls += [shlex.split(call) for call in re.findall(r"`phiz (signage \w+ FILE[^`\n]*)`", PAGE)]
    assert len(calls) == 7
    for words in calls:
        command = typer.main.get_command(app)
        while hasattr(command, "commands") or hasattr(command, "list_commands"):
            command, words = command.get_command(None, words[0]), words[1:]
        command.make_context("phiz", words)  # raises its usage error


def test_every_setting_has_its_row_and_default() -> None:
    screen, content = table("`[screen]`"), table("`[[content]]`")
    assert screen.keys() == {entry.name for entry in fields(Rules)} - {"contents"}
    for name in screen.keys() - {"zone"}:
        assert float(screen[name][0]) == getattr(Rules(()), name)
    assert content.keys() == {entry.name for entry in fields(Content)} - {"kind"}
    for name in ("weight", "least_seconds", "most_seconds"):
        assert float(content[name][0].split(";")[0]) == getattr(Content("", Path(), ""), name)
    assert {*re.findall(r"\.\w+", content["file"][1]), ".jpeg"} == set(KINDS)
    assert set(table("`when.`")) == {*AUDIENCE, "hours", "weekdays"}
    assert ", ".join(AGES) in table("`when.`")["age"][0]
    assert "0, 13, 20, 40 or 60" in screen["steer_from_age"][1]
    assert STEER_FROM == (0, 13, 20, 40, 60)
