"""What bids are worth on a day as it was: its searches, rivals and budgets, without chance.

The truth that policies are measured against; no policy but the oracle may look at it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from optimizer.planning.market.auction import Outcome, outcome
from optimizer.planning.market.days import Log
from optimizer.planning.market.truth import kept_share
from optimizer.planning.market.world import Market
from optimizer.tables import MICROS

LOWEST, HIGHEST = 0.02, 3.0
LEVELS = 64


@dataclass(frozen=True)
class ExpectedDay:
    """Per keyword: clicks, cost and margin (margin · value, after refunds) of a day."""

    clicks: np.ndarray
    cost: np.ndarray
    margin: np.ndarray

    @property
    def profit(self) -> np.ndarray:
        """Margin less cost."""
        result: np.ndarray = self.margin - self.cost
        return result


def expected_on(market: Market, bids: np.ndarray, day: date) -> ExpectedDay:
    """What `bids` bring on `day`; a budget that would be passed serves its share of the day."""
    free = _unlimited(market, market.bids_in_force(bids), day)
    served = _served(market, free.cost)
    return ExpectedDay(free.clicks * served, free.cost * served, free.margin * served)


def best_bids_on(market: Market, day: date) -> np.ndarray:
    """The bids with the most expected profit on `day`, its budgets kept; 0 stays out.

    Each keyword's best of a fine grid at the line of its campaign: with a budget that binds, the price
    of money at which the best bids just spend it.
    """
    worth = _worth(market, day)
    multiples = np.concatenate([[0.0], np.geomspace(LOWEST, HIGHEST, LEVELS)])
    grid = market.bids_in_force(multiples[:, None] * worth)
    days = [_unlimited(market, bids, day) for bids in grid]
    cost, margin = (np.stack([getattr(one, part) for one in days]) for part in ("cost", "margin"))
    own = _campaign_lines(market, cost, margin)
    line = own
    if _spent(cost, margin, own[market.keyword_campaign]).sum() > market.account_budget:
        line = _account_lines(market, cost, margin, own)
    level = np.argmax(margin - line[market.keyword_campaign] * cost, axis=0)
    best: np.ndarray = grid[level, np.arange(len(worth))]
    return best


def earned(log: Log) -> np.ndarray:
    """Per day of `log`: margin of the clicks bought as the truth values them, less their cost.

    Orders count at their expectation, which takes the luck of single orders out; clicks, prices and
    budgets are as they happened.
    """
    margin = log.rows.clicks * log.rows.chance * _order_margin(log)
    profit = margin - log.rows.cost_micros / MICROS
    by_day: np.ndarray = np.bincount(log.rows.day - log.start, profit, log.days)
    return by_day


def realised(log: Log) -> np.ndarray:
    """Per day of `log`: margin of the orders its clicks finally kept, less their cost."""
    cost = np.bincount(log.rows.day - log.start, log.rows.cost_micros, log.days)
    kept = log.orders.counted(np.iinfo(np.int32).max)
    value = np.bincount(log.orders.day[kept] - log.start, log.orders.value_micros[kept], log.days)
    profit: np.ndarray = (value * log.market.settings.orders.margin - cost) / MICROS
    return profit


def _order_margin(log: Log) -> np.ndarray:
    """Margin of an order of each row's keyword, after refunds and shared credit."""
    settings = log.market.settings
    keyword = log.market.term_truth["keyword"].to_numpy()[log.rows.term]
    value = log.market.truth["order_value"].to_numpy()[keyword]
    margin: np.ndarray = value * kept_share(settings) * settings.orders.margin
    return margin


def _worth(market: Market, day: date) -> np.ndarray:
    """Margin per click on `day`."""
    value = market.truth["value_per_click"].to_numpy() * market.settings.orders.margin
    worth: np.ndarray = value * market.weather.cvr[market.day_number(day)]
    return worth


def _unlimited(market: Market, bids: np.ndarray, day: date) -> ExpectedDay:
    number, campaign = market.day_number(day), market.keyword_campaign
    met: Outcome = outcome(market.auctions, bids, market.weather.rivals[campaign, number])
    volume = market.auctions.volume * market.weather.volume[campaign, number]
    clicks = np.where(bids > 0, volume * met.share * met.ctr, 0.0)
    return ExpectedDay(clicks, clicks * met.cpc, clicks * _worth(market, day))


def _served(market: Market, cost: np.ndarray) -> np.ndarray:
    """Share of the day per keyword that its campaign's and the account's budget last."""
    wanted = np.bincount(market.keyword_campaign, cost, len(market.campaign_names))
    served = np.minimum(1.0, market.campaign_budgets / np.maximum(wanted, 1e-9))
    account = min(1.0, market.account_budget / max(float(wanted @ served), 1e-9))
    share: np.ndarray = (served * account)[market.keyword_campaign]
    return share


def _spent(cost: np.ndarray, margin: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Cost per keyword of its best level at `line` (per keyword)."""
    level = np.argmax(margin - line * cost, axis=0)
    spent: np.ndarray = cost[level, np.arange(cost.shape[1])]
    return spent


def _campaign_lines(market: Market, cost: np.ndarray, margin: np.ndarray) -> np.ndarray:
    """Per campaign the price of money (at least 1) at which its budget is kept, by bisection."""
    campaign, size = market.keyword_campaign, len(market.campaign_names)

    def spent(line: np.ndarray) -> np.ndarray:
        return np.bincount(campaign, _spent(cost, margin, line[campaign]), size)

    low, high = np.ones(size), np.full(size, 1e3)
    fits = spent(low) <= market.campaign_budgets
    for _ in range(40):
        middle = np.sqrt(low * high)
        over = spent(middle) > market.campaign_budgets
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    return np.where(fits, 1.0, high)


def _account_lines(
    market: Market, cost: np.ndarray, margin: np.ndarray, own: np.ndarray
) -> np.ndarray:
    """Campaign lines, none below the one at which the account's budget is kept."""
    low, high = 1.0, 1e3
    for _ in range(40):
        middle = float(np.sqrt(low * high))
        line = np.maximum(own, middle)[market.keyword_campaign]
        over = _spent(cost, margin, line).sum() > market.account_budget
        low, high = (middle, high) if over else (low, middle)
    lines: np.ndarray = np.maximum(own, high)
    return lines
