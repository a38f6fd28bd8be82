"""What each amount of money would bring if it were spread best: the budget frontier, and one plan on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from optimizer.decisions.allocation import Allocation, Gates, Options, allocate
from optimizer.errors import Infeasible, RefusedInput
from optimizer.estimates.posteriors import Floats
from optimizer.planning.choices import Choices, beyond_share
from optimizer.planning.flows import Flows, draw_flows, expected_flows, kept_per_value, present_bids
from optimizer.planning.forecast import interval_of
from optimizer.planning.item_bounds import ItemBounds, solve_bounded
from optimizer.review.budget_tree import (
    CAMPAIGN_AT,
    Money,
    explained,
    money_left,
    solver_targets,
    summed_up,
)
from optimizer.review.solving import objective_per_value

Context = Mapping[str, Any]
SHARES = (0.25, 0.4, 0.55, 0.7, 0.85, 1.0, 1.15, 1.3, 1.5, 1.75, 2.0, 2.5, 3.0)
"""Budgets of a frontier as shares of what is spent now, where none are named."""

_AMOUNTS = ("cost", "profit", "value", "orders", "clicks")
_ALWAYS = 1e300
_LEAST = 1e-9


@dataclass(frozen=True)
class Limits:
    """What a plan must keep to, per day: `budget` (None: no limit), least and most of campaigns and
    items by name, and a target for the whole account."""

    budget: float | None = None
    bounds: Mapping[str, tuple[float, float]] | None = None
    roas: float | None = None
    cpa: float | None = None


@dataclass(frozen=True)
class Solved:
    """One plan: bids per keyword (0: off), Λ of the account and of each campaign."""

    bids: Floats
    dual_price: float
    campaign_line: Floats


def solve_plan(
    plan: pd.DataFrame, context: Context, choices: Choices, limits: Limits, *, spend_all: bool
) -> Solved:
    """The best bids within `limits`; `spend_all` goes on where another unit of money returns less than one.

    Floors, shared budgets and ad-group budgets that the account states hold; its campaign budgets do
    not: they are what the plan chooses. Raises `Infeasible` naming what cannot be met and the nearest
    value, `RefusedInput` for a campaign or item that does not exist and for bounds of items beside a
    target, whose counts their prices would change, or of a name that several bear.
    """
    _refuse_shared_names(context, limits)
    nodes, named = _nodes(context, limits)
    items = _item_bounds(plan, context, named)
    if items is not None and (limits.roas is not None or limits.cpa is not None):
        raise RefusedInput("item_bounds_beside_target", name=items.names[0])
    _check_least(plan, choices, nodes, items)
    money = money_left(nodes, np.zeros(len(nodes)))
    targets, told = _targets(plan, context, limits, money, nodes)
    free = np.full(len(plan), _ALWAYS)
    rank = money.rank[plan["node"].to_numpy(dtype=np.int64)]
    profit = context.get("objective", "profit") == "profit"
    base = 1.0 if profit and not spend_all else 0.0

    def best(options: Options) -> Allocation:
        try:
            return allocate(
                options, rank, money.tree, Gates(free, free), base=base, targets=targets
            )
        except Infeasible as error:
            raise explained(error, nodes, told, money) from error

    options = choices.options
    found = best(options) if items is None else solve_bounded(options, items, best, base).found
    return Solved(choices.at(found.level), found.dual_price, _campaign_line(found, nodes, money))


def _campaign_line(found: Allocation, nodes: Sequence[Mapping[str, Any]], money: Money) -> Floats:
    count = sum(node["scope"] == "campaign" for node in nodes)
    line: Floats = found.node_line[money.rank[CAMPAIGN_AT : CAMPAIGN_AT + count]]
    return line


def _refuse_shared_names(context: Context, limits: Limits) -> None:
    """Raise `RefusedInput` for a bound on a name of several: it would hold one of them and not say which."""
    bearers = [node["name"] for node in context["budgets"] if node["scope"] == "campaign"]
    bearers += context.get("items", ())
    for name in limits.bounds or ():
        if bearers.count(name) > 1:
            raise RefusedInput("bound_ambiguous", name=name, count=bearers.count(name))


def _nodes(
    context: Context, limits: Limits
) -> tuple[list[dict[str, Any]], dict[str, tuple[float, float]]]:
    """The account's nodes with the plan's money in place of the campaigns' present budgets, and the
    bounds that no campaign bears."""
    bounds = dict(limits.bounds or {})
    nodes = []
    for at, node in enumerate(context["budgets"]):
        changed = dict(node)
        if at == 0:
            changed |= {"budget": limits.budget, "planned_share": 1.0}
        elif node["scope"] == "campaign":
            least, most = bounds.pop(node["name"], (node["floor"], np.inf))
            changed |= {"floor": least, "budget": None if np.isinf(most) else most}
        nodes.append(changed)
    return nodes, bounds


def _item_bounds(
    plan: pd.DataFrame, context: Context, bounds: Mapping[str, tuple[float, float]]
) -> ItemBounds | None:
    """Bounds of items by name; None where there are none. Raises `RefusedInput` for an unknown name."""
    if not bounds:
        return None
    items = list(context.get("items", ()))
    unknown = [name for name in bounds if name not in items]
    if unknown:
        campaigns = [node["name"] for node in context["budgets"] if node["scope"] == "campaign"]
        raise RefusedInput("bound_unknown", name=unknown[0], known=[*campaigns, *items])
    place = np.full(len(items) + 1, -1)
    place[[items.index(name) for name in bounds]] = np.arange(len(bounds))
    least, most = np.array(list(bounds.values()), dtype=np.float64).T
    return ItemBounds(place[plan["item"].to_numpy(dtype=np.int64)], tuple(bounds), least, most)


def _check_least(
    plan: pd.DataFrame,
    choices: Choices,
    nodes: Sequence[Mapping[str, Any]],
    items: ItemBounds | None,
) -> None:
    """Raise `Infeasible` where the budget is below what nobody may take away."""
    budget = nodes[0]["budget"]
    options = choices.options
    row = np.arange(len(plan))
    least = float(options.cost[row, options.hold].sum())
    if budget is not None and budget < least * (1 - _LEAST):
        raise Infeasible("locks_above_budget", budget=budget, locked=least, nearest=least)
    floors = sum(float(node["floor"] or 0.0) for node in nodes if node["scope"] == "campaign")
    if items is not None:
        floors = max(floors, float(items.least.sum()))
    if budget is not None and floors > budget * (1 + _LEAST):
        raise Infeasible("bounds_above_budget", budget=budget, bounds=floors, nearest=floors)


def _targets(
    plan: pd.DataFrame,
    context: Context,
    limits: Limits,
    money: Money,
    nodes: Sequence[Mapping[str, Any]],
) -> tuple[Any, list[dict[str, Any]]]:
    """The plan's targets as the solver takes them, and as they were said."""
    told = [
        {"node": 0, "kind": kind, "asked": float(asked)}
        for kind, asked in (("roas", limits.roas), ("cpa", limits.cpa))
        if asked is not None
    ]
    orders, value = kept_per_value(plan)
    worth = plan["value_mean"].to_numpy(dtype=np.float64) * objective_per_value(plan, context)
    per = {"roas": value, "cpa": orders}
    counted = {
        kind: np.divide(one, worth, out=np.ones_like(one), where=worth > 0)
        for kind, one in per.items()
    }
    none = {kind: summed_up(nodes, np.zeros(len(nodes))) for kind in per}
    return solver_targets(told, money, counted, none), told


def frontier(
    plan: pd.DataFrame,
    context: Context,
    choices: Choices,
    budgets: Sequence[float],
    limits: Limits,
    proposed: Solved,
    seen: tuple[Floats, Floats],
    spent: tuple[float, float],
    *,
    draws: int,
    seed: int,
    interval: float = 0.8,
) -> pd.DataFrame:
    """One row per budget, then `now` and `proposed`; amounts per day in account currency.

    Columns: `point` (frontier | now | proposed), `budget`, cost, profit, value, orders, clicks with
    `<name>_low` and `<name>_high` (the joint posterior's `interval`, the same draws for every row),
    `roas`, `cpa`, `marginal` (what the next unit of money returns), `beyond_bids` (share of cost at
    bids nobody tried), `beyond` (spend was never that low or high, or most bids were never tried).
    Budgets that the plan's own bounds or locks exceed are left out, and those above the first that
    cannot be spent.
    """
    solved = _solved_at(plan, context, choices, budgets, limits)
    points: list[tuple[str, float | None, Solved]]
    points = [("frontier", budget, one) for budget, one in solved]
    points += [("now", np.nan, _present(plan, context)), ("proposed", limits.budget, proposed)]
    bids = np.stack([one.bids for _, _, one in points])
    as_now = np.array([kind == "now" for kind, _, _ in points])[:, None]
    share, price = (np.where(as_now, 1.0, one) for one in (choices.share, choices.price))
    group, bought = np.zeros(len(plan), dtype=np.int64), {"share": share, "price": price}
    drawn = draw_flows(plan, context, bids, group, 1, **bought, draws=draws, seed=seed)
    rows = [
        {
            "point": kind,
            "budget": np.nan if budget is None else float(budget),
            **figures(
                expected_flows(plan, one.bids, share[at], price[at]), drawn.at((at, 0)), interval
            ),
            "marginal": one.dual_price,
            "beyond_bids": beyond_share(plan, one.bids, share[at], seen),
        }
        for at, (kind, budget, one) in enumerate(points)
    ]
    told = pd.DataFrame(rows)
    outside = ~told["cost"].between(spent[0], spent[1])
    return told.assign(beyond=(outside | told["beyond_bids"].gt(0.5)) & told["point"].ne("now"))


def _solved_at(
    plan: pd.DataFrame,
    context: Context,
    choices: Choices,
    budgets: Sequence[float],
    limits: Limits,
) -> list[tuple[float, Solved]]:
    found = []
    for budget in sorted(set(budgets)):
        asked = Limits(budget, limits.bounds)
        try:
            one = solve_plan(plan, context, choices, asked, spend_all=True)
        except Infeasible:
            continue
        found.append((budget, one))
        if one.dual_price <= _LEAST:
            break
    return found


def _present(plan: pd.DataFrame, context: Context) -> Solved:
    """Today's bids; what their next unit of money returns is the cost-weighted mean of the keywords'."""
    cost = (plan["clicks"] * plan["cpc"]).to_numpy(dtype=np.float64)
    marginal = plan["marginal_mean"].to_numpy(dtype=np.float64) * objective_per_value(plan, context)
    line = float((cost * marginal).sum() / max(cost.sum(), 1e-12))
    return Solved(present_bids(plan), line, np.zeros(0))


def figures(mean: Flows, drawn: Flows, interval: float) -> dict[str, float]:
    """Totals of one plan: expected per keyword in closed form, with the ends of their draws."""
    told: dict[str, float] = {}
    for name in _AMOUNTS:
        total = float(getattr(mean, name).sum())
        _, low, high = interval_of(getattr(drawn, name), interval)
        told |= {name: total, f"{name}_low": min(low, total), f"{name}_high": max(high, total)}
    ratio = drawn.value / np.maximum(drawn.cost, 1e-12)
    per_order = drawn.cost / np.maximum(drawn.orders, 1e-12)
    return {
        **told,
        "roas": told["value"] / max(told["cost"], 1e-12),
        **dict(zip(("roas_low", "roas_high"), interval_of(ratio, interval)[1:], strict=True)),
        "cpa": told["cost"] / max(told["orders"], 1e-12),
        **dict(zip(("cpa_low", "cpa_high"), interval_of(per_order, interval)[1:], strict=True)),
    }


def split(
    plan: pd.DataFrame, context: Context, choices: Choices, solved: Solved, by: str = "campaign"
) -> pd.DataFrame:
    """Cost, value, orders and profit per campaign (or `item`) now and under the plan, most cost first.

    `locked` where none of its bids may move; `marginal` of campaigns is what their next unit of money
    returns; `budget` what the platform enforces now.
    """
    names = [node["name"] for node in context["budgets"] if node["scope"] == "campaign"]
    labels = names if by == "campaign" else [*context.get("items", ()), ""]
    number = plan[by].to_numpy(dtype=np.int64) % max(len(labels), 1)
    now = expected_flows(plan, present_bids(plan)).by_group(number, len(labels))
    then = choices.flows(plan, solved.bids).by_group(number, len(labels))
    free = np.bincount(number, choices.movable, len(labels)) > 0
    columns = {
        f"{name}_{when}": getattr(flows, name)
        for name in ("cost", "profit", "value", "orders")
        for when, flows in (("now", now), ("plan", then))
    }
    told = pd.DataFrame({"name": labels, **columns, "locked": ~free})
    if by == "campaign":
        nodes = context["budgets"][CAMPAIGN_AT : CAMPAIGN_AT + len(labels)]
        budget = [np.nan if node["budget"] is None else node["budget"] for node in nodes]
        told = told.assign(marginal=solved.campaign_line, budget=budget)
    some = told["cost_now"].gt(0) | told["cost_plan"].gt(0)
    return told[some].sort_values("cost_now", ascending=False, kind="stable", ignore_index=True)
