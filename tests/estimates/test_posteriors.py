import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from optimizer.estimates.posteriors import Gamma

ONE = np.ones(1)


@settings(max_examples=80, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(1e-6, 5.0), st.floats(0.05, 0.95))
def test_a_quantile_is_passed_with_its_probability(mean: float, cv2: float, p: float) -> None:
    belief = Gamma(mean * ONE, cv2 * ONE)
    assert belief.above(belief.quantile(p)) == pytest.approx(1 - p, abs=1e-6)


def test_probabilities_are_those_of_the_gamma() -> None:
    known = stats.gamma(2.0, scale=1.5)
    belief = Gamma(3.0 * ONE, 0.5 * ONE)
    assert belief.above(4.0) == pytest.approx(known.sf(4.0))
    assert belief.quantile(0.2) == pytest.approx(known.ppf(0.2))


def test_a_known_value_is_above_or_not() -> None:
    sure = Gamma(2.0 * ONE, np.zeros(1))
    assert (sure.above(1.9)[0], sure.above(2.1)[0]) == (1.0, 0.0)
    assert sure.quantile(0.1) == 2.0


def test_an_interval_leaves_equal_tails() -> None:
    low, high = Gamma(3.0 * ONE, 0.5 * ONE).interval(0.8)
    known = stats.gamma(2.0, scale=1.5)
    assert (low[0], high[0]) == pytest.approx((known.ppf(0.1), known.ppf(0.9)))


@pytest.mark.parametrize("cv2", [1.0, 1.7])
def test_an_interval_of_a_belief_densest_at_zero_begins_there(cv2: float) -> None:
    low, high = Gamma(3.0 * ONE, cv2 * ONE).interval(0.8)
    assert low[0] == 0
    assert high[0] == pytest.approx(stats.gamma(1 / cv2, scale=3 * cv2).ppf(0.9))


def test_a_product_has_the_moments_of_the_product() -> None:
    rng = np.random.default_rng(0)
    first, second = Gamma(2.0 * ONE, 0.3 * ONE), Gamma(5.0 * ONE, 0.2 * ONE)
    sample = first.draws(200_000, rng) * second.draws(200_000, rng)
    product = first.times(second)
    assert product.mean == pytest.approx(sample.mean(), rel=0.01)
    assert product.cv2 == pytest.approx(sample.var() / sample.mean() ** 2, rel=0.03)


@pytest.mark.parametrize("cv2", [0.0, 0.01, 2.0])
def test_draws_have_the_stated_moments(cv2: float) -> None:
    sample = Gamma(3.0 * ONE, cv2 * ONE).draws(100_000, np.random.default_rng(1))
    assert sample.mean() == pytest.approx(3.0, rel=0.02)
    assert sample.var() / 9 == pytest.approx(cv2, rel=0.05, abs=1e-6)
