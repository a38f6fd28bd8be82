"""CPC over bid on Hill's curve when each click costs the bid that just won it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.curves.critical_price import MOST_SHARE, price_ratio, share_at_price

STEEPNESS = st.floats(0.5, 6)
SHARE = st.floats(0.01, 0.97)


def test_known_ratio_of_a_steep_curve():
    """h = 2 and s = 1/2: the saved part is ∫₀¹ 2u²/(1 + u²) du = 2 - π/2."""
    assert price_ratio(np.array([0.5]), 2.0) == pytest.approx([np.pi / 2 - 1])


@given(SHARE, STEEPNESS)
def test_cost_is_the_sum_of_the_bids_that_won_each_click(share: float, steepness: float):
    bids = np.linspace(0, 1, 20_001)
    odds = share / (1 - share) * bids**steepness
    clicks = odds / (1 + odds)
    cost = float((np.diff(clicks) * (bids[1:] + bids[:-1]) / 2).sum())
    assert price_ratio(np.array([share]), steepness) == pytest.approx(cost / share, abs=1e-4)


@given(SHARE, STEEPNESS)
def test_the_share_is_read_back_from_the_ratio(share: float, steepness: float):
    ratio = price_ratio(np.array([share]), steepness)
    assert share_at_price(ratio, steepness) == pytest.approx([share], abs=1e-3)


def test_ratios_that_no_share_has_take_the_nearest():
    assert share_at_price(np.array([0.0, 1.0]), 2.0) == pytest.approx([MOST_SHARE, 0.0])
