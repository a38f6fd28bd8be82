"""Elasticity on clicks whose true response is known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from optimizer.estimates.elasticity import (
    ExponentPrior,
    Trials,
    estimate_cpc_exponent,
    estimate_elasticity,
)

PRIOR = ExponentPrior(mean=1.0, sd=0.5, common_sd=0.2)
VAGUE = ExponentPrior(mean=1.0, sd=50.0, common_sd=20.0, threshold=0.0)
DAYS = 56


def dense(log_bid: np.ndarray, clicks: np.ndarray, cost: np.ndarray) -> Trials:
    """Trials of keywords (rows) on days (columns); a step is a run of one bid."""
    keywords, days = log_bid.shape
    unit = np.repeat(np.arange(keywords), days)
    moved = np.diff(log_bid, axis=1, prepend=np.inf) != 0
    step = np.cumsum(moved.ravel()) - 1
    day = np.tile(np.arange(days), keywords)
    return Trials(
        unit, unit, step, day, log_bid.ravel(), clicks.ravel().astype(float), cost.ravel()
    )


def dithered(
    truth: np.ndarray, daily: float, rng: np.random.Generator, demand: np.ndarray | float = 1.0
) -> Trials:
    """Poisson clicks of keywords with elasticities `truth` under ±10 % daily random bids."""
    log_bid = rng.choice([-0.1, 0.1], (len(truth), DAYS))
    clicks = rng.poisson(daily * np.exp(truth[:, None] * log_bid) * demand)
    return dense(log_bid, clicks, clicks * np.exp(0.7 * log_bid))


def test_two_bids_by_hand():
    """100 clicks at bid 1 and 150 at bid 1.5, one day each: ε = log 1.5 / log 1.5 = 1."""
    log_bid = np.log([[1.0, 1.5], [1.0, 2.0]])
    clicks = np.array([[100, 150], [100, 400]])
    trials = dense(log_bid, clicks, clicks.astype(float))
    calm = np.full(2, 1e9)
    fit = estimate_elasticity(trials, calm, 2, VAGUE)
    assert fit.mean == pytest.approx([1.0, 2.0], abs=2e-3)


def test_known_price_exponent():
    """CPC ~ bid^0.7 without noise is found exactly, however much the clicks scatter."""
    trials = dithered(np.full(50, 1.0), 20.0, np.random.default_rng(0))
    fit = estimate_cpc_exponent(trials, 50, ExponentPrior(0.6, 0.2, 0.15))
    assert fit.pooled == pytest.approx(0.7, abs=0.01)
    assert fit.mean == pytest.approx(np.full(50, 0.7), abs=0.03)


def test_intervals_cover_the_truth():
    rng = np.random.default_rng(1)
    truth = rng.normal(1.3, 0.45, 3000)
    fit = estimate_elasticity(dithered(truth, 5.0, rng), np.zeros(DAYS), 3000, PRIOR)
    covered = np.abs(fit.mean - truth) < 1.2816 * fit.sd
    assert 0.76 < covered.mean() < 0.84
    assert fit.pooled == pytest.approx(1.3, abs=3 * fit.pooled_sd)
    assert fit.between_sd == pytest.approx(0.45, abs=0.06)


def test_intervals_cover_with_noisy_demand():
    """Keyword-by-day shocks of 30 % widen the intervals instead of fooling them."""
    rng = np.random.default_rng(2)
    truth = rng.normal(1.0, 0.45, 1500)
    demand = rng.gamma(1 / 0.09, 0.09, (1500, DAYS))
    fit = estimate_elasticity(dithered(truth, 40.0, rng, demand), np.zeros(DAYS), 1500, PRIOR)
    covered = np.abs(fit.mean - truth) < 1.2816 * fit.sd
    assert 0.76 < covered.mean() < 0.84
    assert fit.dispersion + 40 * fit.excess == pytest.approx(1 + 40 * 0.09, rel=0.1)


@pytest.mark.parametrize("untouched", [0.0, 5000.0])
def test_days_that_move_everybody_do_not_bias(untouched):
    """Bids rise together on the days on which demand falls: the day is not the bid's doing."""
    rng = np.random.default_rng(3)
    shock = rng.choice([-0.3, 0.3], DAYS)
    own = rng.choice([-0.1, 0.1], (400, DAYS))
    log_bid = np.where(rng.random((400, DAYS)) < 0.7, -0.1 * np.sign(shock), own)
    clicks = rng.poisson(10 * np.exp(1.5 * log_bid + shock))
    control = rng.poisson(untouched * np.exp(shock)).astype(float)
    fit = estimate_elasticity(dense(log_bid, clicks, clicks * 1.0), control, 400, PRIOR)
    assert fit.pooled == pytest.approx(1.5, abs=3 * fit.pooled_sd + 0.02)


def test_bids_that_all_move_together_teach_nothing_without_controls():
    rng = np.random.default_rng(4)
    log_bid = np.tile(rng.choice([-0.1, 0.1], DAYS), (200, 1))
    clicks = rng.poisson(20 * np.exp(3.0 * log_bid))
    trials = dense(log_bid, clicks, clicks * 1.0)
    alone = estimate_elasticity(trials, np.zeros(DAYS), 200, PRIOR)
    controlled = estimate_elasticity(trials, np.full(DAYS, 1e6), 200, PRIOR)
    assert alone.information.sum() < 0.01 * controlled.information.sum()
    assert controlled.pooled == pytest.approx(3.0, abs=0.25)


def test_little_information_quotes_the_prior():
    fit = estimate_elasticity(
        dithered(np.full(20, 3.0), 0.2, np.random.default_rng(5)), np.zeros(DAYS), 20, PRIOR
    )
    assert not fit.measured.any()
    assert fit.mean == pytest.approx(np.ones(20))
    assert fit.sd == pytest.approx(np.full(20, 0.5))


def test_more_information_narrows():
    rng = np.random.default_rng(6)
    few = estimate_elasticity(dithered(np.full(300, 1.0), 2.0, rng), np.zeros(DAYS), 300, PRIOR)
    many = estimate_elasticity(dithered(np.full(300, 1.0), 20.0, rng), np.zeros(DAYS), 300, PRIOR)
    assert many.information.mean() > 5 * few.information.mean()
    assert many.sd.mean() < few.sd.mean()


def test_simulator_is_the_units_own_prior():
    trials = dithered(np.full(2, 1.0), 0.1, np.random.default_rng(7))
    told = replace(PRIOR, unit_mean=np.array([2.2, np.nan]), unit_sd=np.array([0.3, np.nan]))
    fit = estimate_elasticity(trials, np.zeros(DAYS), 2, told)
    assert fit.mean == pytest.approx([2.2, 1.0])
    assert fit.sd == pytest.approx([0.3, 0.5])


@settings(max_examples=60, deadline=None)
@given(
    clicks=arrays(float, (3, 6), elements=st.integers(0, 10_000).map(float)),
    log_bid=arrays(float, (3, 6), elements=st.floats(-3, 3)),
    control=arrays(float, 6, elements=st.integers(0, 10**7).map(float)),
)
def test_always_finite_and_in_range(clicks, log_bid, control):
    """Constant bids, zero clicks, one big day: a number comes out, and no warning."""
    trials = dense(log_bid, clicks, clicks * np.exp(log_bid))
    for fit in (
        estimate_elasticity(trials, control, 4, PRIOR),
        estimate_cpc_exponent(trials, 4, PRIOR),
    ):
        assert np.isfinite(fit.mean).all()
        assert np.isfinite(fit.sd).all()
        assert (fit.sd > 0).all()
        assert ((fit.mean >= 0) & (fit.mean <= 4)).all()
        assert np.isfinite([fit.pooled, fit.between_sd, fit.dispersion, fit.excess]).all()


def test_nothing_tried():
    empty = dense(np.zeros((0, 0)), np.zeros((0, 0)), np.zeros((0, 0)))
    fit = estimate_elasticity(empty, np.zeros(0), 3, PRIOR)
    assert fit.mean == pytest.approx(np.ones(3))
    assert not fit.measured.any()
