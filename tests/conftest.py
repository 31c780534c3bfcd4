"""Shared fixtures. This file also puts the tests' folder on the import path, for the helpers beside it."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def fake_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of a tiny ONNX model with its card; see fake_model.py for what it computes."""
    onnx_missing = "the onnx package (extra train) builds the fake model"
    pytest.importorskip("onnx", reason=onnx_missing)
    import fake_model

    return fake_model.write(tmp_path_factory.mktemp("fake_model"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what drives a real browser: minutes long and sensitive to load, so `make test-web` runs it."""
    for item in items:
        if item.path.parent.name == "web" and item.path.stem not in ("test_web_fixture", "test_web_package"):
            item.add_marker(pytest.mark.browser)
