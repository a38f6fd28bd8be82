from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.curves.bid_landscape import Response
from optimizer.decisions import exploration
from optimizer.decisions.exploration import Subjects, Trial
from optimizer.estimates.posteriors import Gamma

TRIAL = Trial(dither=0.1, days=28, days_after=28)
REACH = np.log(1.25)


def subjects(clicks: list[float], value: float = 1.6, common: float = 0.2) -> Subjects:
    """Keywords at bid 1 and CPC 1 with ε ~ N(1, .5²), η ~ N(.6, .2²); V = 1.6 is where the bid is best."""
    size, flat = len(clicks), np.ones(len(clicks))
    response = Response(
        flat,
        np.array(clicks),
        flat,
        flat,
        0.5 * flat,
        0.6 * flat,
        0.2 * flat,
        np.ones(size, dtype=bool),
    )
    worth = Gamma(value * flat, 0.05 * flat)
    shared = (common * flat, 0.15 * flat)
    return Subjects(response, worth, flat, flat, np.full(size, REACH), flat > 0, shared)


def chosen(
    of: Subjects, cap: float = np.inf, min_return: float = 1.0, shared: float = 1.0
) -> exploration.Choice:
    cost = exploration.dither_cost(of, TRIAL.dither)
    everyone = np.ones(len(of.line), dtype=bool)
    return exploration.choose_tests(of, TRIAL, everyone, cost, cap, min_return, 100, shared)


@pytest.mark.parametrize(("share", "value"), [(0.0, 2.0), (0.0, 1.2), (0.4, 1.7), (0.6, 1.5)])
def test_best_move_is_the_top_of_the_profit(share: float, value: float) -> None:
    of = subjects([10.0], value=value)
    known = {"elasticity_sd": np.zeros(1), "cpc_exponent_sd": np.zeros(1)}
    certain = replace(of.response, click_share=np.full(1, share), **known)
    of = replace(of, response=certain)
    bids = np.exp(np.linspace(-1, 1, 2001))[None, :]
    profit = value * certain.expected_clicks(bids) - certain.expected_cost(bids)
    assert np.log(bids[0, profit[0].argmax()]) == pytest.approx(
        exploration.best_move(of)[0], abs=0.002
    )


def test_best_bid_does_not_move() -> None:
    assert exploration.best_move(subjects([10.0]))[0] == pytest.approx(0.0)


@given(move=st.floats(-1, 1), spread=st.floats(0.001, 0.5), reach=st.floats(0.05, 0.5))
def test_information_gain_is_the_mean_over_its_news(
    move: float, spread: float, reach: float
) -> None:
    """Against quadrature of the definition: loss of the clipped prior move less that of the clipped news."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    best = move + spread * nodes
    prior = (np.clip(move, -reach, reach) - best) ** 2
    news = (np.clip(best, -reach, reach) - best) ** 2
    expected = 0.5 * 3.0 * ((prior - news) @ weights) / weights.sum()
    found = exploration.information_gain(
        np.array([3.0]), np.array([move]), np.array([spread]), np.array([reach])
    )
    assert found[0] == pytest.approx(expected, abs=2e-3)


def test_news_that_cannot_change_the_move_is_worth_nothing() -> None:
    far = exploration.information_gain(
        np.array([5.0]), np.array([2.0]), np.array([0.1]), np.array([REACH])
    )
    assert far[0] == pytest.approx(0.0, abs=1e-9)


def test_dither_at_the_best_bid_costs_its_curvature() -> None:
    """½·c₀κη(ε+η)·L² with L = ±10 %: .5 · 10 · .96 · .1² = .048, up to the spread of the beliefs."""
    of = subjects([10.0])
    certain = replace(of.response, elasticity_sd=np.zeros(1), cpc_exponent_sd=np.zeros(1))
    cost = exploration.dither_cost(replace(of, response=certain), 0.1)
    assert cost[0] == pytest.approx(0.048, rel=0.03)


def test_a_test_around_the_planned_bid_costs_no_delay() -> None:
    """V = 1.2 wants a lower bid: around it a test costs its curvature, as around the best bid."""
    of = subjects([10.0], value=1.2)
    moved = replace(of, centre=np.array([0.85]))
    cost = exploration.dither_cost(moved, 0.1)
    assert 0.03 < cost[0] < 0.05
    assert exploration.extra_spend(moved, 0.1)[0] < 0 < exploration.extra_spend(of, 0.1)[0]


def test_the_move_to_the_centre_is_no_part_of_the_news() -> None:
    """A word whose best bid is out of reach today is not, once the review has led it there."""
    far = subjects([20.0] * 50, value=0.9)
    move = np.exp(exploration.best_move(far))
    there = replace(far, centre=move)
    assert chosen(there).value > chosen(far).value


def test_stated_cost_is_the_mean_of_its_draws() -> None:
    of = subjects([10.0] * 30, value=1.2)
    volume = Gamma(of.response.clicks, np.full(30, 0.1))
    rng = np.random.default_rng(1)
    drawn = exploration.draw_dither_cost(of, 0.1, volume, 4000, rng)
    stated = exploration.dither_cost(of, 0.1).sum()
    assert drawn.mean() == pytest.approx(stated, rel=0.05)


def test_cost_stays_under_its_cap() -> None:
    of = subjects([20.0] * 40 + [0.1] * 400)
    cost = exploration.dither_cost(of, TRIAL.dither)
    choice = chosen(of, cap=float(cost[:10].sum()) * 1.001)
    assert choice.tested.sum() >= 10
    assert cost[choice.tested].sum() <= float(cost[:10].sum()) * 1.001


def test_nothing_is_tested_that_cannot_pay() -> None:
    choice = chosen(subjects([5.0] * 40), min_return=1e6)
    assert not choice.tested.any()
    assert choice.value == 0.0


def test_no_eligible_keyword_is_an_empty_choice() -> None:
    of = subjects([5.0, 5.0])
    none = np.zeros(2, dtype=bool)
    choice = exploration.choose_tests(of, TRIAL, none, np.ones(2), 10.0, 1.0, 10, 1.0)
    assert (choice.tested.any(), choice.value) == (False, 0.0)


def test_shared_knowledge_of_a_few_is_enough_for_all() -> None:
    """Where ε is all shared, the second hundred of busy keywords teaches nothing new."""
    of = subjects([20.0] * 200)
    alike = replace(
        of.response, elasticity_sd=np.full(200, 0.2), cpc_exponent_sd=np.full(200, 0.15)
    )
    choice = chosen(replace(of, response=alike), min_return=3.0)
    assert 1 <= choice.tested.sum() < 100


def test_shared_news_counts_as_far_as_it_is_told_to() -> None:
    of = subjects([20.0] * 50)
    full, half, none = (chosen(of, shared=share).value for share in (1.0, 0.5, 0.0))
    assert full > half > none > 0
    assert half == pytest.approx((full + none) / 2)


def test_the_value_of_a_test_grows_with_what_is_unknown() -> None:
    much = subjects([20.0] * 50)
    little = replace(much.response, elasticity_sd=np.full(50, 0.25))
    assert chosen(much).value > chosen(replace(much, response=little)).value


def test_what_the_estimate_would_not_believe_is_worth_nothing() -> None:
    """Information below 1 on ε and η: a keyword's own stay assumed, and so does the shared part."""
    assert chosen(subjects([0.1] * 20)).value == 0.0


def test_a_test_at_least_costs_its_curvature() -> None:
    """V = 9 lies on the convex side, where beliefs say that up and down pays by itself."""
    assert exploration.dither_cost(subjects([10.0], value=9.0), 0.1)[0] > 0.04


@given(clicks=st.lists(st.floats(0, 1e4), min_size=1, max_size=20), value=st.floats(0, 1e3))
def test_every_answer_is_finite(clicks: list[float], value: float) -> None:
    of = subjects(clicks, value=value)
    choice = chosen(of)
    assert np.isfinite(choice.own).all()
    assert np.isfinite(choice.value)
    assert np.isfinite(exploration.extra_spend(of, 0.1)).all()
