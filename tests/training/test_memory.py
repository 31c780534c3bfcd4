"""Freed memory is kept: counted in page faults, for time would depend on the machine."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
if sys.argv[1] == "kept":
    from phiz.training.memory import keep_freed_memory
    keep_freed_memory()
def touch():
    np.ones(16_000_000, np.float32)
touch()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    touch()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_large_arrays_reuse_their_pages():
    pytest.importorskip("lightning_fabric", reason="the extra train brings PyTorch")
    assert faults("kept") < faults("as usual") / 5


def test_other_c_libraries_are_left_alone(monkeypatch):
    from phiz.training import memory

    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    memory.keep_freed_memory()
