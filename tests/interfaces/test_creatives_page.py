"""The page of creative tests through Streamlit's own test runner."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from optimizer import workflows
from tests.interfaces.conftest import ACCOUNT, OWNER
from tests.interfaces.test_bulk_files_page import ROUTER


def page() -> AppTest:
    found = AppTest.from_file(str(ROUTER), default_timeout=120).run()
    return found.switch_page("web/creatives_page.py").run()


@pytest.mark.usefixtures("tested")
def test_the_page_names_the_winner_and_draws_what_is_believed() -> None:
    shown = page()
    assert not shown.exception
    assert shown.selectbox("test").value == "titles"
    assert any("title 71" in one.value for one in shown.markdown)
    assert [len(one.value) for one in shown.dataframe] == [1, 2, 3]


@pytest.mark.usefixtures("store")
def test_without_creatives_the_page_leads_to_the_import() -> None:
    shown = page()
    assert not shown.exception
    assert len(shown.info) == 1
    assert len(shown.dataframe) == 0


@pytest.mark.usefixtures("tested")
def test_shares_of_a_new_test_are_entered_in_per_cent(
    workspace: workflows.Workspace, configs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTIMIZER_CONFIGS", str(configs))  # without the test of these creatives
    shown = page()
    floor, effect = (shown.number_input(f"{name} new") for name in ("floor", "effect"))
    assert [(one.value, one.label[-3:]) for one in (floor, effect)] == [(10, "(%)"), (15, "(%)")]
    floor.set_value(20.0)
    effect.set_value(12.5)
    shown.text_input("name new").set_value("autumn")
    shown.button("save new").click().run()
    assert not shown.exception
    assert [one.value for one in shown.error] == []
    known = {one.test.name: one.test for one in workflows.defined_tests(workspace, ACCOUNT, OWNER)}
    assert (known["autumn"].floor, known["autumn"].minimum_effect) == (0.2, 0.125)
