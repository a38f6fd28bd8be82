import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from optimizer.estimates.posteriors import Floats, Gamma, mean_log_gap, shape_of_gap
from optimizer.estimates.spread import (
    Spread,
    combined_cv2,
    gamma_spread,
    learn_spread,
    lognormal_spread,
    posterior_of,
    prior_of,
    with_dead,
)

ONE = np.ones(1)


def known(mean: float, size: int = 1) -> Gamma:
    return Gamma(np.full(size, mean), np.zeros(size))


def by_quadrature(count: float, clicks: float, mean: float, sd: float) -> tuple[float, float]:
    """Mean and mean logarithm of a lognormal rate after `count` Poisson orders."""

    def weight(z: float) -> float:
        rate = mean * np.exp(sd * z - sd * sd / 2)
        return float(stats.norm.pdf(z) * rate**count * np.exp(-rate * clicks))

    def rate(z: float) -> float:
        return float(mean * np.exp(sd * z - sd * sd / 2))

    total, first, log = (
        integrate.quad(lambda z, f=f: f(z) * weight(z), -9, 9, epsabs=0)[0]
        for f in (lambda z: 1.0, rate, lambda z: np.log(rate(z)))
    )
    return first / total, log / total


@pytest.mark.parametrize(
    ("count", "clicks"), [(0, 0), (0, 20), (1, 20), (0, 300), (2.5, 300), (12, 300), (60, 900)]
)
def test_the_lognormal_posterior_is_that_of_quadrature(count: float, clicks: float) -> None:
    sd = 0.6
    found = posterior_of(count * ONE, clicks * ONE, known(0.03), lognormal_spread(np.expm1(sd**2)))
    mean, log = by_quadrature(count, clicks, 0.03, sd)
    assert found.mean[0] == pytest.approx(mean, rel=0.01)
    gap = mean_log_gap(1 / found.cv2)[0]
    assert gap == pytest.approx(np.log(mean) - log, rel=0.03)


def test_the_posterior_of_two_parts_by_hand() -> None:
    """Rates of 1 % or 9 %, nothing in 30 clicks: odds of 1 to exp(-30 · 8 %)."""
    two = Spread(np.array([0.2, 1.8]), np.array([0.5, 0.5]), 0.0)
    found = posterior_of(np.zeros(1), 30 * ONE, known(0.05), two)
    odds = np.exp(-30 * 0.08)
    assert found.mean[0] == pytest.approx((0.01 + 0.09 * odds) / (1 + odds), rel=1e-4)


def test_one_gamma_is_conjugate() -> None:
    found = posterior_of(4 * ONE, 50 * ONE, Gamma(0.03 * ONE, 0.2 * ONE), gamma_spread(0.5))
    shape = 1 / 0.8
    assert found.mean[0] == pytest.approx((shape + 4) / (shape / 0.03 + 50))
    assert found.cv2[0] == pytest.approx(1 / (shape + 4))


def test_the_prior_is_the_posterior_of_nothing() -> None:
    parent, spread = Gamma(0.03 * ONE, 0.2 * ONE), lognormal_spread(0.4)
    prior = prior_of(parent, spread)
    assert posterior_of(0 * ONE, 0 * ONE, parent, spread).mean == pytest.approx(prior.mean)
    assert prior.cv2 == pytest.approx(1.2 * 1.4 - 1, rel=0.02)


@settings(max_examples=60, deadline=None)
@given(st.floats(1e-4, 3.0))
def test_a_lognormal_spread_has_mean_one_and_its_squared_cv(tau2: float) -> None:
    spread = lognormal_spread(tau2)
    assert spread.mean == pytest.approx(1.0)
    assert spread.total_cv2 == pytest.approx(tau2, rel=0.03)


def siblings(rates: Floats, clicks: float, seed: int) -> tuple[Floats, Floats]:
    exposure = np.full(len(rates), clicks)
    return np.random.default_rng(seed).poisson(rates * clicks).astype(float), exposure


def test_two_kinds_of_words_are_told_apart() -> None:
    rates = np.repeat([0.005, 0.08], 1000)
    counts, clicks = siblings(rates, 100.0, 0)
    found = learn_spread(counts, clicks, known(rates.mean(), 2000), 0.78)
    rate = found.ratio * rates.mean()
    assert found.weight[rate < 0.015].sum() == pytest.approx(0.5, abs=0.03)
    assert found.weight[rate > 0.06].sum() == pytest.approx(0.5, abs=0.03)


def test_groups_that_never_convert_are_found() -> None:
    """A fifth convert at 0; ten thousand clicks tell."""
    rates = np.repeat([0.0, 0.02, 0.03, 0.02, 0.03], 40)
    counts, clicks = siblings(rates, 1e4, 3)
    parent = known(rates.mean(), 200)
    found = learn_spread(counts, clicks, parent, 0.5, may_be_dead=True)
    dead = posterior_of(counts[:1], clicks[:1], parent.take(np.zeros(1, dtype=np.int64)), found)
    assert found.weight[found.ratio < 0.03].sum() == pytest.approx(0.2, abs=0.03)
    assert dead.mean[0] < 3e-4


def test_the_dead_part_hardly_moves_a_spread() -> None:
    spread = with_dead(lognormal_spread(0.3))
    assert spread.weight.sum() == pytest.approx(1.0)
    assert spread.mean == pytest.approx(1.0)
    assert spread.total_cv2 == pytest.approx(0.3, rel=0.03)


def test_few_siblings_keep_the_lognormal() -> None:
    start = lognormal_spread(0.3)
    found = learn_spread(np.array([9.0, 0.0]), np.full(2, 100.0), known(0.04, 2), 0.3)
    assert found.total_cv2 == pytest.approx(start.total_cv2, rel=0.35)


def test_siblings_hardly_clicked_teach_nothing() -> None:
    start = lognormal_spread(0.3)
    found = learn_spread(np.ones(500), np.full(500, 1.0), known(0.04, 500), 0.3)
    assert found.weight.tolist() == start.weight.tolist()


def test_parents_believed_too_high_are_corrected() -> None:
    counts, clicks = siblings(np.full(3000, 0.02), 200.0, 1)
    found = learn_spread(counts, clicks, known(0.03, 3000), 0.1)
    assert found.mean == pytest.approx(2 / 3, rel=0.03)


def test_many_chunks_are_one_answer() -> None:
    counts, clicks = siblings(np.full(20_000, 0.02), 50.0, 2)
    spread, parent = lognormal_spread(0.3), known(0.02, 20_000)
    whole = posterior_of(counts, clicks, parent, spread)
    last = posterior_of(counts[-1:], clicks[-1:], known(0.02), spread)
    assert (whole.mean[-1], whole.cv2[-1]) == pytest.approx((last.mean[0], last.cv2[0]))


@settings(max_examples=80, deadline=None)
@given(
    st.floats(0, 1e6), st.floats(0, 1e8), st.floats(1e-6, 1e4), st.floats(0, 3), st.floats(1e-4, 3)
)
def test_beliefs_are_finite_whatever_was_seen(
    count: float, clicks: float, mean: float, v: float, tau2: float
) -> None:
    found = posterior_of(
        count * ONE, clicks * ONE, Gamma(mean * ONE, v * ONE), lognormal_spread(tau2)
    )
    assert np.isfinite([found.mean, found.cv2]).all()
    assert found.mean[0] > 0
    assert found.cv2[0] > 0


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 30), st.floats(1, 3000), st.floats(1, 30))
def test_more_orders_from_as_many_clicks_mean_a_higher_rate(
    count: float, clicks: float, more: float
) -> None:
    spread, parent = lognormal_spread(0.4), Gamma(0.03 * ONE, 0.1 * ONE)
    few = posterior_of(count * ONE, clicks * ONE, parent, spread)
    many = posterior_of((count + more) * ONE, clicks * ONE, parent, spread)
    assert many.mean[0] > few.mean[0]


@settings(max_examples=60, deadline=None)
@given(st.floats(1, 3000), st.floats(1.2, 20))
def test_more_clicks_at_the_same_rate_narrow(clicks: float, more: float) -> None:
    """At the prior's own rate, so that only the evidence grows."""
    spread, parent = lognormal_spread(0.4), known(0.03)
    short = posterior_of(0.03 * clicks * ONE, clicks * ONE, parent, spread)
    long = posterior_of(0.03 * clicks * more * ONE, clicks * more * ONE, parent, spread)
    assert long.cv2[0] < short.cv2[0]


@settings(max_examples=60, deadline=None)
@given(st.floats(1e-3, 1e7))
def test_a_shape_is_found_again_from_its_gap(shape: float) -> None:
    assert shape_of_gap(mean_log_gap(shape * ONE))[0] == pytest.approx(shape, rel=1e-6)


@pytest.mark.parametrize("shape", [0.3, 1.0, 2.5, 40.0])
def test_the_gap_is_that_of_a_gamma(shape: float) -> None:
    from scipy.special import digamma

    assert mean_log_gap(shape * ONE)[0] == pytest.approx(np.log(shape) - digamma(shape), rel=0.016)


def test_squared_cvs_of_factors_combine() -> None:
    assert combined_cv2(0.5, np.array([0.2, 0.0])) == pytest.approx([0.8, 0.5])
    assert combined_cv2(0.0, np.zeros(1))[0] == 1e-9


@pytest.mark.parametrize("threads", [1, 3])
def test_as_many_threads_as_there_are_find_the_same_bits(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(5)
    exposure = rng.gamma(0.5, 100.0, 10_000)
    counts = rng.poisson(0.03 * exposure).astype(float)
    parent = Gamma(np.full(10_000, 0.03), np.full(10_000, 0.1))
    usual = posterior_of(counts, exposure, parent, lognormal_spread(0.4))
    monkeypatch.setattr("optimizer.estimates.spread._THREADS", threads)
    found = posterior_of(counts, exposure, parent, lognormal_spread(0.4))
    assert found.mean.tobytes() == usual.mean.tobytes()
    assert found.cv2.tobytes() == usual.cv2.tobytes()
