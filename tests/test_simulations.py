"""The studies and benchmarks can be started; what they say is not tested here."""

from importlib import import_module
from pathlib import Path

import pytest

import simulations

STUDIES = sorted(path.stem for path in Path(simulations.__file__).parent.glob("[a-z]*.py"))


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_finds_what_it_needs(name: str) -> None:
    assert import_module(f"simulations.{name}").__doc__
