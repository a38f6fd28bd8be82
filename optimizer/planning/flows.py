"""What an account's keywords bring at given bids: expected, and in joint draws of all beliefs.

Works from a review's plan (one row per keyword) and context, so that a forecast believes what the
review believes. Everything per day in account currency, averaged over the next 7 days. Orders are
those that clicks of these days end in, whenever they are reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import pandas as pd

from optimizer.curves.bid_landscape import click_growth
from optimizer.decisions.outcomes import CommonShocks, Drawn, draw_rows
from optimizer.estimates.posteriors import Floats, Ints, Singles, group_sum
from optimizer.review.plan import move_columns, moves_of, response_of

Context = Mapping[str, Any]


@dataclass(frozen=True)
class Flows:
    """Clicks, cost, orders, value (before margin) and margin per day; arrays of one shape."""

    clicks: Floats
    cost: Floats
    orders: Floats
    value: Floats
    margin: Floats

    @property
    def profit(self) -> Floats:
        """Margin less cost."""
        return self.margin - self.cost

    def summed(self, axis: int) -> Flows:
        """Totals over an axis."""
        return Flows(*(getattr(self, one.name).sum(axis=axis) for one in fields(self)))

    def by_group(self, group: Ints, groups: int) -> Flows:
        """Sums per group of flows that have one entry per row."""
        return Flows(*(group_sum(group, getattr(self, one.name), groups) for one in fields(self)))

    def at(self, index: Any) -> Flows:
        """The part at `index`."""
        return Flows(*(getattr(self, one.name)[index] for one in fields(self)))

    @classmethod
    def zeros(cls, shape: tuple[int, ...]) -> Self:
        """Nothing yet, to be added to."""
        return cls(*(np.zeros(shape) for _ in fields(cls)))


def present_bids(plan: pd.DataFrame) -> Floats:
    """The bid each keyword's curve starts from; where it is unknown, the CPC that stands for it."""
    result: Floats = plan["curve_bid"].to_numpy(dtype=np.float64)
    return result


def kept_per_value(plan: pd.DataFrame) -> tuple[Floats, Floats]:
    """Orders per click, and value before margin per click, as the review believes them."""
    orders = plan["rate_mean"].to_numpy(dtype=np.float64)
    return orders, orders * plan["per_conversion_mean"].to_numpy(dtype=np.float64)


def full_price(plan: pd.DataFrame) -> Floats:
    """Price of a click where no budget ends the day, over what is paid now; 1 where a run does not say."""
    if "full_price" not in plan.columns:
        return np.ones(len(plan))
    result: Floats = plan["full_price"].to_numpy(dtype=np.float64)
    return result


def expected_flows(
    plan: pd.DataFrame, bids: Floats, share: Floats | float = 1.0, price: Floats | float = 1.0
) -> Flows:
    """Means per keyword at `bids` (0: off), in closed form.

    `share` of the clicks is bought, at `price` times what is paid now.
    """
    off = bids <= 0
    response = response_of(plan)
    asked = np.where(off, response.bid, bids)[:, None]
    on = np.where(off, 0.0, share)
    clicks = response.expected_clicks(asked)[:, 0] * on
    cost = response.expected_cost(asked)[:, 0] * on * price
    orders, value = kept_per_value(plan)
    margin = plan["value_mean"].to_numpy(dtype=np.float64)
    return Flows(clicks, cost, clicks * orders, clicks * value, clicks * margin)


def draw_flows(
    plan: pd.DataFrame,
    context: Context,
    bids: Floats,
    group: Ints,
    groups: int,
    *,
    share: Floats | None = None,
    price: Floats | None = None,
    draws: int,
    seed: int,
) -> Flows:
    """Totals per group in joint draws, arrays (points, groups, draws); `bids` is (points, keywords).

    The same draws serve every point: two points differ by their bids only. `share` (points,
    keywords) of the clicks is bought, at `price` (points, keywords) times what is paid now.
    """
    rows = plan[move_columns(plan)]
    moves = moves_of(rows, present_bids(plan))
    shocks, rng = CommonShocks(**context["shocks"]), np.random.default_rng(seed)
    total = Flows.zeros((len(bids), groups, draws))
    per_click = _per_click(plan)
    for part, drawn in draw_rows(moves, shocks, draws, rng):
        response = moves.response.take(part)
        worlds = _worlds(drawn, per_click.take(part), response.bid, response.cpc)
        own = _sums_into(group[part], groups)
        for point in range(len(bids)):
            bought = None if share is None else share[point, part]
            dearer = None if price is None else price[point, part]
            found = _drawn_totals(worlds, own, bids[point, part], bought, dearer)
            for one, sums in zip(fields(Flows), found, strict=True):
                getattr(total, one.name)[point] += sums
    return total


@dataclass(frozen=True)
class _PerClick:
    """Per keyword: orders, value and margin of a click, and how far its rate moves with its margin."""

    orders: Floats
    value: Floats
    margin: Floats
    lean: Floats

    def take(self, part: Ints) -> _PerClick:
        return _PerClick(*(getattr(self, one.name)[part] for one in fields(self)))


def _per_click(plan: pd.DataFrame) -> _PerClick:
    """The relative doubt about the rate is the part √(cv²_rate / cv²_V) of that about V."""
    orders, value = kept_per_value(plan)
    doubt = plan["value_cv2"].to_numpy(dtype=np.float64)
    rate = plan["rate_cv2"].to_numpy(dtype=np.float64)
    lean = np.sqrt(np.divide(rate, doubt, out=np.zeros_like(rate), where=doubt > 0))
    margin = plan["value_mean"].to_numpy(dtype=np.float64)
    return _PerClick(orders, value, margin, np.minimum(lean, 1.0))


def _sums_into(group: Ints, groups: int) -> Singles:
    """Matrix (groups, rows) that adds rows up by group."""
    result = np.zeros((groups, len(group)), dtype=np.float32)
    result[group, np.arange(len(group))] = 1.0
    return result


@dataclass(frozen=True)
class _Worlds:
    """One part's draws, arrays (rows, draws): the response, and what a click orders and is worth."""

    drawn: Drawn
    orders: Singles
    value: Singles
    base: Floats
    cpc: Floats


def _worlds(drawn: Drawn, per: _PerClick, base: Floats, cpc: Floats) -> _Worlds:
    known = per.margin > 0
    relative = drawn.value / _column(np.where(known, per.margin, 1.0))
    relative[~known] = 1.0
    orders = np.maximum(1 + _column(per.lean) * (relative - 1), 0) * _column(per.orders)
    return _Worlds(drawn, orders, relative * _column(per.value), base, cpc)


def _drawn_totals(
    worlds: _Worlds, own: Singles, bid: Floats, share: Floats | None, price: Floats | None
) -> tuple[Singles, Singles, Singles, Singles, Singles]:
    """Clicks, cost, orders, value and margin (groups, draws) of one part at one vector of bids."""
    off, drawn = bid <= 0, worlds.drawn
    bought = np.where(off, 0.0, 1.0 if share is None else share)
    ratio = _column(np.log(np.where(off, worlds.base, bid) / worlds.base))
    clicks = click_growth(np.maximum(drawn.elasticity, 0), ratio, drawn.click_share, drawn.won)
    clicks *= drawn.volume
    clicks *= _column(bought)
    cost = np.exp(np.maximum(drawn.exponent, 0) * ratio)
    cost *= _column(worlds.cpc if price is None else worlds.cpc * price)
    cost *= clicks
    per = (worlds.orders, worlds.value, drawn.value)
    return own @ clicks, own @ cost, *(own @ (clicks * each) for each in per)


def _column(values: Floats) -> Singles:
    return values.astype(np.float32)[:, None]
