"""Budgets, floors, targets and objectives as settings state them, through the whole review."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from optimizer.decisions.budgets import DaySpread
from optimizer.errors import BadSettings, Infeasible
from optimizer.estimates.exposure import day_number
from optimizer.review.budget_tree import (
    budget_nodes,
    money_left,
    period_pace,
    recent_spread,
    summed_up,
)
from optimizer.review.suggestions import ReviewResult
from optimizer.settings import Account, PeriodBudget, Settings
from tests.review.conftest import TODAY, Run, told


def planned(result: ReviewResult) -> pd.DataFrame:
    """Plan rows with expected clicks, cost, orders and revenue at the bids after the review."""
    plan = result.frames["plan"].copy()
    moves = result.suggestions[result.suggestions["kind"].isin(["raise", "lower", "pause"])]
    change = moves.set_index("entity_key")[["delta_clicks", "delta_cost"]].astype(float)
    key = plan["entity_key"].astype(str)
    plan["clicks_after"] = plan["clicks"] + key.map(change["delta_clicks"]).fillna(0.0)
    plan["cost_after"] = plan["clicks"] * plan["cpc"] + key.map(change["delta_cost"]).fillna(0.0)
    plan["orders"] = plan["clicks_after"] * plan["rate_mean"]
    plan["revenue"] = plan["orders"] * plan["per_conversion_mean"]
    return plan


def biggest(result: ReviewResult, by: list[str]) -> tuple:
    plan = planned(result)
    free = plan[plan["state_code"].eq("") & plan["lower_block"].eq("")]
    return free.groupby(by)["cost_after"].sum().idxmax()


def names_of(result: ReviewResult) -> dict[str, dict]:
    return {node["name"]: node for node in result.context["budgets"]}


def test_an_ad_group_cap_binds_its_keywords(
    run: Run, settings: Settings, reviewed: ReviewResult
) -> None:
    campaign, group = biggest(reviewed, ["campaign_name", "ad_group_name"])
    spent = planned(reviewed).groupby(["campaign_name", "ad_group_name"])["cost_after"].sum()
    cap = 0.93 * float(spent[(campaign, group)])
    stated = [{"campaign": campaign, "ad_group": group, "cap": cap}]
    result = run(told(settings, ad_group_budgets=stated))
    after = planned(result).groupby(["campaign_name", "ad_group_name"])["cost_after"].sum()
    assert after[(campaign, group)] <= cap * (1 + 1e-6)
    assert names_of(result)[group]["budget"] == cap
    inside = result.suggestions["ad_group_name"].eq(group)
    assert inside.any()


def test_a_campaign_floor_is_spent(run: Run, settings: Settings, reviewed: ReviewResult) -> None:
    lowered = reviewed.suggestions[reviewed.suggestions["kind"].eq("lower")]
    saved = -lowered.groupby("campaign_name")["delta_cost"].sum()
    campaign = saved.idxmax()
    before = {row["name"]: row for row in reviewed.summary.campaigns}[campaign]
    floor = before["cost_planned"] + 0.4 * saved.max()
    result = run(told(settings, campaign_floors={campaign: floor}))
    after = {row["name"]: row for row in result.summary.campaigns}[campaign]
    assert after["cost_planned"] >= floor * 0.99
    assert after["line"] <= before["line"]


def test_a_floor_beyond_reach_is_refused(
    run: Run, settings: Settings, reviewed: ReviewResult
) -> None:
    campaign = biggest(reviewed, ["campaign_name"])
    with pytest.raises(Infeasible, match="floor_unreachable") as refusal:
        run(told(settings, campaign_floors={campaign: 1e6}), budget=1e7)
    assert refusal.value.fields["name"] == campaign
    assert refusal.value.fields["nearest"] < 1e6


def test_a_shared_budget_binds_its_campaigns_together(
    run: Run, settings: Settings, reviewed: ReviewResult
) -> None:
    rows = sorted(reviewed.summary.campaigns, key=lambda row: -row["cost_planned"])[:2]
    cap = 0.95 * sum(row["cost_planned"] for row in rows)
    shared = {"name": "both", "campaigns": [row["name"] for row in rows], "cap": cap}
    result = run(told(settings, shared_budgets=[shared]))
    after = {row["name"]: row["cost_planned"] for row in result.summary.campaigns}
    assert sum(after[row["name"]] for row in rows) <= cap * (1 + 1e-9)
    assert names_of(result)["both"]["cost_now"] == pytest.approx(
        sum(row["cost_now"] for row in rows)
    )


def reached(result: ReviewResult, numerator: str) -> float:
    plan = planned(result)
    return plan[numerator].sum() / plan["cost_after"].sum()


def test_a_target_roas_is_met(run: Run, settings: Settings, reviewed: ReviewResult) -> None:
    asked = 1.02 * reached(reviewed, "revenue")
    result = run(told(settings, target={"roas": asked}))
    assert reached(result, "revenue") >= asked * 0.999
    assert result.summary.cost_planned < reviewed.summary.cost_planned


def test_a_target_cpa_is_met(run: Run, settings: Settings, reviewed: ReviewResult) -> None:
    asked = 0.98 / reached(reviewed, "orders")
    result = run(told(settings, target={"cpa": asked}))
    assert 1 / reached(result, "orders") <= asked * 1.001


def test_a_campaign_and_the_account_have_targets_together(
    run: Run, settings: Settings, reviewed: ReviewResult
) -> None:
    campaign = biggest(reviewed, ["campaign_name"])
    part = planned(reviewed)[lambda plan: plan["campaign_name"] == campaign]
    own = 0.99 * part["cost_after"].sum() / part["orders"].sum()
    asked = 1.01 * reached(reviewed, "revenue")
    stated = told(settings, target={"roas": asked}, campaign_targets={campaign: {"cpa": own}})
    after = planned(run(stated))
    inside = after[after["campaign_name"] == campaign]
    assert after["revenue"].sum() / after["cost_after"].sum() >= asked * 0.999
    assert inside["cost_after"].sum() / inside["orders"].sum() <= own * 1.001


def test_a_target_beyond_reach_names_the_best(run: Run, settings: Settings) -> None:
    with pytest.raises(Infeasible, match="roas_unreachable") as refusal:
        run(told(settings, target={"roas": 1000.0}))
    assert refusal.value.fields["target"] == 1000.0
    assert 0 < refusal.value.fields["nearest"] < 1000.0


@pytest.mark.parametrize(
    ("objective", "counted"), [("value", "revenue"), ("conversions", "orders")]
)
def test_another_objective_buys_more_of_what_it_counts(
    run: Run, settings: Settings, reviewed: ReviewResult, objective: str, counted: str
) -> None:
    budget = 1.1 * reviewed.summary.cost_now
    profit = run(budget=budget)
    result = run(told(settings, objective=objective), budget=budget)
    assert planned(result)[counted].sum() >= planned(profit)[counted].sum()
    assert result.summary.cost_planned <= budget * (1 + 1e-9)


def test_a_period_budget_leaves_a_margin_for_its_days(
    run: Run, settings: Settings, reviewed: ReviewResult
) -> None:
    first, last = TODAY - timedelta(days=5), TODAY + timedelta(days=9)
    spent = run(told(settings, period_budget={"amount": 1e9, "first": first, "last": last}))
    (alert,) = [one for one in spent.summary.alerts if one["code"] == "period_budget"]
    left = 10 * 0.9 * reviewed.summary.cost_now
    amount = alert["spent"] + left
    result = run(told(settings, period_budget={"amount": amount, "first": first, "last": last}))
    (alert,) = [one for one in result.summary.alerts if one["code"] == "period_budget"]
    assert alert["days"] == 10
    assert 0.8 * left / 10 < alert["per_day"] < left / 10
    assert result.summary.budget == pytest.approx(alert["per_day"])


def test_a_period_counts_its_share_of_a_week_and_days_without_a_report() -> None:
    """A weekly record is inside by five of its seven days; two days before today are unreported."""
    period = PeriodBudget(amount=1000.0, first=date(2026, 7, 3), last=date(2026, 7, 20))
    first, last = np.array([day_number(date(2026, 7, 1))]), np.array([day_number(date(2026, 7, 7))])
    today, calm = day_number(date(2026, 7, 10)), DaySpread(0.0, 0.0, 28)
    told = period_pace(period, first, last, np.array([70.0]), 0.0, today, calm, 0.1)
    assert told is not None
    assert (told["spent"], told["left"], told["days"]) == (50.0, 950.0, 13)
    assert told["per_day"] == pytest.approx(950 / 13)


def test_a_period_whose_money_is_gone_is_refused_by_name() -> None:
    period = PeriodBudget(amount=60.0, first=date(2026, 7, 3), last=date(2026, 7, 20))
    day = np.array([day_number(date(2026, 7, 7))])
    with pytest.raises(Infeasible, match="period_budget_spent") as refusal:
        period_pace(period, day, day, np.array([70.0]), 0.0, day[0] + 1, DaySpread(0, 0, 28), 0.1)
    assert (refusal.value.fields["budget"], refusal.value.fields["spent"]) == (60.0, 70.0)


def test_the_spread_comes_from_records_of_single_days() -> None:
    day = np.arange(40)
    cost = 100.0 + 20.0 * (day % 2)
    weekly = (np.append(day, 0), np.append(day, 6), np.append(cost, 1e6))
    assert recent_spread(*weekly, 0.0) == recent_spread(day, day, cost, 0.0)
    assert recent_spread(day[:0], day[:0], cost[:0], 0.0).days == 0


def test_a_period_that_is_over_binds_nothing(run: Run, settings: Settings) -> None:
    past = {"amount": 1.0, "first": TODAY - timedelta(days=9), "last": TODAY - timedelta(days=1)}
    assert run(told(settings, period_budget=past)).summary.dual_price < 2


def test_a_name_that_nothing_bears_is_told(run: Run, settings: Settings) -> None:
    result = run(told(settings, campaign_floors={"nowhere": 1.0}))
    assert {"code": "budget_of_unknown", "name": "nowhere"} in list(result.summary.alerts)


def test_a_campaign_in_two_shared_budgets_is_refused() -> None:
    both = [{"name": name, "campaigns": ["a"], "cap": 1.0} for name in ("one", "two")]
    frame = pd.DataFrame({"campaign_name": ["a"], "ad_group_name": ["g"]})
    account = Account.model_validate({"shared_budgets": both})
    one, zero = np.ones(1), np.zeros(1, dtype=np.int64)
    with pytest.raises(BadSettings, match="shared_budgets_overlap"):
        budget_nodes("shop", 9.0, account, ["a"], np.array([np.nan]), frame, zero, one)


def test_parents_come_first_for_the_solver() -> None:
    nodes = [
        {"scope": "account", "name": "shop", "parent": None, "budget": 90.0, "floor": 0.0},
        {"scope": "campaign", "name": "a", "parent": 2, "budget": None, "floor": 5.0},
        {"scope": "shared_budget", "name": "s", "parent": 0, "budget": 40.0, "floor": 0.0},
    ]
    money = money_left(nodes, np.array([1.0, 2.0, 0.0]))
    assert money.order.tolist() == [0, 2, 1]
    assert money.tree.parent.tolist() == [-1, 0, 1]
    assert money.tree.cap.tolist() == [87.0, 38.0, np.inf]
    assert money.tree.floor.tolist() == [0.0, 0.0, 3.0]
    assert summed_up(nodes, np.array([1.0, 2.0, 4.0])).tolist() == [7.0, 2.0, 6.0]
