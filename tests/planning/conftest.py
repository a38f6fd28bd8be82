from datetime import date, timedelta

import numpy as np
import pytest

from optimizer.planning.market import Log, MarketSettings, hand_set_bids, make_market, simulate_days

START = date(2026, 6, 1)
DAYS = 60


def live(settings: MarketSettings, seed: int) -> Log:
    rng = np.random.default_rng(seed)
    market = make_market(settings, START, rng)
    return simulate_days(market, hand_set_bids(market, DAYS, rng), START, DAYS, rng)


@pytest.fixture(scope="session")
def default_log() -> Log:
    return live(MarketSettings(), 7)


@pytest.fixture(scope="session")
def end() -> date:
    return START + timedelta(days=DAYS)
