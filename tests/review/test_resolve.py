from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from optimizer.review.resolve import resolve_account, resolve_plan
from optimizer.review.suggestions import ReviewResult
from optimizer.settings import Settings
from optimizer.tables import HOLDS, empty_table
from tests.review.conftest import TODAY, Run, told


def hold(row: pd.Series, kind: str, value: float = np.nan, days: int | None = None) -> dict:
    until = pd.NaT if days is None else pd.Timestamp(TODAY + timedelta(days=days))
    key, slot = row["entity_key"], row["slot"]
    return {"entity_key": key, "slot": slot, "kind": kind, "value": value, "until": until}


def holds(*rows: dict) -> pd.DataFrame:
    if not rows:
        return empty_table(HOLDS)
    return pd.DataFrame(rows).astype({"until": "datetime64[s]", "value": "float64"})


def best(result: ReviewResult, kind: str) -> pd.Series:
    return result.suggestions[result.suggestions["kind"] == kind].iloc[0]


def row_of(result: ReviewResult, suggestion: pd.Series) -> pd.DataFrame:
    return result.suggestions[result.suggestions["id"] == suggestion["id"]]


@pytest.fixture(scope="module")
def tight(run: Run, reviewed: ReviewResult) -> ReviewResult:
    return run(budget=0.8 * reviewed.summary.cost_now)


@pytest.fixture(scope="module")
def growing(run: Run, settings: Settings, reviewed: ReviewResult) -> ReviewResult:
    """A margin at which raises pay, and a budget that stops them."""
    return run(told(settings, margin=1.0), budget=0.97 * reviewed.summary.cost_now)


def test_without_holds_a_resolve_repeats_the_run(reviewed: ReviewResult) -> None:
    again = resolve_account(reviewed, holds())
    pd.testing.assert_frame_equal(again.suggestions, reviewed.suggestions)
    assert again.summary == reviewed.summary


def test_a_run_stored_before_groups_shared_a_doubt_still_resolves(reviewed: ReviewResult) -> None:
    plan, terms = (
        reviewed.frames[name].drop(columns=["value_group", "value_group_sd"])
        for name in ("plan", "terms")
    )
    again = resolve_plan(plan, terms, reviewed.context, holds())
    assert again.suggestions["id"].tolist() == reviewed.suggestions["id"].tolist()
    told, shared = again.summary.profit_delta, reviewed.summary.profit_delta
    assert told.mean == shared.mean
    assert told.high - told.low < shared.high - shared.low


def test_rejecting_the_dearest_raise_gives_its_money_to_others(growing: ReviewResult) -> None:
    raises = growing.suggestions[growing.suggestions["kind"] == "raise"]
    dearest = raises.loc[raises["delta_cost"].idxmax()]
    after = resolve_account(growing, holds(hold(dearest, "rejected")))
    assert growing.summary.dual_price > 1
    assert row_of(after, dearest).empty
    before = growing.suggestions.set_index("id")["proposed_bid"].drop(dearest["id"])
    now = after.suggestions.set_index("id")["proposed_bid"]
    assert (now.reindex(before.index) != before).any()
    assert after.summary.cost_planned == pytest.approx(growing.summary.budget, rel=0.005)
    assert after.summary.cost_planned <= growing.summary.budget * (1 + 1e-9)
    assert after.summary.dual_price <= growing.summary.dual_price


def test_rejecting_a_saving_makes_the_rest_save_more(tight: ReviewResult) -> None:
    lowers = tight.suggestions[tight.suggestions["kind"] == "lower"]
    saver = lowers.loc[lowers["delta_cost"].idxmin()]
    after = resolve_account(tight, holds(hold(saver, "rejected")))
    assert after.summary.cost_planned <= tight.summary.budget * (1 + 1e-9)
    assert after.summary.dual_price >= tight.summary.dual_price


@pytest.mark.parametrize("kind", ["rejected", "snoozed", "locked"])
def test_a_refused_keyword_keeps_its_bid_and_says_why(reviewed: ReviewResult, kind: str) -> None:
    raised = best(reviewed, "raise")
    after = resolve_account(reviewed, holds(hold(raised, kind)))
    assert row_of(after, raised).empty
    assert after.summary.not_suggested[kind] == 1


@pytest.mark.parametrize(("days", "kept"), [(0, True), (-1, False)])
def test_a_hold_ends_after_its_last_day(reviewed: ReviewResult, days: int, kept: bool) -> None:
    raised = best(reviewed, "raise")
    after = resolve_account(reviewed, holds(hold(raised, "snoozed", days=days)))
    assert row_of(after, raised).empty == kept


@pytest.mark.parametrize("kind", ["approved", "exported"])
def test_an_approved_bid_is_fixed_at_what_was_approved(tight: ReviewResult, kind: str) -> None:
    lowered = best(tight, "lower")
    other = round(float(lowered["bid"]) * 0.95, 2)
    after = resolve_account(tight, holds(hold(lowered, kind, other)))
    assert row_of(after, lowered)["proposed_bid"].tolist() == [other]
    assert after.summary.cost_planned <= tight.summary.budget * (1 + 1e-9)


def test_a_refused_pause_leaves_the_keyword_to_its_bid(reviewed: ReviewResult) -> None:
    paused = best(reviewed, "pause")
    after = resolve_account(reviewed, holds(hold(paused, "rejected")))
    again = after.suggestions[after.suggestions["entity_key"] == paused["entity_key"]]
    assert set(again["kind"]) <= {"lower", "watch"}
    assert "pause" not in after.summary.kinds


def test_an_approved_pause_stays(reviewed: ReviewResult) -> None:
    paused = best(reviewed, "pause")
    after = resolve_account(reviewed, holds(hold(paused, "approved")))
    assert row_of(after, paused)["kind"].tolist() == ["pause"]


def test_a_locked_keyword_is_not_paused(reviewed: ReviewResult) -> None:
    paused = best(reviewed, "pause")
    after = resolve_account(reviewed, holds({**hold(paused, "locked"), "slot": "bid"}))
    assert paused["entity_key"] not in set(after.suggestions["entity_key"])


@pytest.mark.parametrize("kind", ["rejected", "snoozed"])
def test_a_refused_new_keyword_is_not_proposed(reviewed: ReviewResult, kind: str) -> None:
    added = best(reviewed, "add_keyword")
    assert row_of(resolve_account(reviewed, holds(hold(added, kind))), added).empty


def test_an_approved_new_keyword_stays_when_money_gets_dear(
    run: Run, reviewed: ReviewResult
) -> None:
    added = best(reviewed, "add_keyword")
    other = round(float(added["proposed_bid"]) + 0.01, 2)
    after = run(
        holds=holds(hold(added, "approved", other)), budget=0.75 * reviewed.summary.cost_now
    )
    assert after.summary.dual_price > 1
    assert row_of(after, added)["proposed_bid"].tolist() == [other]
    assert after.summary.cost_planned <= after.summary.budget * (1 + 1e-9)


def test_what_a_test_spends_is_set_aside_and_its_bid_is_no_proposal(tight: ReviewResult) -> None:
    plan = tight.frames["plan"].set_index("entity_key")
    dearest = (plan["clicks"] * plan["cpc"]).idxmax()
    row = pd.Series({"entity_key": str(dearest), "slot": "bid"})
    still = resolve_account(tight, holds(hold(row, "experiment")))
    up = 1.2 * plan.loc[dearest, "bid"]
    dearer = resolve_account(tight, holds(hold(row, "experiment", up)))
    rest = dearer.suggestions.loc[dearer.suggestions["kind"].ne("watch")]
    assert str(dearest) not in set(rest["entity_key"])
    assert rest["delta_cost"].sum() < still.suggestions["delta_cost"].sum()
    assert dearer.summary.cost_planned == pytest.approx(tight.summary.budget, rel=0.005)


def test_holds_on_things_we_do_not_know_change_nothing(reviewed: ReviewResult) -> None:
    ghosts = [
        {**hold(best(reviewed, "raise"), "locked"), "entity_key": "987654"},
        {**hold(best(reviewed, "add_keyword"), "rejected"), "entity_key": "t987654"},
    ]
    after = resolve_account(reviewed, holds(*ghosts))
    pd.testing.assert_frame_equal(after.suggestions, reviewed.suggestions)


def test_everything_locked_leaves_only_terms(reviewed: ReviewResult) -> None:
    keys = reviewed.frames["plan"]["entity_key"].astype("str")
    every = [hold(pd.Series({"entity_key": key, "slot": "bid"}), "locked") for key in keys]
    after = resolve_account(reviewed, holds(*every))
    assert set(after.suggestions["kind"]) <= {"add_keyword", "add_negative"}
