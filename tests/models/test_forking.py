"""A forked process may go on with the networks that its parent has opened and used."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from pathlib import Path

import pytest

from phiz.data import ASTRONAUT

pytestmark = pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork"
)
#: Two threads inside a network call: what a forked child does not inherit. A child that hangs is killed.
SCRIPT = """
import os, signal, sys
import phiz

def ask():
    {ask}

faces = ask()
child = os.fork()
if child == 0:
    signal.alarm(60)
    same = ask() == faces and ask() == faces
    {end}(0 if same and faces else 3)
status = os.waitpid(child, 0)[1]
assert status == 0, status
assert ask() == faces  # the parent goes on as well
"""


@pytest.mark.parametrize(
    "end", ["os._exit", "sys.exit"]
)  # as multiprocessing ends a child, and any other end
@pytest.mark.parametrize(
    "ask",
    [
        "return phiz.analyze(sys.argv[1], threads=2).faces",
        "return phiz.analyze(sys.argv[1], threads=2, attributes=['Smiling']).faces",
        "return [result.faces for result in phiz.analyze_many([sys.argv[1]] * 4, threads=2)]",
    ],
)
def test_a_forked_child_answers_and_ends(ask: str, end: str, tmp_path: Path) -> None:
    script = SCRIPT.format(ask=ask, end=end)
    done = subprocess.run(
        [sys.executable, "-c", script, str(ASTRONAUT)], capture_output=True, text=True, timeout=120
    )
    assert (done.stderr, done.returncode) == ("", 0)
