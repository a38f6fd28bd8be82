"""The package's names, which are found when they are asked for."""

import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest

from optimizer import workflows

HEAVY = ("numba", "ibis", "sqlalchemy", "duckdb", "scipy", "streamlit")


def loaded_by(statement: str) -> set[str]:
    """Heavy packages that a fresh interpreter has loaded after `statement`."""
    script = f"{statement}; import sys; print(*[each for each in {HEAVY} if each in sys.modules])"
    command = [sys.executable, "-c", script]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def test_every_public_name_has_a_home() -> None:
    homes = [name for names in workflows._HOMES.values() for name in names]
    assert sorted(homes) == sorted(workflows.__all__)
    assert not any(isinstance(getattr(workflows, name), ModuleType) for name in homes)


def test_a_module_does_not_hide_the_workflow_it_is_called_after() -> None:
    import_module("optimizer.workflows.demo")
    assert callable(workflows.demo)


def test_an_unknown_name_is_said_so() -> None:
    with pytest.raises(AttributeError, match="no attribute 'refiew'"):
        workflows.refiew  # noqa: B018


def test_help_loads_neither_solver_nor_database() -> None:
    assert loaded_by("import optimizer.interfaces.cli") == set()
