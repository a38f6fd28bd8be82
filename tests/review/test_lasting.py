"""A capped campaign's second answer: lower bids that make its budget last, a row per keyword."""

import json

import numpy as np
import pandas as pd
import pytest

from optimizer.review.resolve import resolve_account
from optimizer.tables import HOLDS, check_table
from tests.review.small_account import FILLERS, review, small_account, told
from tests.review.test_scenarios import FULL, GOOD


def test_lower_bids_in_place_of_a_budget_stand_where_a_keyword_was_watched() -> None:
    """Same clicks for less money, so that the day lasts longer: no money moves, no total changes."""
    result = review(small_account([FULL, GOOD, *FILLERS]), told(daily_budget=900))
    lower = result.levers.set_index("kind").loc["lower"]
    assert lower["delta_cost"] == pytest.approx(0.0, abs=0.5)
    assert lower["delta_clicks"] > 0
    assert result.proposals()["id"].is_unique
    assert result.summary.kinds == dict(result.proposals()["kind"].value_counts())
    plan = result.frames["plan"].set_index("keyword_text")
    assert plan.loc["rich", "reason"] == ""


def test_a_refused_budget_leaves_the_lower_bids() -> None:
    before = review(small_account([FULL, GOOD, *FILLERS]), told(daily_budget=900))
    row = before.levers.set_index("kind").loc["set_budget"]
    refused = pd.DataFrame(
        [{"entity_key": row["entity_key"], "slot": "budget", "kind": "rejected", "value": np.nan}]
    ).assign(until=pd.Series([pd.NaT], dtype="datetime64[s]"))
    after = resolve_account(before, check_table(refused, HOLDS))
    assert after.levers["kind"].tolist() == ["lower"]
    assert "alternative_id" not in json.loads(after.levers["evidence"].iloc[0])


def test_an_approved_lower_bid_of_a_capped_campaign_frees_no_money() -> None:
    before = review(small_account([FULL, GOOD, *FILLERS]), told(daily_budget=900))
    row = before.levers.set_index("kind").loc["lower"]
    hold = {"entity_key": row["entity_key"], "slot": "bid", "kind": "approved"}
    approved = pd.DataFrame([{**hold, "value": row["proposed_bid"]}]).assign(
        until=pd.Series([pd.NaT], dtype="datetime64[s]")
    )
    after = resolve_account(before, check_table(approved, HOLDS))
    assert after.suggestions["id"].isin([row["id"]]).sum() == 1
    moved = after.suggestions[after.suggestions["id"].ne(row["id"])]["delta_cost"].sum()
    assert after.summary.cost_planned == pytest.approx(after.summary.cost_now + moved)


def test_an_approved_lower_bid_brings_what_its_campaign_gains_not_what_the_plan_would_lose() -> (
    None
):
    before = review(small_account([FULL, GOOD, *FILLERS]), told(daily_budget=900))
    row = before.levers.set_index("kind").loc["lower"]
    hold = {"entity_key": row["entity_key"], "slot": "bid", "kind": "approved"}
    approved = pd.DataFrame([{**hold, "value": row["proposed_bid"]}]).assign(
        until=pd.Series([pd.NaT], dtype="datetime64[s]")
    )
    after = resolve_account(before, check_table(approved, HOLDS))
    rest = after.suggestions[after.suggestions["id"].ne(row["id"])]["delta_profit_mean"].sum()
    assert row["delta_profit_mean"] > 0
    assert after.summary.profit_delta.mean == pytest.approx(row["delta_profit_mean"] + rest)
