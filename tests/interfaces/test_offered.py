"""Each page offers each role the buttons whose workflow would let it, and no other."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from optimizer import workflows
from optimizer.interfaces.web import login
from optimizer.tables import ROLES, Actor
from tests.interfaces.conftest import ACCOUNT, AS_OF, OWNER, ad_report
from tests.interfaces.test_bulk_files_page import ROUTER
from tests.workflows.test_access import NEEDS

OFFERED: dict[str, dict[str, str]] = {
    "queue": {
        "^approve$": "approve",
        "^approve_all$": "approve",
        "^reject$": "reject",
        "^snooze$": "snooze",
        "^lock$": "lock",
        "^undo$": "undo",
        "^view_save$": "save_view",
        "^show_curve$": "suggestion",
    },
    "overview": {},
    "creatives": {
        "^save new$": "define_creative_test",
        "^save own test": "define_creative_test",
        "^end_test$": "end_creative_test",
    },
    "budget": {
        "^keep$": "save_plan",
        "^suggest$": "suggest_from_plan",
        "^delete$": "delete_plan",
        "^backtest$": "backtest",
    },
    "imports": {"^import_now$": "import_files", "^review_now$": "review"},
    "bulk_files": {
        "^export$": "export",
        "^revert_": "revert",
        "csv$": "export",
        "^bid_test_approve$": "approve_experiment",
        "^bid_test_reject$": "reject_experiment",
    },
    "settings": {
        "^unlock$": "lock",
        "^audit_csv$": "audit",
        "grant_form-Give": "grant",
        "grant_form-Take": "ungrant",
        "token_form-Make": "add_token",
    },
}
"""By page: what a button's key looks like, and the workflow it asks."""


@pytest.fixture(scope="module")
def busy(reviewed: Path, configs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which there is something to do on every page."""
    folder = tmp_path_factory.mktemp("busy")
    shutil.copytree(reviewed, folder / "store")
    report = folder / "ads.csv"
    report.write_text("Ad report\n\n" + ad_report(), encoding="utf-8")
    with workflows.open_workspace(folder / "store", configs) as workspace:
        workflows.import_files(workspace, [report], ACCOUNT, as_of=AS_OF, actor=OWNER)
        rows = workflows.suggestions(workspace, ACCOUNT, OWNER)
        lowers = rows[rows["kind"].eq("lower")]
        first, second, third = zip(lowers["id"][:3], lowers["version"][:3].astype(int), strict=True)
        workflows.approve(workspace, ACCOUNT, [first], OWNER)
        workflows.export(workspace, ACCOUNT, folder / "out", OWNER)
        workflows.approve(workspace, ACCOUNT, [second], OWNER)
        workflows.lock(workspace, ACCOUNT, third, OWNER)
        workflows.save_plan(workspace, ACCOUNT, "kept", OWNER, workflows.Scenario(budget=300))
        test = {"name": "own test", "campaign": "spring", "ad_group": "shoes", "metric": "ctr"}
        workflows.propose_experiment(workspace, ACCOUNT, OWNER)
        workflows.define_creative_test(workspace, ACCOUNT, test, OWNER)
    return folder / "store"


@pytest.fixture
def opened(busy: Path, configs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    monkeypatch.setenv("OPTIMIZER_STORE", str(busy))
    monkeypatch.setenv("OPTIMIZER_CONFIGS", str(configs))
    yield AppTest.from_file(str(ROUTER), default_timeout=120)
    st.cache_resource.clear()
    st.cache_data.clear()


def offered(shown: AppTest) -> set[str]:
    """Keys of the page's buttons; Streamlit puts a digest before those of downloads."""
    downloads = (each.proto.id.split("-", 2)[2] for each in shown.get("download_button"))
    return {*(str(each.key) for each in shown.button), *downloads}


@pytest.mark.parametrize("name", OFFERED)
def test_a_page_offers_what_the_role_may_do(
    name: str, busy: Path, opened: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = OFFERED[name]
    for place, role in enumerate(ROLES):
        person = Actor("ada@x.org", None, {ACCOUNT: role})
        monkeypatch.setattr(login, "visitor", lambda _workspace, who=person: who)
        shown = opened.run() if place else opened.run().switch_page(f"web/{name}_page.py").run()
        assert not [*shown.exception, *shown.error], (role, shown.error)
        may = {key for key, workflow in asks.items() if ROLES.index(NEEDS[workflow][0]) <= place}
        found = {
            next((known for known in asks if re.search(known, key)), key) for key in offered(shown)
        }
        assert found == may, role


def test_who_looks_only_meets_no_refusal(
    busy: Path, opened: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing on the page of files asks, on its own, for what a viewer may not do."""
    viewer = Actor("ada@x.org", None, {ACCOUNT: "viewer"})
    monkeypatch.setattr(login, "visitor", lambda _workspace: viewer)
    shown = opened.run().switch_page("web/bulk_files_page.py").run()
    assert not [*shown.error, *shown.warning]
    assert any("role approver" in each.value for each in shown.caption)
