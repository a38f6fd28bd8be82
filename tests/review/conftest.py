from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pytest

from optimizer.planning.account_frames import PLATFORM, account_frames
from optimizer.planning.market import (
    BRAND_WORDS,
    COMPETITOR_WORDS,
    Log,
    MarketSettings,
    hand_set_bids,
    make_market,
    simulate_days,
)
from optimizer.planning.market.settings import Size
from optimizer.review.daily import review_account
from optimizer.review.suggestions import ReviewInputs, ReviewResult
from optimizer.settings import Account, Segments, Settings, find_configs
from optimizer.tables import HOLDS, empty_table

TODAY = date(2026, 7, 16)
DAYS = 45
SIZE = Size(campaigns=6, ad_groups=12, keywords=240)
DOWNLOADS = [TODAY - timedelta(days=ago) for ago in (30, 16, 9, 5, 2)]


@lru_cache
def small_log(seed: int) -> Log:
    """Forty-five days of 240 keywords, with brand, competitor, automated and capped campaigns."""
    rng, start = np.random.default_rng(seed), TODAY - timedelta(days=DAYS)
    market = make_market(MarketSettings(size=SIZE), start, rng)
    return simulate_days(market, hand_set_bids(market, DAYS, rng), start, DAYS, rng)


@lru_cache
def shop_inputs(seed: int) -> ReviewInputs:
    frames = account_frames(small_log(seed), TODAY, DOWNLOADS)
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


@pytest.fixture(scope="session")
def shop() -> ReviewInputs:
    return shop_inputs(3)


@pytest.fixture(scope="session")
def settings() -> Settings:
    words = Segments(brand=BRAND_WORDS, competitor=COMPETITOR_WORDS)
    limits = find_configs().settings("shop").bid_limits
    return Settings(account=Account(margin=0.45, segments=words), bid_limits=limits)


def told(settings: Settings, **account: object) -> Settings:
    """`settings` with something more stated about the account."""
    known = Account.model_validate({**settings.account.model_dump(), **account})
    return settings.model_copy(update={"account": known})


Run = Callable[..., ReviewResult]


@pytest.fixture(scope="session")
def run(shop: ReviewInputs, settings: Settings) -> Run:
    """Review the shop with some inputs replaced."""

    def review(stated: Settings = settings, **changed: object) -> ReviewResult:
        return review_account(replace(shop, **changed), stated, TODAY, np.random.default_rng(0))

    return review


@pytest.fixture(scope="session")
def reviewed(run: Run) -> ReviewResult:
    return run()
