"""What a plan may choose from: bids of each keyword within two steps of a review.

Wider than a review's levels of one day and without its evidence gates: a plan says where money would
go if the curves hold, the review that follows takes the steps and asks for the evidence.

No wider than that, because the best of many uncertain curves is the one that errs most in our favour,
and the farther from the bids that were tried the more so: on small markets whose truth is known, bids
from a quarter to three times today's brought no more profit at any budget from 0.85 of today's spend
up than these do, and were forecast worse (`simulations.bench_plans`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from optimizer.decisions.allocation import Options
from optimizer.estimates.posteriors import Bools, Floats
from optimizer.planning.flows import Flows, expected_flows, full_price, present_bids
from optimizer.planning.forecast import demand_share
from optimizer.review.plan import response_of
from optimizer.review.solving import objective_per_value

Context = Mapping[str, Any]
LOWEST, HIGHEST = 0.6, 1.6
"""Bids a plan may choose, as shares of the present bid: two steps of a review up or down."""

_BELOW, _ABOVE = 12, 12
_MOVES_LATER = ("", "cool_down")
_NEVER_RAISED = ("brand", "stock_short")
_NEVER_LOWERED = ("learning", "rank_hold")


@dataclass(frozen=True)
class Choices:
    """Bids per keyword and level (0: off), arrays (keywords, levels), and what they cost and bring.

    `share` is what a keyword's bid would buy over what it buys now (above 1 in a campaign that its
    budget stops), `price` what a click then costs over what is paid now; `present` the level of today's
    bid; `movable` keywords whose bid a plan may choose.
    """

    bids: Floats
    options: Options
    share: Floats
    price: Floats
    present: int
    movable: Bools

    def at(self, level: Any) -> Floats:
        """The bids of these levels."""
        result: Floats = self.bids[np.arange(len(self.bids)), level]
        return result

    def flows(self, plan: pd.DataFrame, bids: Floats) -> Flows:
        """What `bids` of the plan's keywords cost and bring where no present budget ends the day."""
        return expected_flows(plan, bids, self.share, self.price)


def plan_choices(
    plan: pd.DataFrame, context: Context, locked: Collection[str], kept: Collection[int]
) -> Choices:
    """Choices where `locked` are names of campaigns or items to leave alone and `kept` entity keys."""
    factors = np.concatenate(
        [
            [0.0],
            np.geomspace(LOWEST, 1.0, _BELOW, endpoint=False),
            np.geomspace(1.0, HIGHEST, _ABOVE + 1),
        ]
    )
    base = present_bids(plan)
    bids = np.round(base[:, None] * factors, 6)
    bids[:, 1 + _BELOW] = base
    movable = _movable(plan, context, locked, kept)
    share = demand_share(plan, context)
    allowed = _allowed(plan, bids, movable)
    price = np.where(share > 1, full_price(plan), 1.0)
    options = _options(plan, context, bids, (share, price), allowed)
    return Choices(bids, options, share, price, 1 + _BELOW, movable)


def _movable(
    plan: pd.DataFrame, context: Context, locked: Collection[str], kept: Collection[int]
) -> Bools:
    ours = plan["state_code"].isin(_MOVES_LATER) & plan["inactive_code"].eq("")
    ours &= plan["clicks"].gt(0) & ~plan["campaign_name"].isin(locked)
    ours &= ~plan["entity_key"].isin(list(kept))
    items = np.array([*context.get("items", ()), ""], dtype=object)[plan["item"].to_numpy()]
    result: Bools = ours.to_numpy(dtype=bool) & ~np.isin(items.astype(str), list(locked))
    return result


def _allowed(plan: pd.DataFrame, bids: Floats, movable: Bools) -> Bools:
    """Levels inside the bounds of bids; brand words are never stopped, held items never lowered."""
    middle = 1 + _BELOW
    base = bids[:, middle : middle + 1]
    lowest, highest = (
        plan[name].to_numpy(dtype=np.float64)[:, None] for name in ("lowest_bid", "highest_bid")
    )
    allowed = (bids >= lowest) & (bids <= highest)
    allowed[:, 0] = True
    allowed[plan["segment"].eq("brand").to_numpy(), 0] = False
    allowed[plan["lower_block"].isin(_NEVER_LOWERED).to_numpy(), :middle] = False
    allowed[plan["raise_block"].isin(_NEVER_RAISED).to_numpy(), middle + 1 :] = False
    allowed &= movable[:, None] | (bids == base)
    allowed[:, middle] = True
    return allowed


def _options(
    plan: pd.DataFrame,
    context: Context,
    bids: Floats,
    bought: tuple[Floats, Floats],
    allowed: Bools,
) -> Options:
    """Cost and objective per level; the lowest open level is where every keyword starts from.

    `bought` are `Choices.share` and `.price`.
    """
    response = response_of(plan)
    asked = np.where(bids > 0, bids, response.bid[:, None])
    share, price = bought
    on = np.where(bids > 0, share[:, None], 0.0)
    cost = response.expected_cost(asked) * on * price[:, None]
    worth = plan["value_mean"].to_numpy(dtype=np.float64) * objective_per_value(plan, context)
    value = response.expected_clicks(asked) * on * worth[:, None]
    start = allowed.argmax(axis=1).astype(np.int64)
    return Options(cost, value, allowed, start)


def seen_bids(plan: pd.DataFrame, changes: pd.DataFrame, reach: float) -> tuple[Floats, Floats]:
    """Lowest and highest bid per keyword that days were lived under, `reach` beyond them allowed.

    `changes` is table BID_CHANGES. A curve is believed only around bids that were tried.
    """
    base = present_bids(plan)
    found = changes.groupby("entity_key")["bid"].agg(["min", "max"])
    named = found.reindex(plan["entity_key"])
    low, high = (named[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in ("min", "max"))
    return np.fmin(low, base) * (1 - reach), np.fmax(high, base) * (1 + reach)


def beyond_share(
    plan: pd.DataFrame, bids: Floats, share: Floats, seen: tuple[Floats, Floats]
) -> float:
    """Share of the cost at `bids` that is bid outside of what was seen."""
    cost = expected_flows(plan, bids, share).cost
    outside = (bids > 0) & ((bids < seen[0] - 1e-9) | (bids > seen[1] + 1e-9))
    return float(cost[outside].sum() / max(cost.sum(), 1e-12))
