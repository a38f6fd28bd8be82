"""Two suggestions that contradict each other are not both approved."""

from collections.abc import Sequence

import pandas as pd
import pytest

from optimizer.errors import Conflict
from optimizer.review import approvals
from optimizer.review.reverting import REVERT
from optimizer.review.rivals import BUDGET_LASTS, rivals

COLUMNS = ("id", "kind", "entity_key", "keyword_text", "reason", "decision", "linked_id")


def rows(*told: Sequence[object]) -> pd.DataFrame:
    """Stored suggestions of one ad group, at version 1."""
    frame = pd.DataFrame([dict(zip(COLUMNS, one, strict=False)) for one in told], columns=COLUMNS)
    place = {"campaign_name": "Tents", "ad_group_name": "Family", "version": 1}
    others = {"slot": "bid", "delivery": "not_exported", "bid": 1.0, "proposed_bid": 0.9}
    return frame.assign(
        decision=frame["decision"].astype("object").where(frame["decision"].notna(), "proposed"),
        **place,
        **others,
    )


PAIRS = {
    "raise and pause of one keyword": rows(
        ("a1", "raise", "7", "tent", "returns_above_line"),
        ("b2", "pause", "7", "tent", "loses_at_lowest_bid"),
    ),
    "a term as keyword and as negative": rows(
        ("a1", "add_keyword", "t:1", "Red tent", "term_pays_above_line"),
        ("b2", "add_negative", "t:2", "red  TENT", "term_never_pays"),
    ),
    "more budget and lower bids at the same": rows(
        ("a1", "set_budget", "c:9", "Tents", "budget_returns_above_line"),
        ("b2", "lower", "7", "tent", BUDGET_LASTS),
    ),
    "taking a bid back and another one": rows(
        ("a1", "lower", "7", "tent", REVERT),
        ("b2", "raise", "7", "tent", "returns_above_line"),
    ),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())
@pytest.mark.parametrize("first", [0, 1])
def test_the_second_of_a_pair_is_refused_and_names_the_first(
    pair: pd.DataFrame, first: int
) -> None:
    stored = pair.assign(decision=["approved" if at == first else "proposed" for at in range(2)])
    one, other = stored["id"].iloc[1 - first], stored["id"].iloc[first]
    known = approvals.standings(stored)
    moves, (refusal,) = approvals.decide(known, {one: 1}, approvals.approve, rivals(stored))
    assert moves == []
    assert refusal.code == "rival_approved"
    assert refusal.fields["rival_id"] == other
    assert refusal.fields["rival_kind"] == stored["kind"].iloc[first]


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())
def test_of_a_pair_named_at_once_the_first_goes_through(pair: pd.DataFrame) -> None:
    known = approvals.standings(pair)
    moves, refused = approvals.decide(known, {"b2": 1, "a1": 1}, approvals.approve, rivals(pair))
    assert [move.id for move in moves] == ["b2"]
    assert [one.fields["id"] for one in refused] == ["a1"]


def test_a_linked_pair_is_one_decision() -> None:
    pair = PAIRS["a term as keyword and as negative"].assign(linked_id=["b2", "a1"])
    known = approvals.standings(pair)
    moves, refused = approvals.decide(known, {"a1": 1}, approvals.approve, rivals(pair))
    assert ([move.id for move in moves], refused) == (["a1", "b2"], [])


@pytest.mark.parametrize("links", [["b2", "a1"], ["b2", None], [None, "a1"]])
def test_a_linked_pair_can_be_exported_together(links: list[str | None]) -> None:
    pair = PAIRS["a term as keyword and as negative"].assign(linked_id=links, decision="approved")
    assert rivals(pair).refused(["a1", "b2"]) == []


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())
def test_rivals_that_came_to_be_approved_are_refused_both(pair: pd.DataFrame) -> None:
    told = rivals(pair.assign(decision="approved")).refused(["a1", "b2"])
    assert [(one.fields["id"], one.fields["rival_id"]) for one in told] == [
        ("a1", "b2"),
        ("b2", "a1"),
    ]


ELSEWHERE = {
    "a term in another ad group": ("a term as keyword and as negative", {"ad_group_name": "Solo"}),
    "another campaign's budget": (
        "more budget and lower bids at the same",
        {"campaign_name": "Lamps"},
    ),
    "another slot than is taken back": ("taking a bid back and another one", {"slot": "state"}),
    "the export that is taken back": (
        "taking a bid back and another one",
        {"delivery": "exported"},
    ),
}


@pytest.mark.parametrize(("pair", "changes"), ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_what_concerns_something_else_stands_beside(pair: str, changes: dict[str, str]) -> None:
    stored = PAIRS[pair].assign(decision="approved")
    for name, value in changes.items():
        stored.loc[1, name] = value
    assert rivals(stored).of == {}


def test_bids_of_two_days_on_one_keyword_are_no_rivals() -> None:
    pair = PAIRS["taking a bid back and another one"].assign(reason="returns_above_line")
    assert rivals(pair).of == {}


def test_what_does_not_contradict_stands_together() -> None:
    stored = rows(
        ("a1", "set_budget", "c:9", "Tents", "budget_returns_above_line", "approved"),
        ("b2", "lower", "7", "tent", "returns_below_line"),
        ("c3", "pause", "8", "tent", "loses_at_lowest_bid"),
        ("d4", "raise", "9", "tent", "returns_above_line"),
    )
    known = approvals.standings(stored)
    named = {"b2": 1, "c3": 1, "d4": 1}
    moves, refused = approvals.decide(known, named, approvals.approve, rivals(stored))
    assert (len(moves), refused) == (3, [])


def test_a_row_that_moved_says_so_before_it_names_a_rival() -> None:
    pair = PAIRS["raise and pause of one keyword"].assign(decision=["approved", "proposed"])
    with pytest.raises(Conflict):
        rivals(pair).check("b2", frozenset({"a1"}))
    stale = approvals.decide(approvals.standings(pair), {"b2": 4}, approvals.approve, rivals(pair))
    assert stale[1][0].code == "version_moved"
