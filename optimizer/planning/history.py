"""What a policy may know on a morning: the account as reports tell it, never the market's truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Protocol

import numpy as np

from optimizer.planning.account_frames import PLATFORM, account_frames
from optimizer.planning.market import BRAND_WORDS, COMPETITOR_WORDS, Log, Market, join_logs
from optimizer.review.suggestions import ReviewInputs
from optimizer.settings import Account, Segments
from optimizer.tables import HOLDS, MICROS, TERM_DAILY, TERMS, empty_table

DOWNLOADS_AGO = (30, 16, 9, 5, 2)
"""Days before today on which reports were downloaded; what they restate is how late orders come."""


@dataclass(frozen=True)
class Sums:
    """Per keyword, as known today; money in account currency."""

    impressions: np.ndarray
    clicks: np.ndarray
    cost: np.ndarray
    conversions: np.ndarray
    value: np.ndarray


class History(Protocol):
    """What every policy decides from. Arrays are in keyword order.

    `bids` in force, 0: off; `movable`: whose bids are ours (not the platform's); `group`: each
    keyword's ad group; `budget` per day, None without one; `margin` of an order's value.
    """

    @property
    def bids(self) -> np.ndarray: ...  # noqa: D102
    @property
    def movable(self) -> np.ndarray: ...  # noqa: D102
    @property
    def group(self) -> np.ndarray: ...  # noqa: D102
    @property
    def budget(self) -> float | None: ...  # noqa: D102
    @property
    def account(self) -> Account: ...  # noqa: D102

    def sums(self, days: int) -> Sums:
        """Sums of the last `days` days."""
        ...

    def inputs(self, randomised: np.ndarray | None) -> ReviewInputs | None:
        """What the daily review reads; None before the first day is over.

        `randomised` (days, keywords) marks bids that a test had set.
        """
        ...


@dataclass(frozen=True)
class MarketHistory:
    """The days lived in a market so far, as `today`'s reports tell them."""

    market: Market
    today: date
    bids: np.ndarray
    logs: Sequence[Log]

    @property
    def movable(self) -> np.ndarray:
        """Whose bids are ours."""
        result: np.ndarray = ~self.market.automated
        return result

    @cached_property
    def group(self) -> np.ndarray:
        """Number of each keyword's ad group."""
        groups = self.market.keywords["ad_group_id"]
        return np.unique(groups.to_numpy(dtype=object).astype(str), return_inverse=True)[1]

    @property
    def budget(self) -> float | None:
        """The account's daily budget."""
        return self.market.account_budget if np.isfinite(self.market.account_budget) else None

    @property
    def account(self) -> Account:
        """What the operator of this market would state: margin, own and competitors' names."""
        words = Segments(brand=BRAND_WORDS, competitor=COMPETITOR_WORDS)
        margin = self.market.settings.orders.margin
        # Every order is one more in these markets, those on our own name too.
        return Account(margin=margin, segments=words, brand_incrementality=1.0)

    def sums(self, days: int) -> Sums:
        """Sums of the last `days` days."""
        size = len(self.market.keywords)
        parts = [self._day_sums(log) for log in self.logs[-days:]]
        total = np.sum(parts, axis=0) if parts else np.zeros((5, size))
        return Sums(*total)

    def _day_sums(self, log: Log) -> np.ndarray:
        keyword = self.market.term_truth["keyword"].to_numpy()
        size, rows, orders = len(self.market.keywords), log.rows, log.orders
        counted = orders.counted((self.today - self.market.first_day).days)
        of_order = keyword[orders.term[counted]]
        seen = [rows.impressions, rows.clicks, rows.cost_micros / MICROS]
        got = [orders.credit[counted], orders.value_micros[counted] / MICROS]
        sums = [np.bincount(keyword[rows.term], part, size) for part in seen]
        sums += [np.bincount(of_order, part, size) for part in got]
        return np.stack(sums)

    def inputs(self, randomised: np.ndarray | None) -> ReviewInputs | None:
        """What the daily review reads; None before the first day is over."""
        if not self.logs:
            return None
        log = join_logs(self.logs)
        tags = np.full(log.bids.shape, "optimizer")
        if randomised is not None:
            tags[randomised] = "randomised"
        downloads = [self.today - timedelta(days=ago) for ago in DOWNLOADS_AGO]
        known = [day for day in downloads if day > log.first_day]
        frames = account_frames(log, self.today, known, tags)
        held = np.where(self.bids > 0, self.bids, frames.keywords["bid"])
        bid = np.where(self.movable, held, np.nan)
        return ReviewInputs(
            account="market",
            platform=PLATFORM,
            currency=frames.currency,
            keywords=frames.keywords.assign(bid=bid),
            daily=frames.daily,
            terms=empty_table(TERMS),
            term_daily=empty_table(TERM_DAILY),
            versions=frames.versions,
            holds=empty_table(HOLDS),
            budget=self.budget,
            bid_changes=frames.bid_changes,
        )
