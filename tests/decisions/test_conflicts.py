import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.decisions import conflicts
from optimizer.estimates.posteriors import Gamma

ON = np.ones(4, dtype=bool)


def beliefs(mean: float, cv2: float) -> Gamma:
    return Gamma(np.array([mean]), np.array([cv2]))


def one(value: float) -> np.ndarray:
    return np.array([value])


def test_a_text_in_two_ad_groups_is_bought_twice() -> None:
    text, group = np.array([0, 0, 1, 2]), np.array([5, 6, 5, 6])
    assert conflicts.bought_twice(text, group, ON).tolist() == [True, True, False, False]


def test_match_types_inside_an_ad_group_are_no_conflict() -> None:
    text, group = np.array([0, 0, 1, 1]), np.array([5, 5, 5, 6])
    assert conflicts.bought_twice(text, group, ON).tolist() == [False, False, True, True]


def test_what_does_not_serve_buys_nothing() -> None:
    text, group = np.array([0, 0, 1, 1]), np.array([5, 6, 5, 6])
    serving = np.array([True, False, True, True])
    assert conflicts.bought_twice(text, group, serving).tolist() == [False, False, True, True]
    assert not conflicts.bought_twice(text, group, ~ON).any()


def test_the_best_of_each_group_wins_and_the_first_of_equals() -> None:
    best = conflicts.best_of_each(
        np.array([0, 0, 1, 1]), np.array([1.0, 2.0, 3.0, 3.0]), np.array([True, True, True, True])
    )
    assert best.tolist() == [1, 1, 2, 2]


def test_only_those_compared_can_win() -> None:
    among = np.array([True, False, True, False])
    best = conflicts.best_of_each(np.array([0, 0, 0, 1]), np.array([1.0, 9.0, 2.0, 3.0]), among)
    assert best.tolist() == [2, -1, 2, -1]


def test_the_rate_without_idle_clicks_is_that_of_the_other_clicks() -> None:
    """Prior weight 100, 300 clicks of its own, 3 orders: half the clicks gone leave a weight of 250."""
    parent = beliefs(0.03, 1 / (100 * 0.03))
    rate = beliefs(6 / 400, 1 / 6)
    factor = conflicts.rate_without(rate, parent, one(300.0), one(150.0))
    assert rate.mean * factor == pytest.approx(6 / 250)


@given(st.floats(0.0, 1.0), st.floats(0.0, 500.0))
def test_leaving_out_clicks_without_orders_never_lowers_a_rate(share: float, own: float) -> None:
    parent = beliefs(0.03, 0.4)
    weight = 1 / (0.4 * 0.03) + own
    rate = beliefs(2.5 / weight, 1 / 2.5)
    factor = conflicts.rate_without(rate, parent, one(own), one(share * own))
    assert 1.0 - 1e-12 <= factor[0] <= weight * 0.4 * 0.03 * (1 + 1e-9)


def test_a_belief_without_weight_keeps_its_rate() -> None:
    known = beliefs(0.0, 0.0)
    assert conflicts.rate_without(known, known, one(0.0), one(0.0)) == [1.0]


def test_the_price_of_the_remaining_clicks() -> None:
    price = conflicts.price_without(one(10.0), one(2.0), one(4.0), one(14.0))
    assert price == pytest.approx([1.0])


def test_the_price_stays_where_hardly_a_click_remains() -> None:
    assert conflicts.price_without(one(10.0), one(2.0), one(9.9), one(19.0)) == [2.0]


@pytest.mark.parametrize(("mean", "pays"), [(0.5, False), (0.99, False), (1.01, True)])
def test_it_pays_when_a_click_is_worth_its_price(mean: float, pays: bool) -> None:
    assert conflicts.pays_without(beliefs(mean, 0.1), one(1.0), 0.1) == [pays]
