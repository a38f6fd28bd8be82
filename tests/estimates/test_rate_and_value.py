import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.estimates.posteriors import Gamma
from optimizer.estimates.rate_and_value import (
    Dependence,
    estimate_dependence,
    revenue_per_click,
)
from optimizer.estimates.rates import RateFit, fit_rates

FLAT = np.zeros(1, dtype=np.int64)
KNOWN = np.zeros(1)


def belief(mean: list[float], cv2: list[float]) -> Gamma:
    return Gamma(np.array(mean), np.array(cv2))


def unmoved(mean: float, cv2: float) -> RateFit:
    """Two units of which nothing was seen: the posterior is the prior."""
    same = belief([mean] * 2, [cv2] * 2)
    return RateFit(same, same, np.zeros(2), (cv2,), 1.0)


RATE, VALUE = unmoved(0.02, 0.5), unmoved(50.0, 0.2)


def measured(
    clicks: list[float], orders: list[float], amounts: list[float], number: list[float]
) -> Dependence:
    seen = np.array(orders), np.array(clicks)
    worth = np.array(amounts), np.array(number)
    return estimate_dependence(RATE, VALUE, seen, worth, unit_cv2=0.8)


def test_the_covariance_is_the_one_computed_by_hand() -> None:
    # 2 expected: (6 - 1 - 2 · 1.5) · (150/50 - 6) = -6, weight 1/(2 · 1.5), known 2 · 4 · 1.5 / 3.
    found = measured([100.0, 100.0], [6.0, 0.0], [150.0, 0.0], [6.0, 0.0])
    assert found.covariance == pytest.approx(-2 / 4)
    assert found.error == pytest.approx(2 / 4)
    assert found.drift == pytest.approx(150 / 300)


def test_orders_without_a_known_value_leave_the_covariance_as_it_is() -> None:
    found = measured([100.0, 100.0], [6.0, 0.0], [75.0, 0.0], [3.0, 0.0])
    assert found.covariance == pytest.approx(-0.5)


def test_one_giant_unit_cannot_set_the_covariance_alone() -> None:
    giant = measured([1e5, 100.0], [8e4, 0.0], [8e6, 0.0], [8e4, 0.0])
    assert not giant.clear


@pytest.mark.parametrize("clicks", [0.0, 100.0])
def test_without_orders_nothing_is_known_and_nothing_claimed(clicks: float) -> None:
    found = measured([clicks] * 2, [0.0] * 2, [0.0] * 2, [0.0] * 2)
    assert np.isnan(found.covariance)
    assert not found.clear
    product = revenue_per_click(RATE, VALUE, found)
    assert product.mean == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(
    ("covariance", "error", "clear"),
    [(-0.1, 0.03, True), (0.1, 0.03, True), (-0.1, 0.04, False), (0.0, 0.0, False)],
)
def test_a_dependence_is_clear_from_three_standard_errors(
    covariance: float, error: float, clear: bool
) -> None:
    assert Dependence(covariance, error, 1.0).clear is clear


def test_a_measured_covariance_is_halved_where_its_error_is_a_tenth() -> None:
    assert Dependence(0.4, 0.1, 1.0).log_covariance == pytest.approx(np.log1p(0.2))
    assert Dependence(-3.0, 1e-9, 1.0).log_covariance == pytest.approx(np.log(0.1))


def seen_units(seed: int = 1) -> tuple[RateFit, RateFit]:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(20), 20)
    clicks = rng.exponential(60.0, 400)
    orders = rng.poisson(clicks * 0.03 * rng.lognormal(0, 0.5, 400)).astype(float)
    amounts = orders * 50 * rng.lognormal(0, 0.4, 400)
    tree = (group, np.zeros(20, dtype=np.int64))
    return fit_rates(orders, clicks, tree), fit_rates(amounts, orders, tree, unit_cv2=0.6)


def test_next_to_no_covariance_gives_the_product_of_independent_beliefs() -> None:
    rate, value = seen_units()
    plain = rate.posterior.times(value.posterior)
    joint = revenue_per_click(rate, value, Dependence(1e-9, 1e-10, 1.0))
    assert joint.mean == pytest.approx(plain.mean, rel=1e-6)
    assert joint.cv2 == pytest.approx(plain.cv2, rel=1e-6)


def test_an_unclear_covariance_changes_no_bit() -> None:
    rate, value = seen_units()
    plain = rate.posterior.times(value.posterior)
    joint = revenue_per_click(rate, value, Dependence(-0.1, 0.05, 0.9))
    assert joint.mean.tolist() == plain.mean.tolist()
    assert joint.cv2.tolist() == plain.cv2.tolist()


def test_an_unseen_unit_brings_the_average_revenue_with_less_doubt() -> None:
    found = revenue_per_click(RATE, VALUE, Dependence(-0.1, 1e-6, 0.97))
    assert found.mean == pytest.approx([0.97, 0.97])
    assert found.cv2 == pytest.approx([1.5 * 1.2 * 0.9**2 - 1] * 2, rel=1e-6)


def test_the_correlation_stops_at_four_fifths() -> None:
    found = revenue_per_click(RATE, VALUE, Dependence(-0.5, 1e-6, 1.0))
    rate, value = np.log(1.5), np.log(1.2)
    most = -2 * 0.8 * np.sqrt(rate * value)
    assert found.cv2 == pytest.approx([np.expm1(rate + value + most)] * 2)


@pytest.mark.parametrize(("covariance", "cheaper"), [(-0.1, True), (0.1, False)])
def test_what_converts_better_is_believed_cheaper_if_siblings_say_so(
    covariance: float, cheaper: bool
) -> None:
    good = RateFit(belief([0.04], [0.05]), belief([0.02], [0.5]), KNOWN, (0.5,), 1.0)
    unsold = RateFit(belief([50.0], [0.2]), belief([50.0], [0.2]), KNOWN, (0.2,), 1.0)
    joint = revenue_per_click(good, unsold, Dependence(covariance, 1e-6, 1.0))
    assert bool(joint.mean[0] < 0.04 * 50.0) is cheaper


def test_what_is_known_by_its_own_orders_needs_no_covariance() -> None:
    known = RateFit(belief([0.04], [1e-4]), belief([0.02], [0.5]), KNOWN, (0.5,), 1.0)
    sold = RateFit(belief([80.0], [1e-4]), belief([50.0], [0.2]), KNOWN, (0.2,), 1.0)
    joint = revenue_per_click(known, sold, Dependence(-0.15, 1e-6, 1.0))
    assert joint.mean == pytest.approx([3.2], rel=0.01)
    assert joint.cv2 == pytest.approx([2e-4], rel=0.02)


# Nothing, or at least a millionth: money is stored in millionths, clicks are whole and F is at least 0.1.
SIZES = st.just(0.0) | st.floats(1e-6, 1e6)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(SIZES, SIZES, SIZES), min_size=1, max_size=6),
    st.floats(-2, 5),
    st.floats(0.2, 3),
)
def test_whatever_was_seen_the_numbers_are_finite(
    seen: list[tuple[float, float, float]], covariance: float, drift: float
) -> None:
    clicks, orders, amounts = np.array(seen).T
    tree = (np.zeros(len(seen), dtype=np.int64), FLAT)
    rate, value = fit_rates(orders, clicks, tree), fit_rates(amounts, orders, tree, unit_cv2=0.6)
    estimate_dependence(rate, value, (orders, clicks), (amounts, orders), unit_cv2=0.6)
    joint = revenue_per_click(rate, value, Dependence(covariance, 1e-9, drift))
    assert np.isfinite([joint.mean, joint.cv2]).all()
    assert (joint.mean > 0).all()
    assert (joint.cv2 > 0).all()
