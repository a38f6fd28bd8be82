from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from optimizer.errors import Conflict, NotFound
from optimizer.store.protocol import Beside, Change, Delivered, RunRecord
from optimizer.store.sql_store import SqlStore
from optimizer.tables import HOLDS, SUGGESTIONS, Actor, check_table
from tests.store.samples import ANNA, BEN, keyword_report, keyword_row, suggestion, suggestions_of

DAY = date(2026, 3, 5)
NEXT = date(2026, 3, 6)


@pytest.fixture
def shop(store: SqlStore) -> SqlStore:
    """A store whose account `shop` has one report."""
    store.append_report(keyword_report([keyword_row("2026-03-04")]), "shop", DAY, ANNA)
    return store


def reviewed(store: SqlStore, *rows: dict[str, Any], as_of: date = DAY) -> RunRecord:
    plan = pd.DataFrame({"entity_key": [1], "text": ["红鞋"]})
    return store.save_run("shop", as_of, {"line": 1.5}, suggestions_of(*rows), {"plan": plan}, ANNA)


def change(to: str, id_: str = "a", **fields: Any) -> Change:
    held = Change(id_, 1, "proposed", "proposed", replaced_bid=1.0)
    return replace(held, to_decision=to, **fields)


def decided(store: SqlStore, *changes: Change, actor: Actor = BEN) -> None:
    store.apply_changes("shop", changes, actor, "decide")


def row(store: SqlStore, id_: str = "a") -> dict[Any, Any]:
    return store.suggestions("shop", ids=[id_]).iloc[0].to_dict()


def test_run_comes_back(shop: SqlStore) -> None:
    run = reviewed(shop, suggestion("a"), suggestion("b", kind="watch"))
    assert shop.latest_run("shop") == shop.latest_run("shop", DAY) == run
    assert run.summary == {"line": 1.5}
    assert shop.run_frames(run.run_id)["plan"]["text"].tolist() == ["红鞋"]
    found = check_table(shop.suggestions("shop"), SUGGESTIONS)
    assert found[["id", "version", "decision", "delivery"]].values.tolist() == [
        ["a", 1, "proposed", "not_exported"],
        ["b", 1, "proposed", "not_exported"],
    ]


def test_missing_run_is_not_found(shop: SqlStore) -> None:
    with pytest.raises(NotFound, match="run_not_found"):
        shop.latest_run("shop")
    with pytest.raises(NotFound, match="run_not_found"):
        shop.run_frames("nothing")
    with pytest.raises(NotFound, match="account_not_found"):
        shop.save_run("else", DAY, {}, suggestions_of(), {}, ANNA)


def test_approval_names_what_it_replaces(shop: SqlStore) -> None:
    reviewed(shop, suggestion("a"))
    decided(shop, change("approved", approved_bid=1.1))
    found = row(shop)
    assert (found["decision"], found["approved_bid"], found["decided_by"]) == (
        "approved",
        1.1,
        "ben",
    )
    assert shop.approved("shop")["id"].tolist() == ["a"]
    assert shop.audit("shop")["action"].tolist() == ["import", "review", "decide"]


def test_a_command_on_many_rows_leaves_an_audit_row_for_each(shop: SqlStore) -> None:
    reviewed(shop, suggestion("a"), suggestion("b"))
    decided(shop, change("approved"), change("approved", "b"))
    shop.record_export("shop", "e1", ["x.csv"], [("a", 1), ("b", 1)], BEN)
    told = shop.audit("shop").query("action in ('decide', 'export')")
    assert told["subject"].tolist() == ["a", "b", "e1", "a", "b"]


def test_rows_of_another_account_are_unknown(shop: SqlStore) -> None:
    shop.append_report(keyword_report([keyword_row("2026-03-03")]), "else", DAY, ANNA)
    reviewed(shop, suggestion("a"))
    with pytest.raises(Conflict) as conflict:
        shop.apply_changes("else", [change("approved")], BEN, "decide")
    assert [moved["why"] for moved in conflict.value.fields["moved"]] == ["unknown"]


def test_trail_of_one_subject_is_read_by_itself(shop: SqlStore) -> None:
    reviewed(shop, suggestion("a"), suggestion("b"))
    decided(shop, change("approved"), change("rejected", "b", until=NEXT))
    decided(shop, change("proposed", from_decision="approved"))
    assert shop.audit("shop", "a")["sequence"].tolist() == [3, 5]
    assert shop.audit(None, "b")["action"].tolist() == ["decide"]
    assert shop.audit("else", "a").empty


@pytest.mark.parametrize(
    ("stale", "why"),
    [
        ({"version": 2}, "version"),
        ({"from_decision": "rejected"}, "decision"),
        ({"replaced_bid": 0.9}, "bid"),
        ({"replaced_bid": None}, "bid"),
        ({"id": "z"}, "unknown"),
        ({"id": "b"}, "repeated"),
    ],
)
def test_stale_change_is_refused_whole(shop: SqlStore, stale: dict[str, Any], why: str) -> None:
    reviewed(shop, suggestion("a"), suggestion("b"))
    with pytest.raises(Conflict, match="suggestions_moved") as conflict:
        decided(shop, change("approved", "b"), replace(change("approved"), **stale))
    assert [moved["why"] for moved in conflict.value.fields["moved"]] == [why]
    assert row(shop, "b")["decision"] == "proposed"
    assert len(shop.audit()) == 2


def test_loser_learns_who_and_when(shop: SqlStore) -> None:
    reviewed(shop, suggestion("a"))
    decided(shop, change("rejected", reason="too_steep"))
    with pytest.raises(Conflict) as conflict:
        decided(shop, change("approved"), actor=ANNA)
    moved = conflict.value.fields["moved"][0]
    assert (moved["decided_by"], moved["decision"]) == ("ben", "rejected")
    assert moved["decided_at"].startswith("20")


def test_eight_approvers_never_decide_twice(shop: SqlStore) -> None:
    ids = [f"s{number:03d}" for number in range(40)]
    reviewed(shop, *(suggestion(id_) for id_ in ids))

    def attempt(job: tuple[str, str]) -> bool:
        try:
            decided(shop, change("approved", job[0]), actor=Actor(job[1], "approver"))
        except Conflict as conflict:
            return conflict.fields["moved"][0]["decided_by"] is None
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(attempt, [(id_, name) for id_ in ids for name in "abcdefgh"]))
    assert sum(won) == len(ids)
    assert (shop.audit()["action"] == "decide").sum() == len(ids)
    assert shop.verify_audit() == []


START_OF_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def beside(bids: dict[str, float | None], since: datetime = START_OF_TIME) -> Beside:
    return Beside(bids, frozenset(), since)


@pytest.mark.parametrize("seen", [{"b": 1.2}, {}])
def test_an_approval_counts_beside_others_at_the_bid_that_was_seen(
    shop: SqlStore, seen: dict[str, float | None]
) -> None:
    """Somebody took an approval back and gave it again at a higher bid while a sum was judged."""
    reviewed(shop, suggestion("a"), suggestion("b"))
    decided(shop, change("approved", "b", approved_bid=1.5))
    with pytest.raises(Conflict) as conflict:
        shop.apply_changes("shop", [change("approved")], BEN, "decide", beside(seen))
    assert [each["why"] for each in conflict.value.fields["moved"]] == ["beside"]
    shop.apply_changes("shop", [change("approved")], BEN, "decide", beside({"b": 1.5}))
    assert row(shop)["decision"] == "approved"


def test_an_export_of_the_day_still_counts_beside_an_approval(shop: SqlStore) -> None:
    reviewed(shop, suggestion("a"), suggestion("b"))
    decided(shop, change("approved", "b", approved_bid=1.5))
    shop.record_export("shop", "e1", ["x.csv"], [("b", 1)], BEN)
    today, later = START_OF_TIME, datetime.now(UTC) + timedelta(days=1)
    with pytest.raises(Conflict) as conflict:
        shop.apply_changes("shop", [change("approved")], BEN, "decide", beside({}, today))
    assert [each["why"] for each in conflict.value.fields["moved"]] == ["beside"]
    assert list(shop.approved("shop", today)["id"]) == ["b"]
    assert shop.approved("shop", later).empty
    shop.apply_changes("shop", [change("approved")], BEN, "decide", beside({}, later))


def test_approved_rows_that_wait_count_beside_whenever_they_were_decided(shop: SqlStore) -> None:
    reviewed(shop, suggestion("a"), suggestion("b"))
    decided(shop, change("approved", "b"))
    later = datetime.now(UTC) + timedelta(days=1)
    with pytest.raises(Conflict):
        shop.apply_changes("shop", [change("approved")], BEN, "decide", beside({}, later))


def test_what_is_not_approved_here_or_came_to_nothing_is_not_beside(shop: SqlStore) -> None:
    reviewed(shop, suggestion("a"), suggestion("b"), suggestion("c"))
    decided(shop, change("approved", "b"), change("rejected", "c", until=NEXT))
    shop.record_export("shop", "e1", ["x.csv"], [("b", 1)], BEN)
    failed = Delivered("b", 1, "exported", "failed", "platform_refused")
    shop.record_deliveries("shop", [failed], BEN)
    other = keyword_report([keyword_row("2026-03-03")])
    shop.append_report(other, "else", DAY, ANNA)
    shop.save_run("else", DAY, {}, suggestions_of(suggestion("e")), {}, ANNA)
    shop.apply_changes("else", [change("approved", "e")], BEN, "decide")
    shop.apply_changes("shop", [change("approved")], BEN, "decide", beside({}))
    assert row(shop)["decision"] == "approved"


def test_a_rival_that_is_only_proposed_does_not_stand_in_the_way(shop: SqlStore) -> None:
    reviewed(shop, suggestion("a"), suggestion("b"))
    decided(shop, change("approved", rivals=("b",)))
    assert row(shop)["decision"] == "approved"


def test_of_two_rivals_approved_at_once_one_stands(
    shop: SqlStore, reopen: Callable[[], SqlStore]
) -> None:
    ids = [f"s{number:02d}" for number in range(20)]
    reviewed(shop, *(suggestion(f"{id_}{side}") for id_ in ids for side in "xy"))
    stores = {"x": shop, "y": reopen()}

    def attempt(id_: str) -> list[str]:
        rival = id_[:-1] + ("y" if id_[-1] == "x" else "x")
        try:
            decided(stores[id_[-1]], change("approved", id_, rivals=(rival,)))
        except Conflict as conflict:
            told = conflict.fields["moved"][0]
            return [told["id"], told["why"], told["rival_id"]]
        return ["approved"]

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(attempt, [f"{id_}{side}" for id_ in ids for side in "xy"]))
    assert sum(one == ["approved"] for one in told) == len(ids)
    assert {one[1] for one in told if len(one) > 1} == {"rival"}


def test_rejection_binds_later_days_until_it_is_undone(shop: SqlStore) -> None:
    reviewed(shop, suggestion("a"))
    decided(shop, change("rejected", until=date(2026, 3, 20)))
    assert check_table(shop.holds("shop", NEXT), HOLDS)["kind"].tolist() == ["rejected"]
    assert shop.holds("shop", date(2026, 3, 21)).empty
    decided(shop, change("proposed", from_decision="rejected"))
    assert shop.holds("shop", NEXT).empty


def test_snooze_outlives_the_suggestion_it_was_said_about(shop: SqlStore) -> None:
    reviewed(shop, suggestion("a"))
    decided(shop, change("snoozed", until=date(2026, 3, 10)))
    reviewed(shop, suggestion("n", entity_key="2"), as_of=NEXT)
    assert row(shop)["decision"] == "superseded"
    holds = shop.holds("shop", NEXT)
    assert holds[["entity_key", "kind"]].values.tolist() == [["1", "snoozed"]]


def test_snooze_can_be_undone_after_a_second_review_of_the_day(shop: SqlStore) -> None:
    reviewed(shop, suggestion("a"))
    decided(shop, change("snoozed", until=date(2026, 3, 10)))
    reviewed(shop, suggestion("b", entity_key="2"))
    assert sorted(shop.suggestions("shop")["id"]) == ["a", "b"]
    decided(shop, change("proposed", from_decision="snoozed"))
    assert shop.holds("shop", DAY).empty


def test_approved_and_exported_bids_are_held(shop: SqlStore) -> None:
    reviewed(shop, suggestion("a"), suggestion("b", entity_key="2"))
    decided(shop, change("approved", approved_bid=1.1), change("approved", "b", approved_bid=1.2))
    shop.record_export("shop", "e1", ["bulk.csv"], [("b", 1)], ANNA)
    held = shop.holds("shop", DAY)[["entity_key", "kind", "value"]].values.tolist()
    assert held == [["1", "approved", 1.1], ["2", "exported", 1.2]]
    newer = keyword_report([keyword_row("2026-03-05")])
    shop.append_report(newer, "shop", NEXT, ANNA)
    assert shop.holds("shop", NEXT)["kind"].tolist() == ["approved"]


def test_lock_is_a_hold_until_lifted(shop: SqlStore) -> None:
    for _ in range(2):
        shop.set_lock("shop", "1", "bid", True, BEN)
    assert shop.holds("shop", NEXT)["kind"].tolist() == ["locked"]
    shop.set_lock("shop", "1", "bid", False, BEN)
    assert shop.holds("shop", NEXT).empty
    assert shop.audit()["action"].tolist() == ["import", "lock", "unlock"]


def test_second_review_of_a_day_keeps_what_did_not_change(shop: SqlStore) -> None:
    reviewed(shop, suggestion("a"), suggestion("b"), suggestion("c"))
    decided(shop, change("approved"), change("approved", "b"))
    run = reviewed(shop, suggestion("a", delta_cost=9.0), suggestion("b", proposed_bid=1.3))
    assert row(shop)["decision"] == "approved"
    assert row(shop)["delta_cost"] == 9.0
    again = row(shop, "b")
    assert (again["version"], again["decision"], again["approved_bid"] is None) == (
        2,
        "proposed",
        False,
    )
    assert row(shop, "c")["decision"] == "superseded"
    assert set(shop.suggestions("shop")["run_id"]) == {run.run_id}


def test_later_day_supersedes_open_rows_only(shop: SqlStore) -> None:
    reviewed(shop, suggestion("a"), suggestion("b"))
    decided(shop, change("approved"))
    reviewed(shop, suggestion("n"), as_of=NEXT)
    assert (row(shop)["decision"], row(shop, "b")["decision"]) == ("approved", "superseded")
    assert shop.suggestions("shop")["id"].tolist() == ["n"]
    assert shop.suggestions("shop", as_of=DAY)["id"].tolist() == ["a", "b"]
    assert shop.approved("shop")["id"].tolist() == ["a"]


def test_resolve_moves_open_rows_only(shop: SqlStore) -> None:
    run = reviewed(shop, suggestion("a"), suggestion("b"), suggestion("c"))
    decided(shop, change("rejected"))
    moved = suggestions_of(
        suggestion("a", proposed_bid=1.9), suggestion("b", proposed_bid=1.3), suggestion("d")
    )
    shop.update_run(run.run_id, {"line": 1.4}, moved, BEN)
    found = shop.suggestions("shop").set_index("id")
    assert found["version"].to_dict() == {"a": 1, "b": 2, "d": 1}
    assert found["decision"].to_dict() == {"a": "rejected", "b": "proposed", "d": "proposed"}
    assert row(shop, "c")["decision"] == "superseded"
    assert shop.latest_run("shop").summary == {"line": 1.4}


def test_export_marks_rows_once(shop: SqlStore) -> None:
    reviewed(shop, suggestion("a"), suggestion("b"))
    decided(shop, change("approved", approved_bid=1.2))
    made = shop.record_export("shop", "e1", ["bulk.csv", "undo.csv"], [("a", 1)], ANNA)
    assert shop.record_export("shop", "e1", ["bulk.csv", "undo.csv"], [("a", 1)], ANNA) == made
    assert shop.find_export("shop", "e1") == made == shop.exports("shop")[0]
    assert (row(shop)["delivery"], row(shop)["export_id"]) == ("exported", "e1")
    assert shop.approved("shop").empty
    for key, rows, why in [("e2", [("a", 1)], "exported"), ("e3", [("b", 1)], "decision")]:
        with pytest.raises(Conflict, match="not_exportable") as conflict:
            shop.record_export("shop", key, ["bulk.csv"], rows, ANNA)
        assert conflict.value.fields["moved"][0]["why"] == why
    with pytest.raises(Conflict, match="export_key_reused"):
        shop.record_export("shop", "e1", ["bulk.csv"], [("b", 1)], ANNA)
    with pytest.raises(Conflict, match="suggestions_moved") as conflict:
        decided(shop, change("proposed", from_decision="approved"))
    assert conflict.value.fields["moved"][0]["why"] == "exported"


@pytest.mark.parametrize(
    ("rows", "why"),
    [([("a", 2)], ["version"]), ([("a", 1), ("z", 1)], ["unknown"]), ([("a", 1), ("a", 1)], [])],
)
def test_a_file_of_other_rows_than_those_approved_is_not_recorded(
    shop: SqlStore, rows: list[tuple[str, int]], why: list[str]
) -> None:
    reviewed(shop, suggestion("a"))
    decided(shop, change("approved"))
    with pytest.raises(Conflict, match="not_exportable") as conflict:
        shop.record_export("shop", "e1", ["bulk.csv"], rows, ANNA)
    assert [moved["why"] for moved in conflict.value.fields["moved"]] == why
    assert (row(shop)["delivery"], shop.exports("shop")) == ("not_exported", [])


def test_review_leaves_exported_rows_alone(shop: SqlStore) -> None:
    reviewed(shop, suggestion("a"))
    decided(shop, change("approved", approved_bid=1.2))
    shop.record_export("shop", "e1", ["bulk.csv"], [("a", 1)], ANNA)
    reviewed(shop, suggestion("a", proposed_bid=1.5))
    found = row(shop)
    assert (found["version"], found["decision"], found["proposed_bid"]) == (1, "approved", 1.2)
