from functools import lru_cache, partial
from itertools import product

import numpy as np
import pytest

from optimizer.decisions.allocation import BudgetTree, Gates, Options, allocate
from optimizer.errors import Infeasible, RefusedInput
from optimizer.planning.choices import plan_choices
from optimizer.planning.frontier import Limits, solve_plan, split
from optimizer.planning.item_bounds import ItemBounds, solve_bounded
from tests.planning.reviewed_shop import shop

NOW = shop().result.summary.cost_now
ANY = (0.0, np.inf)


def problem(keywords, levels, rng):
    """Concave value over cost, the first level free."""
    cost = np.cumsum(rng.uniform(0.5, 1.5, (keywords, levels)), axis=1) - 0.5
    cost[:, 0] = 0.0
    slope = np.sort(rng.uniform(0.2, 4.0, (keywords, levels)), axis=1)[:, ::-1]
    value = np.cumsum(np.diff(cost, axis=1, prepend=0.0) * slope, axis=1)
    return Options(cost, value, np.ones_like(cost, bool), np.zeros(keywords, np.int64))


def best_within(options, bounds, budget):
    node, gates = np.zeros(len(options.cost), np.int64), Gates(*np.full((2, 6), 1e300))
    solve = partial(allocate, node=node, tree=BudgetTree.flat(budget), gates=gates, base=1.0)
    return solve_bounded(options, bounds, solve, 1.0)


def by_hand(options, bounds, budget):
    """The best of all combinations of levels that keep the bounds."""
    row, best = np.arange(len(options.cost)), -np.inf
    for level in product(range(options.cost.shape[1]), repeat=len(row)):
        cost, value = options.cost[row, list(level)], options.value[row, list(level)]
        if cost.sum() <= budget + 1e-9 and bounds.met(bounds.summed(cost)):
            best = max(best, value.sum() - cost.sum())
    return best


@pytest.mark.parametrize("seed", range(6))
def test_the_certificate_holds_against_every_combination(seed):
    rng = np.random.default_rng(seed)
    options = problem(6, 4, rng)
    bounds = ItemBounds(
        np.array([0, 1, -1, 0, 1, -1]), ("a", "b"), np.array([3.0, 0.0]), np.array([np.inf, 2.5])
    )
    told, best = best_within(options, bounds, 9.0), by_hand(options, bounds, 9.0)
    assert told.objective <= best + 1e-9 <= told.upper_bound + 2e-9
    assert told.objective >= 0.8 * best


@lru_cache
def of_two_items():
    """The shop with keywords of two items in every campaign, and some of none."""
    plan = shop().plan.assign(item=np.arange(len(shop().plan)) % 3 - 1)
    return plan, {**shop().context, "items": ["tent", "boots"]}


def spent(bounds, **more):
    plan, context = of_two_items()
    choices = plan_choices(plan, context, (), ())
    solved = solve_plan(plan, context, choices, Limits(NOW, bounds, **more), spend_all=True)
    assert choices.flows(plan, solved.bids).cost.sum() <= NOW * (1 + 1e-9)
    rows = split(plan, context, choices, solved, by="item")
    return rows.set_index("name")["cost_plan"]


def test_least_and_most_of_items_hold_across_campaigns():
    free = spent({})
    bounds = {"tent": (1.1 * free["tent"], np.inf), "boots": (0.0, 0.7 * free["boots"])}
    held = spent(bounds)
    assert held["tent"] >= 1.1 * free["tent"] * (1 - 1e-9)
    assert held["boots"] <= 0.7 * free["boots"] * (1 + 1e-9)


def test_bounds_that_do_not_bind_change_nothing():
    assert spent({"tent": ANY}).equals(spent({}))


def test_bounds_of_a_campaign_and_of_an_item_hold_together():
    free = spent({})
    name = shop().plan["campaign_name"].iloc[-1]
    held = spent({name: (0.0, 25.0), "tent": (0.0, 0.8 * free["tent"])})
    assert held["tent"] <= 0.8 * free["tent"] * (1 + 1e-9)


def refused(bounds, **more):
    with pytest.raises((Infeasible, RefusedInput)) as caught:
        spent(bounds, **more)
    return caught.value


def test_an_amount_that_an_item_cannot_cost_is_refused_with_the_nearest():
    error = refused({"tent": (0.9 * NOW, 1e9), "boots": ANY})
    assert error.code == "item_bound_unreachable"
    assert spent({"tent": (0.99 * error.fields["nearest"], np.inf)})["tent"] > 0


def test_least_amounts_above_the_budget_are_refused_with_what_they_come_to():
    error = refused({"tent": (0.6 * NOW, np.inf), "boots": (0.6 * NOW, np.inf)})
    assert (error.code, error.fields["nearest"]) == ("bounds_above_budget", 1.2 * NOW)


def test_items_beside_a_target_are_refused_by_name():
    error = refused({"tent": (0.0, 5.0)}, roas=1.5)
    assert (error.code, error.fields["name"]) == ("item_bounds_beside_target", "tent")


def test_bounds_that_stand_against_each_other_are_refused_with_what_is_left():
    options = problem(6, 4, np.random.default_rng(1))
    bounds = ItemBounds(np.array([0, 1, 0, 1, 0, 1]), ("a", "b"), np.full(2, 4.0), np.full(2, 9.0))
    with pytest.raises(Infeasible) as caught:
        best_within(options, bounds, 6.0)
    assert caught.value.code == "item_bounds_conflict"
    assert 0 <= caught.value.fields["nearest"] < caught.value.fields["asked"]
