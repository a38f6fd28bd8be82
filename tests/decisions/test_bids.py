from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.decisions.bids import (
    StepLimits,
    allowed_levels,
    assumed_share,
    bid_levels,
    clicks_to_be_sure,
)
from optimizer.estimates.posteriors import Gamma
from tests.curves.test_bid_landscape import response

bids = st.floats(0.01, 9999.0)
steps = st.sampled_from([0.01, 0.05, 0.25, 1.0])
shares = st.floats(0.01, 0.5)


def limits(
    up: float = 0.25, down: float = 0.25, low: float = 0.01, high: float = 1e4
) -> StepLimits:
    yes = np.ones(1, dtype=bool)
    return StepLimits(np.array([up]), np.array([down]), yes, yes, np.array([low]), np.array([high]))


def taken(bid: float, told: StepLimits, step: float = 0.01, dead_band: float = 0.03) -> np.ndarray:
    levels = bid_levels(np.array([bid]), told, step, 6)
    return levels[0, allowed_levels(levels, np.array([bid]), told, dead_band)[0]]


@settings(max_examples=200, deadline=None)
@given(bids, steps, shares, shares)
def test_levels_keep_the_step_limit_the_dead_band_and_the_order(
    bid: float, step: float, up: float, down: float
) -> None:
    levels = taken(bid, limits(up, down), step)
    change = levels / bid - 1
    assert (np.diff(levels) > 0).all()
    assert (change <= up + 1e-6 * step / bid + 1e-9).all()
    assert (change >= -down - 1e-6 * step / bid - 1e-9).all()
    assert (np.abs(change[levels != bid]) >= 0.03).all()


@settings(max_examples=200, deadline=None)
@given(bids, steps)
def test_new_bids_are_whole_currency_steps(bid: float, step: float) -> None:
    levels = taken(bid, limits(), step)
    moved = levels[levels != bid] / step
    assert moved == pytest.approx(np.round(moved), abs=1e-5)


@pytest.mark.parametrize(("bid", "step"), [(0.02, 0.01), (3.0, 1.0)])
def test_a_bid_too_small_to_step_stays(bid: float, step: float) -> None:
    assert taken(bid, limits(), step).tolist() == [bid]


def test_an_open_direction_is_the_only_one_taken() -> None:
    no = np.zeros(1, dtype=bool)
    assert taken(2.0, replace(limits(), may_raise=no)).max() == 2.0
    assert taken(2.0, replace(limits(), may_lower=no)).min() == 2.0


def test_raises_stop_at_the_highest_bid_and_lowers_at_the_lowest() -> None:
    levels = taken(2.0, limits(low=1.801, high=2.199))
    assert (levels.min(), levels.max()) == (1.81, 2.19)


def test_a_bound_a_rounding_error_away_can_be_reached() -> None:
    assert taken(293.0, limits(low=2.47 * 100), step=1.0).min() == 247.0


def test_a_bid_above_the_highest_may_only_come_down() -> None:
    levels = taken(10.0, limits(high=5.0))
    assert (levels.min(), levels.max()) == (7.5, 10.0)


def test_a_bid_below_the_lowest_may_only_go_up() -> None:
    levels = taken(1.0, limits(low=3.0))
    assert (levels.min(), levels.max()) == (1.0, 1.25)


def test_a_quarter_step_is_not_rounded_away() -> None:
    assert taken(2.0, limits(), step=0.25).tolist() == [1.5, 1.75, 2.0, 2.25, 2.5]


def test_a_known_value_leaves_only_the_assumed_response() -> None:
    known = Gamma(np.array([3.0]), np.array([0.0]))
    assert assumed_share(response(sd=0.3), known) == pytest.approx(1.0)
    measured = replace(response(sd=0.3), assumed=np.zeros(1, dtype=bool))
    assert assumed_share(measured, known) == 0.0


def test_a_vague_value_outweighs_the_assumed_response() -> None:
    """(εσ_V)² = 9·0.5 against ((V-CPC)·0.3)² + (CPC·0.3)² = 0.405."""
    vague = Gamma(np.array([3.0]), np.array([0.5]))
    assert assumed_share(response(sd=0.3), vague) == pytest.approx(0.405 / 4.905)


@pytest.mark.parametrize("mean", [0.95, 1.5])
def test_the_clicks_said_to_be_needed_make_it_sure(mean: float) -> None:
    """With so many more clicks at the same mean the probability is 0.7 (lognormal against Gamma)."""
    rate = Gamma(np.array([0.02]), np.array([1.5]))
    marginal = Gamma(np.array([mean]), np.array([1.5]))
    more = clicks_to_be_sure(marginal, Gamma(np.ones(1), np.ones(1)), rate, 1.0, 0.7)
    after = Gamma(marginal.mean, 1.0 / (1.0 / rate.cv2 + more * rate.mean))
    side = after.above(1.0) if mean > 1 else 1 - after.above(1.0)
    assert more > 0
    assert side == pytest.approx(0.7, abs=0.05)


def test_a_sure_keyword_needs_no_more_clicks() -> None:
    rate, marginal = Gamma(np.ones(1), np.array([0.5])), Gamma(np.array([0.5]), np.array([0.6]))
    assert clicks_to_be_sure(marginal, Gamma(np.ones(1), np.ones(1)), rate, 1.0, 0.7) == 0.0


def test_no_number_of_clicks_settles_what_the_response_leaves_open() -> None:
    rate, marginal = Gamma(np.ones(1), np.array([0.01])), Gamma(np.array([1.01]), np.array([2.0]))
    more = clicks_to_be_sure(marginal, Gamma(np.ones(1), np.ones(1)), rate, 1.0, 0.7)
    assert np.isnan(more).all()
