"""Panels of days: what is accepted, what is refused, what the sums are."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.decisions.creatives import ArmDays, metric_named
from optimizer.errors import BadSettings, RefusedInput
from tests.decisions.creatives.days import lived

SHOWN = [[100.0, 100, 100], [100, 100, 100]]
CLICKS = [[1.0, 2, 3], [3, 2, 1]]


def test_lists_will_do() -> None:
    days = ArmDays(SHOWN, CLICKS)  # type: ignore[arg-type]
    assert days.test.tolist() == [0, 0]
    assert days.completion.tolist() == [1, 1, 1]
    assert np.isnan(days.value).all()


@pytest.mark.parametrize(
    ("column", "given", "code"),
    [
        ("clicks", [[1.0, 2], [3, 4]], "arm_days_shape"),
        ("cost", [[1.0, 2, np.nan], [3, 4, 5]], "arm_days_not_finite"),
        ("clicks", [[1.0, 2, -3], [3, 4, 5]], "arm_days_negative"),
        ("conversions", [[1.0, 2, np.inf], [3, 4, 5]], "arm_days_not_finite"),
        ("completion", [1.0, 0.9], "arm_days_shape"),
        ("completion", [1.0, 0.9, np.nan], "arm_days_not_finite"),
        ("test", [1, 0], "arms_apart"),
        ("test", [1, 0, 1], "arm_days_shape"),
        ("impressions", [], "arm_days_shape"),
    ],
)
def test_what_does_not_fit_is_refused(column: str, given: object, code: str) -> None:
    with pytest.raises(RefusedInput, match=code):
        ArmDays(**({"impressions": SHOWN, "clicks": CLICKS} | {column: given}))  # type: ignore[arg-type]


def test_returns_and_more_clicks_than_impressions_are_kept() -> None:
    days = ArmDays(
        SHOWN,  # type: ignore[arg-type]
        [[101.0, 102, 103], [3, 2, 1]],  # type: ignore[arg-type]
        conversions=[[200.0, 0, 0], [0, 0, 0]],  # type: ignore[arg-type]
        value=[[-5.0, 0, 0], [0, 0, 0]],  # type: ignore[arg-type]
    )
    assert days.sums().value.tolist() == [-5.0, 0.0]
    assert days.sums(1.0).clicks[0] == 306


def test_ctr_is_discounted_and_conversions_are_completed() -> None:
    days = ArmDays(
        SHOWN,  # type: ignore[arg-type]
        CLICKS,  # type: ignore[arg-type]
        conversions=[[1.0, 1, 1], [0, 0, 0]],  # type: ignore[arg-type]
        value=[[60.0, 60, 60], [0, 0, 0]],  # type: ignore[arg-type]
        completion=[1.0, 0.5, 0.05],  # type: ignore[arg-type]
        value_completion=[0.9, 0.4, 0.05],  # type: ignore[arg-type]
    )
    sums = days.sums(0.5)
    assert sums.clicks.tolist() == [0.25 + 1 + 3, 0.75 + 1 + 1]
    assert sums.bought.tolist() == [6.0, 6.0]
    assert sums.completed.tolist() == [1 + 1.0, 3 + 1.0]
    assert sums.conversions[0] == 2.0
    assert sums.settled[0] == pytest.approx(0.9 + 0.8)
    assert sums.value[0] == 120.0


def test_days_that_are_not_settled_count_for_ctr_only() -> None:
    days = ArmDays(
        SHOWN,  # type: ignore[arg-type]
        CLICKS,  # type: ignore[arg-type]
        completion=[0.99, 0.96, 0.5],  # type: ignore[arg-type]
        value_completion=[0.99, 0.9, 0.5],  # type: ignore[arg-type]
    )
    assert days.matured(metric_named("ctr")).tolist() == [True, True, True]
    assert days.matured(metric_named("cvr")).tolist() == [True, True, False]
    assert days.matured(metric_named("cpa")).tolist() == [True, True, False]
    assert days.matured(metric_named("profit_per_impression")).tolist() == [True, False, False]


def test_days_before_a_new_text_are_those_of_another_creative() -> None:
    days = ArmDays(SHOWN, CLICKS).since(np.array([0, 2]))  # type: ignore[arg-type]
    assert days.impressions.tolist() == [[100, 100, 100], [0, 0, 100]]
    assert np.isnan(days.cost).all()


def test_tests_are_numbered_without_gaps() -> None:
    days = lived([0.02] * 5, np.random.default_rng(0), days=2, test=[3, 3, 8, 8, 8])
    assert days.first.tolist() == [0, 2]
    assert days.place.tolist() == [0, 0, 1, 1, 1]
    assert days.arms.tolist() == [2, 3]


def test_variation_between_days_is_found() -> None:
    rng = np.random.default_rng(4)
    calm = lived([0.02] * 20, rng, impressions=20_000)
    shaken = ArmDays(
        calm.impressions, rng.binomial(20_000, 0.02 * rng.uniform(0.7, 1.3, (20, 30))).astype(float)
    )
    assert calm.spread().clicks == pytest.approx(1.0, abs=0.2)
    # 1 + n p cv² with cv² = 0.03
    assert shaken.spread().clicks == pytest.approx(1 + 400 * 0.03, rel=0.3)


def test_a_discount_is_a_share() -> None:
    with pytest.raises(BadSettings, match="share_out_of_range"):
        ArmDays(SHOWN, CLICKS).sums(1.5)  # type: ignore[arg-type]
