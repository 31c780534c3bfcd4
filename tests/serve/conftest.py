"""One loaded analyzer for all tests of the service."""

from __future__ import annotations

import pytest

from phiz.serve.engine import Locator


@pytest.fixture(scope="session")
def locator() -> Locator:
    return Locator()
