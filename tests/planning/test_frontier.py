from functools import lru_cache

import numpy as np
import pytest

from optimizer.errors import Infeasible, RefusedInput
from optimizer.planning.choices import plan_choices, seen_bids
from optimizer.planning.frontier import SHARES, Limits, frontier, solve_plan, split
from tests.planning.reviewed_shop import shop

NOW = shop().result.summary.cost_now


@lru_cache
def choices(locked=()):
    return plan_choices(shop().plan, shop().context, locked, ())


def solved(limits, locked=(), spend_all=False):
    return solve_plan(shop().plan, shop().context, choices(locked), limits, spend_all=spend_all)


def brought(found, locked=()):
    return choices(locked).flows(shop().plan, found.bids)


@lru_cache
def told():
    plan, context = shop().plan, shop().context
    seen = seen_bids(plan, shop().inputs.bid_changes, 0.25)
    limits = Limits(budget=NOW)
    budgets = [share * NOW for share in SHARES]
    return frontier(
        plan, context, choices(), budgets, limits, solved(limits), seen, (0.7 * NOW, 1.4 * NOW),
        draws=200, seed=1,
    )  # fmt: skip


def on_frontier():
    return told()[told()["point"] == "frontier"]


def test_now_is_the_review_s_own_number():
    now = told().set_index("point").loc["now"]
    assert now["cost"] == pytest.approx(NOW)
    worth = shop().plan["clicks"] * (shop().plan["value_mean"] - shop().plan["cpc"])
    assert now["profit"] == pytest.approx(worth.sum())


def test_more_money_never_brings_less_margin_and_each_unit_brings_less():
    """Monotone and concave, up to the rounding to whole levels."""
    rows = on_frontier()
    cost, margin = rows["cost"].to_numpy(), (rows["profit"] + rows["cost"]).to_numpy()
    slope = np.diff(margin) / np.diff(cost)
    assert (np.diff(margin) > 0).all()
    assert (np.diff(slope) < 0.02 * slope[0]).all()


def test_the_marginal_return_is_the_slope_of_the_frontier():
    rows = on_frontier().iloc[1:-3]
    margin = (rows["profit"] + rows["cost"]).to_numpy()
    slope = np.diff(margin) / np.diff(rows["cost"].to_numpy())
    high, low = rows["marginal"].to_numpy()[:-1], rows["marginal"].to_numpy()[1:]
    assert (slope <= high * 1.05).all()
    assert (slope >= low * 0.95).all()


def test_the_best_spread_beats_the_present_one_at_the_same_cost():
    same = brought(solved(Limits(budget=NOW), spend_all=True))
    now = told().set_index("point").loc["now"]
    assert same.cost.sum() <= NOW * (1 + 1e-9)
    assert same.profit.sum() > now["profit"]


def test_profit_stops_where_money_returns_itself():
    free = solved(Limits())
    assert free.dual_price == pytest.approx(1.0)
    most = on_frontier()["profit"].max()
    assert brought(free).profit.sum() >= most - 1e-6


def test_bands_hold_the_mean_and_widen_away_from_today():
    rows = told()
    assert (rows["profit_low"] <= rows["profit"]).all()
    assert (rows["profit"] <= rows["profit_high"]).all()
    frontier_rows = on_frontier()
    width = (frontier_rows["cost_high"] - frontier_rows["cost_low"]) / frontier_rows["cost"]
    assert width.iloc[-1] > width.iloc[5]


def test_what_nobody_tried_is_marked():
    rows = on_frontier()
    assert rows["beyond"].iloc[-1]
    assert rows["beyond_bids"].is_monotonic_increasing or rows["beyond_bids"].iloc[-1] > 0.5
    assert not told().set_index("point").loc["now", "beyond"]


def test_same_seed_same_bits():
    limits = Limits(budget=NOW)
    seen = seen_bids(shop().plan, shop().inputs.bid_changes, 0.25)
    asked = (shop().plan, shop().context, choices(), [NOW], limits, solved(limits), seen, (0, 1e9))
    first, again = (frontier(*asked, draws=50, seed=4) for _ in range(2))
    assert first.equals(again)


def test_bounds_of_a_campaign_hold():
    rows = split(shop().plan, shop().context, choices(), solved(Limits(budget=NOW)))
    name, cost = rows["name"].iloc[0], rows["cost_now"].iloc[0]
    held = solved(Limits(budget=NOW, bounds={name: (0.9 * cost, 0.95 * cost)}))
    found = split(shop().plan, shop().context, choices(), held).set_index("name")
    assert 0.88 * cost <= found.loc[name, "cost_plan"] <= 0.95 * cost + 1e-9


def test_a_locked_campaign_stays_as_it_is():
    name = split(shop().plan, shop().context, choices(), solved(Limits()))["name"].iloc[0]
    found = solved(Limits(budget=NOW), (name,))
    row = split(shop().plan, shop().context, choices((name,)), found).set_index("name").loc[name]
    assert row["locked"]
    assert row["cost_plan"] == pytest.approx(
        choices()
        .flows(shop().plan, choices().at(choices().present))
        .cost[shop().plan["campaign_name"].eq(name).to_numpy()]
        .sum()
    )


def test_locks_above_the_budget_are_refused_with_the_least_that_would_do():
    names = tuple(sorted(set(shop().plan["campaign_name"])))
    with pytest.raises(Infeasible) as caught:
        solved(Limits(budget=0.5 * NOW), names)
    assert caught.value.code == "locks_above_budget"
    solved(Limits(budget=caught.value.fields["nearest"]), names)


@pytest.mark.parametrize(("kind", "asked"), [("roas", 1e3), ("cpa", 1e-3)])
def test_a_target_out_of_reach_names_what_can_be_reached(kind, asked):
    with pytest.raises(Infeasible) as caught:
        solved(Limits(**{kind: asked}))
    assert caught.value.code == f"{kind}_unreachable"
    nearest = caught.value.fields["nearest"]
    solved(Limits(**{kind: nearest * (0.999 if kind == "roas" else 1.001)}))


def test_a_target_is_met_and_costs_profit():
    free = brought(solved(Limits()))
    asked = 1.3 * free.value.sum() / free.cost.sum()
    held = brought(solved(Limits(roas=asked)))
    assert held.value.sum() / held.cost.sum() >= asked * (1 - 1e-6)
    assert held.profit.sum() <= free.profit.sum() + 1e-9


def test_bounds_of_nothing_are_refused_by_name():
    with pytest.raises(RefusedInput) as caught:
        solved(Limits(budget=NOW, bounds={"no such": (1.0, 2.0)}))
    assert caught.value.code == "bound_unknown"


def test_a_bound_on_a_name_that_two_campaigns_bear_is_refused():
    nodes = [dict(node) for node in shop().context["budgets"]]
    first, second = [node for node in nodes if node["scope"] == "campaign"][:2]
    second["name"] = first["name"]
    context = {**shop().context, "budgets": nodes}
    limits = Limits(budget=NOW, bounds={first["name"]: (1.0, 2.0)})
    with pytest.raises(RefusedInput) as caught:
        solve_plan(shop().plan, context, choices(), limits, spend_all=True)
    assert (caught.value.code, caught.value.fields["count"]) == ("bound_ambiguous", 2)


def test_bounds_above_the_budget_are_refused():
    name = shop().plan["campaign_name"].iloc[0]
    with pytest.raises(Infeasible) as caught:
        solved(Limits(budget=NOW, bounds={name: (2 * NOW, 3 * NOW)}))
    assert caught.value.code == "bounds_above_budget"
