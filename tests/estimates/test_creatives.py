"""Beliefs about creatives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimizer.errors import RefusedInput
from optimizer.estimates.creatives import CreativeSums, estimate_creatives, estimate_with_past


def sums(clicks: list[float], impressions: float = 10_000.0) -> CreativeSums:
    got = np.array(clicks)
    shown = np.full(len(got), impressions)
    orders = got * 0.05
    return CreativeSums(shown, got, got, got * 2.0, got, orders, orders * 60.0, orders)


ONE_GROUP = np.zeros(4, dtype=np.int64)
FOUR = sums([180.0, 200.0, 220.0, 400.0])


def test_a_creative_is_drawn_towards_the_others_of_its_ad_group() -> None:
    ctr = estimate_creatives(FOUR, ONE_GROUP).ctr.mean
    assert 0.018 < ctr[0] < ctr[1] < ctr[2] < ctr[3] < 0.04


def test_prices_and_values_are_those_reported() -> None:
    found = estimate_creatives(FOUR, ONE_GROUP)
    assert found.cpc is not None
    assert found.value is not None
    np.testing.assert_allclose(found.cpc.mean, 2.0, rtol=1e-6)
    np.testing.assert_allclose(found.value.mean, 60.0, rtol=1e-6)


def test_a_creative_nobody_saw_is_believed_to_be_like_the_others() -> None:
    shown = sums([200.0, 200.0, 200.0, 0.0])
    unseen = replace(shown, impressions=np.array([10_000.0, 10_000, 10_000, 0]))
    ctr = estimate_creatives(unseen, ONE_GROUP).ctr
    assert ctr.mean[3] == pytest.approx(0.02, rel=0.1)
    assert ctr.cv2[3] > 3 * ctr.cv2[0]


def test_past_creatives_teach_what_to_expect_of_a_new_one() -> None:
    new = sums([0.0], impressions=0.0)
    past = sums([900.0, 1000.0, 1100.0])
    group = np.zeros(1, dtype=np.int64), np.zeros(3, dtype=np.int64)
    found = estimate_with_past(new, group[0], past, group[1])
    assert len(found.ctr.mean) == 1
    assert found.ctr.mean[0] == pytest.approx(0.1, rel=0.1)


def test_other_ad_groups_matter_less_than_the_own_one() -> None:
    both = sums([200.0, 200.0, 0.0, 800.0, 800.0, 800.0])
    shown = np.array([10_000.0, 10_000, 0, 10_000, 10_000, 10_000])
    ctr = estimate_creatives(replace(both, impressions=shown), np.repeat([7, 9], 3)).ctr.mean
    assert abs(ctr[2] - 0.02) < abs(ctr[2] - 0.08)


def test_what_is_not_reported_is_not_believed() -> None:
    nothing = np.full(4, np.nan)
    found = estimate_creatives(replace(FOUR, cost=nothing, value=nothing), ONE_GROUP)
    assert found.cpc is None
    assert found.value is None


def test_a_stated_value_stands_where_none_is_reported() -> None:
    silent = replace(FOUR, value=np.full(4, np.nan))
    found = estimate_creatives(silent, ONE_GROUP, value_per_conversion=35.0)
    assert found.value is not None
    assert found.value.mean.tolist() == [35.0] * 4


def test_returns_beyond_sales_count_as_nothing() -> None:
    returned = replace(FOUR, value=FOUR.value * [-1.0, 1, 1, 1])
    found = estimate_creatives(returned, ONE_GROUP)
    assert found.value is not None
    assert 0 < found.value.mean[0] < 60.0


def test_margin_scales_value_only() -> None:
    found = estimate_creatives(FOUR, ONE_GROUP)
    kept = found.kept(0.5)
    assert kept.value is not None
    assert found.value is not None
    np.testing.assert_allclose(kept.value.mean, 0.5 * found.value.mean)
    assert kept.ctr is found.ctr


def test_no_creatives_are_refused() -> None:
    with pytest.raises(RefusedInput, match="no_arms"):
        estimate_creatives(sums([]), np.empty(0, dtype=np.int64))


def test_intervals_of_a_thousand_creatives_hold_the_truth() -> None:
    rng = np.random.default_rng(3)
    truth = rng.beta(2.0, 98.0, 1000)
    shown = rng.integers(0, 3000, 1000)
    seen = sums(rng.binomial(shown, truth).astype(float).tolist())
    found = estimate_creatives(
        replace(seen, impressions=shown.astype(float)), np.zeros(1000, dtype=np.int64)
    )
    low, high = found.ctr.interval(0.8)
    assert 0.76 <= np.mean((low <= truth) & (truth <= high)) <= 0.88
