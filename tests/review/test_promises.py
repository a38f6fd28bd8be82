"""What a review promises, against what the simulated market would deliver. Fixed seeds."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from optimizer.planning.market import Log
from optimizer.planning.market.auction import expected_day
from optimizer.review.daily import review_account
from optimizer.review.suggestions import Interval, ReviewResult
from optimizer.settings import Settings
from optimizer.tables import TERM_DAILY, TERMS, empty_table
from tests.review.conftest import TODAY, shop_inputs, small_log

SEEDS = range(16)


def delivered(result: ReviewResult, log: Log) -> float:
    """True change of profit per average day, budgets aside, when every suggestion is followed."""
    market = log.market
    plan = result.frames["plan"].set_index("entity_key").sort_index()
    rows = result.suggestions[result.suggestions["kind"] != "watch"]
    bids = plan["curve_bid"].to_numpy().copy()
    before = expected_day(market.auctions, bids)
    bids[rows["entity_key"].astype(int) - 1] = rows["proposed_bid"].fillna(1e-9)
    after = expected_day(market.auctions, bids)
    worth = market.truth["value_per_click"].to_numpy() * market.settings.orders.margin
    gained = (after["clicks"] - before["clicks"]) * worth - (after["cost"] - before["cost"])
    return float(gained.sum())


@lru_cache
def outcomes(settings: str) -> list[tuple[Interval, float]]:
    told = Settings.model_validate_json(settings)
    found = []
    for seed in SEEDS:
        inputs = replace(
            shop_inputs(seed), terms=empty_table(TERMS), term_daily=empty_table(TERM_DAILY)
        )
        result = review_account(inputs, told, TODAY, np.random.default_rng(0))
        found.append((result.summary.profit_delta, delivered(result, small_log(seed))))
    return found


def test_promised_profit_is_delivered(settings: Settings) -> None:
    pairs = outcomes(settings.model_dump_json())
    promised = sum(interval.mean for interval, _ in pairs)
    assert 0.85 <= promised / sum(came for _, came in pairs) <= 1.25


def test_every_review_of_the_market_is_worth_following(settings: Settings) -> None:
    assert all(came > 0 for _, came in outcomes(settings.model_dump_json()))


def test_the_interval_of_the_account_covers_what_came(settings: Settings) -> None:
    """The aim is 80 %; on markets of 240 keywords it was 70 % over 40 seeds, too high more often."""
    pairs = outcomes(settings.model_dump_json())
    inside = [interval.low <= came <= interval.high for interval, came in pairs]
    assert np.mean(inside) >= 0.55
