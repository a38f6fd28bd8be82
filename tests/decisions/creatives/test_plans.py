"""What a test will take."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.decisions.creatives import (
    METRICS,
    ArmBeliefs,
    ModePlan,
    Traffic,
    UnitSpread,
    claim_chances,
    compare_modes,
    detectable_uplift,
    expected,
    metric_named,
    sample_size,
    traffic_of,
)
from optimizer.errors import BadSettings
from optimizer.estimates.posteriors import Gamma

CTR_2000 = Traffic(units=2000.0, rate=0.02, unit_variance=0.02 * 0.98)


def beliefs() -> ArmBeliefs:
    sure = [Gamma(np.array([mean] * 2), np.array([1e-4] * 2)) for mean in (0.02, 0.05, 60.0, 1.5)]
    return ArmBeliefs(*sure)


def test_noise_of_a_day_by_hand() -> None:
    sampled = 0.0196 / 1000
    assert CTR_2000.score_sd(2) == pytest.approx(np.sqrt(2 * sampled))
    shaken = Traffic(2000.0, 0.02, 0.0196, 0.1)
    assert shaken.score_sd(2) == pytest.approx(np.sqrt(2 * (sampled + 0.002**2)))


def test_sixty_days_find_fifteen_per_cent_three_times_of_four() -> None:
    """The power that binomial clicks at this traffic have under daily looks."""
    effect = np.array([0.0, 0.15 * 0.02 / CTR_2000.score_sd(2)])
    found = claim_chances(effect, 60, 2, np.random.default_rng(0))
    assert found[0, -1] < 0.02
    assert found[1, -1] == pytest.approx(0.76, abs=0.04)
    assert (np.diff(found, axis=1) >= 0).all()


def test_a_larger_uplift_takes_fewer_days() -> None:
    rng = np.random.default_rng(0)
    days = [sample_size(CTR_2000, uplift, 2, rng).days for uplift in (0.15, 0.25, 0.5)]
    assert 55 < days[0] < 80
    assert days[0] > days[1] > days[2] >= 5


def test_units_are_those_of_one_arm() -> None:
    found = sample_size(CTR_2000, 0.3, 4, np.random.default_rng(0), horizon=120)
    assert found.units == found.days * 2000 / 4
    assert found.power > 0.8


def test_what_cannot_be_found_in_time_is_not_promised() -> None:
    found = sample_size(CTR_2000, 0.01, 2, np.random.default_rng(0), horizon=60)
    assert np.isnan(found.days)
    assert np.isnan(found.units)
    assert found.power < 0.05


def test_the_detectable_uplift_is_what_its_days_find() -> None:
    rng = np.random.default_rng(0)
    uplift = detectable_uplift(CTR_2000, 60, 2, rng)
    assert uplift == pytest.approx(0.157, abs=0.02)
    assert detectable_uplift(CTR_2000, 3, 2, rng) == np.inf


@pytest.mark.parametrize("metric", METRICS)
def test_traffic_has_the_noise_that_days_of_that_metric_show(metric: str) -> None:
    """Against simulated days of one arm: money per order is lognormal with the stated squared CV."""
    told, rng = metric_named(metric), np.random.default_rng(3)
    spread = UnitSpread(value=0.5, cpc=0.2)
    found = traffic_of(told, beliefs(), spread, impressions=20_000)
    clicks = rng.poisson(20_000 * 0.02, 4000)
    orders = rng.poisson(clicks * 0.05)
    cost = rng.gamma(clicks / 0.2, 1.5 * 0.2)
    value = rng.gamma(np.maximum(orders, 1e-9) / 0.5, 60 * 0.5)
    above = {"clicks": clicks, "conversions": orders, "value": value, "profit": value - cost}
    below = {"impressions": np.full(4000, 20_000.0), "clicks": clicks, "cost": cost}
    days = above[told.numerator] / below[told.denominator]
    assert found.rate == pytest.approx(days.mean(), rel=0.02)
    assert found.unit_variance / found.units == pytest.approx(days.var(), rel=0.12)


def test_rate_of_cost_per_conversion_is_its_reciprocal() -> None:
    cpa = metric_named("cpa")
    found = traffic_of(cpa, beliefs(), UnitSpread(), impressions=1000)
    assert found.rate == pytest.approx(1 / expected(cpa, beliefs())[0])


def test_earning_costs_less_and_finding_claims_more() -> None:
    plan = ModePlan(horizon=40, paths=120, draws=60)
    traffic = Traffic(units=20_000.0, rate=0.02, unit_variance=0.0196)
    modes = compare_modes(
        np.full(4, 0.02), np.full(4, 0.002), traffic, np.random.default_rng(1), plan
    )
    earn, find, top_two = modes
    assert [one.mode for one in modes] == ["earn", "find", "top_two"]
    assert earn.cost + 2 * earn.error < find.cost
    assert top_two.claimed > earn.claimed
    assert find.claimed > 0.2
    assert all(one.right > 0.6 for one in modes)


def test_forecasts_repeat_with_the_seed() -> None:
    plan = ModePlan(horizon=8, paths=20, draws=20)
    one, other = (
        compare_modes(np.full(2, 0.02), np.full(2, 0.002), CTR_2000, np.random.default_rng(1), plan)
        for _ in range(2)
    )
    assert one == other


def test_misuse_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(BadSettings, match="too_few"):
        traffic_of(metric_named("ctr"), beliefs(), UnitSpread(), impressions=0)
    with pytest.raises(BadSettings, match="too_few"):
        sample_size(CTR_2000, 0.0, 2, rng)
