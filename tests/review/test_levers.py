"""Money that an approved budget or target will spend is not given to bids a second time."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from optimizer.review.resolve import resolve_account
from optimizer.review.suggestions import ReviewResult
from optimizer.tables import HOLDS, check_table
from tests.review.small_account import FILLERS, Word, review, small_account, told

CAPPED = [
    Word(f"capped {number}", 30.0, rate=0.08, campaign="capped", budget=90.0, lost_is_budget=0.4)
    for number in range(3)
]
GROWING = [Word(**{**vars(one), "rate": 0.08}) for one in FILLERS]
AUTOMATED = [
    Word(**{**vars(one), "rate": 0.2, "budget": np.nan, "bidding_mode": "automated"})
    for one in CAPPED
]


def approved(row: pd.Series) -> pd.DataFrame:
    hold = {"entity_key": row["entity_key"], "slot": row["slot"], "kind": "approved"}
    frame = pd.DataFrame([{**hold, "value": row["proposed_bid"], "until": pd.NaT}])
    return check_table(frame.astype({"until": "datetime64[s]"}), HOLDS)


def spent(result: ReviewResult) -> float:
    return result.summary.cost_now + float(result.suggestions["delta_cost"].sum())


@pytest.mark.parametrize(("words", "kind"), [(CAPPED, "set_budget"), (AUTOMATED, "set_target")])
def test_an_approved_lever_s_money_is_reserved(words: list[Word], kind: str) -> None:
    targets = {"capped": {"roas": 3.0}} if kind == "set_target" else {}
    settings = told(daily_budget=520.0, automated_targets=targets)
    before = review(small_account([*GROWING, *words]), settings)
    row = before.levers[before.levers["kind"].eq(kind)].iloc[0]
    assert min(spent(before) - 510, row["delta_cost"] - 5) > 0
    after = resolve_account(before, approved(row))
    assert 515 < spent(after) + row["delta_cost"] <= 520
    assert after.summary.cost_planned == pytest.approx(spent(after) + row["delta_cost"])
    assert after.summary.dual_price > before.summary.dual_price


def test_clicks_of_a_longer_day_cost_what_days_below_the_budget_charge() -> None:
    """Busy days are charged the budget of 90 only, so that clicks look cheaper than they are."""
    inputs = small_account([*GROWING, *CAPPED])
    capped = inputs.daily["entity_key"].gt(len(GROWING))
    spent_then = (
        inputs.daily["cost"].where(capped).groupby(inputs.daily["first_day"]).transform("sum")
    )
    charged = inputs.daily["cost"].mask(
        capped, inputs.daily["cost"] * (90 / spent_then).clip(upper=1)
    )
    result = review(replace(inputs, daily=inputs.daily.assign(cost=charged)), told())
    (row,) = (one for _, one in result.levers.iterrows() if one["kind"] == "set_budget")
    (asked,) = (one for one in result.context["levers"] if one["kind"] == "set_budget")
    assert asked["price"] > 1.02
    paid = asked["price"] * asked["cost"] / asked["clicks"]
    assert row["delta_cost"] / row["delta_clicks"] == pytest.approx(paid)


def test_refusing_one_campaign_s_lever_leaves_the_price_of_another() -> None:
    other = [Word(**{**vars(one), "campaign": "also"}) for one in CAPPED]
    before = review(small_account([*GROWING, *CAPPED, *other]), told(daily_budget=900.0))
    budgets = before.levers[before.levers["kind"].eq("set_budget")]
    first, second = (budgets.iloc[at] for at in (0, 1))
    after = resolve_account(before, approved(first).assign(kind="rejected"))
    (left,) = (row for _, row in after.levers.iterrows() if row["kind"] == "set_budget")
    assert left[["id", "delta_cost"]].tolist() == second[["id", "delta_cost"]].tolist()


@pytest.mark.parametrize("objective", ["value", "conversions"])
def test_a_lever_s_line_is_margin_whatever_the_objective_counts(objective: str) -> None:
    """An order is worth 50 and leaves 40 %: a line in revenue or in orders says another number."""
    settings = told(daily_budget=520.0, margin=0.4, objective=objective)
    result = review(small_account([*GROWING, *CAPPED]), settings)
    unit = {"value": 0.4, "conversions": 20.0}[objective]
    line = result.summary.dual_price * unit
    assert len(result.levers)
    assert result.levers["line"].to_numpy() == pytest.approx(line, rel=0.15)


@pytest.mark.parametrize("words", [[*GROWING, *CAPPED], CAPPED], ids=["some_move", "only_levers"])
def test_beside_levers_only_the_reasons_that_occur_are_counted(words: list[Word]) -> None:
    result = review(small_account(words), told())
    assert len(result.levers)
    reason = result.frames["plan"]["reason"]
    counted = reason[reason != ""].astype("str").value_counts().to_dict()
    assert result.summary.not_suggested == counted
