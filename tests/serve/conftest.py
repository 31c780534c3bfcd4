"""One loaded analyzer for all tests of the service."""

from __future__ import annotations

import pytest

from phiz import Analyzer


@pytest.fixture(scope="session")
def analyzer() -> Analyzer:
    return Analyzer()
