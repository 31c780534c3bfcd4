"""The worked examples in docstrings of metrics and losses come out as they say."""

from __future__ import annotations

import doctest
import importlib
import inspect

import pytest

MODULES = {"phiz.evaluation.metrics": "numpy", "phiz.training.losses": "torch"}


@pytest.mark.parametrize("name", MODULES)
def test_every_public_function_has_an_example_that_comes_out(name: str) -> None:
    pytest.importorskip(MODULES[name])
    module = importlib.import_module(name)
    functions = {
        function: bool(test.examples)
        for test in doctest.DocTestFinder(recurse=True).find(module)
        if inspect.isfunction(vars(module).get(function := test.name.removeprefix(f"{name}.")))
        and not function.startswith("_")
    }
    assert functions
    assert [function for function, shown in functions.items() if not shown] == []
    failed, tried = doctest.testmod(module)
    assert failed == 0
    assert tried > len(functions) / 2
