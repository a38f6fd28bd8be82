"""Examples in docstrings run."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("module", ["", ".arms", ".assess"])
def test_examples_run_as_written(module: str) -> None:
    found = doctest.testmod(import_module(f"optimizer.decisions.creatives{module}"))
    assert found.attempted > 0
    assert found.failed == 0
