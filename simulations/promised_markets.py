"""What a review promises of a small simulated market, and what following it would truly bring.

Per seed a market of 240 keywords with brand, competitor, automated and capped campaigns, 45 days of
bids set by hand, and the review of the next morning. Following all its suggestions is worth what
the market's own truth says of the seven days after it: their demand, rivals and conversion rates,
budgets included, without the luck of single clicks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from optimizer.planning.account_frames import PLATFORM, account_frames
from optimizer.planning.market import (
    BRAND_WORDS,
    COMPETITOR_WORDS,
    Log,
    Market,
    MarketSettings,
    hand_set_bids,
    make_market,
    simulate_days,
)
from optimizer.planning.market.auction import outcome
from optimizer.planning.market.settings import Size
from optimizer.review.daily import review_account
from optimizer.review.suggestions import Interval, ReviewInputs, ReviewResult
from optimizer.settings import Account, Segments, Settings, find_configs
from optimizer.tables import HOLDS, TERM_DAILY, TERMS, empty_table

TODAY = date(2026, 7, 16)
DAYS = 45
AHEAD = 7
SIZE = Size(campaigns=6, ad_groups=12, keywords=240)
DOWNLOADS = [TODAY - timedelta(days=ago) for ago in (30, 16, 9, 5, 2)]
OFF = 0.0


@dataclass(frozen=True)
class Followed:
    """A review's promise for the account, and per row (kind, promised, low, high, delivered) per day.

    `delivered` of the account: the change of all keywords' profit, budgets included.
    """

    promised: Interval
    delivered: float
    rows: pd.DataFrame

    @property
    def inside(self) -> bool:
        """Whether what came lies in the account's interval."""
        return self.promised.low <= self.delivered <= self.promised.high


def market_log(seed: int, size: Size = SIZE) -> Log:
    """The days before TODAY in the default market, but small."""
    rng, start = np.random.default_rng(seed), TODAY - timedelta(days=DAYS)
    market = make_market(MarketSettings(size=size), start, rng)
    return simulate_days(market, hand_set_bids(market, DAYS, rng), start, DAYS, rng)


def market_inputs(log: Log) -> ReviewInputs:
    """What the review of TODAY reads."""
    frames = account_frames(log, TODAY, DOWNLOADS)
    return ReviewInputs(
        account="shop",
        platform=PLATFORM,
        currency=frames.currency,
        keywords=frames.keywords,
        daily=frames.daily,
        terms=frames.terms,
        term_daily=frames.term_daily,
        versions=frames.versions,
        holds=empty_table(HOLDS),
    )


def market_settings() -> Settings:
    """The shipped settings, the market's margin and the words of its segments."""
    words = Segments(brand=BRAND_WORDS, competitor=COMPETITOR_WORDS)
    limits = find_configs().settings("shop").bid_limits
    return Settings(account=Account(margin=0.45, segments=words), bid_limits=limits)


def expected_profit(market: Market, bids: np.ndarray, first: date, days: int = AHEAD) -> np.ndarray:
    """Expected profit per keyword and day of `bids` under those days' own weather."""
    effective, campaign = market.bids_in_force(bids), market.keyword_campaign
    weather, worth = market.weather, market.truth["value_per_click"].to_numpy()
    worth = worth * market.settings.orders.margin
    total = np.zeros(len(bids))
    for number in range(market.day_number(first), market.day_number(first) + days):
        met = outcome(market.auctions, effective, weather.rivals[campaign, number])
        clicks = market.auctions.volume * weather.volume[campaign, number] * met.share * met.ctr
        wanted = np.bincount(campaign, clicks * met.cpc, len(market.campaign_names))
        served = np.minimum(1.0, market.campaign_budgets / np.maximum(wanted, 1e-9))[campaign]
        total += served * clicks * (worth * weather.cvr[number] - met.cpc)
    return total / days


def follow(log: Log, result: ReviewResult) -> Followed:
    """All raises, lowers and pauses of `result` set on TODAY, against leaving the bids alone."""
    moves = result.suggestions[result.suggestions["kind"].isin(["raise", "lower", "pause"])]
    place = moves["entity_key"].to_numpy(dtype=np.int64) - 1
    present = log.bids[-1]
    proposed = present.copy()
    proposed[place] = moves["proposed_bid"].fillna(OFF).to_numpy(dtype=np.float64)
    before, after = (expected_profit(log.market, bids, TODAY) for bids in (present, proposed))
    rows = pd.DataFrame({"entity_key": moves["entity_key"], "kind": moves["kind"]})
    for name, end in (("promised", "mean"), ("low", "low"), ("high", "high")):
        rows[name] = moves[f"delta_profit_{end}"].astype("float64")
    rows["delivered"] = (after - before)[place]
    delivered = float((after - before).sum())
    return Followed(result.summary.profit_delta, delivered, rows.reset_index(drop=True))


def followed_market(seed: int, size: Size = SIZE) -> Followed:
    """One seed, from market to what following its review brings.

    Without search terms, so that every suggestion is a bid or a pause of a keyword of the market.
    """
    log = market_log(seed, size)
    inputs = replace(
        market_inputs(log), terms=empty_table(TERMS), term_daily=empty_table(TERM_DAILY)
    )
    rng = np.random.default_rng(seed)
    return follow(log, review_account(inputs, market_settings(), TODAY, rng))
