"""The review's arithmetic on arrays alone: estimates, curves, allocation, and no frame in between.

The same functions that `review_account` calls, for a policy that must answer within milliseconds and
whose changes nobody reads: no evidence, no draws, no segments, seasons, items or search terms. One ad
group, one budget; orders are taken to be known on the day of their click. A test holds its bids to those
of `review_account` on the same days.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from optimizer.curves.bid_landscape import Response, click_growth, marginal_return
from optimizer.decisions.allocation import BudgetTree, Gates, allocate
from optimizer.decisions.bids import StepLimits, allowed_levels, bid_levels, level_options
from optimizer.estimates.exposure import Records, Weights
from optimizer.estimates.hierarchy import Hierarchy
from optimizer.estimates.posteriors import Floats, Gamma, Ints
from optimizer.estimates.value_per_click import estimate_value_per_click
from optimizer.estimates.volume import estimate_volume
from optimizer.settings import Account, Estimation, Guardrails

_FAR = 2.0
"""Largest log change of a bid over which past days are restated: bids that start anywhere go far."""
HALF_LEVELS = Estimation().half_grid_levels


@dataclass(frozen=True)
class Days:
    """Keyword-days that are over: arrays of one entry each, sorted by day. Money in one currency.

    `unit` numbers the keyword, `bid` was in force, `served` is the share of the day's demand that the
    budget paid for.
    """

    unit: Ints
    day: Ints
    bid: Floats
    impressions: Floats
    clicks: Floats
    cost: Floats
    conversions: Floats
    value: Floats
    served: Floats

    def records(self) -> Records:
        """The same for the estimates."""
        counts = (self.impressions, self.clicks, self.cost, self.conversions, self.value)
        return Records(self.unit, self.day, self.day, *counts)


@dataclass(frozen=True)
class Reach:
    """How far a bid may go in a day, as shares of it; whole `step`s up to `highest`."""

    up: float
    down: float
    step: float
    highest: float


@dataclass(frozen=True)
class Believed:
    """Per keyword: value of a click, and the curves around its present bid."""

    value: Gamma
    response: Response
    impressions: Floats


def one_ad_group(keywords: int) -> Hierarchy:
    """All keywords are siblings."""
    none = np.zeros(keywords, dtype=np.int64)
    one = np.zeros(1, dtype=np.int64)
    return Hierarchy(none, none, (none, one, one))


def believe(days: Days, bid: Floats, today: int, tree: Hierarchy, told: Estimation) -> Believed:
    """What the days teach; `bid` per keyword is in force now.

    Volume and price come from days restated at the present bid and to a whole day's demand. Raises
    `RefusedInput("value_unknown")` before the first order.
    """
    rows, units = days.records(), len(bid)
    ones = np.ones(len(rows.unit))
    weights = Weights(ones, ones > 0, ones, ones)
    value = estimate_value_per_click(rows, weights, tree, Account(margin=1.0), "", told.value_cv)
    volume = estimate_volume(
        _restated(days, rows, bid, told), tree, bid, today, told.volume_half_life_days
    )

    def all_of(number: float) -> Floats:
        return np.full(units, number)

    response = Response(
        bid,
        volume.clicks.mean,
        volume.cpc,
        all_of(told.elasticity_mean),
        all_of(told.elasticity_sd),
        all_of(told.cpc_exponent_mean),
        all_of(told.cpc_exponent_sd),
        np.ones(units, dtype=bool),
        all_of(told.click_share),
    )
    return Believed(value.per_click, response, volume.impressions)


def solve_bids(believed: Believed, budget: float | None, reach: Reach, rules: Guardrails) -> Floats:
    """Bids within `reach` that bring most profit for `budget` a day.

    Keywords without a click to be had stay. Raises `Infeasible` where even the lowest bids overspend.
    """
    index = np.flatnonzero(believed.response.clicks > 0)
    response, value = believed.response.take(index), believed.value.take(index)
    size, bid = len(index), believed.response.bid[index]
    levels, limits = _levels(bid, reach)
    allowed = allowed_levels(levels, bid, limits, rules.dead_band)
    found = allocate(
        level_options(response, value.mean, levels, allowed),
        np.zeros(size, dtype=np.int64),
        BudgetTree.flat(np.inf if budget is None else budget),
        _gates(response, value, rules.min_probability),
    )
    chosen = believed.response.bid.copy()
    chosen[index] = levels[np.arange(size), found.level]
    return chosen


@cache
def load_kernels() -> None:
    """Solve a tiny account once, so that no later decision waits for the kernels to be loaded."""
    two, ones = np.arange(2), np.ones(2)
    days = Days(two, two * 0, ones, 9 * ones, 3 * ones, ones, ones, ones, ones)
    believed = believe(days, ones, 1, one_ad_group(2), Estimation())
    solve_bids(believed, 5.0, Reach(0.5, 0.5, 0.01, 10.0), Guardrails())


def _levels(bid: Floats, reach: Reach) -> tuple[Floats, StepLimits]:
    size = len(bid)
    open_ = np.ones(size, dtype=bool)
    bounds = (np.full(size, one) for one in (reach.step, reach.highest))
    limits = StepLimits(np.full(size, reach.up), np.full(size, reach.down), open_, open_, *bounds)
    return bid_levels(bid, limits, reach.step, HALF_LEVELS), limits


def _gates(response: Response, value: Gamma, probability: float) -> Gates:
    marginal = marginal_return(response, value)
    return Gates(marginal.quantile(1 - probability), marginal.quantile(probability))


def _restated(days: Days, rows: Records, bid: Floats, told: Estimation) -> Records:
    """Impressions, clicks and cost as today's bid and a whole day would have brought them."""
    change = np.clip(np.log(bid[days.unit] / days.bid), -_FAR, _FAR)
    grown = click_growth(told.elasticity_mean, change, told.click_share) / days.served
    dearer = np.exp(told.cpc_exponent_mean * change)
    return replace(
        rows,
        impressions=rows.impressions * grown,
        clicks=rows.clicks * grown,
        cost=rows.cost * grown * dearer,
    )
