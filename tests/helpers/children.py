"""The environment of a child process that imports what the tests import."""

from __future__ import annotations

import os
import sys


def environment() -> dict[str, str]:
    """This process's environment, with its import path: the helpers beside this file and phiz itself."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
