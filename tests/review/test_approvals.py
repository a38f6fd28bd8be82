from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.errors import Conflict, RefusedInput
from optimizer.review import approvals
from optimizer.review.approvals import BidRange, Decision, Standing, Transition
from optimizer.settings import Account, BidLimit

CENTS = BidLimit(
    step=Decimal("0.01"),
    minimum=Decimal("0.01"),
    maximum=Decimal("100"),
    source="test",
    dated=date(2026, 1, 1),
)
RAISE = Standing("a1", 3, "raise", "proposed", "not_exported", bid=1.0, proposed_bid=1.2)
TEN_CENTS = BidRange(Decimal("0.75"), Decimal("1.25"), Decimal("0.01"))

COMMANDS: dict[str, Callable[[Standing, int], Transition]] = {
    "approve": approvals.approve,
    "edit": lambda row, version: approvals.edit(row, version, 1.1, TEN_CENTS),
    "reject": lambda row, version: approvals.reject(row, version, "stock", date(2026, 2, 1)),
    "snooze": lambda row, version: approvals.snooze(row, version, date(2026, 2, 1)),
    "undo": approvals.undo,
    "expire": approvals.expire,
    "supersede": approvals.supersede,
}


def after(row: Standing, move: Transition) -> Standing:
    return replace(row, decision=move.to_decision, decided_by="ann", decided_at="2026-01-01")


def code(act: Callable[[], object]) -> str:
    with pytest.raises((Conflict, RefusedInput)) as caught:
        act()
    return str(caught.value.code)


def test_approval_names_the_version_and_the_value_it_replaces() -> None:
    move = approvals.approve(RAISE, 3)
    assert move == Transition("a1", 3, "proposed", "approved", replaced_bid=1.0, approved_bid=1.2)


def test_stale_version_is_refused_with_who_and_when() -> None:
    decided = replace(RAISE, version=4, decided_by="bob", decided_at="2026-01-01T08:00")
    with pytest.raises(Conflict) as caught:
        approvals.approve(decided, 3)
    assert caught.value.code == "version_moved"
    assert caught.value.fields["now"] == 4
    assert caught.value.fields["decided_by"] == "bob"


def test_second_approval_is_refused() -> None:
    approved = after(RAISE, approvals.approve(RAISE, 3))
    assert code(lambda: approvals.approve(approved, 3)) == "wrong_state"


def test_exported_rows_are_final() -> None:
    exported = replace(RAISE, decision="approved", delivery="exported")
    for command in COMMANDS.values():
        assert code(lambda command=command: command(exported, 3)) == "already_exported"


def test_watch_rows_are_never_decided() -> None:
    watch = replace(RAISE, kind="watch")
    for name in ("approve", "edit", "reject", "snooze", "undo"):
        assert code(lambda name=name: COMMANDS[name](watch, 3)) == "watch_not_decidable"
    assert approvals.expire(watch, 3).to_decision == "expired"
    assert approvals.supersede(watch, 3).to_decision == "superseded"


UNDECIDED = {"proposed", "awaiting_second"}
PERMITTED = {
    "approve": (UNDECIDED, "approved"),
    "edit": (UNDECIDED, "approved"),
    "reject": (UNDECIDED, "rejected"),
    "snooze": (UNDECIDED, "snoozed"),
    "undo": ({"awaiting_second", "approved", "rejected", "snoozed"}, "proposed"),
    "expire": ({*UNDECIDED, "rejected", "snoozed"}, "expired"),
    "supersede": ({*UNDECIDED, "snoozed"}, "superseded"),
}


@pytest.mark.parametrize("state", get_args(Decision))
@pytest.mark.parametrize("name", PERMITTED)
def test_each_command_leads_from_these_states_to_one_and_from_no_other(
    name: str, state: Decision
) -> None:
    row, (states, to) = replace(RAISE, decision=state), PERMITTED[name]
    if state in states:
        assert COMMANDS[name](row, 3).to_decision == to
    else:
        told = "suggestion_expired" if state == "expired" else "wrong_state"
        assert code(lambda: COMMANDS[name](row, 3)) == told


# the second person

WAITING = replace(RAISE, decision="awaiting_second", decided_by="ann", approved_bid=1.1)
PAIR = (replace(WAITING, linked_id="b2"), replace(RAISE, id="b2"))


def judged(person: str, *rows: Standing, bid: float | None = None) -> dict[str, Transition]:
    """What comes of this person's approval of all the rows, at `bid` where one is chosen."""
    said = partial(approvals.edit, bid=bid, allowed=TEN_CENTS) if bid else approvals.approve
    moves = [said(row, 3) for row in rows]
    behind = {"token cron": "ann"}
    known = {row.id: row for row in rows}
    found = approvals.seconded(moves, known, person, lambda name: behind.get(name, name))
    return {move.id: move for move in found}


def test_the_first_approval_waits_and_that_of_another_person_completes_it_at_the_same_bid() -> None:
    assert judged("ann", RAISE)["a1"].to_decision == "awaiting_second"
    done = judged("ben", WAITING)["a1"]
    assert (done.to_decision, done.approved_bid) == ("approved", 1.1)
    login = replace(WAITING, decided_by="ann@x.org")
    assert judged("ben@x.org", login)["a1"].to_decision == "approved"


@pytest.mark.parametrize(
    ("first", "now", "told"),
    [
        ("ann", "ann", "second_person_needed"),
        ("token cron", "ann", "second_person_needed"),
        ("ann@x.org", "ann@x.org", "second_person_needed"),
        ("ann", "ben@x.org", "second_person_unsure"),
        ("ben@x.org", "ann", "second_person_unsure"),
    ],
)
def test_nobody_seconds_himself_nor_who_may_be_himself(first: str, now: str, told: str) -> None:
    assert code(lambda: judged(now, replace(WAITING, decided_by=first))) == told


@pytest.mark.parametrize("person", ["ann", "ben"])
def test_another_bid_than_the_first_chose_waits_for_a_second_person_again(person: str) -> None:
    again = judged(person, WAITING, bid=1.15)["a1"]
    assert (again.to_decision, again.approved_bid) == ("awaiting_second", 1.15)


def test_who_undid_an_approval_did_not_begin_the_next_one() -> None:
    pause = replace(RAISE, kind="pause", proposed_bid=None, decided_by="ann")
    assert judged("ben", pause)["a1"].to_decision == "awaiting_second"


def test_linked_rows_wait_for_the_second_person_together() -> None:
    told = {id_: move.to_decision for id_, move in judged("ben", *PAIR).items()}
    assert told == {"a1": "awaiting_second", "b2": "awaiting_second"}


@pytest.mark.parametrize("person", ["ann", "ann@x.org"])
def test_of_linked_rows_only_what_nobody_began_waits_anew(person: str) -> None:
    assert list(judged(person, *PAIR)) == ["b2"]


def test_linked_rows_that_two_began_need_a_third_person() -> None:
    pair = (PAIR[0], replace(WAITING, id="b2", decided_by="ben"))
    for person in ("ann", "ben"):
        with pytest.raises(Conflict):
            judged(person, *pair)
    told = {move.to_decision for move in judged("cid", *pair).values()}
    assert told == {"approved"}


def test_undo_of_an_older_review_is_not_proposed_again() -> None:
    approved = replace(RAISE, decision="approved")
    assert approvals.undo(approved, 3).to_decision == "proposed"
    assert approvals.undo(approved, 3, newest=False).to_decision == "superseded"


@given(st.lists(st.sampled_from([*COMMANDS, "export"]), max_size=12))
@settings(max_examples=300, deadline=None)
def test_every_interleaving_keeps_one_state(names: list[str]) -> None:
    row = RAISE
    for name in names:
        if name == "export":
            row = replace(row, delivery="exported") if row.decision == "approved" else row
            continue
        try:
            moved = after(row, COMMANDS[name](row, row.version))
        except Conflict:
            continue
        assert row.delivery == "not_exported"
        assert name != "undo" or moved.decision == "proposed"
        assert row.decision not in ("expired", "superseded")
        row = moved
    assert row.delivery == "not_exported" or row.decision == "approved"


@settings(deadline=None)
@given(
    replaced=st.decimals("0.02", "90", places=2),
    bid=st.decimals("0.01", "120", places=2),
    step_limit=st.sampled_from([0.1, 0.25, 0.3]),
)
def test_edit_stays_within_every_limit(replaced: Decimal, bid: Decimal, step_limit: float) -> None:
    row = replace(RAISE, bid=float(replaced))
    allowed = approvals.bid_range(float(replaced), CENTS, Account(max_bid=50), step_limit)
    chosen = bid if allowed.low <= bid <= allowed.high and bid != replaced else None
    if chosen is None:
        with pytest.raises(Conflict, match=r"bid_out_of_range|bid_unchanged"):
            approvals.edit(row, 3, float(bid), allowed)
        return
    move = approvals.edit(row, 3, float(chosen), allowed)
    assert move.approved_bid == float(chosen)
    assert abs(move.approved_bid / float(replaced) - 1) <= step_limit + 1e-9
    assert 0.01 <= move.approved_bid <= 50


def test_edit_off_the_currency_step_is_refused_with_the_range() -> None:
    with pytest.raises(Conflict) as caught:
        approvals.edit(RAISE, 3, 1.105, TEN_CENTS)
    assert caught.value.code == "bid_not_multiple"
    assert (caught.value.fields["low"], caught.value.fields["high"]) == (0.75, 1.25)


@pytest.mark.parametrize("bid", [0.74, 1.26, float("nan"), float("inf"), -1.0])
def test_edit_outside_the_range_is_refused(bid: float) -> None:
    assert code(lambda: approvals.edit(RAISE, 3, bid, TEN_CENTS)) == "bid_out_of_range"


def test_a_pause_has_no_bid_to_edit() -> None:
    pause = replace(RAISE, kind="pause", proposed_bid=None)
    assert code(lambda: approvals.edit(pause, 3, 1.1, TEN_CENTS)) == "bid_not_editable"


@pytest.mark.parametrize("bid", [0.75, 1.25])
def test_the_ends_of_the_range_belong_to_it(bid: float) -> None:
    assert approvals.edit(RAISE, 3, bid, TEN_CENTS).approved_bid == bid


def test_new_keyword_is_bound_by_the_limits_only() -> None:
    allowed = approvals.bid_range(None, CENTS, Account(min_bid=0.055), 0.25)
    assert (allowed.low, allowed.high) == (Decimal("0.06"), Decimal("100"))
    new = replace(RAISE, kind="add_keyword", bid=None)
    assert approvals.edit(new, 3, 2.0, allowed).approved_bid == 2.0


def test_range_holds_whole_steps_inside_the_limits() -> None:
    allowed = approvals.bid_range(1.01, CENTS, Account(), 0.25)
    assert (allowed.low, allowed.high) == (Decimal("0.76"), Decimal("1.26"))
    assert approvals.bid_range(1.01, CENTS, Account(max_bid=1.1), 0.25).high == Decimal("1.10")
    floor = CENTS.model_copy(update={"minimum": Decimal("0.90")})
    assert approvals.bid_range(1.01, floor, Account(), 0.25).low == Decimal("0.90")


def test_rejection_needs_a_reason() -> None:
    act = lambda: approvals.reject(RAISE, 3, "  ", date(2026, 2, 1))  # noqa: E731
    assert code(act) == "reason_missing"


def test_rejection_expires_after_thirty_days_unless_said() -> None:
    day = date(2026, 1, 1)
    assert approvals.rejection_until(day, None) == date(2026, 1, 31)
    assert approvals.rejection_until(day, day) == day
    assert code(lambda: approvals.rejection_until(day, date(2025, 12, 31))) == "until_in_past"


def test_linked_rows_are_decided_together() -> None:
    add = replace(RAISE, id="add", kind="add_keyword", bid=None, linked_id="neg")
    negative = replace(RAISE, id="neg", kind="add_negative", bid=None, proposed_bid=None)
    rows = {"add": add, "neg": negative, "a1": RAISE}
    for named in ("add", "neg"):
        moves, refused = approvals.decide(rows, {named: 3}, approvals.approve)
        assert sorted(move.id for move in moves) == ["add", "neg"]
        assert not refused


def test_linked_rows_are_refused_together() -> None:
    add = replace(RAISE, id="add", kind="add_keyword", bid=None, linked_id="neg")
    negative = replace(RAISE, id="neg", kind="add_negative", decision="rejected")
    rows = {"add": add, "neg": negative, "a1": RAISE}
    moves, refused = approvals.decide(rows, {"add": 3, "a1": 3}, approvals.approve)
    assert [move.id for move in moves] == ["a1"]
    assert {(one.fields["id"], one.code) for one in refused} == {
        ("neg", "wrong_state"),
        ("add", "linked_refused"),
    }


def test_what_nobody_decided_in_time_cannot_be_decided_any_more() -> None:
    expired = after(RAISE, approvals.expire(RAISE, 3))
    for name in ("approve", "edit", "reject", "snooze", "undo"):
        assert code(lambda name=name: COMMANDS[name](expired, 3)) == "suggestion_expired"


def test_undo_in_a_lapsed_review_proposes_nothing() -> None:
    approved = replace(RAISE, decision="approved")
    assert approvals.undo(approved, 3, lapsed=True).to_decision == "expired"
    assert approvals.undo(approved, 3, newest=False, lapsed=True).to_decision == "superseded"
