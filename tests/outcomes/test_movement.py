"""The decomposition of a change adds up, stands zeros, and knows simple cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from optimizer.outcomes.movement import AMOUNTS, FACTORS, Amount, Sums, movement, total_of

COUNT = 4


def some(least: float, most: float) -> st.SearchStrategy[np.ndarray]:
    """One number per keyword, any of them 0."""
    each = st.one_of(st.just(0.0), st.floats(least, most))
    return arrays(np.float64, COUNT, elements=each)


@st.composite
def drawn(draw: st.DrawFn) -> Sums:
    """Sums of any rates a report can show, some money and orders without a click or an order among them."""
    clicks = draw(some(1, 1e4))
    orders = clicks * draw(some(1e-3, 2)) + draw(some(0.1, 10))
    value = orders * draw(some(0.1, 1e3)) + draw(some(0.1, 10))
    return Sums(clicks, clicks * draw(some(0.01, 100)) + draw(some(0.1, 10)), orders, value)


periods = drawn()
ROUNDING = 1e-5
"""Money, of products that reach 1e9."""


def one(clicks: float, cost: float, orders: float, value: float) -> Sums:
    return Sums(*(np.array([each]) for each in (clicks, cost, orders, value)))


def parts(
    before: Sums, now: Sums, amount: Amount = "profit", kept: float = 0.5
) -> dict[str, float]:
    told = movement(before, now, np.full(len(now.clicks), kept), amount)
    return {name: float(told[name].sum()) for name in FACTORS if abs(told[name].sum()) > 1e-9}


@given(before=periods, now=periods, kept=arrays(np.float64, COUNT, elements=st.floats(0, 2)))
@pytest.mark.parametrize("amount", AMOUNTS)
def test_parts_add_up_to_the_change_whatever_is_zero(
    amount: Amount, before: Sums, now: Sums, kept: np.ndarray
) -> None:
    told = movement(before, now, kept, amount)
    change = total_of(now, kept, amount) - total_of(before, kept, amount)
    assert np.isfinite(told.to_numpy()).all()
    assert told[list(FACTORS)].to_numpy().sum() == pytest.approx(change, rel=1e-9, abs=ROUNDING)


@given(before=periods, now=periods)
def test_going_back_undoes_every_part(before: Sums, now: Sums) -> None:
    kept = np.ones(COUNT)
    there, back = movement(before, now, kept, "profit"), movement(now, before, kept, "profit")
    assert there.to_numpy() == pytest.approx(-back.to_numpy(), rel=1e-9, abs=ROUNDING)


def test_dearer_clicks_are_price_alone() -> None:
    assert parts(one(100, 50, 10, 400), one(100, 60, 10, 400)) == pytest.approx({"cpc": -10.0})


def test_twice_the_clicks_at_the_same_rates_are_traffic_alone() -> None:
    told = parts(one(100, 50, 10, 400), one(200, 100, 20, 800))
    assert told == pytest.approx({"traffic": 0.5 * 400 - 50})


def test_two_factors_share_their_joint_change_evenly() -> None:
    """Rate .1 to .2 and order value 40 to 50 on 100 clicks: 450 and 150 of value by Shapley."""
    told = parts(one(100, 50, 10, 400), one(100, 50, 20, 1000), "value")
    assert told == pytest.approx({"conversion_rate": 450.0, "order_value": 150.0})


def test_clicks_that_moved_to_the_better_keyword_are_mix() -> None:
    before = Sums(
        np.array([50.0, 50]), np.array([50.0, 50]), np.array([5.0, 0]), np.array([500.0, 0])
    )
    now = Sums(
        np.array([100.0, 0]), np.array([100.0, 0]), np.array([10.0, 0]), np.array([1000.0, 0])
    )
    assert parts(before, now, kept=1.0) == pytest.approx({"mix": 500.0})


def test_new_keyword_brings_mix_and_no_rate() -> None:
    before = Sums(
        np.array([100.0, 0]), np.array([50.0, 0]), np.array([5.0, 0]), np.array([200.0, 0])
    )
    now = Sums(
        np.array([100.0, 50]), np.array([50.0, 25]), np.array([5.0, 10]), np.array([200.0, 400])
    )
    told = movement(before, now, np.ones(2), "value").iloc[1]
    assert told["conversion_rate"] == 0
    assert told["order_value"] == 0
    assert told["mix"] + told["traffic"] == pytest.approx(400.0)


def test_orders_without_clicks_are_told_apart() -> None:
    assert parts(one(0, 0, 0, 0), one(0, 3, 2, 80)) == pytest.approx({"other": 0.5 * 80 - 3})
    assert parts(one(0, 0, 0, 0), one(0, 3, 2, 80), "orders") == pytest.approx({"other": 2.0})
