"""tools/web_fixture.py as a module: what Python gives, for JavaScript and the page to be held to."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def fixture_tool() -> Any:
    """Return tools/web_fixture.py as a module."""
    spec = importlib.util.spec_from_file_location("web_fixture", ROOT / "tools" / "web_fixture.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
