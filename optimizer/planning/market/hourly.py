"""A day of 24 steps: clicks come with the hours' demand until a click no longer fits its budget.

From that click on the campaign (or, where the account's own budget is spent, every campaign) is off
until midnight, so that no budget is ever passed and what the evening would have brought is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimizer.planning.market.records import CENT_MICROS, TermDays
from optimizer.planning.market.world import Market
from optimizer.tables import MICROS

HOURS = 24


@dataclass(frozen=True)
class _Clicks:
    """One entry per click in the order of the day: its row, campaign, and price in micros.

    `time` is the share of the day's demand that came before it.
    """

    row: np.ndarray
    campaign: np.ndarray
    time: np.ndarray
    price: np.ndarray

    def keep(self, kept: np.ndarray) -> _Clicks:
        """The clicks that `kept` marks."""
        return _Clicks(self.row[kept], self.campaign[kept], self.time[kept], self.price[kept])


def spend_by_the_hour(
    market: Market, rows: TermDays, rng: np.random.Generator
) -> tuple[TermDays, np.ndarray]:
    """What of one day's unlimited `rows` its budgets pay for, and the share served per campaign."""
    clicks = _in_order(market, rows, rng)
    ends = _campaign_ends(market, clicks)
    clicks = clicks.keep(clicks.time < ends[clicks.campaign])
    ends = np.minimum(ends, _account_end(market, clicks))
    clicks = clicks.keep(clicks.time < ends[clicks.campaign])
    return _served_rows(market, rows, clicks, ends, rng), ends


def _in_order(market: Market, rows: TermDays, rng: np.random.Generator) -> _Clicks:
    row = np.repeat(np.arange(len(rows.term)), rows.clicks)
    time = rng.random(len(row))
    order = np.argsort(time, kind="stable")
    row = row[order]
    campaign = market.keyword_campaign[market.term_truth["keyword"].to_numpy()[rows.term]]
    price = rows.cost_micros / np.maximum(rows.clicks, 1)
    return _Clicks(row, campaign[row], time[order], price[row])


def _campaign_ends(market: Market, clicks: _Clicks) -> np.ndarray:
    """Share of the day's demand after which each campaign's own budget is spent; 1: it lasts."""
    ends = np.ones(len(market.campaign_names))
    for campaign in np.flatnonzero(np.isfinite(market.campaign_budgets)):
        own = clicks.keep(clicks.campaign == campaign)
        ends[campaign] = _end(own, float(market.campaign_budgets[campaign]))
    return ends


def _account_end(market: Market, clicks: _Clicks) -> float:
    return _end(clicks, market.account_budget)


def _end(clicks: _Clicks, budget: float) -> float:
    """When the first click comes that `budget` does not pay for; 1: none does."""
    over = np.cumsum(clicks.price) > budget * MICROS + 0.5
    return float(clicks.time[np.argmax(over)]) if over.any() else 1.0


def _served_rows(
    market: Market, rows: TermDays, clicks: _Clicks, ends: np.ndarray, rng: np.random.Generator
) -> TermDays:
    """`rows` with the clicks that were served, their cost in whole cents, and their hours' rates."""
    size = len(rows.term)
    served = np.bincount(clicks.row, minlength=size)
    campaign = market.keyword_campaign[market.term_truth["keyword"].to_numpy()[rows.term]]
    unclicked = rng.binomial(rows.impressions - rows.clicks, ends[campaign])
    cents = np.bincount(clicks.row, clicks.price, size) / CENT_MICROS
    cost = np.floor(cents + 1e-6).astype(np.int64) * CENT_MICROS
    factor = np.bincount(clicks.row, _cvr_factor(market, clicks.time), size)
    factor = np.divide(factor, served, out=np.ones(size), where=served > 0)
    found = replace(
        rows,
        impressions=(unclicked + served).astype(np.int32),
        clicks=served.astype(np.int32),
        cost_micros=cost,
        chance=np.minimum(rows.chance * factor, 1.0),
    )
    return found.shown()


def _cvr_factor(market: Market, time: np.ndarray) -> np.ndarray:
    """Conversion rate of each click's hour against the day's; demand-weighted it averages 1."""
    demand = np.array(market.settings.demand.hours)
    cvr = np.array(market.settings.orders.hours)
    share = demand / demand.sum()
    hour = np.minimum(np.searchsorted(np.cumsum(share), time, side="right"), HOURS - 1)
    factor: np.ndarray = (cvr / (share @ cvr))[hour]
    return factor
