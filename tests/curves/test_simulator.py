"""Exponents from a platform's simulated points, by hand."""

import numpy as np
import pytest

from optimizer.curves.simulator import simulated_exponents


def exponents(bid, clicks, cost, present=1.0):
    parts = [np.array(part, dtype=float) for part in (bid, clicks, cost)]
    unit = np.zeros(len(parts[0]), dtype=np.int64)
    return simulated_exponents(unit, *parts, np.array([present, 1.0]))


def test_a_power_law_is_found():
    bid = np.array([0.8, 1.0, 1.25])
    elasticity, exponent = exponents(bid, 40 * bid**1.5, 40 * bid**1.5 * 0.6 * bid**0.8)
    assert elasticity[0] == pytest.approx(1.5)
    assert exponent[0] == pytest.approx(0.8)
    assert np.isnan([elasticity[1], exponent[1]]).all()


def test_a_saturating_landscape_gives_its_slope_at_the_present_bid():
    """Hill with h = 2 and b50 = 1: ε = 1 at 1, and 2 · 16/17 at a quarter."""
    bid = np.geomspace(0.1, 10, 201)
    clicks = bid**2 / (1 + bid**2)
    at_half, _ = exponents(bid, clicks, clicks, present=1.0)
    low, _ = exponents(bid, clicks, clicks, present=0.25)
    assert at_half[0] == pytest.approx(1.0, abs=0.02)
    assert low[0] == pytest.approx(2 * 16 / 17, abs=0.05)


@pytest.mark.parametrize(
    ("bid", "clicks"),
    [([1.0], [5.0]), ([1.0, 1.0], [5.0, 6.0]), ([1.0, 2.0], [0.0, 4.0]), ([0.0, 1.0], [1.0, 2.0])],
)
def test_points_that_tell_no_slope_are_unknown(bid, clicks):
    elasticity, exponent = exponents(bid, clicks, clicks)
    assert np.isnan([elasticity[0], exponent[0]]).all()


def test_a_landscape_that_falls_is_flat():
    elasticity, _ = exponents([1.0, 2.0], [9.0, 4.0], [9.0, 4.0])
    assert elasticity[0] == 0.0
