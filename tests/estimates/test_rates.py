from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.estimates.rates import (
    RateFit,
    estimate_dispersion,
    estimate_unit_cv2,
    fit_rates,
)
from tests.estimates.worlds import Truth, rates_world

FLAT = (np.zeros(2, dtype=np.int64),)


@lru_cache
def fitted(seed: int) -> tuple[Truth, RateFit, RateFit]:
    truth = rates_world(6000, np.random.default_rng(seed))
    rate = fit_rates(truth.conversions, truth.exposure, truth.parents)
    value = fit_rates(truth.amounts, truth.conversions, truth.parents, unit_cv2=0.9)
    return truth, rate, value


def covered(seed: int) -> np.ndarray:
    truth, fit, _ = fitted(seed)
    low, high = fit.posterior.quantile(0.1), fit.posterior.quantile(0.9)
    return (truth.rate >= low) & (truth.rate <= high)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_four_in_five_true_rates_are_inside_their_interval(seed: int) -> None:
    assert 0.76 <= covered(seed).mean() <= 0.88


@pytest.mark.parametrize(("least", "most"), [(0, 3), (3, 10), (10, 50), (50, 1e9)])
def test_coverage_holds_for_words_with_few_and_with_many_clicks(least: float, most: float) -> None:
    inside = [
        covered(seed)[(clicks >= least) & (clicks < most)]
        for seed in (0, 1, 2)
        for clicks in [fitted(seed)[0].exposure]
    ]
    assert 0.76 <= np.concatenate(inside).mean() <= 0.88


@pytest.mark.parametrize(("least", "most"), [(0, 0), (1, 2), (3, 10), (11, 10**9)])
def test_luck_in_the_orders_seen_costs_little_coverage(least: int, most: int) -> None:
    """Chosen for its orders a word was lucky in part: 3 to 10 orders cover 75 %, not 80."""
    inside = [
        covered(seed)[(orders >= least) & (orders <= most)]
        for seed in (0, 1, 2)
        for orders in [fitted(seed)[0].conversions]
    ]
    assert 0.72 <= np.concatenate(inside).mean() <= 0.88


def value_covered(seed: int) -> float:
    truth, rate, value = fitted(seed)
    belief = rate.posterior.times(value.posterior)
    low, high = belief.quantile(0.1), belief.quantile(0.9)
    return float(((truth.value_per_click >= low) & (truth.value_per_click <= high)).mean())


def test_the_value_of_a_click_is_covered_too() -> None:
    assert 0.76 <= np.mean([value_covered(seed) for seed in (0, 1, 2)]) <= 0.88


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_bidding_the_posterior_mean_beats_the_group_mean_and_the_raw_rate(seed: int) -> None:
    truth, rate, value = fitted(seed)
    group, seen = truth.parents[0], np.maximum(truth.exposure, 1e-9)
    of_group = np.bincount(group, truth.amounts) / np.maximum(
        np.bincount(group, truth.exposure), 1e-9
    )
    ours = truth.profit_share(rate.posterior.mean * value.posterior.mean)
    assert ours > truth.profit_share(of_group[group]) + 0.02
    assert ours > truth.profit_share(truth.amounts / seen) + 0.1
    assert ours > 0.86


def test_the_spread_between_keywords_is_recovered() -> None:
    """Squared CV of a lognormal with sd 0.5 is 0.28."""
    found = [fitted(seed)[1].tau2[0] for seed in (0, 1, 2)]
    assert np.mean(found) == pytest.approx(np.expm1(0.25), abs=0.04)


def test_the_total_is_neither_promised_up_nor_down() -> None:
    for seed in (0, 1, 2):
        truth, fit, _ = fitted(seed)
        promised = (fit.posterior.mean * truth.demand).sum()
        assert promised == pytest.approx((truth.rate * truth.demand).sum(), rel=0.1)


def test_a_lone_keyword_takes_its_own_rate_as_clicks_grow() -> None:
    fit = fit_rates(np.array([3000.0]), np.array([1e5]), (np.zeros(1, dtype=np.int64),))
    assert fit.posterior.mean[0] == pytest.approx(0.03, rel=0.01)


def test_the_posterior_by_hand() -> None:
    """With prior mean m and squared CV c it is (1/c + x) / (1/(c m) + e)."""
    fit = fit_rates(np.array([4.0, 1.0]), np.array([50.0, 80.0]), FLAT)
    shape = 1 / fit.parent.cv2
    counts, clicks = np.array([4.0, 1.0]), np.array([50.0, 80.0])
    assert fit.posterior.mean == pytest.approx(
        (shape + counts) / (shape / fit.parent.mean + clicks)
    )
    assert fit.posterior.cv2 == pytest.approx(1 / (shape + counts))


def test_a_keywords_own_orders_stay_out_of_its_prior() -> None:
    group = (np.zeros(20, dtype=np.int64),)
    clicks = np.full(20, 100.0)
    few = fit_rates(np.r_[0.0, np.full(19, 3.0)], clicks, group)
    many = fit_rates(np.r_[12.0, np.full(19, 3.0)], clicks, group)
    assert many.parent.mean[1] > 1.05 * few.parent.mean[1]
    assert many.parent.mean[0] == pytest.approx(few.parent.mean[0], rel=0.06)


def test_nothing_seen_gives_finite_beliefs() -> None:
    fit = fit_rates(np.zeros(2), np.zeros(2), FLAT)
    assert np.isfinite([fit.posterior.mean, fit.posterior.cv2]).all()


def test_clicks_without_any_order_still_have_a_small_rate() -> None:
    fit = fit_rates(np.zeros(2), np.full(2, 500.0), FLAT)
    assert (fit.posterior.mean > 0).all()
    assert (fit.posterior.mean < 0.001).all()


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 20), st.floats(1, 2000), st.floats(1.1, 20))
def test_more_evidence_at_the_same_rate_narrows(count: float, clicks: float, more: float) -> None:
    """The other keyword is left as it is, so that the prior is too."""
    small = fit_rates(np.array([count, 5.0]), np.array([clicks, 200.0]), FLAT)
    large = fit_rates(np.array([count * more, 5.0]), np.array([clicks * more, 200.0]), FLAT)
    assert large.posterior.cv2[0] <= small.posterior.cv2[0] * 1.0001 or (
        large.parent.cv2[0] > small.parent.cv2[0]
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=2, max_size=12), st.floats(0.01, 100))
def test_the_unit_of_exposure_does_not_matter(counts: list[int], scale: float) -> None:
    seen, group = np.array(counts) / 4, (np.zeros(len(counts), dtype=np.int64),)
    clicks = np.linspace(10, 300, len(counts))
    plain, scaled = fit_rates(seen, clicks, group), fit_rates(seen, clicks * scale, group)
    assert scaled.posterior.mean * scale == pytest.approx(plain.posterior.mean, rel=1e-6)
    assert scaled.posterior.cv2 == pytest.approx(plain.posterior.cv2, rel=1e-6)


@pytest.mark.parametrize("pair", [1, 2])
def test_orders_in_pairs_double_the_dispersion(pair: int) -> None:
    rng = np.random.default_rng(4)
    unit = np.repeat(np.arange(800), 30)
    clicks = rng.poisson(4.0, len(unit)).astype(float)
    orders = pair * rng.poisson(0.05 / pair * clicks)
    found = estimate_dispersion(orders.astype(float), clicks, unit, 800)
    assert found == pytest.approx(pair, rel=0.08)


def test_dispersion_is_about_days_not_about_keywords() -> None:
    """Keywords that differ tenfold are still Poisson from day to day."""
    rng = np.random.default_rng(5)
    unit = np.repeat(np.arange(800), 30)
    rate = np.repeat(rng.choice([0.01, 0.1], 800), 30)
    orders = rng.poisson(4.0 * rate).astype(float)
    assert estimate_dispersion(orders, np.full(len(unit), 4.0), unit, 800) == pytest.approx(
        1, abs=0.08
    )


def test_clustered_orders_widen_the_posterior() -> None:
    counts, clicks = np.array([4.0, 6.0]), np.array([100.0, 100.0])
    plain = fit_rates(counts, clicks, FLAT).posterior.cv2
    assert (fit_rates(counts, clicks, FLAT, dispersion=2.0).posterior.cv2 > plain).all()


@pytest.mark.parametrize("cv", [0.5, 1.0])
def test_the_spread_of_single_amounts_is_recovered(cv: float) -> None:
    rng, units, days = np.random.default_rng(6), 600, 20
    unit = np.repeat(np.arange(units), days)
    number = rng.poisson(1.5, len(unit))
    owner = np.repeat(np.arange(len(unit)), number)
    mean = np.exp(rng.normal(4, 0.4, units))[unit][owner]
    amounts = np.bincount(owner, mean * rng.gamma(1 / cv**2, cv**2, len(owner)), len(unit))
    found = estimate_unit_cv2(amounts, number.astype(float), unit, units, prior=2.0)
    assert found == pytest.approx(cv**2, rel=0.12)


def test_without_amounts_the_stated_spread_stands() -> None:
    one = np.zeros(1, dtype=np.int64)
    assert estimate_unit_cv2(np.zeros(1), np.zeros(1), one, 1, prior=0.64) == 0.64
