"""The suite's children take signals as a shell's do, whatever the suite itself was started with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

#: What a test may send to a child, or a child to itself.
SENT = (signal.SIGINT, signal.SIGTERM)


def test_a_child_is_ended_by_a_signal() -> None:
    for number in SENT:
        code = f"import os, time; os.kill(os.getpid(), {number:d}); time.sleep(5)"
        done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL, timeout=300)
        assert done.returncode == -number


@pytest.mark.parametrize("how", ["ignored", "blocked"])
def test_that_holds_where_the_suite_is_a_job_of_a_script(how: str) -> None:
    def start() -> None:
        if how == "blocked":
            signal.pthread_sigmask(signal.SIG_BLOCK, SENT)
        else:
            for number in SENT:
                signal.signal(number, signal.SIG_IGN)

    this = f"{__file__}::{test_a_child_is_ended_by_a_signal.__name__}"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", this]
    done = subprocess.run(command, preexec_fn=start, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout
