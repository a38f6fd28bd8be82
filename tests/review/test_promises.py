"""What a review promises, against what the simulated market would deliver. Fixed seeds."""

from functools import lru_cache

import numpy as np

from simulations.promised_markets import Followed, expected_profit, followed_market, market_log

SEEDS = range(16)


@lru_cache
def outcomes() -> list[Followed]:
    return [followed_market(seed) for seed in SEEDS]


def test_promised_profit_is_delivered() -> None:
    promised = sum(each.promised.mean for each in outcomes())
    assert 0.85 <= promised / sum(each.delivered for each in outcomes()) <= 1.2


def test_every_review_of_the_market_is_worth_following() -> None:
    assert all(each.delivered > 0 for each in outcomes())


def test_the_interval_of_the_account_covers_what_came() -> None:
    """The aim is 80 %; `simulations/bench_predictive.json` holds 200 markets."""
    assert np.mean([each.inside for each in outcomes()]) >= 0.65


def test_no_bid_of_ours_moves_an_automated_keyword_but_off_is_off() -> None:
    log = market_log(0)
    automated, bids = log.market.automated, log.bids[-1]
    present, dearer, off = (
        expected_profit(log.market, np.where(automated, bids * times, bids), log.market.first_day)
        for times in (1.0, 2.0, 0.0)
    )
    assert (dearer == present).all()
    assert (off[automated] == 0).all()
