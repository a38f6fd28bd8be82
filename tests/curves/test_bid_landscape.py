from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.curves.bid_landscape import Response, click_growth, marginal_return
from optimizer.estimates.posteriors import Gamma


def response(elasticity: float = 1.0, exponent: float = 0.6, sd: float = 0.0) -> Response:
    one = np.ones(1)
    return Response(
        2.0 * one,
        10.0 * one,
        1.5 * one,
        elasticity * one,
        sd * one,
        exponent * one,
        sd * one,
        np.ones(1, dtype=bool),
    )


def test_at_the_present_bid_nothing_changes() -> None:
    curve = response(sd=0.5)
    assert curve.expected_clicks(np.array([[2.0]])) == pytest.approx(10.0)
    assert curve.expected_cost(np.array([[2.0]])) == pytest.approx(15.0)


def test_a_power_law_by_hand() -> None:
    curve = response(elasticity=2.0, exponent=0.5)
    assert curve.expected_clicks(np.array([[2.2]])) == pytest.approx(10 * 1.1**2)
    assert curve.expected_cost(np.array([[2.2]])) == pytest.approx(15 * 1.1**2.5)


def test_an_uncertain_elasticity_is_averaged_not_plugged_in() -> None:
    draws = np.random.default_rng(0).normal(1.0, 0.5, 200_000)
    expected = response(sd=0.5).expected_clicks(np.array([[2.6]]))
    assert expected == pytest.approx(10 * (1.3**draws).mean(), rel=2e-3)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.3, 4), st.floats(0, 2), st.floats(0, 0.5))
def test_clicks_and_cost_never_fall_in_the_bid(elasticity: float, exponent: float, sd: float):
    bids = np.linspace(1.5, 2.5, 21)[None, :]
    curve = response(elasticity, exponent, sd)
    assert (np.diff(curve.expected_clicks(bids)) >= 0).all()
    assert (np.diff(curve.expected_cost(bids)) >= 0).all()


def test_the_marginal_return_is_the_slope_of_value_over_cost() -> None:
    curve, value = response(elasticity=1.3, exponent=0.7), Gamma(np.array([3.0]), np.zeros(1))
    bids = np.array([[2.0, 2.0001]])
    slope = 3.0 * np.diff(curve.expected_clicks(bids)) / np.diff(curve.expected_cost(bids))
    found = marginal_return(curve, value)
    assert found.mean == pytest.approx(slope[0], rel=1e-4)
    assert found.cv2 == pytest.approx(0.0, abs=1e-12)


def test_the_spread_of_the_marginal_return_covers_value_and_response() -> None:
    curve, value = response(sd=0.3), Gamma(np.array([3.0]), np.array([0.2]))
    rng = np.random.default_rng(1)
    elasticity = np.maximum(rng.normal(1.0, 0.3, 400_000), 0.05)
    exponent = np.maximum(rng.normal(0.6, 0.3, 400_000), 0.0)
    sample = rng.gamma(5, 0.6, 400_000) * elasticity / (elasticity + exponent) / 1.5
    found = marginal_return(curve, value)
    assert found.mean == pytest.approx(sample.mean(), rel=0.01)
    assert found.cv2 == pytest.approx(sample.var() / sample.mean() ** 2, rel=0.05)


def test_beliefs_shared_by_many_keywords_are_each_keywords_own() -> None:
    many = replace(response(), elasticity=np.array([0.5, 2.0, 0.5]))
    grown = {name: np.repeat(getattr(many, name), 3) for name in ("bid", "clicks", "cpc")}
    flat = {name: np.repeat(getattr(many, name), 3) for name in ("elasticity_sd", "cpc_exponent")}
    curve = replace(many, **grown, **flat, cpc_exponent_sd=np.zeros(3), assumed=np.ones(3, bool))
    found = marginal_return(curve, Gamma(np.full(3, 3.0), np.zeros(3))).mean
    assert found == pytest.approx(2.0 * np.array([0.5 / 1.1, 2.0 / 2.6, 0.5 / 1.1]))


def saturating(share: float, elasticity: float = 1.0, sd: float = 0.0) -> Response:
    return replace(response(elasticity, sd=sd), click_share=np.array([share]))


def test_a_hill_curve_by_hand() -> None:
    """ε = 1 at half of the clicks: h = 2, b50 = the bid; at twice the bid 4/5 of 20 clicks."""
    assert saturating(0.5).expected_clicks(np.array([[4.0]])) == pytest.approx(16.0)


@pytest.mark.parametrize("share", [0.0, 0.4, 0.9])
def test_saturation_keeps_level_and_slope(share: float) -> None:
    bids = np.array([[2.0 / 1.0001, 2.0, 2.0 * 1.0001]])
    clicks = saturating(share, 1.3).expected_clicks(bids)[0]
    assert clicks[1] == pytest.approx(10.0)
    assert (clicks[2] - clicks[0]) / (10 * np.log(1.0001) * 2) == pytest.approx(1.3, rel=1e-5)


def test_no_bid_brings_more_than_the_ceiling() -> None:
    clicks = saturating(0.4).expected_clicks(np.array([[2.0, 20.0, 2e6]]))[0]
    assert (np.diff(clicks) > 0).all()
    assert clicks[-1] == pytest.approx(10 / 0.4, rel=1e-3)


def test_uncertainty_is_averaged_on_a_saturating_curve() -> None:
    draws = np.random.default_rng(0).normal(1.0, 0.5, 200_000)
    grown = click_growth(draws, np.log(1.3), np.array(0.4))
    expected = saturating(0.4, sd=0.5).expected_clicks(np.array([[2.6]]))
    assert expected == pytest.approx(10 * grown.mean(), rel=2e-3)


def test_a_bid_far_too_low_buys_nothing_without_a_warning():
    grown = click_growth(np.float32(3.0), np.float32(-1.4), np.array([0.99], dtype=np.float32))
    assert grown == 0.0


def test_what_prices_say_is_won_counts_above_the_present_bid_only() -> None:
    """Half of the clicks below, nine tenths above: at most a ninth more is left."""
    plain = saturating(0.5)
    known = replace(plain, won_share=np.array([0.9]))
    bids = np.array([[0.5, 0.9, 1.0, 1.2, 1e6]]) * plain.bid[0]
    below, at, above = np.split(
        known.expected_clicks(bids)[0] / plain.expected_clicks(bids)[0], [2, 3]
    )
    assert below == pytest.approx(1.0)
    assert at == pytest.approx(1.0)
    assert (above < 1).all()
    assert known.expected_clicks(bids)[0, -1] == pytest.approx(known.clicks[0] / 0.9)
