"""How clicks and prices have answered to our own bids, where nobody but us sets them.

Bids that follow orders say nothing of the day's demand, so every day on which they moved teaches what
a bid brings; in an account that people run only randomised days do. Auctions differ: where the winner
pays its own bid the price rises with it, where he pays the next one's it hardly does.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimizer.curves.bid_landscape import Response
from optimizer.estimates.elasticity import (
    ExponentFit,
    ExponentPrior,
    Trials,
    estimate_cpc_exponent,
    estimate_elasticity,
)
from optimizer.estimates.posteriors import Bools, Floats, Ints
from optimizer.planning.short_chain import Days
from optimizer.settings import Estimation

_DAYS = 28
_NEAR = 0.7
"""Largest log distance from today's bid at which a day tells of the curve around it."""
_CLICKS_SD, _CLICKS_COMMON_SD = 0.8, 0.5
_PRICE_SD, _PRICE_COMMON_SD = 0.4, 0.3
"""Wider than in accounts: nobody said what kind of auction this is."""
_LEAST_ELASTICITY = 0.05


def with_own_answers(response: Response, days: Days, told: Estimation) -> Response:
    """The curves with ε and η as the latest days near each keyword's bid tell them.

    Days that the budget ended are left out. Keywords whose bids stood still have what the others
    share; where all did, what is `told` stays.
    """
    trials = _trials(days, response.bid, _whole_and_near(days, response.bid))
    if not len(trials.unit):
        return response
    units, calendar = len(response.bid), np.zeros(int(trials.day.max()) + 1)
    clicks, price = _priors(told)
    answer = estimate_elasticity(trials, calendar, units, clicks)
    return _through(response, answer, estimate_cpc_exponent(trials, units, price))


def _through(response: Response, clicks: ExponentFit, price: ExponentFit) -> Response:
    return replace(
        response,
        elasticity=np.maximum(clicks.mean, _LEAST_ELASTICITY),
        elasticity_sd=clicks.sd,
        cpc_exponent=price.mean,
        cpc_exponent_sd=price.sd,
        assumed=~clicks.measured,
    )


def _priors(told: Estimation) -> tuple[ExponentPrior, ExponentPrior]:
    return (
        ExponentPrior(told.elasticity_mean, _CLICKS_SD, _CLICKS_COMMON_SD),
        ExponentPrior(told.cpc_exponent_mean, _PRICE_SD, _PRICE_COMMON_SD),
    )


def _whole_and_near(days: Days, bid: Floats) -> Bools:
    late = days.day > days.day.max(initial=0) - _DAYS
    near = np.abs(np.log(days.bid / bid[days.unit])) < _NEAR
    result: Bools = late & near & (days.served >= 1)
    return result


def _trials(days: Days, bid: Floats, used: Bools) -> Trials:
    """One stratum per keyword; a step is a run of days at one bid."""
    order = np.flatnonzero(used)
    order = order[np.lexsort((days.day[order], days.unit[order]))]
    unit, level = days.unit[order], days.bid[order]
    moved = np.ones(len(order), dtype=bool)
    moved[1:] = (unit[1:] != unit[:-1]) | (level[1:] != level[:-1])
    steps: Ints = np.cumsum(moved) - 1
    start = days.day[order].min(initial=days.day.max(initial=0))
    return Trials(
        unit,
        unit,
        steps,
        days.day[order] - start,
        np.log(level / bid[unit]),
        days.clicks[order],
        days.cost[order],
    )
