"""What visitors are told of failures, and how a store without accounts begins."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from optimizer import workflows
from optimizer.errors import BadTable, NotFound, RefusedInput
from optimizer.interfaces.serving import Reach, require_asked_here
from optimizer.interfaces.web import failures
from tests.interfaces.conftest import ACCOUNT, AS_OF, OWNER

ROUTER = Path(workflows.__file__).parents[1] / "interfaces" / "router.py"
LOCAL, PUBLIC = Reach(login=False), Reach(login=True, public_name="bids.example.org")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    heard: list[str] = []
    for name in ("error", "caption"):
        monkeypatch.setattr(st, name, lambda text, **_named: heard.append(text))
    return heard


@pytest.mark.parametrize("error", [ValueError("secret /srv/x.py"), BadTable("column_missing")])
def test_unforeseen_error_is_told_by_a_reference_that_the_log_has(
    error: Exception, told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert failures.tell(error) is True
    reference = re.findall(r"[0-9a-f]{12}", " ".join(told))
    assert len(reference) == 1
    assert reference[0] in caplog.text
    assert not any("secret" in text or "column" in text for text in told)


def test_foreseen_error_is_told_in_words_and_needs_no_reference(
    told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    failures.tell(NotFound("account_not_found", account="*shop*", known=["a"]))
    assert len(told) == 1
    assert r"\*shop\*" in told[0]
    assert "optimizer.pages" not in {each.name for each in caplog.records}


@pytest.mark.parametrize(
    ("hosts", "origins", "address", "who"),
    [
        (["localhost:8501"], [], "0.0.0.0", LOCAL),
        (["localhost:8501"], [], None, LOCAL),
        (["evil.example"], [], "127.0.0.1", LOCAL),
        (["localhost"], ["http://evil.example"], "127.0.0.1", LOCAL),
        ([], [], "127.0.0.1", LOCAL),
        (["evil.example"], [], "0.0.0.0", PUBLIC),
    ],
)
def test_page_that_was_started_without_the_guard_refuses_the_same(
    hosts: list[str], origins: list[str], address: str | None, who: Reach
) -> None:
    with pytest.raises(RefusedInput):
        require_asked_here(hosts, origins, address, who)


def test_page_that_was_started_without_the_guard_serves_its_own() -> None:
    require_asked_here(["localhost:8501"], ["http://localhost:8501"], "127.0.0.1", LOCAL)
    require_asked_here(["bids.example.org"], [], "0.0.0.0", PUBLIC)


@pytest.fixture
def empty(tmp_path: Path, configs: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("OPTIMIZER_STORE", str(tmp_path / "empty"))
    monkeypatch.setenv("OPTIMIZER_CONFIGS", str(configs))
    return AppTest.from_file(str(ROUTER), default_timeout=60).run()


@pytest.mark.parametrize(
    "name", ["overview", "settings", "queue", "creatives", "budget", "imports", "bulk_files"]
)
def test_first_visit_is_one_click_from_the_demonstration(
    name: str, empty: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(workflows, "demo", lambda *given, **_named: asked.append(given))
    empty.switch_page(f"web/{name}_page.py").run()
    empty.button("demo").click().run()
    assert len(asked) == 1
    assert "The demonstration is loaded." in [box.value.replace("\\", "") for box in empty.success]
    assert not empty.exception


def test_imported_account_is_reviewed_from_where_a_review_is_missing(
    tmp_path: Path, configs: Path, report_files: list[Path], empty: AppTest
) -> None:
    with workflows.open_workspace(tmp_path / "empty", configs) as workspace:
        workflows.import_files(workspace, report_files[:1], ACCOUNT, as_of=AS_OF, actor=OWNER)
        empty.switch_page("web/overview_page.py").run().button("review_now").click().run()
        assert not empty.exception
        assert len(workflows.suggestions(workspace, ACCOUNT, OWNER)) > 0


def test_demonstration_that_fails_says_why(empty: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: Any, **_named: Any) -> None:
        raise RefusedInput("disk_full")

    monkeypatch.setattr(workflows, "demo", fail)
    empty.button("demo").click().run()
    assert len(empty.error) == 1
    assert not empty.exception


def test_account_is_always_in_the_address_and_an_unknown_one_is_told(store: Path) -> None:
    page = AppTest.from_file(str(ROUTER), default_timeout=60)
    page.query_params["account"] = "<b>gone</b>"
    page.switch_page("web/settings_page.py").run()
    assert page.query_params["account"] == ACCOUNT
    (told,) = [box.value for box in page.warning]
    assert "gone" in told
    assert "<b>" not in told  # a backslash stands before every sign that Markdown or HTML reads
    page.run()
    assert not page.warning
