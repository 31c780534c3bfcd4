"""Labels are suspected where all answers contradict them clearly, and never a child's gender."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from phiz.evaluation.groups import Scored
from phiz.evaluation.report_files import write_predictions
from phiz.evaluation.suspects import Suspect, suspects

ROOT = Path(__file__).parents[2]


def answer(file="a.jpg", label=30.0, gender="male", age=30.0, said="male", score=0.99, problem=None):
    return Scored(file, file, label, gender, None, age, said, score, problem)


USUAL = [answer(f"{i}.jpg", age=30.0 + i % 5) for i in range(20)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (answer(said="female", score=0.96), "gender"),
        (answer(said="female", score=0.90), None),
        (answer(age=60.0), "age"),
        (answer(age=40.0), None),
        (answer(age=60.0, said="female"), "age+gender"),
        (answer(label=10.0, age=10.0, said="female"), None),  # a child
        (answer(label=None, age=12.0, said="female"), None),  # a child by the answer
        (answer(label=None, age=40.0, said="female"), "gender"),
        (answer(gender=None, said="female"), None),
        (answer(said=None, score=None), None),
        (answer(said="female", problem="no face found"), None),
    ],
)
def test_what_is_suspected(row, reason):
    assert suspects([[*USUAL, row]]) == ([] if reason is None else [Suspect("a.jpg", reason)])


def test_one_networks_mistake_is_no_suspicion():
    first, second = answer(said="female", score=0.99), answer(said="male", score=0.7)
    assert suspects([[*USUAL, first], [*USUAL, second]]) == []
    assert suspects([[*USUAL, first], [*USUAL, first]]) == [Suspect("a.jpg", "gender")]


def test_where_ages_are_hard_to_tell_it_takes_more():
    vague = [answer(f"{i}.jpg", label=70.0, age=70.0 + 10 * (-1) ** i) for i in range(20)]
    off = answer(label=70.0, age=100.0)
    assert suspects([[*vague, off]]) == []
    assert suspects([[*USUAL, answer(label=30.0, age=60.0)]]) == [Suspect("a.jpg", "age")]


def test_the_tool_writes_what_a_recipe_reads(tmp_path):
    pytest.importorskip("torch", reason="the extra train brings PyTorch")
    from phiz.training.sampling import load_suspects

    for name, row in (("one", answer(said="female")), ("two", answer("b.jpg", age=70.0))):
        write_predictions(tmp_path / f"{name}.csv", [*USUAL, row])
    command = [sys.executable, str(ROOT / "tools" / "suspects.py"), f"fiw={tmp_path / 'one.csv'}"]
    command += [f"utkface={tmp_path / 'two.csv'}", "--output", str(tmp_path / "suspects.csv")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert load_suspects(tmp_path / "suspects.csv") == {"fiw": {"a.jpg"}, "utkface": {"b.jpg"}}
