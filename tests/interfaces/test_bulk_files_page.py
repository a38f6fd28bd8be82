"""The page of bulk files through Streamlit's own test runner."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from optimizer import workflows
from optimizer.interfaces.web import login
from optimizer.tables import Actor
from tests.interfaces.conftest import ACCOUNT, OWNER

ROUTER = Path(workflows.__file__).parents[1] / "interfaces" / "router.py"


def test_the_file_comes_in_the_format_that_is_chosen(workspace: workflows.Workspace) -> None:
    rows = workflows.suggestions(workspace, ACCOUNT, OWNER)
    one = rows[rows["kind"].eq("lower")].iloc[0]
    workflows.approve(workspace, ACCOUNT, [(one["id"], int(one["version"]))], OWNER)
    page = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    page.switch_page("web/bulk_files_page.py").run()
    formats = page.selectbox("file_format")
    assert formats.value == "bulk_upload"
    formats.select("editor").run().button("export").click().run()
    assert not page.exception
    (made,) = workflows.exports(workspace, ACCOUNT, OWNER)
    assert any("editor" in name for name in made.file_names), made.file_names


def test_files_are_for_approvers_even_when_somebody_fetched_them_before(
    workspace: workflows.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = workflows.suggestions(workspace, ACCOUNT, OWNER)
    one = rows[rows["kind"].eq("lower")].iloc[0]
    workflows.approve(workspace, ACCOUNT, [(one["id"], int(one["version"]))], OWNER)
    workflows.export(workspace, ACCOUNT, tmp_path / "out", OWNER)
    page = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    assert page.switch_page("web/bulk_files_page.py").run().get("download_button")
    viewer = Actor("ada@x.org", None, {ACCOUNT: "viewer"})
    monkeypatch.setattr(login, "visitor", lambda _workspace: viewer)
    page.run()
    assert not page.get("download_button")
    assert not page.error
    assert not page.exception


def test_an_export_is_taken_back_from_its_button(
    workspace: workflows.Workspace, tmp_path: Path
) -> None:
    rows = workflows.suggestions(workspace, ACCOUNT, OWNER)
    one = rows[rows["kind"].eq("lower")].iloc[0]
    workflows.approve(workspace, ACCOUNT, [(one["id"], int(one["version"]))], OWNER)
    made = workflows.export(workspace, ACCOUNT, tmp_path / "out", OWNER)
    page = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    page.switch_page("web/bulk_files_page.py").run()
    page.button(f"revert_{made.export_id}").click().run()
    assert not page.exception
    (back,) = workspace.store.approved(ACCOUNT).to_dict("records")
    assert (back["reason"], back["approved_bid"]) == ("revert", one["bid"])
