import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from optimizer.decisions import ramps
from optimizer.estimates.posteriors import Gamma


def looks(value: float, cv2: float = 0.5, clicks: float = 2.0) -> ramps.Looks:
    """One keyword that would pay 1 per click on the first page."""
    one = np.ones(1)
    worth, rate = Gamma(value * one, cv2 * one), Gamma(0.03 * one, cv2 * one)
    return ramps.Looks(0.5 * one, 1.2 * one, clicks * one, one, worth, rate, one)


def test_cost_of_a_look_is_what_the_bad_ones_lose() -> None:
    draws = stats.gamma(2.0, scale=0.4).rvs(400_000, random_state=3)
    expected = 2.0 * np.maximum(1.0 - draws, 0).mean()
    assert ramps.look_cost(looks(0.8))[0] == pytest.approx(expected, rel=0.01)


def test_a_known_value_leaves_nothing_to_look_for() -> None:
    assert ramps.look_value(looks(0.8, cv2=0.0), 28, 28)[0] == 0.0
    assert ramps.look_cost(looks(0.8, cv2=0.0))[0] == pytest.approx(0.4)


def test_more_clicks_learn_more() -> None:
    short, long = (ramps.look_value(looks(0.8), days, 28)[0] for days in (7, 70))
    assert 0 < short < long


def test_choice_is_by_value_per_cost_under_the_cap() -> None:
    value, cost = np.array([100.0, 90.0, 1.0, 80.0]), np.array([1.0, 0.5, 0.01, 9.0])
    chosen = ramps.choose_looks(value, cost, cap=1.6, min_return=1.0, days=10, most=5)
    assert chosen.tolist() == [True, True, True, False]


def test_choice_needs_its_return() -> None:
    one = np.ones(1)
    assert not ramps.choose_looks(19 * one, one, 5.0, 2.0, 10, 5).any()
    assert ramps.choose_looks(21 * one, one, 5.0, 2.0, 10, 5).all()


@given(
    bid=st.floats(0.05, 20),
    target=st.floats(0.05, 60),
    limit=st.floats(0.01, 0.5),
    step=st.sampled_from([0.01, 0.05, 1.0]),
)
def test_a_climb_never_jumps(bid: float, target: float, limit: float, step: float) -> None:
    bids = ramps.climb(np.array([bid]), np.array([target]), limit, step, 6)[0]
    path = np.concatenate([[bid], bids])
    assert (path[1:] <= path[:-1] * (1 + limit) + 1e-9).all()
    assert (np.diff(path) >= 0).all()
    assert (bids <= max(target, bid) + 1e-9).all()


def test_a_climb_ends_on_the_first_page() -> None:
    bids = ramps.climb(np.array([1.0]), np.array([1.5]), 0.25, 0.01, 4)
    assert bids[0].tolist() == [1.25, 1.5, 1.5, 1.5]


def test_the_way_up_brings_part_of_the_clicks() -> None:
    on_the_way = ramps.climbing(looks(0.8), np.array([[0.5, 0.85, 1.2, 1.2]]))
    assert on_the_way.clicks[0] == pytest.approx(2.0 * (0 + 0.5 + 1 + 1) / 4)


def test_net_cost_counts_what_the_clicks_are_worth() -> None:
    drawn = ramps.draw_net_cost(looks(0.8), 0.2, 200_000, np.random.default_rng(2))
    assert ramps.net_cost(looks(0.8))[0] == pytest.approx(0.4)
    assert ramps.net_cost(looks(1.5))[0] < 0
    assert drawn.std() > 1.0
