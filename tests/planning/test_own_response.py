"""What our own bids have taught of clicks and prices."""

from dataclasses import replace

import numpy as np
import pytest

from optimizer.curves.bid_landscape import Response
from optimizer.estimates.posteriors import Floats
from optimizer.planning.own_response import with_own_answers
from optimizer.planning.short_chain import Days
from optimizer.settings import Estimation

UNITS, LENGTH = 30, 40


def days_of(elasticity: float, exponent: float, spread: float = 0.2) -> Days:
    """Bids around 2 that move by chance; clicks and price answer with the powers given."""
    rng = np.random.default_rng(4)
    unit, day = np.tile(np.arange(UNITS), LENGTH), np.repeat(np.arange(LENGTH), UNITS)
    bid = 2.0 * np.exp(rng.normal(0, spread, len(unit)))
    clicks = rng.poisson(30 * (bid / 2) ** elasticity).astype(float)
    cost = clicks * (bid / 2) ** exponent
    nothing = np.zeros(len(unit))
    return Days(unit, day, bid, 10 * clicks, clicks, cost, nothing, nothing, nothing + 1)


def stated() -> Response:
    def of(number: float) -> Floats:
        return np.full(UNITS, number)

    assumed = np.ones(UNITS, dtype=bool)
    return Response(of(2), of(30), of(1), of(1.15), of(0.5), of(0.7), of(0.2), assumed, of(0.4))


@pytest.mark.parametrize(("elasticity", "exponent"), [(0.3, 1.0), (2.0, 0.1)])
def test_first_and_second_price_auctions_are_told_apart(elasticity: float, exponent: float) -> None:
    learnt = with_own_answers(stated(), days_of(elasticity, exponent), Estimation())
    assert learnt.elasticity.mean() == pytest.approx(elasticity, abs=0.15)
    assert learnt.cpc_exponent.mean() == pytest.approx(exponent, abs=0.05)
    assert not learnt.assumed.any()
    assert (learnt.elasticity_sd < stated().elasticity_sd).all()


@pytest.mark.parametrize("spread", [0.0, 1e-3])
def test_bids_that_stood_still_leave_the_prior(spread: float) -> None:
    learnt = with_own_answers(stated(), days_of(2.0, 0.1, spread), Estimation(elasticity_mean=1.15))
    assert learnt.elasticity == pytest.approx(1.15, abs=0.1)
    assert learnt.assumed.all()


def test_days_that_the_budget_ended_teach_nothing() -> None:
    days = days_of(2.0, 0.1)
    ended = replace(days, served=np.full(len(days.unit), 0.75))
    before = stated()
    assert with_own_answers(before, ended, Estimation()) is before


def test_days_without_a_click_are_no_fault() -> None:
    days = days_of(2.0, 0.1)
    silent = replace(days, clicks=0 * days.clicks, cost=0 * days.cost)
    learnt = with_own_answers(stated(), silent, Estimation())
    assert np.isfinite(learnt.elasticity).all()
    assert np.isfinite(learnt.cpc_exponent).all()


def test_bids_far_from_today_s_tell_nothing_of_the_curve_around_it() -> None:
    days = days_of(1.0, 0.5)
    far = np.where(days.day < 30, 10 * days.bid, days.bid)
    lots = replace(days, bid=far, clicks=np.where(days.day < 30, 500.0, days.clicks))
    learnt = with_own_answers(stated(), lots, Estimation())
    assert learnt.elasticity.mean() == pytest.approx(1.0, abs=0.25)
