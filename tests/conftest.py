"""The same examples in every run (HYPOTHESIS_PROFILE=explore looks for new ones), and no real store."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import settings

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# Whoever forgets `--store` gets an empty one, never the operator's own.
_UNNAMED_STORE = tempfile.TemporaryDirectory(prefix="unnamed-store-")
os.environ["OPTIMIZER_STORE"] = _UNNAMED_STORE.name


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """A page run by a test stays the process's main module, which processes started later would run."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


LONG = (
    "interfaces/test_browser.py",
    "interfaces/test_wrong_row.py",
    "store/test_restatement.py",
    "workflows/test_creative_flow.py",
    "store/test_approval_machine.py",
    "store/test_import.py",
    "interfaces/test_cli.py",
    "reports/test_fuzz.py",
    "store/test_kill.py",
    "workflows/test_exporting.py",
    "store/test_soundness.py",
    "planning/test_tuning.py",
    "interfaces/test_api.py",
)
"""Files that take a minute or more, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files begin first: begun last, one of them would run on while the other worker waits."""
    items.sort(key=lambda item: place_of(item.path.parts, LONG))


def place_of(parts: Sequence[str], order: Sequence[str]) -> int:
    """Where a file's `folder/name` stands in `order`; behind all where it does not."""
    name = "/".join(parts[-2:])
    return order.index(name) if name in order else len(order)
