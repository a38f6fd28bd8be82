import numpy as np
import pytest

from optimizer.decisions.keywords import (
    bid_for_term,
    bid_to_judge,
    enough_to_stop,
    loses_everywhere,
    lowest_cpc,
    worth_adding,
)
from optimizer.estimates.posteriors import Gamma
from tests.curves.test_bid_landscape import response

ONE = np.ones(1)


@pytest.mark.parametrize(("clicks", "enough"), [(59.0, False), (61.0, True)])
def test_a_word_is_judged_once_three_break_even_orders_are_due(clicks: float, enough: bool) -> None:
    """100 an order and a CPC of 5 break even at 1 order in 20 clicks: 3 orders take 60."""
    value, rate = Gamma(2.0 * ONE, ONE), Gamma(0.02 * ONE, ONE)
    found = enough_to_stop(clicks * ONE, 0.01 * ONE, 5.0 * ONE, value, rate, 3.0)
    assert found.tolist() == [enough]


def test_a_word_from_a_good_group_is_judged_sooner() -> None:
    value, rate = Gamma(2.0 * ONE, ONE), Gamma(0.02 * ONE, ONE)
    assert enough_to_stop(31.0 * ONE, 0.1 * ONE, 5.0 * ONE, value, rate, 3.0).all()


def test_a_word_without_value_is_not_judged_by_its_break_even() -> None:
    nothing = Gamma(np.zeros(1), ONE)
    found = enough_to_stop(np.zeros(1), 0.1 * ONE, 5.0 * ONE, nothing, Gamma(ONE, ONE), 3.0)
    assert not np.isnan(found).any()


def test_losing_means_the_value_is_hardly_ever_above_the_price() -> None:
    value = Gamma(ONE, ONE)  # exponential: P(V > c) = e^-c
    assert loses_everywhere(value, 2.4 * ONE, 0.1).tolist() == [True]
    assert loses_everywhere(value, 2.2 * ONE, 0.1).tolist() == [False]


def test_the_lowest_price_follows_the_curve_down_only() -> None:
    assert lowest_cpc(response(), 1.0 * ONE) == pytest.approx(1.5 * 0.5**0.6)
    assert lowest_cpc(response(), 4.0 * ONE) == pytest.approx(1.5)


def test_a_term_is_added_when_the_next_click_pays() -> None:
    """Marginal CPC = 1.5·1.6/1 = 2.4; P(V > 2.4) = e^(-2.4/5) = 0.62 at Λ = 1, 0.38 at Λ = 2."""
    value = Gamma(5.0 * ONE, ONE)
    assert worth_adding(value, response(), ONE, 0.6).tolist() == [True]
    assert worth_adding(value, response(), 2 * ONE, 0.6).tolist() == [False]


def test_the_bid_of_a_term_meets_the_line_within_reach() -> None:
    bid = bid_for_term(2.4 * 1.1**0.6 * ONE, response(), ONE, 0.25)
    assert bid == pytest.approx(2.2)
    assert bid_for_term(99.0 * ONE, response(), ONE, 0.25) == pytest.approx(2.5)
    assert bid_for_term(0.1 * ONE, response(), ONE, 0.25) == pytest.approx(1.5)


def test_a_word_is_lowered_before_it_is_stopped_unless_hopeless() -> None:
    """A bid of 4 is judged at 3 once a lower was tried, at 1.69 before, never below the lowest."""
    bid, tried = 4 * np.ones(4), np.array([True, False, False, True])
    lowest = np.array([0.1, 0.1, 2.0, 5.0])
    assert bid_to_judge(bid, lowest, 0.25, tried) == pytest.approx([3.0, 4 * 0.75**3, 2.0, 4.0])
