"""What people do today: rules of thumb on what each keyword brought in the last weeks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from optimizer.planning.history import History, Sums

WINDOW_DAYS = 30
WEEK = 7
LOWEST_BID = 0.05
"""No rule bids less."""


@dataclass(frozen=True)
class Hold:
    """Leave the bids as they were found."""

    def decide(self, history: History, today: date, rng: np.random.Generator) -> np.ndarray:
        """The bids of yesterday."""
        return history.bids


@dataclass(frozen=True)
class FixedBid:
    """One bid for every keyword: the median of those found."""

    def decide(self, history: History, today: date, rng: np.random.Generator) -> np.ndarray:
        """The median bid."""
        found = history.bids[history.movable & (history.bids > 0)]
        usual = float(np.median(found)) if len(found) else 0.0
        return np.where(history.movable & (history.bids > 0), usual, history.bids)


@dataclass(frozen=True)
class AcosRule:
    """Bid = target ACOS × revenue per click, by at most ±`reach` a week.

    `target` is the share of the margin that may be spent: 1 would bid away the whole profit.
    """

    target: float = 0.7
    reach: float = 0.3

    def decide(self, history: History, today: date, rng: np.random.Generator) -> np.ndarray:
        """Once a week, keywords with clicks."""
        if not _due(today):
            return history.bids
        sums = history.sums(WINDOW_DAYS)
        wanted = self.target * margin_of(history) * _per(sums.value, sums.clicks)
        return _moved(history, wanted, self.reach, sums.clicks > 0)


@dataclass(frozen=True)
class AverageRoas:
    """Raise by `step` what returns `good` times its cost in margin, lower what loses."""

    good: float = 1.3
    step: float = 0.15

    def decide(self, history: History, today: date, rng: np.random.Generator) -> np.ndarray:
        """Once a week, keywords with cost."""
        if not _due(today):
            return history.bids
        sums = history.sums(WINDOW_DAYS)
        returned = margin_of(history) * _per(sums.value, sums.cost)
        factor = np.select([returned >= self.good, returned < 1], [1 + self.step, 1 - self.step], 1)
        return _moved(history, history.bids * factor, self.step, sums.cost > 0)


@dataclass(frozen=True)
class GroupBlend:
    """As `AcosRule`, on revenue per click blended with that of the ad group as if by `weight` clicks."""

    target: float = 0.7
    weight: float = 100.0
    reach: float = 0.3

    def decide(self, history: History, today: date, rng: np.random.Generator) -> np.ndarray:
        """Once a week, ad groups with clicks."""
        if not _due(today):
            return history.bids
        sums = history.sums(WINDOW_DAYS)
        of_group = _group_rate(sums, history.group)
        blended = (sums.value + self.weight * of_group) / (sums.clicks + self.weight)
        wanted = self.target * margin_of(history) * blended
        return _moved(history, wanted, self.reach, np.isfinite(wanted))


@dataclass(frozen=True)
class PauseWorst:
    """Leave bids alone; stop keywords that cost `patience` times the margin of an order without any."""

    patience: float = 3.0

    def decide(self, history: History, today: date, rng: np.random.Generator) -> np.ndarray:
        """Once a week; nothing is stopped before the account's first order."""
        if not _due(today):
            return history.bids
        sums = history.sums(WINDOW_DAYS)
        orders = float(sums.conversions.sum())
        if orders <= 0:
            return history.bids
        order_margin = margin_of(history) * float(sums.value.sum()) / orders
        hopeless = (sums.conversions <= 0) & (sums.cost >= self.patience * order_margin)
        return np.where(hopeless & history.movable, 0.0, history.bids)


def margin_of(history: History) -> float:
    """Share of an order's value that is left; 1 where nobody said."""
    margin = history.account.margin
    return 1.0 if margin is None else margin


def _due(today: date) -> bool:
    return today.weekday() == 0


def _per(amount: np.ndarray, count: np.ndarray) -> np.ndarray:
    result: np.ndarray = np.divide(amount, count, out=np.zeros(len(count)), where=count > 0)
    return result


def _group_rate(sums: Sums, group: np.ndarray) -> np.ndarray:
    """Revenue per click of each keyword's ad group; nan without clicks."""
    clicks, value = np.bincount(group, sums.clicks), np.bincount(group, sums.value)
    rate: np.ndarray = np.divide(value, clicks, out=np.full(len(clicks), np.nan), where=clicks > 0)[
        group
    ]
    return rate


def _moved(history: History, wanted: np.ndarray, reach: float, known: np.ndarray) -> np.ndarray:
    """Bids towards `wanted`, at most `reach` away, where something is `known`; whole cents."""
    now = history.bids
    reached = np.clip(wanted, now * (1 - reach), now * (1 + reach))
    cents = np.maximum(np.round(reached, 2), LOWEST_BID)
    return np.where(known & history.movable & (now > 0), cents, now)
