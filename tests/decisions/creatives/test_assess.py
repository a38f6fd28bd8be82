"""All that is said of tests on one morning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimizer.decisions.creatives import (
    METRICS,
    ArmDays,
    Context,
    CreativeSums,
    Design,
    alive_arms,
    assess,
)
from optimizer.errors import BadSettings, RefusedInput
from tests.decisions.creatives.days import lived


def morning(days: ArmDays, context: Context | None = None, **design: object):  # type: ignore[no-untyped-def]
    return assess(days, Design(**design), np.random.default_rng(0), context)  # type: ignore[arg-type]


def two(seed: int = 0, **more: object) -> ArmDays:
    return lived([0.03, 0.02], np.random.default_rng(seed), **more)  # type: ignore[arg-type]


def test_a_winner_gets_everything_and_the_loser_nothing() -> None:
    found = morning(two(), metric="ctr")
    assert found.verdict.tolist() == ["winner", "loser"]
    assert found.state.tolist() == ["winner"]
    assert found.leader.tolist() == [0]
    assert found.share.tolist() == [1.0, 0.0]
    assert found.difference.difference[0] == pytest.approx(0.01, rel=0.2)


def test_a_test_whose_arms_the_platform_chooses_claims_nothing() -> None:
    found = morning(two(), metric="ctr", assignment="platform")
    assert found.verdict.tolist() == ["open", "open"]
    assert found.state.tolist() == ["observational"]
    assert found.chances.best[0] > 0.99
    assert found.share[0] > 0.9
    assert not found.served.alarm.any()


def test_shares_not_served_as_planned_withhold_the_claim() -> None:
    days = two()
    skewed = replace(days, impressions=days.impressions * [[1.0], [0.8]])
    planned = Context(planned=np.array([1.0, 1.0]))
    found = morning(skewed, planned, metric="ctr")
    assert found.state.tolist() == ["shares_off"]
    assert found.verdict.tolist() == ["open", "open"]
    assert morning(skewed, metric="ctr").state.tolist() == ["winner"]
    assert morning(skewed, metric="ctr", assignment="even_rotation").served.alarm.tolist() == [True]


def test_assigned_units_are_tested_where_they_are_known() -> None:
    counts = Context(assigned=np.array([51_000.0, 49_000.0]))
    found = morning(two(), counts, metric="ctr")
    assert found.state.tolist() == ["shares_off"]
    fitting = replace(counts, planned=np.array([51.0, 49.0]))
    assert morning(two(), fitting, metric="ctr").state.tolist() == ["winner"]


def test_a_young_test_says_what_is_missing() -> None:
    found = morning(two(days=3), metric="ctr")
    assert found.state.tolist() == ["too_early"]
    assert found.claims.days_needed.tolist() == [2]


def test_alike_arms_become_safe_to_stop_caring_about() -> None:
    days = lived([0.02, 0.02], np.random.default_rng(1), impressions=200_000)
    assert morning(days, metric="ctr").state.tolist() == ["safe_to_stop"]
    few = lived([0.02, 0.02], np.random.default_rng(1), impressions=1000)
    assert morning(few, metric="ctr").state.tolist() == ["running"]


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_finds_the_arm_that_is_better_by_it(metric: str) -> None:
    """Arm 1 has better clicks at the same price; by CTR alone it is arm 0."""
    days = lived(
        [0.031, 0.030], np.random.default_rng(2), days=40, impressions=30_000, cvr=[0.04, 0.06]
    )
    found = morning(days, metric=metric)
    assert found.leader.tolist() == [0 if metric == "ctr" else 1]
    assert found.state.tolist() == ["winner"]


def test_cost_per_conversion_is_better_when_lower_everywhere() -> None:
    days = lived([0.03, 0.03], np.random.default_rng(3), impressions=30_000)
    dear = replace(days, cost=days.cost * [[2.0], [1.0]])
    found = morning(dear, metric="cpa", mode="earn")
    assert found.value[0] > 1.8 * found.value[1]
    assert found.leader.tolist() == [1]
    assert found.verdict.tolist() == ["loser", "winner"]
    assert found.chances.best[1] == 1.0
    assert found.chances.loss[0] > 0.9 * (found.value[0] - found.value[1])
    assert found.share[1] == 1.0


def test_an_arm_that_vanished_is_left_out_and_the_rest_goes_on() -> None:
    days = lived([0.03, 0.02, 0.05], np.random.default_rng(4))
    shown = days.impressions.copy()
    shown[2, 10:] = 0
    gone = ArmDays(shown, np.minimum(days.clicks, shown))
    found = morning(gone, metric="ctr")
    assert found.verdict.tolist() == ["winner", "loser", "left"]
    assert found.share[2] == 0
    assert found.claims.contrasts.days[0, -1] == 30


def test_a_late_arm_is_compared_on_its_own_days_only() -> None:
    days = lived([0.02, 0.02, 0.035], np.random.default_rng(5), impressions=3000)
    shown = days.impressions.copy()
    shown[2, :18] = 0
    found = morning(ArmDays(shown, np.minimum(days.clicks, shown)), metric="ctr")
    assert found.leader.tolist() == [2]
    assert found.claims.contrasts.days[:, -1].tolist() == [12, 12]
    assert found.verdict.tolist() == ["loser", "loser", "winner"]


def test_an_arm_nobody_has_seen_is_tried_and_keeps_others_from_winning() -> None:
    days = lived([0.03, 0.02, 0.02], np.random.default_rng(6))
    shown = days.impressions.copy()
    shown[2] = 0
    found = morning(ArmDays(shown, np.minimum(days.clicks, shown)), metric="ctr")
    assert found.verdict.tolist() == ["open", "loser", "unseen"]
    assert found.share[2] > 0.05


def test_a_single_arm_is_shown_and_wins_nothing() -> None:
    found = morning(lived([0.02], np.random.default_rng(7)), metric="ctr")
    assert found.verdict.tolist() == ["open"]
    assert found.state.tolist() == ["alone"]
    assert found.share.tolist() == [1.0]


def test_a_test_without_traffic_says_so() -> None:
    found = morning(ArmDays(np.zeros((2, 5)), np.zeros((2, 5))), metric="ctr")
    assert found.state.tolist() == ["no_traffic"]
    assert found.verdict.tolist() == ["unseen", "unseen"]
    np.testing.assert_allclose(found.share, [0.5, 0.5], atol=0.1)


def test_clicks_above_impressions_and_conversions_above_clicks_are_worked_with() -> None:
    days = lived([0.02, 0.02], np.random.default_rng(8))
    odd = replace(days, clicks=days.impressions * 1.2, conversions=days.impressions * 1.5)
    found = morning(odd, metric="cvr")
    assert np.isfinite(found.value).all()
    assert found.value[0] == pytest.approx(1.25, rel=0.05)


def test_returns_beyond_sales_lose_profit() -> None:
    days = lived([0.03, 0.03], np.random.default_rng(9), impressions=30_000)
    returned = replace(days, value=days.value * [[-0.5], [1.0]])
    found = morning(returned, metric="profit_per_impression")
    assert found.verdict.tolist() == ["loser", "winner"]


def test_even_splits_and_top_two_are_what_they_say() -> None:
    days = lived([0.020, 0.021, 0.022, 0.014], np.random.default_rng(10))
    found = morning(days, metric="ctr", mode="find")
    openly = found.verdict == "open"
    np.testing.assert_allclose(found.share[openly], 1 / openly.sum())
    both = morning(days, metric="ctr", mode="top_two", floor=0.0)
    assert np.sort(both.share)[-2:].sum() > 0.7
    assert both.share.max() < 0.75


def test_arms_wanted_for_claims_keep_a_fifth() -> None:
    close = lived([0.021, 0.020], np.random.default_rng(11), days=6)
    wanted = morning(close, metric="ctr", claims_wanted=True)
    assert wanted.verdict.tolist() == ["open", "open"]
    assert wanted.share.min() >= 0.2


def test_arms_paid_in_several_currencies_are_refused_by_name() -> None:
    with pytest.raises(RefusedInput, match="test_currencies") as refused:
        morning(two(), Context(currency=["CNY", "USD"]), metric="ctr")
    assert refused.value.fields["currencies"] == "CNY, USD"
    assert morning(two(), Context(currency=["CNY", "CNY"]), metric="ctr").leader.tolist() == [0]


def test_a_thousand_arms_are_one_test() -> None:
    rng = np.random.default_rng(5)
    told = morning(lived([*[0.02] * 999, 0.06], rng, days=10), metric="ctr")
    assert told.leader.tolist() == [999]
    assert told.share.sum() == pytest.approx(1.0)
    assert told.chances.best[999] > 0.9


def test_past_creatives_of_the_ad_group_narrow_what_is_believed() -> None:
    rng = np.random.default_rng(12)
    few = lived([0.02, 0.02], rng, days=2, impressions=100)
    clicks = rng.binomial(50_000, 0.02, 30).astype(float)
    shown = np.full(30, 50_000.0)
    past = CreativeSums(shown, clicks, clicks, clicks, clicks, clicks, clicks, clicks)
    alone = morning(few, metric="ctr")
    taught = morning(few, Context(past=(past, np.zeros(30, dtype=np.int64))), metric="ctr")
    assert (taught.beliefs.ctr.cv2 < 0.2 * alone.beliefs.ctr.cv2).all()
    elsewhere = Context(past=(past, np.zeros(30, dtype=np.int64)), group=np.array([5, 5]))
    other = morning(few, elsewhere, metric="ctr")
    assert (taught.beliefs.ctr.cv2 < other.beliefs.ctr.cv2).all()


def test_many_tests_are_assessed_as_each_alone_would_be() -> None:
    """Verdicts and shares of one do not depend on the others, but for the common prior."""
    days = lived([0.03, 0.02, 0.02, 0.05, 0.02], np.random.default_rng(13), test=[0, 0, 1, 1, 1])
    found = morning(days, metric="ctr")
    assert found.verdict.tolist() == ["winner", "loser", "loser", "winner", "loser"]
    assert found.leader.tolist() == [0, 3]
    np.testing.assert_allclose(np.add.reduceat(found.share, days.first), 1.0)


def test_one_seed_one_assessment() -> None:
    one, other = (morning(two(), metric="profit_per_impression") for _ in range(2))
    np.testing.assert_array_equal(one.share, other.share)
    np.testing.assert_array_equal(one.chances.loss, other.chances.loss)


def test_an_arm_is_alive_until_it_misses_three_days_of_its_test() -> None:
    shown = np.ones((5, 8))
    shown[1, 5:] = 0
    shown[2, 6:] = 0
    shown[3] = 0
    shown[4, -1] = 0
    assert alive_arms(ArmDays(shown, shown * 0)).tolist() == [True, False, True, True, True]


def test_a_pause_of_the_whole_test_is_nobodys_absence() -> None:
    shown = np.ones((2, 8))
    shown[:, 3:] = 0
    assert alive_arms(ArmDays(shown, shown * 0)).all()


def test_what_no_report_tells_is_refused_by_name() -> None:
    days = two()
    silent = ArmDays(days.impressions, days.clicks)
    with pytest.raises(RefusedInput, match="metric_needs"):
        morning(silent)
    with pytest.raises(BadSettings, match="word_unknown"):
        Design(mode="guess")  # type: ignore[arg-type]
    with pytest.raises(BadSettings, match="share_out_of_range"):
        Design(floor=-0.1)
    with pytest.raises(BadSettings, match="metric_unknown"):
        Design(metric="roas")  # type: ignore[arg-type]
