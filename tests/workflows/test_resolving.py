from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import numpy as np
import pandas as pd
import pytest

from optimizer import workflows
from optimizer.workflows import Workspace, resolving
from optimizer.workflows.resolving import DecisionResult, Turns
from tests.workflows.shop_account import APPROVER, OPERATOR, VIEWER, proposed, refs

SOLVED = DecisionResult((), (), None, ())
LONG = 60


def nothing_waits(_: Callable[[], bool]) -> DecisionResult:
    return SOLVED


def test_all_who_ask_during_a_solve_share_the_next_one() -> None:
    turns, begun, go_on = Turns(), Event(), Event()
    told: list[bool] = []

    def slow(awaited: Callable[[], bool]) -> DecisionResult:
        begun.set()
        assert go_on.wait(LONG)
        told.append(awaited())
        return SOLVED

    first = turns.ask(slow)
    assert begun.wait(LONG)
    others = [turns.ask(slow) for _ in range(5)]
    assert turns.state().pending
    go_on.set()
    for one in [first, *others]:
        assert one.result(LONG) == SOLVED
    assert first not in others
    assert set(others) == {others[0]}
    assert told == [True, False]
    assert not turns.state().pending


def test_a_solve_that_failed_says_why_until_the_next(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Callable[[], bool]) -> DecisionResult:
        raise ZeroDivisionError

    turns = Turns()
    assert isinstance(turns.ask(broken).exception(LONG), ZeroDivisionError)
    assert turns.state().problem == {"code": "something_failed", "fields": {}}
    assert "ZeroDivisionError" in caplog.text
    turns.ask(nothing_waits).result(LONG)
    assert turns.state().problem is None


def test_who_has_no_patience_is_answered_before_the_rest_is_solved(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decision is stored when the answer comes, the plan once the solve is through."""
    solve, go_on = resolving.resolve_account, Event()

    def held_up(*arguments: object) -> object:
        assert go_on.wait(LONG)
        return solve(*arguments)

    monkeypatch.setattr(resolving, "resolve_account", held_up)
    row = refs(proposed(shop, "raise")[:1])
    done = workflows.reject(replace(shop, patience=0.0), "shop", row, OPERATOR, "stock")
    stored = workflows.suggestion(shop, "shop", row[0][0], VIEWER).row
    assert (done.pending, done.changed, stored["decision"]) == (True, (row[0][0],), "rejected")
    assert workflows.solving(shop, "shop", VIEWER).pending
    before = workflows.queue_stamp(shop, "shop", VIEWER)
    go_on.set()
    last = resolving._turns(shop.store, "shop")._newest
    assert last is not None
    last.result(LONG)
    assert workflows.solving(shop, "shop", VIEWER) == workflows.Solving(False)
    assert workflows.queue_stamp(shop, "shop", VIEWER) > before


def test_ten_at_once_leave_the_plan_of_all_their_decisions(shop: Workspace) -> None:
    rows = refs(proposed(shop, "raise")[:10])

    def act(ref: tuple[str, int]) -> bool:
        return workflows.approve(shop, "shop", [ref], APPROVER).resolve is not None

    with ThreadPoolExecutor(10) as pool:
        assert all(pool.map(act, rows))
    audit = shop.store.audit("shop")["action"]
    assert audit.eq("resolve").sum() < len(rows)
    told = workflows.latest_summary(shop, "shop", VIEWER)
    again = resolving.solved_again(shop, "shop", (), [], OPERATOR).resolve
    assert again is not None
    assert (again.rows_moved, again.dual_price) == (0, told["dual_price"])
    assert workflows.check(shop, OPERATOR).ok


def test_moved_are_open_rows_with_another_kind_or_bid_or_that_came_or_went() -> None:
    before = pd.DataFrame(
        [
            ("same", "raise", 1.0, "proposed"),
            ("pause", "pause", np.nan, "proposed"),
            ("bid", "raise", 1.0, "proposed"),
            ("kind", "raise", 1.0, "proposed"),
            ("gone", "raise", 1.0, "proposed"),
            ("decided", "raise", 1.0, "approved"),
            ("back", "raise", 1.0, "superseded"),
        ],
        columns=["id", "kind", "proposed_bid", "decision"],
    )
    after = pd.DataFrame(
        [
            ("decided", "raise", 3.0),
            ("kind", "lower", 1.0),
            ("bid", "raise", 2.0),
            ("pause", "pause", np.nan),
            ("same", "raise", 1.0),
            ("back", "raise", 1.0),
            ("new", "raise", 1.0),
        ],
        columns=["id", "kind", "proposed_bid"],
    )
    assert resolving._moved(before, after) == ("back", "bid", "gone", "kind", "new")
