"""An account whose stated budget ends its days: what its bids would buy, and what one review can undo.

Where a campaign's own budget binds, the volume stays what was bought and two answers stand beside the
plan (`decisions.levers`). Where the account's does, the plan itself is the answer: bids share one sum of
money, so every lower leaves some for clicks that the day's early end lost. Demand D(b) costs more than
the budget B; at present a share σ = B/D is served. Of that the plan can undo what today's steps reach:
volume counts u ≤ 1/σ times what is bought, so that the lowest bids in reach just fit B, and σ·u is the
share of the day that the planned bids will be served. Days differ: demand of D·x on a day buys
min(D·x, B), so that σ = E[min(x, B/D)], and bids planned at B are served E[min(x, 1)] of it, x being how
the last weeks' days were, at today's bids, against their mean.

Nor is the whole of B what a mean day should cost: bids whose mean day would cost C buy E[min(x, B/C)] of
their clicks, so that a little less than B loses few clicks on slow days and wins whole busy ones. Of plans
for shares a of B the one with the most expected profit is taken, and the rest of B kept. x here includes
the doubt about next week's level.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from optimizer.errors import Infeasible
from optimizer.estimates.exposure import Records
from optimizer.estimates.posteriors import Bools, Floats, group_sum
from optimizer.estimates.volume import VolumeEstimate
from optimizer.review.assembly import nothing_held
from optimizer.review.budget_tree import part_planned
from optimizer.review.solving import expected_at, keyword_options, solve

_LEAST_SERVED = 0.1
_SHAPE_DAYS = 28
_FEWEST_DAYS = 7
_ROOM = 0.98
_LEAST_UNDONE = 1.01
_MOST_SPENT = 1.1
"""Times the budget: a day that cost more was not ended by it."""
_PLANNED = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7)
_LEVELS = 9
_LEAST_TOLD = 0.5
"""Of a day's cost in campaigns that their own budgets leave free: less, and the loss is some campaign's."""


def ended_days(
    rows: Records, lost_to_budget: Floats, free: Bools, budget: float, capped_share: float
) -> Bools:
    """Records of days that the account's `budget` ended early, as reports tell.

    `free` marks rows whose own campaign's budget does not bind. Such a day cost about the budget, and
    most of what its free rows cost stands in rows that lost impressions to a budget. Otherwise nothing
    is assumed: a budget that nobody enforces censors no day.
    """
    single = rows.first == rows.last
    start = int(rows.first.min()) if len(rows.first) else 0
    size = int(rows.last.max()) - start + 1 if len(rows.last) else 0
    day, told = rows.last - start, free & (lost_to_budget > 0)
    spent, of_free, of_told = (
        group_sum(day[kept], rows.cost[kept], size)
        for kept in (single, single & free, single & told)
    )
    full = (spent >= capped_share * budget) & (spent <= _MOST_SPENT * budget)
    ended: Bools = single & told & (full & (of_told >= _LEAST_TOLD * of_free))[day]
    return ended


def whole_days(rows: Records, lost_to_budget: Floats, ended: Bools) -> Records:
    """`rows` as whole days would have brought them."""
    served = np.where(ended, np.clip(1.0 - lost_to_budget, _LEAST_SERVED, 1.0), 1.0)
    return replace(
        rows,
        impressions=rows.impressions / served,
        clicks=rows.clicks / served,
        cost=rows.cost / served,
    )


def day_shape(rows: Records, now: int) -> Floats:
    """Cost of each of the last weeks' whole days at one set of bids, over their mean; 1 before a week is seen."""
    recent = (rows.first == rows.last) & (rows.last >= now - _SHAPE_DAYS)
    cost = np.bincount(rows.last[recent] - (now - _SHAPE_DAYS), rows.cost[recent], _SHAPE_DAYS)
    days = cost[cost > 0]
    return days / days.mean() if len(days) >= _FEWEST_DAYS else np.ones(1)


def served_share(volume: VolumeEstimate, budget: float, shape: Floats) -> float:
    """Share of the demand that `budget` pays for at the present bids, whose whole days bring `volume`.

    `shape` is single days' demand against the mean.
    """
    demand = float((volume.clicks.mean * volume.cpc).sum())
    return float(np.minimum(shape, budget / demand).mean()) if demand > 0 else 1.0


def bought(volume: VolumeEstimate, share: float) -> VolumeEstimate:
    """What is left of `volume` when a `share` of the day is served."""
    if share >= 1:
        return volume
    clicks = volume.clicks.scaled(share)
    return replace(volume, clicks=clicks, impressions=volume.impressions * share)


def day_levels(shape: Floats, demand_sd: float) -> Floats:
    """Equally likely demands of a day ahead, against the mean: `shape` at any level the week may have."""
    deviate = special.ndtri((np.arange(_LEVELS) + 0.5) / _LEVELS)
    level = np.exp(demand_sd * deviate)
    result: Floats = np.outer(shape, level / level.mean()).ravel()
    return result


def planned_share(
    plan: pd.DataFrame, share: float, shape: Floats, levels: Floats, context: Mapping[str, Any]
) -> float:
    """Share of the account's budget that an average day should cost for most profit over all days.

    The best of `_PLANNED`, tried from the whole budget down for as long as it pays. Days are as `levels`
    say; the other arguments are those of `with_demand`.
    """
    planned, most = 1.0, -np.inf
    for part in _PLANNED:
        tried = with_planned(context, part)
        profit = _over_all_days(with_demand(plan, share, shape, tried), share, levels, tried)
        if profit <= most:
            break
        planned, most = part, profit
    return planned


def with_planned(context: Mapping[str, Any], part: float) -> dict[str, Any]:
    """`context` with this part of the account's budget planned."""
    first, *rest = context["budgets"]
    return {**context, "budgets": [{**first, "planned_share": part}, *rest]}


def _over_all_days(
    plan: pd.DataFrame, share: float, levels: Floats, context: Mapping[str, Any]
) -> float:
    """Expected profit per day of what the solve makes of `plan`; -inf where no bids in reach fit.

    Where the objective is not profit cost does not count: what the budget allows is to be spent.
    """
    try:
        found = solve(plan, context, nothing_held(len(plan)), np.zeros(len(context["budgets"])))
    except Infeasible:
        return -np.inf
    present = plan["present"].to_numpy(dtype=np.float64) if "present" in plan else np.ones(1)
    whole = float(present[0]) / share
    clicks, cost = expected_at(plan, found.bid)
    demand = whole * float(cost.sum())
    if demand <= 0:
        return 0.0
    margin = whole * float(clicks @ plan["value_mean"].to_numpy(dtype=np.float64))
    profit = margin - demand if context["objective"] == "profit" else margin
    return profit * days_served(float(context["budgets"][0]["budget"]) / demand, levels)


def days_served(room: float, levels: Floats) -> float:
    """Share of the mean day's demand that is bought when days end at `room` times its cost."""
    return float(np.minimum(levels, room).mean())


def with_demand(
    plan: pd.DataFrame, share: float, shape: Floats, context: Mapping[str, Any]
) -> pd.DataFrame:
    """`plan` with u times the clicks that are bought, of which `present` = 1/u are; itself where u is 1.

    Of what is planned `served` will be bought: whoever plans the whole budget loses clicks on busy days.
    """
    undone = min(1.0 / share, _within_reach(plan, context)) if share < 1 else 1.0
    whole, undone = undone < _LEAST_UNDONE, max(undone, 1.0)
    planned = part_planned(context["budgets"][0])
    if whole and planned == 1:
        return plan
    more = {name: plan[name] * undone for name in ("clicks", "volume_mean")}
    served = float(np.minimum(shape / (share * undone), 1.0 / planned).mean())
    return plan.assign(**more, present=1.0 / undone, served=min(served, 1.0))


def _within_reach(plan: pd.DataFrame, context: Mapping[str, Any]) -> float:
    """How many times what is bought the account's budget would pay for at the lowest bids in reach."""
    clicks, price = (plan[name].to_numpy(dtype=np.float64) for name in ("clicks", "cpc"))
    least = np.where(plan["pause"].to_numpy(dtype=bool), 0.0, clicks * price)
    movable = (plan["state_code"] == "").to_numpy() & (clicks > 0) & (least > 0)
    index = np.flatnonzero(movable)
    _, options = keyword_options(plan.iloc[index], context, stretched=False)
    least[index] = np.where(options.allowed, options.cost, np.inf).min(axis=1)
    total = float(least.sum())
    account = context["budgets"][0]
    money = float(account["budget"]) * part_planned(account)
    return _ROOM * money / total if total > 0 else 1.0
