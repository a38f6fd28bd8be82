"""Data changes under a ticked and edited list: nothing is decided that was not ticked as it was shown.

Two hundred random sequences against the page and a real store. Re-solving is played by a random one, which
drops rows and moves bids more wildly than any plan would.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from optimizer import workflows
from optimizer.errors import Conflict
from optimizer.interfaces.queue_orders import ORDERS
from optimizer.interfaces.web.queue import evidence_panel, window
from optimizer.interfaces.web.queue.pinned import Pinned
from optimizer.interfaces.web.queue.window import Window
from optimizer.tables import SUGGESTIONS, Actor
from optimizer.workflows import deciding
from tests.interfaces.conftest import ACCOUNT, OWNER

ROUTER = Path(workflows.__file__).parents[1] / "interfaces" / "router.py"
SEQUENCES, WINDOW_ROWS = 200, 8
OTHER = Actor("bob", "admin")


def without_solving(_: Any, __: str, changed: Any, refused: Any, ___: Actor) -> Any:
    told = tuple({"code": one.code, **one.fields} for one in refused)
    return workflows.DecisionResult(changed, told, None, ())


@pytest.fixture
def queue(store: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(deciding, "solved_again", without_solving)
    monkeypatch.setattr(evidence_panel, "draw_evidence", lambda _, **__: None)
    monkeypatch.setattr(window, "WINDOW_ROWS", WINDOW_ROWS)
    queue = AppTest.from_file(str(ROUTER), default_timeout=60)
    queue.query_params["text"] = "a"
    queue.query_params["tab"] = "bids"
    return queue.run()


def stored(workspace: workflows.Workspace) -> pd.DataFrame:
    return workspace.store.suggestions(ACCOUNT).set_index("id")


def pinned_view(queue: AppTest) -> Pinned:
    view: Pinned = queue.session_state["_pinned"]
    return view


def on_screen(queue: AppTest) -> Window:
    shown: Window = queue.session_state["_window"]
    return shown


def look_elsewhere(queue: AppTest, chance: random.Random) -> None:
    """Another page of the list, or another order of it."""
    if chance.random() < 0.3:
        queue.selectbox("order_en").set_value(chance.choice(ORDERS))
    else:
        queue.query_params["page"] = str(chance.randint(1, on_screen(queue).pages))
    queue.run()


def tick(
    queue: AppTest, chance: random.Random, already: Collection[str] = ()
) -> dict[str, tuple[int, float | None]]:
    """Tick a few more rows on screen and edit some; returns id → (version, bid) as shown."""
    shown = on_screen(queue)
    rows = shown.rows[shown.rows["kind"].isin(["raise", "lower"])]
    rows = rows[~rows["id"].isin(list(already))]
    if rows.empty:
        return {}
    picked = rows.loc[chance.sample(list(rows.index), min(len(rows), chance.randint(1, 3)))]
    edits: dict[int, dict[str, Any]] = {}
    asked = {}
    for position, row in picked.iterrows():
        bid = float(row["proposed_bid"])
        edits[int(str(position))] = {"pick": True}
        if chance.random() < 0.3 and abs(bid - row["bid"]) > 0.015:
            bid = round(bid + (0.01 if row["bid"] > bid else -0.01), 2)
            edits[int(str(position))]["new_bid"] = bid
        asked[str(row["id"])] = (int(row["version"]), bid)
    edits = {**queue.session_state[shown.key]["edited_rows"], **edits}
    queue.session_state[shown.key] = {"edited_rows": edits, "added_rows": [], "deleted_rows": []}
    queue.run()
    return asked


def somebody_else_acts(
    workspace: workflows.Workspace, ticked: list[str], chance: random.Random
) -> None:
    rows = stored(workspace)
    open_rows = rows[rows["decision"].eq("proposed") & rows["kind"].isin(["raise", "lower"])]
    if open_rows.empty:
        return
    mine = [id_ for id_ in ticked if id_ in open_rows.index]
    target = chance.choice(mine if mine and chance.random() < 0.5 else list(open_rows.index))
    ref = (target, int(open_rows.loc[target, "version"]))
    act = chance.choice(["approve", "reject", "solve", "solve", "nothing"])
    if act == "approve":
        workflows.approve(workspace, ACCOUNT, [ref], OTHER)
    elif act == "reject":
        workflows.reject(workspace, ACCOUNT, [ref], OTHER, "stock")
    elif act == "solve":
        solve_at_random(workspace, rows, chance)


def solve_at_random(
    workspace: workflows.Workspace, rows: pd.DataFrame, chance: random.Random
) -> None:
    """Rows vanish from the middle of the list, others get another bid or come back."""
    run = workspace.store.latest_run(ACCOUNT)
    said = rows.reset_index()[list(SUGGESTIONS.columns)]
    keep = [chance.random() > 0.05 for _ in range(len(said))]
    said = said[keep].reset_index(drop=True)
    moved = said["kind"].isin(["raise", "lower"])
    moved &= np.array([chance.random() < 0.1 for _ in range(len(said))])
    said.loc[moved, "proposed_bid"] = (said.loc[moved, "proposed_bid"] * 0.9).round(2)
    said.loc[moved, "proposed_bid"] = said.loc[moved, "proposed_bid"].clip(lower=0.01)
    workspace.store.update_run(run.run_id, run.summary, said, OTHER)


def start_over(workspace: workflows.Workspace, queue: AppTest) -> None:
    """Take everything back, so that there is always a list to tick."""
    rows = stored(workspace)
    decided = rows[rows["decision"].isin(["approved", "rejected"])]
    refs = [(str(id_), int(version)) for id_, version in decided["version"].items()]
    if refs:
        workflows.undo(workspace, ACCOUNT, refs, OWNER)
    queue.session_state["_pinned"] = Pinned(None, pinned_view(queue).rows, 10_000)
    queue.run()


def test_nothing_is_decided_that_was_not_ticked_as_shown(
    queue: AppTest, workspace: workflows.Workspace
) -> None:
    chance = random.Random(7)
    approved = refused = elsewhere = 0
    for number in range(SEQUENCES):
        if number % 20 == 19 or pinned_view(queue).rows.empty:
            start_over(workspace, queue)
        asked = tick(queue, chance)
        if chance.random() < 0.15:
            look_elsewhere(queue, chance)
            asked |= tick(queue, chance, asked)
        somebody_else_acts(workspace, list(asked), chance)
        if chance.random() < 0.3:
            look_elsewhere(queue, chance)
        elsewhere += not set(asked) <= on_screen(queue).ids
        before = stored(workspace)
        if queue.button("approve").disabled:
            continue
        queue.button("approve").click().run()
        assert not queue.exception
        mine = newly_approved(before, stored(workspace))
        assert {id_: asked.get(id_) for id_ in mine} == mine
        told = [*queue.warning, *queue.error]
        assert told or set(mine) == set(asked)
        approved, refused = approved + len(mine), refused + bool(told)
    assert approved > SEQUENCES // 2
    assert refused > SEQUENCES // 10
    assert elsewhere > SEQUENCES // 20


def newly_approved(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, tuple[int, float]]:
    """Rows that became approved, with the version they had and the bid approved."""
    rows = after[after["decision"].eq("approved") & after["decided_by"].ne(OTHER.name)]
    new = [id_ for id_ in rows.index if before["decision"].get(id_) != "approved"]
    return {
        str(id_): (int(before.loc[id_, "version"]), float(rows.loc[id_, "approved_bid"]))
        for id_ in new
    }


def test_a_stale_decision_is_a_conflict_even_by_hand(workspace: workflows.Workspace) -> None:
    row = stored(workspace).query("kind == 'lower'").iloc[0]
    with pytest.raises(Conflict, match="version_moved"):
        workflows.approve(workspace, ACCOUNT, [(str(row.name), int(row["version"]) + 1)], OWNER)
