"""Orders that come late must not look like no orders: six weekly reviews of a settled account."""

from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd

from optimizer.review.daily import review_account
from optimizer.review.suggestions import ReviewInputs
from optimizer.settings import Account, Estimation, Guardrails, LagPrior, Settings, find_configs
from optimizer.tables import HOLDS, KEYWORD_DAILY, KEYWORDS, TERM_DAILY, TERMS, empty_table

START = date(2026, 1, 5)
KEYWORDS_IN_SHOP, GROUPS = 24, 3
CLICKS, RATE, VALUE = 20.0, 0.05, 20.0
WORTH = RATE * VALUE
MEAN_DELAY = 9.0
EXPONENT = Estimation().cpc_exponent_mean
BID = WORTH / (1 + EXPONENT) / 0.75
"""The next yuan returns 1 at this bid: under the stated response nothing should change."""
FIRST, REVIEWS, KEPT = 42, 6, 28
AT_ONCE = LagPrior(day0=1.0, mean_days=1.0, strength=1e6)


class Shop:
    """Clicks follow the bid, CPC its stated power; an order shows `delay` days after its click day."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(5)
        self.bid = np.full(KEYWORDS_IN_SHOP, BID)
        self.days: list[tuple[np.ndarray, np.ndarray]] = []
        self.orders: list[np.ndarray] = []

    def live(self, days: int) -> None:
        for _ in range(days):
            relative = self.bid / BID
            clicks = self.rng.poisson(CLICKS * relative)
            unit = np.repeat(np.arange(len(clicks)), self.rng.binomial(clicks, RATE))
            delay = self.rng.exponential(MEAN_DELAY, len(unit))
            self.orders.append(np.stack([unit, delay]))
            self.days.append((clicks, clicks * 0.75 * BID * relative**EXPONENT))

    def known(self, day: int, today: int) -> np.ndarray:
        unit, delay = self.orders[day]
        return np.bincount(unit[delay <= today - day - 0.5].astype(int), minlength=KEYWORDS_IN_SHOP)

    def daily(self, today: int) -> pd.DataFrame:
        days = range(max(today - KEPT, 0), today)
        frame = pd.concat([self._day(day, today) for day in days], ignore_index=True)
        empty = empty_table(KEYWORD_DAILY)
        return frame.reindex(columns=list(empty.columns)).astype(empty.dtypes.to_dict())

    def _day(self, day: int, today: int) -> pd.DataFrame:
        (clicks, cost), orders = self.days[day], self.known(day, today)
        return pd.DataFrame(
            {
                "entity_key": np.arange(1, KEYWORDS_IN_SHOP + 1),
                "first_day": stamp(day),
                "last_day": stamp(day),
                "impressions": clicks * 20.0,
                "clicks": clicks.astype(float),
                "cost": cost,
                "conversions": orders.astype(float),
                "value": orders * VALUE,
            }
        )

    def versions(self, today: int) -> pd.DataFrame:
        """Downloads of every third day of the last six weeks."""
        rows = [
            ("c", stamp(day), stamp(seen), 1.0, float(known), known * VALUE)
            for seen in range(today - 42, today + 1, 3)
            for day in range(max(seen - KEPT, 0), seen)
            for known in [self.known(day, seen).sum()]
        ]
        names = ["campaign_name", "day", "as_of", "clicks", "conversions", "value"]
        return pd.DataFrame(rows, columns=names)

    def keywords(self) -> pd.DataFrame:
        empty = empty_table(KEYWORDS)
        number = np.arange(KEYWORDS_IN_SHOP)
        frame = pd.DataFrame(
            {
                "entity_key": number + 1,
                "campaign_name": "c",
                "ad_group_name": [f"g{each % GROUPS}" for each in number],
                "keyword_text": [f"word {each}" for each in number],
                "target_type": "keyword",
                "bid": self.bid,
            }
        )
        return frame.reindex(columns=list(empty.columns)).astype(empty.dtypes.to_dict())


def stamp(day: int) -> pd.Timestamp:
    return pd.Timestamp(START + timedelta(days=day)).as_unit("s")


def told(lag: LagPrior | None) -> Settings:
    return Settings(
        account=Account(margin=1.0, daily_budget=5000.0, lag_prior=lag),
        guardrails=Guardrails(cool_down_days=0),
        estimation=Estimation(draws=50),
        bid_limits=find_configs().settings("shop").bid_limits,
    )


def reviewed_bids(shop: Shop, today: int, settings: Settings) -> np.ndarray:
    inputs = ReviewInputs(
        account="shop",
        platform="google_ads",
        currency="CNY",
        keywords=shop.keywords(),
        daily=shop.daily(today),
        terms=empty_table(TERMS),
        term_daily=empty_table(TERM_DAILY),
        versions=shop.versions(today),
        holds=empty_table(HOLDS),
    )
    day, rng = START + timedelta(days=today), np.random.default_rng(0)
    rows = review_account(inputs, settings, day, rng).suggestions
    moves = rows[rows["kind"].isin(["raise", "lower"])]
    bids = shop.bid.copy()
    bids[moves["entity_key"].astype(int) - 1] = moves["proposed_bid"].to_numpy(dtype=float)
    return bids


@lru_cache
def level_after(lag: LagPrior | None) -> tuple[float, ...]:
    """Mean bid after each weekly review, relative to the start; every suggestion is followed."""
    shop, settings, levels = Shop(), told(lag), []
    shop.live(FIRST)
    for week in range(REVIEWS):
        shop.bid = reviewed_bids(shop, FIRST + 7 * week, settings)
        levels.append(float(shop.bid.mean() / BID))
        shop.live(7)
    return tuple(levels)


def test_completed_days_leave_a_settled_account_where_it_is() -> None:
    assert all(0.88 <= level <= 1.1 for level in level_after(None))


def test_without_completion_bids_spiral_down() -> None:
    """Each cut leaves fewer clicks, of which as many again look as if they did not convert."""
    levels = level_after(AT_ONCE)
    assert levels[-1] < 0.7
    assert levels[-1] < levels[2] < levels[0] < 0.95
    assert all(np.diff(levels) < 0.02)
