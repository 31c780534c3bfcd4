"""Shared fixtures. Other things that tests share stand in helpers/, which pyproject.toml puts on the path."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import phiz  # noqa: F401 - switches ONNX Runtime's reports off before a test loads it


def pytest_configure() -> None:
    """Give the tests' children the signals of a shell's.

    A job of a script ignores Ctrl-C, and what is ignored or blocked is inherited: a test that sends a signal
    would wait for nothing.
    """
    if os.name == "posix":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
        for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
            if signal.getsignal(number) == signal.SIG_IGN:
                signal.signal(number, usual)


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
