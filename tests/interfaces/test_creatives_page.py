"""The page of creative tests through Streamlit's own test runner."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

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
