"""The queue through Streamlit's own test runner, on a small real store."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import time_machine
from streamlit.testing.v1 import AppTest

from optimizer import workflows
from optimizer.interfaces.local_person import local_person
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.queue_tabs import TABS
from optimizer.interfaces.web.frame import literal
from optimizer.interfaces.web.queue import catching_up
from optimizer.interfaces.web.queue.grid import grid_table
from optimizer.tables import SUGGESTIONS, Actor
from tests.interfaces.conftest import ACCOUNT, OWNER

PERSON = Actor(local_person(), "admin")
ROUTER = Path(workflows.__file__).parents[1] / "interfaces" / "router.py"


@pytest.fixture
def queue(store: Path) -> AppTest:
    opened = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    assert not opened.exception
    assert opened.markdown, "the page drew nothing"
    return opened


def pinned_rows(queue: AppTest) -> pd.DataFrame:
    return queue.session_state["_pinned"].rows


def edit(queue: AppTest, edits: dict[int, dict[str, Any]]) -> AppTest:
    """What the browser sends after edits: rows by position in the list on screen."""
    key = queue.session_state["_window"].key
    queue.session_state[key] = {"edited_rows": edits, "added_rows": [], "deleted_rows": []}
    return queue.run()


def stored(workspace: workflows.Workspace) -> pd.DataFrame:
    return workflows.suggestions(workspace, ACCOUNT, OWNER).set_index("id")


def first_of(queue: AppTest, kind: str) -> int:
    return int(pinned_rows(queue).index[pinned_rows(queue)["kind"] == kind][0])


def said(queue: AppTest) -> str:
    boxes = [*queue.success, *queue.warning, *queue.error, *queue.info]
    return " ".join(str(box.value) for box in boxes)


def test_ticked_row_is_approved_and_nothing_else(
    queue: AppTest, workspace: workflows.Workspace
) -> None:
    row = first_of(queue, "lower")
    identity = pinned_rows(queue)["id"][row]
    edit(queue, {row: {"pick": True}}).button("approve").click().run()
    decided = stored(workspace)
    assert list(decided.index[decided["decision"] == "approved"]) == [identity]
    assert not queue.exception


def test_a_curve_is_drawn_for_whoever_asks(queue: AppTest) -> None:
    """A browser takes a second to be ready for its first plot: the list does not wait for it."""
    assert not queue.get("plotly_chart")
    queue.button("show_curve").click().run()
    assert len(queue.get("plotly_chart")) == 1
    assert queue.query_params["why"] == pinned_rows(queue)["id"].iloc[0]


def test_edited_bid_is_what_is_approved(queue: AppTest, workspace: workflows.Workspace) -> None:
    row = first_of(queue, "lower")
    shown = pinned_rows(queue).loc[row]
    bid = round(float(shown["bid"]) * 0.9, 2)
    edit(queue, {row: {"pick": True, "new_bid": bid}}).button("approve").click().run()
    assert stored(workspace).loc[shown["id"], "approved_bid"] == bid


def test_row_decided_by_another_is_refused_and_told(
    queue: AppTest, workspace: workflows.Workspace
) -> None:
    row = first_of(queue, "lower")
    shown = pinned_rows(queue).loc[row]
    edit(queue, {row: {"pick": True}})
    ref = (str(shown["id"]), int(shown["version"]))
    workflows.reject(workspace, ACCOUNT, [ref], OWNER, "stock")
    queue.button("approve").click().run()
    assert stored(workspace).loc[shown["id"], "decision"] == "rejected"
    assert queue.error


def test_list_does_not_move_under_a_tick(queue: AppTest, workspace: workflows.Workspace) -> None:
    rows = pinned_rows(queue)
    lowers = rows.index[rows["kind"] == "lower"][:2]
    other, mine = rows.loc[lowers[0]], rows.loc[lowers[1]]
    edit(queue, {int(lowers[1]): {"pick": True}})
    ref = (str(other["id"]), int(other["version"]))
    workflows.reject(workspace, ACCOUNT, [ref], OWNER, "stock")
    queue.run()
    assert pinned_rows(queue)["id"].tolist() == rows["id"].tolist()
    queue.button("approve").click().run()
    decided = stored(workspace)["decision"]
    assert decided[other["id"]] == "rejected"
    assert set(decided.index[decided == "approved"]) <= {mine["id"]}


def test_approve_all_shown_confirms_the_sum_first(
    queue: AppTest, workspace: workflows.Workspace
) -> None:
    queue.segmented_control[0].set_value("bids").run()
    queue.pills[0].set_value(["lower"]).run()
    queue.button("approve_all").click().run()
    assert (stored(workspace)["decision"] == "proposed").all()
    assert any("CNY" in text.value for text in queue.text)
    queue.button("approve_all_confirm").click().run()
    decided = stored(workspace)
    assert (decided.loc[decided["kind"] == "lower", "decision"] == "approved").any()


def test_approve_all_approves_what_is_on_screen_only(
    queue: AppTest, workspace: workflows.Workspace
) -> None:
    """An edited bid counts as edited; a row that a re-solve moved meanwhile is left out."""
    queue.segmented_control[0].set_value("bids").run()
    queue.pills[0].set_value(["lower"]).run()
    rows = pinned_rows(queue)
    edited, stale = rows["id"][0], rows["id"][1]
    bid = round(float(rows["proposed_bid"][0]) + 0.01, 2)
    edit(queue, {0: {"new_bid": bid}})
    run = workspace.store.latest_run(ACCOUNT)
    said = workspace.store.suggestions(ACCOUNT)[list(SUGGESTIONS.columns)]
    said.loc[said["id"].eq(stale), "proposed_bid"] *= 0.9
    workspace.store.update_run(run.run_id, run.summary, said, OWNER)
    queue.button("approve_all").click().run()
    queue.button("approve_all_confirm").click().run()
    decided = workspace.store.suggestions(ACCOUNT).set_index("id")
    assert (decided["decision"][edited], decided["approved_bid"][edited]) == ("approved", bid)
    assert decided["decision"].get(stale) != "approved"


def test_reject_asks_for_a_reason_and_undo_takes_it_back(
    queue: AppTest, workspace: workflows.Workspace
) -> None:
    row = first_of(queue, "lower")
    identity = pinned_rows(queue)["id"][row]
    edit(queue, {row: {"pick": True}}).button("reject").click().run()
    queue.button("reject_confirm").click().run()
    told = stored(workspace).loc[identity]
    assert (told["decision"], told["decision_reason"]) == ("rejected", "not_relevant")


def test_undo_takes_back_the_last_decision(queue: AppTest, workspace: workflows.Workspace) -> None:
    row = first_of(queue, "lower")
    identity = pinned_rows(queue)["id"][row]
    edit(queue, {row: {"pick": True}}).button("snooze").click().run()
    assert stored(workspace).loc[identity, "decision"] == "snoozed"
    queue.button("undo").click().run()
    assert stored(workspace).loc[identity, "decision"] == "proposed"


def test_filter_comes_from_the_address(store: Path) -> None:
    queue = AppTest.from_file(str(ROUTER), default_timeout=60)
    queue.query_params["kind"] = "raise"
    queue.run()
    assert set(pinned_rows(queue)["kind"]) == {"raise"}


def test_keyword_missing_from_the_list_is_explained(queue: AppTest) -> None:
    queue.session_state["why_not"] = True
    queue.text_input("text").set_value("a").run()
    assert not queue.exception
    reasons = queue.dataframe[-1].value["Result"]
    assert len(reasons) > 0
    assert not reasons.str.contains("_").any()


def test_watched_keywords_show_only_when_asked_for(queue: AppTest) -> None:
    assert "watch" not in set(pinned_rows(queue)["kind"])


@pytest.mark.parametrize(("language", "word"), [("中文", "此账户"), ("English", "The next")])
def test_page_speaks_both_languages(queue: AppTest, language: str, word: str) -> None:
    queue.selectbox("lang").set_value(language).run()
    assert word in queue.markdown[0].value
    assert not queue.exception


@pytest.mark.parametrize("name", ["overview", "imports", "bulk_files"])
def test_other_pages_draw(queue: AppTest, name: str) -> None:
    queue.switch_page(f"web/{name}_page.py").run()
    assert not queue.exception
    assert not queue.error


def test_store_without_an_account_says_what_to_do(
    tmp_path: Path, configs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTIMIZER_STORE", str(tmp_path / "empty"))
    monkeypatch.setenv("OPTIMIZER_CONFIGS", str(configs))
    queue = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    assert "Import a report" in said(queue)
    assert not queue.exception


def test_edited_bid_is_priced_anew_before_it_is_approved(queue: AppTest) -> None:
    row = first_of(queue, "lower")
    shown = pinned_rows(queue).loc[row]
    edit(queue, {row: {"new_bid": round(float(shown["bid"]) * 0.9, 2)}})
    (line,) = [each.value for each in queue.caption if str(shown["keyword_text"]) in each.value]
    assert "CNY" in line
    edit(queue, {row: {"new_bid": 99.0}})
    assert any("✗" in each.value for each in queue.caption)


def test_locked_row_leaves_the_list_until_it_is_unlocked(
    queue: AppTest, workspace: workflows.Workspace
) -> None:
    row = first_of(queue, "lower")
    shown = pinned_rows(queue).loc[row]
    edit(queue, {row: {"pick": True}}).button("lock").click().run()
    assert shown["id"] not in stored(workspace).query("kind == 'lower'").index
    queue.session_state["why_not"] = True
    queue.text_input("text").set_value(str(shown["keyword_text"])).run()
    queue.button(f"unlock_{shown['entity_key']}").click().run()
    assert stored(workspace).loc[shown["id"], "decision"] == "proposed"


def test_operator_is_told_what_changed_and_by_whom(
    queue: AppTest, workspace: workflows.Workspace
) -> None:
    shown = pinned_rows(queue).loc[first_of(queue, "lower")]
    ref = (str(shown["id"]), int(shown["version"]))
    workflows.reject(workspace, ACCOUNT, [ref], Actor("bob", "admin"), "stock")
    queue.run()
    told = " ".join(box.value for box in queue.warning)
    assert "bob" in told


@pytest.mark.parametrize("tab", ["all", "bids", "new_keywords", "conflicts", "watched"])
def test_tab_shows_its_kinds_only(store: Path, tab: str) -> None:
    queue = AppTest.from_file(str(ROUTER), default_timeout=60)
    queue.query_params["tab"] = tab
    queue.run()
    assert not queue.exception
    assert set(pinned_rows(queue)["kind"]) <= set(TABS[tab])


def test_how_the_plan_stands_is_always_in_view(queue: AppTest) -> None:
    assert any("Λ" in each.value for each in queue.caption)


def test_figures_that_do_not_count_the_last_decision_are_told_so_until_they_do(
    queue: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> bool:
        return any("brought up to date" in str(each.value) for each in queue.run().caption)

    states = {"now": workflows.Solving(True)}
    monkeypatch.setattr(catching_up, "_state", lambda: states["now"])
    shown = pinned_rows(queue)
    assert told()
    states["now"] = workflows.Solving(False)
    assert not told()
    assert pinned_rows(queue) is shown


def test_new_figures_leave_the_list_as_it_was_until_it_is_asked_for(
    queue: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The solve ends after the list was drawn: somebody may be typing into it."""
    answers = iter(workflows.Solving(one) for one in (True, False, True))
    monkeypatch.setattr(catching_up, "_state", lambda: next(answers, workflows.Solving(False)))
    shown = pinned_rows(queue)
    queue.run()
    assert pinned_rows(queue) is shown
    assert any("as it was read" in str(each.value) for each in queue.caption)
    queue.button("catch_up").click().run()
    assert pinned_rows(queue) is not shown
    assert not any("as it was read" in str(each.value) for each in queue.caption)


def test_a_named_view_sets_every_filter_again(
    queue: AppTest, workspace: workflows.Workspace
) -> None:
    listed = pinned_rows(queue)
    likely = listed["kind"].eq("lower") & listed["p_positive"].ge(0.5)
    campaign = str(listed.loc[likely, "campaign_name"].iloc[0])
    shown = {"tab": ["bids"], "kind": ["lower"], "campaign": [campaign], "p": ["0.5"]}
    workflows.save_view(workspace, ACCOUNT, "My *lowers*", shown, PERSON)
    queue.run().button("view_open_0").click().run()
    rows = pinned_rows(queue)
    assert set(rows["kind"]) == {"lower"}
    assert set(rows["campaign_name"]) == {campaign}
    assert rows["p_positive"].min() >= 0.5
    assert queue.query_params["tab"] in ("bids", ["bids"])


def test_the_present_filters_are_kept_under_a_name(
    queue: AppTest, workspace: workflows.Workspace
) -> None:
    queue.query_params["tab"] = "bids"
    queue.run().text_input("view_name").set_value("Bids").run()
    queue.button("view_save").click().run()
    assert workflows.views(workspace, ACCOUNT, PERSON) == {"Bids": {"tab": ["bids"]}}
    queue.button("view_drop_0").click().run()
    assert workflows.views(workspace, ACCOUNT, PERSON) == {}


def test_keyword_text_with_markup_or_a_formula_is_shown_as_it_is(store: Path) -> None:
    hostile = '=HYPERLINK("http://x","**b**") <script>'
    with sqlite3.connect(store / "state.sqlite") as raw:
        raw.execute("UPDATE suggestions SET keyword_text = ?", [hostile])
    queue = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    assert not queue.exception
    heading = next(box.value for box in queue.markdown if box.value.startswith("####"))
    assert heading.endswith(literal(hostile))
    table = grid_table(Translator("en"), pinned_rows(queue))
    assert set(table["keyword"]) == {hostile}


def test_what_nobody_decided_in_time_is_told_and_listed(queue: AppTest) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=8)):
        queue.run()
        assert "not decided in time" in said(queue)
        chosen = next(box for box in queue.selectbox if str(box.key).startswith("decision_"))
        chosen.set_value("expired").run()
        assert set(pinned_rows(queue)["decision"]) == {"expired"}
        assert queue.button("approve_all").disabled
