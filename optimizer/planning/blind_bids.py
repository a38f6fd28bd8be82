"""Where bids go before the first order: up while that clearly brings more, never far beyond what was paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log, sqrt

_UNSEEN_GROWTH = 3.0
_SCARCE_GROWTH = 2.0
_GROWTH = 1.5
_SCARCE = 10.0
"""So few clicks since the first day cost next to nothing, whatever comes next."""
_MOST_RAISED = 3.0
"""A trial goes no higher than this many times what clicks cost where bids last proved their worth."""
_MOST_UNSEEN = 100.0
_MOST_OF_BUDGET = 0.2
_ENOUGH_CLICKS = 0.5
_PATIENCE = 20.0
_MOST_CLICKS = 1000.0
"""So many clicks without an order mean at most three orders in a thousand, whatever the keywords."""
_TRIAL_DAYS = 7
_UNSEEN_DAYS = 3
_SURE = 2.5
_TENTH = 1.3
_DAY_NOISE = 0.2
"""Standard deviation of a day's log demand, beside the luck of single clicks."""
_SAME = 1.05
_MOST_TOLD = 10.0
"""A trial that would have to go further to tell anything is taken for what it is: nobody saw the bids."""


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

    def same_for(self, days: int) -> Total:
        """What so many days alike would bring."""
        share = days / self.days
        return Total(
            self.level, self.impressions * share, self.clicks * share, self.cost * share, days
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
    Otherwise up while clicks are scarce, until so far above the bids proved before that growth in
    proportion would show; if after `_TRIAL_DAYS` there impressions and clicks have not clearly grown,
    back to the bids that brought as much, to stay. Bids that nobody sees wait at their highest.
    """
    proven, trial, price = _judged(days)
    clicks, cost = sum(one.clicks for one in days), sum(one.cost for one in days)
    patience = min(_PATIENCE * purse.keywords, _MOST_CLICKS)
    now = days[-1]
    if clicks > patience or cost > patience * price:
        return 1 / _GROWTH
    if now.clicks >= _ENOUGH_CLICKS * purse.keywords:
        return 1.0
    if trial is not None and trial.days >= _TRIAL_DAYS and proven.seen:
        return min(proven.level / now.level, 1.0)
    growth = _growth(clicks)
    highest = _highest(proven, purse)
    return max(min(growth, highest / now.level), 1.0) if whole else 1.0


def _growth(clicks: float) -> float:
    if not clicks:
        return _UNSEEN_GROWTH
    return _SCARCE_GROWTH if clicks < _SCARCE else _GROWTH


def _judged(days: Sequence[Total]) -> tuple[Total, Total | None, float]:
    """What to compare with, what the highest raise since has brought, and the price proved to be worth it.

    Bids that brought clearly more are compared with from then on, as are those at which nothing can be
    told: these prove nothing, so the price stays.
    """
    proven, trial, price, rested = days[0], None, days[0].price, 0
    for day in days[1:]:
        if day.level <= proven.level * _SAME:
            proven, rested = replace(proven.plus(day), level=proven.level), rested + 1
            if trial is None or rested % _TRIAL_DAYS:
                continue
        else:
            trial = trial.plus(day) if trial and day.level <= trial.level * _SAME else day
            rested = 0
        if _clearly_more(trial, proven):
            proven, price, trial = trial, trial.price, None
        elif rested:
            trial = None if _weak(trial, proven) else trial
        elif _tells_nothing(trial, proven):
            proven, trial = proven.plus(trial), None
    return proven, trial, price


def _tells_nothing(trial: Total, proven: Total) -> bool:
    """So few were shown anything that not even ten times the bid could be told from luck."""
    far = trial.days >= _UNSEEN_DAYS and trial.level >= _MOST_TOLD * proven.level / _SAME
    return far and _told(proven) > _MOST_TOLD


def _weak(trial: Total, proven: Total) -> bool:
    """Growth in proportion to the bid would have been missed more often than one time in ten."""
    luck = min(_luck(*counts) for counts in _pairs(trial, proven))
    return log(trial.level / proven.level) < (_SURE + _TENTH) * luck


def _told(proven: Total) -> float:
    """Times the proven bids at which growth in proportion shows within `_TRIAL_DAYS`."""
    pairs = _pairs(proven.same_for(_TRIAL_DAYS), proven)
    return exp(_SURE * min(_luck(*counts) for counts in pairs))


def _pairs(after: Total, before: Total) -> tuple[tuple[float, int, float, int], ...]:
    return (
        (after.impressions, after.days, before.impressions, before.days),
        (after.clicks, after.days, before.clicks, before.days),
    )


def _clearly_more(trial: Total, proven: Total) -> bool:
    if not proven.seen:
        return trial.seen
    return any(_surely_grew(*counts) for counts in _pairs(trial, proven))


def _surely_grew(after: float, days_after: int, before: float, days_before: int) -> bool:
    """Log ratio of two Poisson rates whose days also vary, against its standard error."""
    ratio = log((after + 0.5) / days_after) - log((before + 0.5) / days_before)
    return ratio > _SURE * _luck(after, days_after, before, days_before)


def _luck(after: float, days_after: int, before: float, days_before: int) -> float:
    counted = 1 / (after + 0.5) + 1 / (before + 0.5)
    return sqrt(counted + _DAY_NOISE**2 * (1 / days_after + 1 / days_before))


def _highest(proven: Total, purse: Purse) -> float:
    """Bids that nobody has seen may go far; others by what clicks cost, and as far as tells something."""
    told = min(_told(proven), _MOST_TOLD) * proven.level
    raised = max(_MOST_RAISED * proven.price, told)
    most = raised if proven.seen else _MOST_UNSEEN * purse.starting_bid
    return most if purse.budget is None else min(most, _MOST_OF_BUDGET * purse.budget)
