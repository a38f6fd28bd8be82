"""A market lived day by day: eligible searches, impressions, clicks, cost and orders per search term."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from optimizer.planning.market.arrays import frozen, stacked
from optimizer.planning.market.auction import Outcome, outcome
from optimizer.planning.market.hourly import spend_by_the_hour
from optimizer.planning.market.records import CENT_MICROS, NEVER, OrderRecords, TermDays
from optimizer.planning.market.settings import Orders
from optimizer.planning.market.world import Market
from optimizer.tables import MICROS


@dataclass(frozen=True)
class Log:
    """All that happened on consecutive days; nothing in it depends on when one looks.

    `bids` is (days, keywords), 0 where a keyword was off; `served` is (days, campaigns), the share
    of the day that the budget lasted.
    """

    market: Market
    start: int
    bids: np.ndarray
    served: np.ndarray
    rows: TermDays
    orders: OrderRecords

    @property
    def days(self) -> int:
        """How many days the log covers."""
        return len(self.bids)

    @property
    def first_day(self) -> date:
        """The first day of the log."""
        return self.market.first_day + timedelta(days=self.start)


def simulate_days(
    market: Market, bids: np.ndarray, start: date, days: int, rng: np.random.Generator
) -> Log:
    """Live `days` days from `start` at `bids`, (keywords,) or (days, keywords); 0 turns a keyword off.

    The same as `simulate_day` for each day in turn with the same generator, joined.
    """
    daily = np.broadcast_to(bids, (days, len(market.keywords)))
    return join_logs(
        [simulate_day(market, daily[i], start + timedelta(days=i), rng) for i in range(days)]
    )


def simulate_day(market: Market, bids: np.ndarray, day: date, rng: np.random.Generator) -> Log:
    """Live one day at `bids`, (keywords,). Raises `Infeasible` for a day the market does not have.

    To compare two policies on equal days give both a generator of the day's own, as in
    `default_rng([seed, day])`: searches are drawn before anything that depends on bids.
    """
    number = market.day_number(day)
    effective = market.bids_in_force(np.asarray(bids, dtype=float))
    campaign = market.keyword_campaign
    met = outcome(market.auctions, effective, market.weather.rivals[campaign, number])
    searches = _searches(market, number, rng)
    if market.settings.budgets.hourly:
        rows = _term_day(market, number, searches, met, effective, rng)
        rows, served = spend_by_the_hour(market, rows, rng)
    else:
        served = _served(market, searches, met)
        shown = Outcome(met.share * served[campaign], met.ctr, met.cpc)
        rows = _within_budget(market, _term_day(market, number, searches, shown, effective, rng))
    return Log(
        market=market,
        start=number,
        bids=frozen(effective[None, :]),
        served=frozen(served[None, :]),
        rows=rows,
        orders=_orders(market, rows, rng),
    )


def join_logs(logs: Sequence[Log]) -> Log:
    """One log of consecutive days."""
    return Log(
        market=logs[0].market,
        start=logs[0].start,
        bids=frozen(np.concatenate([log.bids for log in logs])),
        served=frozen(np.concatenate([log.served for log in logs])),
        rows=stacked([log.rows for log in logs]),
        orders=stacked([log.orders for log in logs]),
    )


def _searches(market: Market, number: int, rng: np.random.Generator) -> np.ndarray:
    """Expected eligible searches per keyword, after every shock but chance itself."""
    volume: np.ndarray = (
        market.auctions.volume * market.weather.volume[market.keyword_campaign, number]
    )
    cv = market.settings.demand.keyword_shock_cv
    if cv == 0:
        return volume
    searches: np.ndarray = volume * rng.gamma(1 / cv**2, cv**2, len(volume))
    return searches


def _served(market: Market, searches: np.ndarray, met: Outcome) -> np.ndarray:
    """Share of the day each campaign's budget lasts when its clicks come evenly."""
    wanted = np.bincount(
        market.keyword_campaign,
        searches * met.share * met.ctr * met.cpc,
        minlength=len(market.campaign_names),
    )
    return np.minimum(1.0, market.campaign_budgets / np.maximum(wanted, 1e-9))


def _term_day(
    market: Market,
    number: int,
    searches: np.ndarray,
    shown: Outcome,
    bids: np.ndarray,
    rng: np.random.Generator,
) -> TermDays:
    keyword = market.term_truth["keyword"].to_numpy()
    eligible = rng.poisson(searches[keyword] * market.term_truth["share"].to_numpy())
    impressions = rng.binomial(eligible, shown.share[keyword])
    term = np.flatnonzero(impressions)
    keyword, impressions = keyword[term], impressions[term]
    clicks = rng.binomial(impressions, shown.ctr[keyword])
    cost = _cost_micros(market, clicks, shown.cpc[keyword], bids[keyword], rng)
    chance = market.term_truth["cvr"].to_numpy()[term] * market.weather.cvr[number]
    return TermDays(
        day=np.full(len(term), number, dtype=np.int32),
        term=term.astype(np.int32),
        eligible=eligible[term].astype(np.int32),
        impressions=impressions.astype(np.int32),
        clicks=clicks.astype(np.int32),
        cost_micros=cost,
        chance=np.minimum(chance, 1.0),
    )


def _cost_micros(
    market: Market, clicks: np.ndarray, cpc: np.ndarray, bids: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Cost in whole cents; single prices scatter around `cpc`, none above the bid."""
    room = market.settings.clicks.price_noise * np.minimum(bids - cpc, cpc)
    scatter = rng.uniform(-1.0, 1.0, len(clicks)) * room / np.sqrt(np.maximum(clicks, 1))
    cents = np.round(clicks * (cpc + scatter) * 100)
    # A bid may lie between two cents; a cost must not exceed it.
    most = np.floor(clicks * bids * 100 + 1e-6)
    micros: np.ndarray = np.minimum(cents, most).astype(np.int64) * CENT_MICROS
    return micros


def _within_budget(market: Market, rows: TermDays) -> TermDays:
    """Clicks beyond the budget are served but not charged, as platforms credit over-delivery."""
    campaign = market.keyword_campaign[market.term_truth["keyword"].to_numpy()[rows.term]]
    spent = np.bincount(campaign, rows.cost_micros, minlength=len(market.campaign_names))
    scale = np.minimum(1.0, market.campaign_budgets * MICROS / np.maximum(spent, 1))[campaign]
    cents = np.floor(rows.cost_micros * scale / CENT_MICROS + 1e-9).astype(np.int64)
    charged = np.where(scale < 1, cents * CENT_MICROS, rows.cost_micros)
    return replace(rows, cost_micros=charged)


def _orders(market: Market, rows: TermDays, rng: np.random.Generator) -> OrderRecords:
    part = market.settings.orders
    count = rng.binomial(rows.clicks, rows.chance)
    term = np.repeat(rows.term, count)
    credit = _credits(part, len(term), rng)
    value = _values(market, term, rng) * credit
    return OrderRecords(
        day=np.repeat(rows.day, count),
        term=term,
        delay=_delays(part, len(term), rng),
        credit=credit,
        value_micros=np.round(value * 100).astype(np.int64) * CENT_MICROS,
        refund_after=_refunds(part, len(term), rng),
    )


def _values(market: Market, term: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Order values: lognormal with the keyword's own mean."""
    sd = market.settings.orders.value_order_sd
    keyword = market.term_truth["keyword"].to_numpy()[term]
    mean = market.truth["order_value"].to_numpy()[keyword]
    values: np.ndarray = mean * np.exp(rng.normal(-(sd**2) / 2, sd, len(term)))
    return values


def _delays(part: Orders, orders: int, rng: np.random.Generator) -> np.ndarray:
    """Whole days until an order is known; none after the attribution window."""
    days = part.delay_median_days * np.exp(rng.normal(0.0, part.delay_sd, orders))
    return np.minimum(np.floor(days), part.window_days).astype(np.int32)


def _credits(part: Orders, orders: int, rng: np.random.Generator) -> np.ndarray:
    """1, or a share with mean ½ where other clicks helped."""
    shared = rng.random(orders) < part.shared_credit_share
    return np.where(shared, rng.choice([0.25, 0.5, 0.75], orders), 1.0)


def _refunds(part: Orders, orders: int, rng: np.random.Generator) -> np.ndarray:
    refunded = rng.random(orders) < part.refund_share
    days = part.refund_median_days * np.exp(rng.normal(0.0, part.refund_sd, orders))
    return np.where(refunded, np.floor(days).astype(np.int32), NEVER).astype(np.int32)
