"""What a decision is worth after another review, a re-solve or an undo, on both databases."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from optimizer.errors import Conflict
from optimizer.store.sql_store import SqlStore
from tests.store.samples import ANNA, BEN, keyword_report, keyword_row, suggestion, suggestions_of
from tests.store.test_decisions import DAY, NEXT, change, decided, reviewed, row


@pytest.fixture
def shop(store: SqlStore) -> SqlStore:
    """A store whose account `shop` has one report."""
    store.append_report(keyword_report([keyword_row("2026-03-04")]), "shop", DAY, ANNA)
    return store


def state(store: SqlStore, id_: str = "a") -> tuple[str, int, float]:
    found = row(store, id_)
    return found["decision"], found["version"], found["proposed_bid"]


Step = tuple[str, str, float | None]
OWN, OTHER = 1.2, 1.1  # the bid proposed, and one that somebody chose


@pytest.mark.parametrize(
    ("steps", "version"),
    [
        ([("proposed", "approved", OWN), ("approved", "proposed", None)], 1),
        ([("proposed", "approved", OTHER), ("approved", "proposed", None)], 2),
        ([("proposed", "approved", OWN), ("approved", "expired", None)], 1),
        ([("proposed", "approved", OTHER), ("approved", "expired", None)], 2),
        ([("proposed", "approved", OTHER), ("approved", "superseded", None)], 1),
        ([("proposed", "rejected", None), ("rejected", "proposed", None)], 1),
        ([("proposed", "awaiting_second", OWN)], 2),
        ([("proposed", "awaiting_second", OTHER), ("awaiting_second", "approved", OTHER)], 2),
        ([("proposed", "awaiting_second", OWN), ("awaiting_second", "awaiting_second", OTHER)], 3),
        ([("proposed", "awaiting_second", OTHER), ("awaiting_second", "proposed", None)], 3),
        ([("proposed", "awaiting_second", OTHER), ("awaiting_second", "rejected", None)], 3),
        ([("proposed", "awaiting_second", OTHER), ("awaiting_second", "expired", None)], 3),
    ],
)
def test_a_version_rises_where_the_next_approval_would_accept_another_bid(
    shop: SqlStore, steps: list[Step], version: int
) -> None:
    reviewed(shop, suggestion("a"))
    for before, to, bid in steps:
        seen = {"version": row(shop)["version"], "from_decision": before}
        decided(shop, change(to, approved_bid=bid, **seen))
    assert row(shop)["version"] == version


DECISIONS: dict[str, dict[str, Any]] = {
    "awaiting_second": {"approved_bid": 1.2},
    "approved": {"approved_bid": 1.2},
    "rejected": {"until": date(2026, 4, 1)},
    "snoozed": {"until": date(2026, 4, 1)},
    "expired": {},
}


@pytest.mark.parametrize("decision", DECISIONS)
def test_a_re_solve_leaves_what_is_decided_as_it_was(shop: SqlStore, decision: str) -> None:
    run = reviewed(shop, suggestion("a"), suggestion("b", entity_key="2"))
    both = [change(decision, id_, **DECISIONS[decision]) for id_ in "ab"]
    decided(shop, *both)
    before = [state(shop, id_) for id_ in "ab"]
    shop.update_run(run.run_id, {}, suggestions_of(suggestion("a", proposed_bid=1.3)), BEN)
    assert [state(shop, id_) for id_ in "ab"] == before


def test_what_a_re_solve_dropped_comes_back_with_the_next(shop: SqlStore) -> None:
    run = reviewed(shop, suggestion("a"), suggestion("b"))
    shop.update_run(run.run_id, {}, suggestions_of(suggestion("a")), BEN)
    assert state(shop, "b")[0] == "superseded"
    shop.update_run(run.run_id, {}, suggestions_of(suggestion("a"), suggestion("b")), BEN)
    assert state(shop, "b") == ("proposed", 1, 1.2)


@pytest.mark.parametrize("decision", ["proposed", *DECISIONS])
def test_the_next_days_review_supersedes_what_nobody_decided(shop: SqlStore, decision: str) -> None:
    reviewed(shop, suggestion("a"))
    if decision != "proposed":
        decided(shop, change(decision, **DECISIONS[decision]))
    reviewed(shop, suggestion("n"), as_of=NEXT)
    undecided = ("proposed", "awaiting_second", "snoozed")
    assert row(shop)["decision"] == ("superseded" if decision in undecided else decision)


def test_a_late_review_of_an_earlier_day_leaves_later_days_alone(shop: SqlStore) -> None:
    reviewed(shop, suggestion("n"), as_of=NEXT)
    reviewed(shop, suggestion("a"))
    assert state(shop, "n")[0] == "proposed"


@pytest.mark.parametrize("decision", ["awaiting_second", "approved", "rejected", "snoozed"])
def test_what_is_decided_can_be_seen_in_the_next_review_of_the_day(
    shop: SqlStore, decision: str
) -> None:
    reviewed(shop, suggestion("a"))
    decided(shop, change(decision, **DECISIONS[decision]))
    run = reviewed(shop, suggestion("b"))
    assert (row(shop)["decision"], row(shop)["run_id"]) == (decision, run.run_id)


@pytest.mark.parametrize("decision", ["awaiting_second", "approved"])
@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"proposed_bid": 0.9, "kind": "lower"}, True),
        ({"proposed_bid": 0.95, "kind": "lower"}, False),
        ({"proposed_bid": 0.9, "kind": "lower", "bid": 1.05}, False),
        ({"proposed_bid": 0.9, "kind": "set_target"}, False),
    ],
)
def test_a_chosen_bid_stands_while_the_review_says_the_same_of_the_same(
    shop: SqlStore, decision: str, said: dict[str, Any], kept: bool
) -> None:
    """A raise edited into a lower is said again as a lower."""
    reviewed(shop, suggestion("a"))
    decided(shop, change(decision, approved_bid=0.9))
    version = row(shop)["version"]
    reviewed(shop, suggestion("a", **said))
    found = row(shop)
    told = (decision, version) if kept else ("proposed", version + 1)
    assert (found["decision"], found["version"]) == told


def test_the_same_bid_for_another_purpose_is_another_version(shop: SqlStore) -> None:
    reviewed(shop, suggestion("a"))
    reviewed(shop, suggestion("a", kind="set_target"))
    assert row(shop)["version"] == 2


@pytest.mark.parametrize(("bid", "version"), [(None, 1), (OTHER, 3)])
def test_another_review_proposes_again_what_expired_or_was_superseded(
    shop: SqlStore, bid: float | None, version: int
) -> None:
    """What waited for a second person offered the bid of the first under its version."""
    reviewed(shop, suggestion("a"))
    if bid is None:
        decided(shop, change("expired"))
    else:
        decided(shop, change("awaiting_second", approved_bid=bid))
        reviewed(shop, suggestion("n"), as_of=NEXT)
    reviewed(shop, suggestion("a"))
    found = row(shop)
    assert (found["decision"], found["version"]) == ("proposed", version)
    assert found["approved_bid"] != found["approved_bid"]


def test_a_second_rejection_of_the_same_thing_takes_the_place_of_the_first(
    shop: SqlStore,
) -> None:
    reviewed(shop, suggestion("a"))
    decided(shop, change("rejected", until=date(2026, 4, 1)))
    reviewed(shop, suggestion("n"), as_of=NEXT)
    decided(shop, change("rejected", "n", until=date(2026, 3, 9)))
    assert shop.holds("shop", date(2026, 3, 10)).empty


@pytest.mark.parametrize("decision", ["rejected", "snoozed"])
def test_two_suggestions_on_one_keyword_are_refused_at_once(shop: SqlStore, decision: str) -> None:
    """A review's own change of a bid, and the one that takes an export back."""
    reviewed(shop, suggestion("a"), suggestion("b", reason="revert"))
    decided(shop, *(change(decision, id_, **DECISIONS[decision]) for id_ in "ab"))
    assert shop.holds("shop", NEXT)["kind"].tolist() == [decision]


def taken_back(store: SqlStore, run_id: str, seen: str = "exported") -> None:
    back = suggestion("r", kind="lower", bid=1.2, proposed_bid=1.0, reason="revert")
    store.propose_reverts(run_id, suggestions_of(back), {"r": "a"}, {"a": seen}, BEN)


def test_an_export_is_taken_back_as_it_was_seen_and_in_the_newest_review(shop: SqlStore) -> None:
    older = reviewed(shop, suggestion("a"))
    decided(shop, change("approved", approved_bid=1.2))
    shop.record_export("shop", "e1", ["x.csv"], [("a", 1)], ANNA)
    newest = reviewed(shop, suggestion("n"), as_of=NEXT)
    for run, seen in ((older, "exported"), (newest, "confirmed_live")):
        with pytest.raises(Conflict, match="suggestions_moved"):
            taken_back(shop, run.run_id, seen)
        assert shop.suggestions("shop", ids=["r"]).empty
    taken_back(shop, newest.run_id)
    assert state(shop, "r")[0] == "proposed"
    assert shop.audit("shop", "a")["action"].tolist() == ["decide", "export", "revert"]
