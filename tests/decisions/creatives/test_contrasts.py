"""Daily scores and what they say of two arms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from optimizer.decisions.creatives import (
    ArmDays,
    always_interval,
    contrast,
    daily_ratios,
    estimate_difference,
    metric_named,
)
from optimizer.errors import RefusedInput
from tests.decisions.creatives.days import lived

PAIR = np.array([0]), np.array([1])
ONE_TEST = np.zeros(2, dtype=np.int64)
TWO_DAYS = ArmDays(
    impressions=[[1000.0, 500], [1000, 1500]],  # type: ignore[arg-type]
    clicks=[[30.0, 20], [20, 30]],  # type: ignore[arg-type]
    cost=[[60.0, 40], [30, 45]],  # type: ignore[arg-type]
    conversions=[[3.0, 2], [1, 4]],  # type: ignore[arg-type]
    value=[[180.0, -20], [60, 240]],  # type: ignore[arg-type]
    completion=[1.0, 0.5],  # type: ignore[arg-type]
)


def ratios_of(metric: str, **known: object) -> np.ndarray:
    found = daily_ratios(metric_named(metric), TWO_DAYS, **known)  # type: ignore[arg-type]
    return found.above / found.below


def test_each_metric_is_its_daily_ratio_completed() -> None:
    assert ratios_of("ctr")[0].tolist() == [0.03, 0.04]
    assert ratios_of("cvr")[0].tolist() == [0.1, 0.2]
    assert ratios_of("value_per_click")[0].tolist() == [6.0, -2.0]
    assert ratios_of("value_per_impression")[1].tolist() == pytest.approx([0.06, 0.32])
    profit = [(0.5 * 180 - 60) / 1000, (0.5 * -40 - 40) / 500]
    assert ratios_of("profit_per_impression", kept=0.5)[0].tolist() == pytest.approx(profit)


def test_cost_per_conversion_is_compared_as_conversions_per_cost() -> None:
    """Higher is better: the arm with cheaper conversions must come out ahead."""
    cheap = ratios_of("cpa")
    assert cheap[0].tolist() == pytest.approx([3 / 60, 4 / 40])
    assert cheap[1, 0] == pytest.approx(1 / 30)


def test_a_stated_value_stands_in_for_values_not_reported() -> None:
    silent = ArmDays(TWO_DAYS.impressions, TWO_DAYS.clicks, conversions=TWO_DAYS.conversions)
    found = daily_ratios(metric_named("value_per_click"), silent, value_per_conversion=50.0)
    assert found.above[0].tolist() == [150.0, 100.0]


def test_scores_by_hand_without_propensities() -> None:
    ratios = daily_ratios(metric_named("ctr"), TWO_DAYS)
    found = contrast(ratios, ONE_TEST, PAIR, np.ones(2, dtype=bool))
    weight = [(1 / 1000 + 1 / 1000) ** -0.5, (1 / 500 + 1 / 1500) ** -0.5]
    np.testing.assert_allclose(found.weight[0], weight)
    np.testing.assert_allclose(found.score[0], [weight[0] * 0.01, weight[1] * 0.02])
    assert found.fewest[0].tolist() == [20.0, 50.0]


def test_scores_by_hand_with_propensities() -> None:
    """Γ = μ + n/(eN)(r − μ), μ the ratio of the days before; the first day has none."""
    given = np.array([[0.5, 0.2], [0.5, 0.8]])
    ratios = daily_ratios(metric_named("ctr"), TWO_DAYS, propensity=given)
    found = contrast(ratios, ONE_TEST, PAIR, np.ones(2, dtype=bool))
    first = 0.03 + 500 / 400 * (0.04 - 0.03)
    other = 0.02 + 1500 / 1600 * (0.02 - 0.02)
    weight = (1 / 400 + 1 / 1600) ** -0.5
    assert found.score[0, 1] == pytest.approx(weight * (first - other))


def test_only_days_on_which_both_ran_count() -> None:
    shown = np.array([[100.0, 0, 100, 100], [100, 100, 0, 100]])
    days = ArmDays(shown, np.minimum(shown, 3.0))
    found = contrast(
        daily_ratios(metric_named("ctr"), days), ONE_TEST, PAIR, np.array([True, True, True, False])
    )
    assert np.isnan(found.score[0]).tolist() == [False, True, True, True]
    assert found.days[0].tolist() == [1, 1, 1, 1]


def test_swapping_arms_mirrors_scores() -> None:
    ratios = daily_ratios(metric_named("ctr"), TWO_DAYS)
    one, other = (contrast(ratios, ONE_TEST, pair, np.ones(2, bool)) for pair in (PAIR, PAIR[::-1]))
    np.testing.assert_allclose(one.score, -other.score)


def test_the_estimate_of_even_days_is_students() -> None:
    """Equal weights: mean, standard error and t interval of the daily differences."""
    days = lived([0.03, 0.02], np.random.default_rng(0), days=12)
    ratios = daily_ratios(metric_named("ctr"), days)
    found = estimate_difference(contrast(ratios, ONE_TEST, PAIR, np.ones(12, dtype=bool)))
    gaps = days.clicks[0] / 1000 - days.clicks[1] / 1000
    assert found.difference[0] == pytest.approx(gaps.mean())
    assert found.error[0] == pytest.approx(stats.sem(gaps))
    low, high = found.interval(0.9)
    wanted = stats.t.interval(0.9, 11, gaps.mean(), stats.sem(gaps))
    assert (low[0], high[0]) == pytest.approx(wanted)


def test_a_trend_common_to_both_arms_cancels_under_moving_shares() -> None:
    """Rates double while the better arm takes over: pooled rates overstate it, contrasts do not."""
    days, arms, runs = 40, 2, 400
    rng = np.random.default_rng(8)
    share = np.linspace(0.5, 0.9, days)
    given = np.tile(np.stack([share, 1 - share]), (runs, 1))
    first = rng.binomial(10_000, share, (runs, days)).astype(float)
    shown = np.stack([first, 10_000 - first], axis=1).reshape(runs * arms, days)
    rate = np.tile([[0.022], [0.020]], (runs, 1)) * np.linspace(0.5, 1.5, days)
    clicks = rng.binomial(shown.astype(int), rate).astype(float)
    told = ArmDays(shown, clicks, test=np.repeat(np.arange(runs), arms))
    ratios = daily_ratios(metric_named("ctr"), told, propensity=given)
    pairs = np.arange(0, runs * arms, 2), np.arange(1, runs * arms, 2)
    found = estimate_difference(contrast(ratios, told.place, pairs, np.ones(days, dtype=bool)))
    low, high = found.interval(0.9)
    truth = 0.002 * np.average(
        np.linspace(0.5, 1.5, days), weights=(1 / share + 1 / (1 - share)) ** -0.5
    )
    assert found.difference.mean() == pytest.approx(truth, rel=0.03)
    assert 0.86 <= np.mean((low <= truth) & (truth <= high)) <= 0.94
    pooled = clicks.sum(axis=1) / shown.sum(axis=1)
    assert np.mean(pooled[::2] - pooled[1::2]) > 1.8 * truth


def test_an_arm_shown_though_none_was_meant_for_it_does_not_count_that_day() -> None:
    given = np.array([[0.5, 1.0], [0.5, 0.0]])
    ratios = daily_ratios(metric_named("ctr"), TWO_DAYS, propensity=given)
    found = contrast(ratios, ONE_TEST, PAIR, np.ones(2, dtype=bool))
    assert np.isnan(found.score[0]).tolist() == [False, True]
    assert found.days[0, -1] == 1


def test_propensities_must_fit_the_days() -> None:
    with pytest.raises(RefusedInput, match="arm_days_shape"):
        daily_ratios(metric_named("ctr"), TWO_DAYS, propensity=np.array([0.5, 0.5]))


def test_unknown_differences_have_infinite_intervals() -> None:
    ratios = daily_ratios(metric_named("ctr"), TWO_DAYS)
    found = estimate_difference(contrast(ratios, ONE_TEST, PAIR, np.array([True, False])))
    low, high = found.interval(0.9)
    assert (low[0], high[0]) == (-np.inf, np.inf)
    none = estimate_difference(contrast(ratios, ONE_TEST, PAIR, np.zeros(2, dtype=bool)))
    assert np.isnan(none.difference[0])
    assert none.days[0] == 0


def test_scores_of_an_arm_shown_less_lean_as_counts_say() -> None:
    """20,000 tests of equal arms at 80 to 20: skewness of the sum of scores against its formula."""
    rng = np.random.default_rng(3)
    shown = np.tile([[800.0], [200.0]], (20_000, 5))
    clicks = rng.poisson(0.01 * shown).astype(float)
    told = ArmDays(shown, clicks, test=np.repeat(np.arange(20_000), 2))
    pairs = np.arange(0, 40_000, 2), np.arange(1, 40_000, 2)
    ratios = daily_ratios(metric_named("ctr"), told)
    found = contrast(ratios, told.place, pairs, np.ones(5, dtype=bool))
    skewness = stats.skew(found.score.sum(axis=1))
    assert skewness < -0.1
    assert np.mean(found.lean[:, -1]) == pytest.approx(skewness, rel=0.15)


def test_arms_shown_alike_do_not_lean() -> None:
    days = lived([0.03, 0.02], np.random.default_rng(0), days=12)
    found = contrast(
        daily_ratios(metric_named("ctr"), days), ONE_TEST, PAIR, np.ones(12, dtype=bool)
    )
    np.testing.assert_array_equal(found.lean, 0.0)


def test_intervals_for_daily_looks_are_wider_and_hold_the_truth_at_every_one() -> None:
    runs, days = 300, 30
    told = lived([0.03, 0.02] * runs, np.random.default_rng(2), days=days, test=np.arange(600) // 2)
    pairs = np.arange(0, 600, 2), np.arange(1, 600, 2)
    ratios = daily_ratios(metric_named("ctr"), told)
    missed = np.zeros(runs, dtype=bool)
    for day in range(5, days + 1):
        found = contrast(ratios, told.place, pairs, np.arange(days) < day)
        low, high = always_interval(found, 0.05)
        missed |= (low > 0.01) | (high < 0.01)
    once = estimate_difference(found).interval(0.95)
    assert missed.mean() <= 0.05
    assert ((high - low) > (once[1] - once[0])).all()
