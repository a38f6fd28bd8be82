"""Where bids go before the first order: up while that clearly brings more, never far beyond what was paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log, sqrt

_UNSEEN_GROWTH = 3.0
_GROWTH = 1.5
_MOST_RAISED = 3.0
"""A trial goes no higher than this many times what clicks cost where bids last proved their worth."""
_MOST_UNSEEN = 100.0
_MOST_OF_BUDGET = 0.2
_ENOUGH_CLICKS = 0.5
_PATIENCE = 20.0
_MOST_CLICKS = 1000.0
"""So many clicks without an order mean at most three orders in a thousand, whatever the keywords."""
_TRIAL_DAYS = 7
_SURE = 2.5
_DAY_NOISE = 0.2
"""Standard deviation of a day's log demand, beside the luck of single clicks."""
_SAME = 1.05


@dataclass(frozen=True)
class Total:
    """All keywords' counts over `days` days whose bids reached `level` (geometric mean of bids)."""

    level: float
    impressions: float
    clicks: float
    cost: float
    days: int = 1

    def plus(self, other: Total) -> Total:
        """Both, at the higher of the two levels."""
        return Total(
            max(self.level, other.level),
            self.impressions + other.impressions,
            self.clicks + other.clicks,
            self.cost + other.cost,
            self.days + other.days,
        )

    @property
    def price(self) -> float:
        """What a click cost; the bid while none was paid for."""
        return self.cost / self.clicks if self.clicks and self.cost else self.level

    @property
    def seen(self) -> bool:
        """Whether anybody was shown or clicked anything."""
        return bool(self.impressions or self.clicks)


@dataclass(frozen=True)
class Purse:
    """What one may bid with: `keywords`, `starting_bid`, daily `budget` or None."""

    keywords: int
    starting_bid: float
    budget: float | None


def blind_factor(days: Sequence[Total], whole: bool, purse: Purse) -> float:
    """What to multiply all bids by after `days` without an order; `whole`: the budget lasted yesterday.

    Down once clicks, or what they cost at the proven price, exceed twenty a keyword or a thousand.
    Otherwise up while clicks are scarce, as a trial of `_TRIAL_DAYS` within `_MOST_RAISED`; if
    impressions and clicks do not clearly grow, back to the bids that brought as much, to stay. Bids that
    nobody sees wait at their highest.
    """
    proven, trial = _judged(days)
    clicks, cost = sum(one.clicks for one in days), sum(one.cost for one in days)
    patience = min(_PATIENCE * purse.keywords, _MOST_CLICKS)
    now = days[-1]
    if clicks > patience or cost > patience * proven.price:
        return 1 / _GROWTH
    if now.clicks >= _ENOUGH_CLICKS * purse.keywords:
        return 1.0
    if trial is not None and trial.days >= _TRIAL_DAYS and proven.seen:
        return min(proven.level / now.level, 1.0)
    growth = _GROWTH if clicks else _UNSEEN_GROWTH
    return max(min(growth, _highest(proven, purse) / now.level), 1.0) if whole else 1.0


def _judged(days: Sequence[Total]) -> tuple[Total, Total | None]:
    """The bids that have proved their worth, and what later raises have brought so far."""
    proven, trial = days[0], None
    for day in days[1:]:
        if day.level <= proven.level * _SAME:
            proven = replace(proven.plus(day), level=proven.level)
        else:
            trial = trial.plus(day) if trial else day
        if trial and _clearly_more(trial, proven):
            proven, trial = trial, None
    return proven, trial


def _clearly_more(trial: Total, proven: Total) -> bool:
    if not proven.seen:
        return trial.seen
    return _surely_grew(trial.impressions, trial.days, proven.impressions, proven.days) or (
        _surely_grew(trial.clicks, trial.days, proven.clicks, proven.days)
    )


def _surely_grew(after: float, days_after: int, before: float, days_before: int) -> bool:
    """Log ratio of two Poisson rates whose days also vary, against its standard error."""
    ratio = log((after + 0.5) / days_after) - log((before + 0.5) / days_before)
    luck = 1 / (after + 0.5) + 1 / (before + 0.5)
    weather = _DAY_NOISE**2 * (1 / days_after + 1 / days_before)
    return ratio > _SURE * sqrt(luck + weather)


def _highest(proven: Total, purse: Purse) -> float:
    """Bids that nobody has seen may go far; others by what clicks cost, and a little where far below."""
    raised = max(_MOST_RAISED * proven.price, _GROWTH * proven.level)
    most = raised if proven.seen else _MOST_UNSEEN * purse.starting_bid
    return most if purse.budget is None else min(most, _MOST_OF_BUDGET * purse.budget)
