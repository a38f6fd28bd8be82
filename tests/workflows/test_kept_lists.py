from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pandas as pd

from optimizer import workflows
from optimizer.store import changed, suggestions
from optimizer.store.protocol import Change, RunRecord
from optimizer.store.sql_store import SqlStore
from optimizer.workflows import Workspace
from optimizer.workflows.kept_lists import kept_frames, kept_list
from tests.workflows.shop_account import APPROVER, AS_OF, OPERATOR, VIEWER, proposed, refs


def test_the_list_is_read_once_while_nothing_happens(shop: Workspace) -> None:
    first = kept_list(shop.store, "shop")
    assert kept_list(shop.store, "shop") is first
    assert kept_list(shop.store, "shop").rows.equals(shop.store.suggestions("shop"))


def test_every_act_of_anybody_makes_it_be_read_again(shop: Workspace, tmp_path: Path) -> None:
    row = refs(proposed(shop, "raise", "lower")[:1])
    acts = [
        lambda other: workflows.snooze(other, "shop", row, OPERATOR, AS_OF + timedelta(days=2)),
        lambda other: workflows.undo(other, "shop", row, APPROVER),
        lambda other: workflows.lock(other, "shop", row[0], OPERATOR),
        lambda other: workflows.review(other, "shop", actor=OPERATOR),
    ]
    with workflows.open_workspace(tmp_path / "store", shop.configs.root) as other:
        for act in acts:
            before = workflows.queue_stamp(shop, "shop", VIEWER)
            kept_list(shop.store, "shop")
            act(other)
            assert workflows.queue_stamp(shop, "shop", VIEWER) > before
            rows = kept_list(shop.store, "shop").rows
            assert rows.equals(shop.store.suggestions("shop"))


def test_frames_are_those_of_the_run_asked_for(shop: Workspace) -> None:
    first = shop.store.latest_run("shop").run_id
    kept_frames(shop.store, first)
    workflows.review(shop, "shop", actor=OPERATOR, seed=5)
    second = shop.store.latest_run("shop").run_id
    for run in (second, first):
        plan = kept_frames(shop.store, run)["plan"]
        assert plan.equals(shop.store.run_frames(run)["plan"])


def test_list_patched_with_what_moved_is_what_a_fresh_read_gives(shop: Workspace) -> None:
    """Decisions, their re-solves and a lock, one after the other and read only now and then."""
    rows = proposed(shop, "raise", "lower")
    acts: list[Callable[[], object]] = [
        lambda: workflows.reject(shop, "shop", refs(rows[:1]), OPERATOR, "stock"),
        lambda: workflows.approve(shop, "shop", refs(rows[1:3]), APPROVER),
        lambda: workflows.snooze(shop, "shop", refs(rows[3:4]), OPERATOR, AS_OF),
        lambda: workflows.undo(shop, "shop", refs(rows[1:2]), APPROVER),
        lambda: workflows.lock(shop, "shop", refs(rows[4:5]), OPERATOR),
    ]
    for act in acts:
        before = kept_list(shop.store, "shop")
        act()
        told = (before.run.run_id, before.rows, before.stamp)
        patched, fresh = shop.store.refreshed("shop", *told), shop.store.suggestions("shop")
        assert patched is None or patched.equals(fresh)
        assert kept_list(shop.store, "shop").rows.equals(fresh)


def test_few_moved_rows_are_patched_and_what_names_no_rows_is_read_anew(shop: Workspace) -> None:
    store, rows = shop.store, proposed(shop, "raise")[:1]
    before = kept_list(store, "shop")
    told = (before.run.run_id, before.rows, before.stamp)
    bids = (float(rows["bid"][0]), float(rows["proposed_bid"][0]))
    change = Change(*refs(rows)[0], "proposed", "approved", *bids)
    store.apply_changes("shop", [change], APPROVER, "approve")
    patched = store.refreshed("shop", *told)
    assert patched is not None
    assert patched.equals(store.suggestions("shop"))
    workflows.review(shop, "shop", actor=OPERATOR, seed=1)
    assert store.refreshed("shop", *told) is None


def test_the_days_rows_known_from_a_list_are_those_a_fresh_read_gives(shop: Workspace) -> None:
    """Read before and after decisions, and beside what an earlier review of the day left."""
    store, rows = shop.store, proposed(shop, "raise", "lower")
    run = store.latest_run("shop")
    read = [(store.suggestions("shop"), store.last_act("shop"))]
    workflows.reject(shop, "shop", refs(rows[:3]), OPERATOR, "stock")
    read.append((store.suggestions("shop"), store.last_act("shop")))
    assert _told_alike(store, run, read) >= 1
    workflows.review(shop, "shop", actor=OPERATOR, seed=5)
    after = (store.suggestions("shop"), store.last_act("shop"))
    assert _told_alike(store, store.latest_run("shop"), [after]) == 1


def _told_alike(store: SqlStore, run: RunRecord, read: list[tuple[pd.DataFrame, int]]) -> int:
    """How many of the lists could tell the day's rows, each exactly as they are."""
    with store._database.read() as connection:
        whole = suggestions.day_rows(connection, run).set_index("id").sort_index()
        told = [changed.known_rows(connection, run, *each) for each in read]
    known = [each.set_index("id").sort_index() for each in told if each is not None]
    for each in known:
        pd.testing.assert_frame_equal(each, whole)
    return len(known)
