"""An account whose stated budget ends its days: what its bids would buy, and what one review can undo.

Where a campaign's own budget binds, the volume stays what was bought and two answers stand beside the
plan (`decisions.levers`). Where the account's does, the plan itself is the answer: bids share one sum of
money, so every lower leaves some for clicks that the day's early end lost. Demand D(b) costs more than
the budget B; at present a share σ = B/D is served. Of that the plan can undo what today's steps reach:
volume counts u ≤ 1/σ times what is bought, so that the lowest bids in reach just fit B, and σ·u is the
share of the day that the planned bids will be served. Days differ: demand of D·x on a day buys
min(D·x, B), so that σ = E[min(x, B/D)], and bids planned at B are served E[min(x, 1)] of it, x being how
the last weeks' days were, at today's bids, against their mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from optimizer.estimates.exposure import Records
from optimizer.estimates.posteriors import Bools, Floats, group_sum
from optimizer.estimates.volume import VolumeEstimate
from optimizer.review.solving import keyword_options

_LEAST_SERVED = 0.1
_SHAPE_DAYS = 28
_FEWEST_DAYS = 7
_ROOM = 0.98
_LEAST_UNDONE = 1.01
_MOST_SPENT = 1.1
"""Times the budget: a day that cost more was not ended by it."""
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


def with_demand(
    plan: pd.DataFrame, share: float, shape: Floats, context: Mapping[str, Any]
) -> pd.DataFrame:
    """`plan` with u times the clicks that are bought, of which `present` = 1/u are; itself where u is 1.

    Of what is planned `served` will be bought: whoever plans the whole budget loses clicks on busy days.
    """
    undone = min(1.0 / share, _within_reach(plan, context)) if share < 1 else 1.0
    if undone < _LEAST_UNDONE:
        return plan
    more = {name: plan[name] * undone for name in ("clicks", "volume_mean")}
    served = float(np.minimum(shape / (share * undone), 1.0).mean())
    return plan.assign(**more, present=1.0 / undone, served=served)


def _within_reach(plan: pd.DataFrame, context: Mapping[str, Any]) -> float:
    """How many times what is bought the account's budget would pay for at the lowest bids in reach."""
    clicks, price = (plan[name].to_numpy(dtype=np.float64) for name in ("clicks", "cpc"))
    least = np.where(plan["pause"].to_numpy(dtype=bool), 0.0, clicks * price)
    movable = (plan["state_code"] == "").to_numpy() & (clicks > 0) & (least > 0)
    index = np.flatnonzero(movable)
    _, options = keyword_options(plan.iloc[index], context, stretched=False)
    least[index] = np.where(options.allowed, options.cost, np.inf).min(axis=1)
    total = float(least.sum())
    return _ROOM * float(context["budgets"][0]["budget"]) / total if total > 0 else 1.0
