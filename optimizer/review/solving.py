"""The solve of a plan: levels, budgets and targets in, bids and the lines behind them out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from optimizer.decisions.allocation import (
    Allocation,
    Gates,
    Options,
    SideCaps,
    Target,
    allocate,
)
from optimizer.decisions.bids import StepLimits, allowed_levels, bid_levels, level_options
from optimizer.errors import Infeasible
from optimizer.estimates.posteriors import Bools, Floats, Ints, group_sum
from optimizer.review.assembly import Held, Solution
from optimizer.review.budget_tree import (
    CAMPAIGN_AT,
    Money,
    binding_codes,
    explained,
    money_left,
    part_planned,
    solver_targets,
    summed_up,
)
from optimizer.review.items import stock_caps
from optimizer.review.plan import lower_step, response_of

Context = Mapping[str, Any]

LEAST_LINE = 1e-6
"""Stands for a line at or below zero, where the objective or a floor makes money free."""


def solve(plan: pd.DataFrame, context: Context, held: Held, term_cost: Floats) -> Solution:
    """Bids of the free keywords under what everything else leaves of budgets and targets.

    `term_cost` is the change of cost from terms, per node of the context. When even the lowest
    assumed steps overspend, lowers may use the full step limit; an assumed budget then gives way to
    what is reachable, a stated one is `Infeasible`. What is kept of a budget for busy days asks for no
    more than the assumed steps.
    """
    if part_planned(context["budgets"][0]) < 1:
        with suppress(Infeasible):
            return _solve(plan, context, held, term_cost, stretched=False)
        context = _with_account(context, "planned_share", 1.0)
    try:
        return _solve(plan, context, held, term_cost, stretched=False)
    except Infeasible:
        relaxed = context
    try:
        return _solve(plan, relaxed, held, term_cost, stretched=True)
    except Infeasible as error:
        if not context["budget_assumed"] or error.code != "account_budget_unreachable":
            raise
        relaxed = _with_account(context, "budget", error.fields["nearest"])
        return _solve(plan, relaxed, held, term_cost, stretched=True)


def paused_rows(plan: pd.DataFrame, held: Held) -> Bools:
    """Keywords that stop."""
    paused: Bools = plan["pause"].to_numpy(dtype=bool) & ~held.state
    return paused


def _with_account(context: Context, name: str, amount: float) -> Context:
    first, *rest = context["budgets"]
    return {**context, "budgets": [{**first, name: amount}, *rest]}


@dataclass(frozen=True)
class _Problem:
    """What the allocation is asked: rows `index` of the plan, their bids per level and its options.

    `fixed` is the bid of all other rows (0: off). `unit` per plan row: objective per expected margin.
    """

    paused: Bools
    free: Bools
    fixed: Floats
    index: Ints
    levels: Floats
    options: Options
    unit: Floats
    money: Money
    targets: tuple[Target, ...]
    sides: SideCaps | None


def _solve(
    plan: pd.DataFrame, context: Context, held: Held, term_cost: Floats, *, stretched: bool
) -> Solution:
    told = _problem(plan, context, held, term_cost, stretched=stretched)
    found = _allocated(told, plan, context)
    line, campaign_line = _lines(plan, context, found, told.money, told.unit, told.index)
    kinds = sorted({one["kind"] for one in context.get("targets", ())})
    return Solution(
        _bids(told, found),
        told.paused,
        told.free,
        _room(told.options.allowed, told.index, len(plan)),
        found,
        float(context["budgets"][0]["budget"]),
        stretched,
        line,
        campaign_line,
        binding_codes(found, context["budgets"], kinds, told.money),
        _stocked(told, found),
        found.short[told.money.rank],
    )


def _problem(
    plan: pd.DataFrame, context: Context, held: Held, term_cost: Floats, *, stretched: bool
) -> _Problem:
    """Free keywords with clicks, and what all others leave of budgets, targets and stock."""
    paused = paused_rows(plan, held)
    fixed = np.where(paused, 0.0, np.where(np.isnan(held.bid), plan["bid"].to_numpy(), held.bid))
    free = (plan["state_code"] == "").to_numpy() & np.isnan(held.bid) & ~paused
    index = np.flatnonzero(free & (plan["clicks"].to_numpy() > 0))
    levels, options = keyword_options(plan.iloc[index], context, stretched=stretched)
    unit = objective_per_value(plan, context)
    others = fixed.copy()
    others[index] = 0.0
    money, targets = _constraints(plan, context, others, term_cost, unit, index)
    gained = options.value * unit[index, None]
    sides = stock_caps(plan, index, gained, options.allowed, others > 0, context)
    options = replace(options, value=gained)
    return _Problem(paused, free, fixed, index, levels, options, unit, money, targets, sides)


def _allocated(told: _Problem, plan: pd.DataFrame, context: Context) -> Allocation:
    """The solve. Raises `Infeasible` in the operator's terms."""
    part, unit, money = plan.iloc[told.index], told.unit[told.index], told.money
    try:
        return allocate(
            told.options,
            money.rank[part["node"].to_numpy(dtype=np.int64)],
            money.tree,
            Gates(part["raise_gate"].to_numpy() * unit, part["lower_gate"].to_numpy() * unit),
            base=1.0 if context.get("objective", "profit") == "profit" else 0.0,
            targets=told.targets,
            sides=told.sides,
        )
    except Infeasible as error:
        raise explained(error, context["budgets"], context.get("targets", ()), money) from error


def _bids(told: _Problem, found: Allocation) -> Floats:
    bid = told.fixed.copy()
    bid[told.index] = told.levels[np.arange(len(told.index)), found.level]
    return bid


def _stocked(told: _Problem, found: Allocation) -> Bools:
    """Plan rows whose line the stock of their item sets."""
    stocked = np.zeros(len(told.fixed), dtype=bool)
    if told.sides is not None:
        group = told.sides.group
        stocked[told.index] = (group >= 0) & (found.side_price[group] > 0)
    return stocked


def _room(allowed: Bools, index: Any, size: int) -> Bools:
    """Whether any lower and any higher bid is open, per plan row; `allowed` is of those at `index`."""
    middle, room = allowed.shape[1] // 2, np.zeros((size, 2), dtype=bool)
    room[index, 0] = allowed[:, :middle].any(axis=1)
    room[index, 1] = allowed[:, middle + 1 :].any(axis=1)
    return room


def _lines(
    plan: pd.DataFrame,
    context: Context,
    found: Allocation,
    money: Money,
    unit: Floats,
    index: Any,
) -> tuple[Floats, Floats]:
    """Λ per keyword and per campaign, as the margin that the last unit of money must bring.

    A keyword that was not free gets its node's line. Where the objective is not margin, a campaign's
    line is the mean of its keywords'.
    """
    line = found.node_line[money.rank[plan["node"].to_numpy(dtype=np.int64)]]
    line[index] = found.line
    line = np.maximum(line / unit, LEAST_LINE)
    campaign = plan["campaign"].to_numpy(dtype=np.int64)
    count = sum(node["scope"] == "campaign" for node in context["budgets"])
    at = money.rank[np.arange(CAMPAIGN_AT, CAMPAIGN_AT + count)]
    if context.get("objective", "profit") == "profit" and not context.get("targets"):
        return line, np.maximum(found.node_line[at], LEAST_LINE)
    size = np.maximum(np.bincount(campaign, minlength=count), 1)
    return line, group_sum(campaign, line, count) / size


def objective_per_value(plan: pd.DataFrame, context: Context) -> Floats:
    """What the objective counts per unit of expected margin: itself, value before margin, or orders."""
    objective = context.get("objective", "profit")
    if objective == "profit":
        return np.ones(len(plan))
    return _counted_per_value(plan, "roas" if objective == "value" else "cpa")


def _counted_per_value(plan: pd.DataFrame, kind: str) -> Floats:
    """What a target counts (value before margin, or orders) per unit of expected margin."""
    orders = plan["rate_mean"].to_numpy(dtype=np.float64)
    if kind == "roas":
        orders = orders * plan["per_conversion_mean"].to_numpy(dtype=np.float64)
    margin = plan["value_mean"].to_numpy(dtype=np.float64)
    result: Floats = np.divide(orders, margin, out=np.ones_like(orders), where=margin > 0)
    return result


def _constraints(
    plan: pd.DataFrame,
    context: Context,
    others: Floats,
    term_cost: Floats,
    unit: Floats,
    index: Any,
) -> tuple[Money, tuple[Target, ...]]:
    """Budgets and targets less what keywords at the bids `others`, and the terms, spend and bring."""
    nodes, node = context["budgets"], plan["node"].to_numpy(dtype=np.int64)
    clicks, cost = expected_at(plan, others)
    money = money_left(nodes, group_sum(node, cost, len(nodes)) + term_cost)
    told = context.get("targets", ())
    kinds = {one["kind"] for one in told}
    per = {kind: _counted_per_value(plan, kind) for kind in kinds}
    margin = clicks * plan["value_mean"].to_numpy(dtype=np.float64)
    brought = {
        kind: summed_up(nodes, group_sum(node, margin * per[kind], len(nodes))) for kind in kinds
    }
    counted = {kind: per[kind][index] / unit[index] for kind in kinds}
    return money, solver_targets(told, money, counted, brought)


def keyword_options(
    part: pd.DataFrame, context: Context, *, stretched: bool
) -> tuple[Floats, Options]:
    """Bids each row may take today, and what each costs and brings in margin."""
    rules = context["rules"]
    limits = StepLimits(
        part["step_limit"].to_numpy(),
        np.full(len(part), rules["step_limit"]) if stretched else lower_step(part),
        (part["raise_block"] == "").to_numpy(),
        (part["lower_block"] == "").to_numpy(),
        part["lowest_bid"].to_numpy(),
        part["highest_bid"].to_numpy(),
    )
    bid = part["bid"].to_numpy(dtype=np.float64)
    levels = bid_levels(bid, limits, context["step"], context["half_grid_levels"])
    allowed = allowed_levels(levels, bid, limits, rules["dead_band"])
    return levels, level_options(response_of(part), part["value_mean"].to_numpy(), levels, allowed)


def expected_at(plan: pd.DataFrame, bid: Floats) -> tuple[Floats, Floats]:
    """Expected clicks and cost per day at `bid`; where the bid is unknown, what they are now."""
    clicks, cost = np.zeros(len(plan)), np.zeros(len(plan))
    on = np.flatnonzero((bid != 0.0) & (plan["clicks"].to_numpy() > 0))
    response, asked = response_of(plan.iloc[on]), bid[on]
    target = np.where(np.isnan(asked) | (asked <= 0), response.bid, asked)[:, None]
    clicks[on] = response.expected_clicks(target)[:, 0]
    cost[on] = response.expected_cost(target)[:, 0]
    return clicks, cost
