"""A list of several pages: what is ticked stays with its suggestion, wherever that is on screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from optimizer import workflows
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.web.queue import window
from optimizer.interfaces.web.queue.grid import grid_table
from optimizer.interfaces.web.queue.window import Window
from optimizer.tables import Actor
from tests.interfaces.conftest import ACCOUNT, OWNER

ROUTER = Path(workflows.__file__).parents[1] / "interfaces" / "router.py"
ROWS = 8


def opened(**address: str) -> AppTest:
    queue = AppTest.from_file(str(ROUTER), default_timeout=60)
    for name, told in address.items():
        queue.query_params[name] = told
    return queue.run()


@pytest.fixture
def short(store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store whose list is shown by eight rows a page."""
    monkeypatch.setattr(window, "WINDOW_ROWS", ROWS)
    return store


@pytest.fixture
def queue(short: Path) -> AppTest:
    return opened(tab="bids")


def shown(queue: AppTest) -> Window:
    on_screen: Window = queue.session_state["_window"]
    return on_screen


def edit(queue: AppTest, cells: dict[int, dict[str, Any]]) -> AppTest:
    """What the browser sends after edits: rows by position in the grid on screen."""
    key = shown(queue).key
    queue.session_state[key] = {"edited_rows": cells, "added_rows": [], "deleted_rows": []}
    return queue.run()


def press(queue: AppTest, key: str) -> AppTest:
    pressed = queue.button(key).click().run()
    assert not pressed.exception
    return pressed


def nearer(row: Any) -> float:
    """A bid a little nearer to the present one than what is proposed."""
    step = 0.01 if row["bid"] > row["proposed_bid"] else -0.01
    return round(float(row["proposed_bid"]) + step, 2)


def stored(workspace: workflows.Workspace) -> pd.DataFrame:
    return workflows.suggestions(workspace, ACCOUNT, OWNER).set_index("id")


def approved(workspace: workflows.Workspace) -> set[str]:
    rows = stored(workspace)
    return set(rows.index[rows["decision"].eq("approved")])


def said(queue: AppTest) -> str:
    parts = [*queue.markdown, *queue.text, *queue.caption, *queue.warning]
    return " ".join(str(part.value) for part in parts)


def test_ticks_and_edits_of_several_pages_are_approved_together(
    queue: AppTest, workspace: workflows.Workspace
) -> None:
    first = shown(queue).rows.loc[3]
    bid = nearer(first)
    edit(queue, {3: {"pick": True, "new_bid": bid}})
    press(queue, "next_page")
    second = shown(queue).rows.loc[3]
    edit(queue, {3: {"pick": True}})
    assert queue.button("approve").label == "Approve 2"
    assert "other pages: 1" in said(queue)
    press(queue, "approve")
    assert approved(workspace) == {first["id"], second["id"]}
    assert stored(workspace).loc[first["id"], "approved_bid"] == bid


def test_a_tick_that_arrives_with_the_turn_of_the_page_is_kept(queue: AppTest) -> None:
    """The browser sends both at once where somebody is quick."""
    before = shown(queue)
    queue.session_state[before.key] = {
        "edited_rows": {4: {"pick": True}},
        "added_rows": [],
        "deleted_rows": [],
    }
    press(queue, "next_page")
    assert shown(queue).choice.refs == (
        (before.rows.loc[4, "id"], int(before.rows.loc[4, "version"])),
    )


def test_page_shows_again_what_was_ticked_there_and_lets_it_be_taken_back(queue: AppTest) -> None:
    first = shown(queue).rows
    bid = nearer(first.loc[1])
    edit(queue, {1: {"pick": True, "new_bid": bid}})
    press(press(queue, "next_page"), "previous_page")
    again = shown(queue)
    table = grid_table(Translator("en"), again.rows, again.before)
    assert again.rows["id"].tolist() == first["id"].tolist()
    assert table["pick"].tolist() == [n == 1 for n in range(ROWS)]
    assert table["new_bid"].iloc[1] == bid
    edit(queue, {1: {"pick": False}})
    assert queue.button("approve").disabled


def test_what_is_ticked_elsewhere_is_shown_and_dropped(queue: AppTest) -> None:
    ids = []
    for row in (2, 5, 7):
        ids.append(shown(queue).rows.loc[row, "id"])
        edit(queue, {row: {"pick": True}})
        if row != 7:
            press(queue, "next_page")
    press(queue, "show_chosen")
    assert shown(queue).rows["id"].tolist() == ids
    assert queue.button("approve_all").disabled
    edit(queue, {1: {"pick": False}})
    press(queue, "show_list")
    assert shown(queue).page == 2
    assert shown(queue).choice.ids == (ids[0], ids[2])
    press(queue, "drop_others")
    assert shown(queue).choice.ids == (ids[2],)
    assert "other pages" not in said(queue)


def test_order_is_of_the_whole_list_and_moves_no_tick(queue: AppTest) -> None:
    everything = shown(queue).view.rows
    ticked = shown(queue).rows.loc[6, "id"]
    edit(queue, {6: {"pick": True}})
    press(queue, "next_page")
    queue.selectbox("order_en").set_value("keyword").run()
    texts = everything["keyword_text"].str.lower().sort_values(kind="stable")
    assert shown(queue).rows["keyword_text"].str.lower().tolist() == texts.head(ROWS).tolist()
    assert shown(queue).page == 0
    assert queue.query_params["order"] == "keyword"
    assert shown(queue).choice.ids == (ticked,)


def test_order_and_page_come_from_the_address(short: Path) -> None:
    queue = opened(tab="bids", order="cost_fall", page="2")
    costs = shown(queue).view.rows["delta_cost"].sort_values()
    assert shown(queue).rows["delta_cost"].tolist() == costs.iloc[ROWS : 2 * ROWS].tolist()
    assert "Rows 9–16 of" in said(queue)


@pytest.mark.parametrize(("asked", "page"), [("999", -1), ("nine", 0), ("-3", 0), ("0", 0)])
def test_page_that_is_not_there_is_the_nearest(short: Path, asked: str, page: int) -> None:
    queue = opened(tab="bids", page=asked)
    assert shown(queue).page == page % shown(queue).pages
    assert queue.button("next_page").disabled == (page == -1)


def test_another_filter_begins_with_the_first_page(queue: AppTest) -> None:
    press(queue, "next_page")
    assert queue.query_params["page"] == "2"
    queue.text_input("text").set_value("a").run()
    assert shown(queue).page == 0
    assert "page" not in queue.query_params


def test_ticks_that_go_with_their_filters_are_counted_once(queue: AppTest) -> None:
    edit(queue, {0: {"pick": True}, 1: {"pick": True}})
    press(queue, "next_page")
    edit(queue, {0: {"pick": True}})
    (toast,) = queue.text_input("text").set_value("a").run().toast
    assert toast.value.endswith(": 3.")
    assert not queue.run().toast


def test_filters_over_nothing_ticked_and_decisions_drop_nothing(queue: AppTest) -> None:
    assert not queue.text_input("text").set_value("a").run().toast
    edit(queue, {0: {"pick": True}})
    assert not press(queue, "approve").toast


def test_decision_leaves_the_page_that_was_open(queue: AppTest) -> None:
    press(queue, "next_page")
    edit(queue, {0: {"pick": True}})
    press(queue, "snooze")
    assert shown(queue).page == 1
    assert not shown(queue).choice


def test_list_of_one_page_has_no_pager(store: Path) -> None:
    queue = opened(tab="bids")
    assert {button.key for button in queue.button}.isdisjoint({"next_page", "previous_page"})
    assert queue.button("approve_all").label.endswith("shown")


def test_evidence_asked_for_on_another_page_stays_open_and_leaves_the_page(queue: AppTest) -> None:
    asked = shown(queue).rows.loc[4]
    queue.query_params["why"] = asked["id"]
    press(queue, "next_page")
    heading = next(each.value for each in queue.markdown if each.value.startswith("####"))
    assert str(asked["keyword_text"]) in heading
    assert shown(queue).page == 1


def test_approve_all_takes_every_page_and_says_so(
    queue: AppTest, workspace: workflows.Workspace
) -> None:
    press(queue, "next_page")
    count = len(shown(queue).listed)
    assert queue.button("approve_all").label == f"Approve all {count} of {shown(queue).pages} pages"
    press(queue, "approve_all")
    assert f"All {count} that the filters let through, {ROWS} of them on this page." in said(queue)
    wanted = {str(id_) for id_ in shown(queue).view.rows["id"]}
    press(queue, "approve_all_confirm")
    done = approved(workspace)
    assert done <= wanted
    assert len(done) > 2 * ROWS


def test_what_moved_on_another_page_is_told(queue: AppTest, workspace: workflows.Workspace) -> None:
    far = shown(queue).listed.iloc[ROWS + 3]
    ref = (str(far["id"]), int(far["version"]))
    workflows.reject(workspace, ACCOUNT, [ref], Actor("bob", "admin"), "stock")
    queue.run()
    assert "bob" in said(queue)
    assert far["id"] in set(shown(queue).listed["id"])
