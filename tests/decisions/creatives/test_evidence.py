"""E-processes: the formula, the martingale, the directions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from optimizer.decisions.creatives.evidence import (
    anytime_interval,
    critical_ratio,
    crossed,
    evidence_path,
    log_evidence,
    log_evidence_of_counts,
)

FIVE_DAYS = np.array([[0.4, 1.1, -0.2, 0.9, 0.7]])


def direct(scores: np.ndarray, g: float) -> float:
    """The closed form as it is written in the literature."""
    t, mean, var = len(scores), scores.mean(), scores.var(ddof=1)
    t2 = t * mean**2 / var
    inner = np.log1p(t2 / (t - 1)) - np.log1p(t2 / ((t - 1) * (1 + t * g)))
    return -0.5 * np.log1p(t * g) + 0.5 * t * inner


def test_evidence_is_the_closed_form_on_every_day() -> None:
    found = log_evidence(FIVE_DAYS, 0.25)[0]
    wanted = [0.0] + [direct(FIVE_DAYS[0, :day], 0.25) for day in range(2, 6)]
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_evidence_is_the_bayes_factor_of_noncentral_to_central_t() -> None:
    """With effects N(0, g) integrated out numerically: no closed form used."""
    scores, g = FIVE_DAYS[0], 0.25
    t = len(scores)
    seen = np.sqrt(t) * scores.mean() / scores.std(ddof=1)
    above, _ = integrate.quad(
        lambda d: stats.nct.pdf(seen, t - 1, np.sqrt(t) * d) * stats.norm.pdf(d, 0, np.sqrt(g)),
        -6,
        6,
    )
    expected = np.log(above / stats.t.pdf(seen, t - 1))
    assert log_evidence(FIVE_DAYS, g)[0, -1] == pytest.approx(expected, abs=1e-6)


def test_evidence_is_a_martingale_without_a_difference() -> None:
    """Mean 1 at every fixed day: 200,000 paths of normal days, heavy upper tail and all."""
    rng = np.random.default_rng(1)
    e = np.exp(log_evidence(rng.normal(size=(200_000, 12)))[:, [2, 5, 11]])
    error = e.std(axis=0) / np.sqrt(len(e))
    assert np.all(np.abs(e.mean(axis=0) - 1) < 4 * error)
    assert np.all(error < 0.05)


def test_looking_every_day_rarely_errs() -> None:
    rng = np.random.default_rng(2)
    ever = log_evidence(rng.normal(size=(20_000, 60))).max(axis=1) >= np.log(20)
    assert 0.015 < ever.mean() < 0.05


@given(st.floats(1e-6, 1e6), st.booleans())
def test_evidence_knows_neither_units_nor_direction(scale: float, mirrored: bool) -> None:
    moved = FIVE_DAYS * (-scale if mirrored else scale)
    np.testing.assert_allclose(log_evidence(moved), log_evidence(FIVE_DAYS), atol=1e-9)


def test_unknown_days_change_nothing() -> None:
    gaps = np.array([[np.nan, 0.4, np.nan, 1.1, -0.2, 0.9, np.nan, 0.7, np.nan]])
    path, mean = evidence_path(gaps)
    assert path[0, -1] == pytest.approx(log_evidence(FIVE_DAYS)[0, -1])
    assert path[0, 2] == path[0, 1] == 0
    assert mean[0, -1] == pytest.approx(FIVE_DAYS.mean())


def test_large_levels_do_not_drown_the_variance() -> None:
    shifted = log_evidence(FIVE_DAYS + 1e7)[0, -1]
    assert shifted == pytest.approx(direct(FIVE_DAYS[0] + 1e7, 0.25), rel=1e-6)


def test_days_without_any_difference_are_no_evidence() -> None:
    assert log_evidence(np.zeros((1, 30)))[0].tolist() == [0.0] * 30


def test_the_same_difference_every_day_is_the_most_that_so_many_days_can_say() -> None:
    """T² without bound: log E → ½ (t − 1) log(1 + t g)."""
    found = log_evidence(np.full((1, 10), 0.003))
    assert found[0, -1] == pytest.approx(4.5 * np.log(1 + 10 * 0.25))


@settings(max_examples=30)
@given(st.integers(3, 90), st.floats(0.5, 8.0))
def test_critical_ratio_is_where_the_bound_is_met(days: int, bound: float) -> None:
    u = float(critical_ratio(np.array([float(days)]), bound)[0])
    if np.isfinite(u):
        t, g = days, 0.25
        met = -0.5 * np.log1p(t * g) + 0.5 * t * (np.log1p(u) - np.log1p(u / (1 + t * g)))
        assert met == pytest.approx(bound, rel=1e-9)


def test_no_difference_is_ruled_out_just_when_the_bound_is_met() -> None:
    rng = np.random.default_rng(5)
    scores = rng.normal(0.4, 1.0, (400, 40))
    low, high = anytime_interval(scores, 0.05)
    outside = (low > 0) | (high < 0)
    np.testing.assert_array_equal(outside, log_evidence(scores)[:, -1] >= np.log(20))
    assert 0.2 < outside.mean() < 0.8


def test_the_interval_is_infinite_at_first() -> None:
    low, high = anytime_interval(FIVE_DAYS[:, :2], 0.05)
    assert (low[0], high[0]) == (-np.inf, np.inf)


def test_counts_give_the_mean_of_likelihood_ratios() -> None:
    events = np.array([[3.0, 1, 4]]), np.array([[1.0, 0, 2]])
    exposure = np.array([[50.0, 60, 40]]), np.array([[100.0, 40, 60]])
    effect = np.linspace(-0.5, 0.5, 21)
    weight = np.exp(-0.5 * (effect / 0.2) ** 2)
    odds = exposure[0] / exposure[1] * np.exp(effect)[:, None]
    likely = stats.binom.pmf(events[0], events[0] + events[1], odds / (1 + odds)).prod(axis=1)
    ratio = (weight * likely).sum() / weight.sum() / likely[10]
    assert log_evidence_of_counts(events, exposure)[0, -1] == pytest.approx(np.log(ratio))


def test_rare_counts_are_exact_whatever_the_shares() -> None:
    """E of rare orders has mean 1, by summing over all that can happen on one day."""
    n, share = 12, 0.3
    a = np.arange(n + 1.0)[:, None]
    e = np.exp(log_evidence_of_counts((a, n - a), (np.full_like(a, 30), np.full_like(a, 70))))
    assert (e * stats.binom.pmf(a, n, share)).sum() == pytest.approx(1.0, abs=1e-12)


def test_swapping_the_arms_changes_no_evidence_of_counts() -> None:
    events, exposure = (np.array([[9.0]]), np.array([[2.0]])), (np.ones((1, 1)), np.ones((1, 1)))
    one = log_evidence_of_counts(events, exposure)
    other = log_evidence_of_counts(events[::-1], exposure)
    np.testing.assert_allclose(one, other)


def test_clustered_orders_weigh_less() -> None:
    pair = (np.array([[40.0]]), np.array([[10.0]])), (np.ones((1, 1)), np.ones((1, 1)))
    assert log_evidence_of_counts(*pair, dispersion=2.0) < log_evidence_of_counts(*pair)


def test_a_day_without_exposure_of_both_arms_does_not_count() -> None:
    events = np.array([[5.0, 2]]), np.array([[0.0, 2]])
    exposure = np.array([[100.0, 50]]), np.array([[0.0, 50]])
    assert log_evidence_of_counts(events, exposure)[0, 0] == pytest.approx(0.0, abs=1e-12)


def test_a_bound_once_reached_stays_reached_but_only_on_allowed_days() -> None:
    log_e = np.array([[5.0, 1.0, 4.0, 0.0]])
    allowed = np.array([[False, True, True, True]])
    assert crossed(log_e, 3.0, allowed).tolist() == [[False, False, True, True]]


def test_the_grid_of_effects_loses_little_against_the_whole_prior() -> None:
    """Against a normal prior integrated finely: within a tenth of a nat at 400 orders."""
    a, n = 230.0, 400.0
    effect = np.linspace(-1.0, 1.0, 4001)
    prior = stats.norm.pdf(effect, 0, 0.2)
    log_ratio = a * effect + n * (np.log(2) - np.log1p(np.exp(effect)))
    fine = special.logsumexp(log_ratio, b=prior / prior.sum())
    found = log_evidence_of_counts(
        (np.array([[a]]), np.array([[n - a]])), (np.ones((1, 1)), np.ones((1, 1)))
    )
    assert found[0, 0] == pytest.approx(fine, abs=0.1)


def test_skewness_that_favours_the_claim_is_taken_out_and_no_other() -> None:
    scores = np.random.default_rng(1).normal(0.6, 1.0, (1, 30))
    plain, bent, other = (
        evidence_path(scores, skewness=np.full((1, 30), skew))[0][0, -1]
        for skew in (0.0, -0.3, 0.3)
    )
    assert plain == pytest.approx(log_evidence(scores)[0, -1])
    assert bent < plain
    assert other == plain


def test_more_always_stays_more_evidence_however_skewed() -> None:
    t = np.linspace(0, 3, 40)[:, None] + np.random.default_rng(2).normal(0, 1, 30)
    told = evidence_path(t, skewness=np.full(t.shape, -0.4))[0][:, -1]
    ahead = t.mean(axis=1) > 0
    assert (np.diff(told[ahead]) >= -1e-9).all()


@settings(max_examples=50, deadline=None)
@given(st.floats(-4.0, 4.0), st.floats(0.0, 60.0), st.integers(0, 10_000))
def test_no_skewness_ever_adds_evidence(skew: float, effect: float, seed: int) -> None:
    """Every claim is one that the plain t test makes too: the transform's cubic overtakes large T."""
    scores = np.random.default_rng(seed).normal(effect, 1.0, (1, 12))
    told = evidence_path(scores, skewness=np.full(scores.shape, skew))[0]
    assert (told <= log_evidence(scores) + 1e-9).all()
