"""A simulated shop of 240 keywords, reviewed once for all tests of plans."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from optimizer.planning.rhythm import Rhythm, account_days, learn_rhythm
from optimizer.review.daily import review_account
from optimizer.review.suggestions import ReviewInputs, ReviewResult
from simulations.promised_markets import TODAY, market_inputs, market_log, market_settings

__all__ = ["TODAY", "Shop", "shop"]


@dataclass(frozen=True)
class Shop:
    inputs: ReviewInputs
    result: ReviewResult
    rhythm: Rhythm

    @property
    def plan(self):
        return self.result.frames["plan"]

    @property
    def context(self):
        return self.result.context


@lru_cache
def shop(seed: int = 3) -> Shop:
    inputs = market_inputs(market_log(seed))
    settings = market_settings()
    result = review_account(inputs, settings, TODAY, np.random.default_rng(0))
    days = account_days(inputs.daily)
    return Shop(inputs, result, learn_rhythm(days, result.context, settings.account.events))
