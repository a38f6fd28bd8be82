from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from optimizer.review.daily import review_account
from optimizer.review.suggestions import ReviewInputs, ReviewResult
from optimizer.settings import Account, Settings
from simulations.promised_markets import (
    DOWNLOADS,
    TODAY,
    market_inputs,
    market_log,
    market_settings,
)

__all__ = ["DOWNLOADS", "TODAY"]


@lru_cache
def shop_inputs(seed: int) -> ReviewInputs:
    """Forty-five days of 240 keywords, with brand, competitor, automated and capped campaigns."""
    return market_inputs(market_log(seed))


@pytest.fixture(scope="session")
def shop() -> ReviewInputs:
    return shop_inputs(3)


@pytest.fixture(scope="session")
def settings() -> Settings:
    return market_settings()


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


@pytest.fixture(scope="session")
def busy(run: Run) -> ReviewResult:
    """The shop with thirty times its clicks: as it is, no test of a bid would pay there."""
    result = run()
    plan = result.frames["plan"]
    crowded = plan.assign(clicks=plan["clicks"] * 30, volume_mean=plan["volume_mean"] * 30)
    budget = replace(result.summary, budget=result.summary.budget * 30)
    return replace(result, summary=budget, frames={**result.frames, "plan": crowded})
