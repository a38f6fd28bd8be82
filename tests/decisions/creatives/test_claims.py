"""Winners and losers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.decisions.creatives import (
    ArmDays,
    ClaimRule,
    Claims,
    daily_ratios,
    leader_pairs,
    log_evidence,
    log_evidence_of_counts,
    make_claims,
    metric_named,
)
from optimizer.errors import BadSettings
from tests.decisions.creatives.days import lived

RULE = ClaimRule()


def claims_of(
    days: ArmDays,
    metric: str = "ctr",
    *,
    rule: ClaimRule = RULE,
    ahead: int = 0,
    counted: np.ndarray | None = None,
) -> Claims:
    """Arm `ahead` against all others of one test."""
    told = metric_named(metric)
    pairs = leader_pairs(np.array([ahead]), np.array([0]), np.ones(len(days.test), dtype=bool))
    used = days.matured(told) if counted is None else counted
    ratios = daily_ratios(told, days)
    return make_claims(ratios, days.place, pairs, used, rule, counts=told.counts)


def test_a_clear_loser_is_found_and_the_leader_is_none() -> None:
    found = claims_of(lived([0.03, 0.02, 0.03], np.random.default_rng(0)))
    assert found.losers(3).tolist() == [False, True, False]


def test_the_leader_must_be_ahead() -> None:
    found = claims_of(lived([0.03, 0.02], np.random.default_rng(0)), ahead=1)
    assert found.log_evidence[0, -1] > found.log_bound[0]
    assert not found.losers(2).any()


@pytest.mark.parametrize("arms", [2, 3, 6])
def test_the_bound_is_that_of_all_arms_that_could_have_won(arms: int) -> None:
    found = claims_of(lived([0.02] * arms, np.random.default_rng(0)))
    np.testing.assert_allclose(found.log_bound, np.log((arms - 1) / 0.05))


def test_nothing_is_claimed_before_five_days_and_twenty_events() -> None:
    days = lived([0.2, 0.05], np.random.default_rng(1), days=10)
    first = claims_of(days).worse[0].argmax()
    assert first >= 4
    poor = claims_of(days, rule=replace(RULE, least_events=10_000))
    assert not poor.worse.any()
    assert poor.events_needed[0] == 10_000 - days.clicks[1].sum()
    assert claims_of(lived([0.2, 0.05], np.random.default_rng(1), days=3)).days_needed.tolist() == [
        2
    ]


def test_a_claim_once_made_stands() -> None:
    strong = lived([0.05, 0.02], np.random.default_rng(2), days=20)
    clicks = strong.clicks.copy()
    clicks[:, 12:] = clicks[::-1, 12:]
    found = claims_of(ArmDays(strong.impressions, clicks))
    assert found.worse[0, 11]
    assert found.worse[0, -1]


def test_days_not_settled_are_no_evidence() -> None:
    days = lived([0.03, 0.02], np.random.default_rng(3), completion=np.linspace(1, 0.5, 30))
    settled = int((days.completion >= 0.95).sum())
    assert claims_of(days, "cvr").contrasts.days[0, -1] == settled
    assert claims_of(days, "ctr").contrasts.days[0, -1] == 30


def test_frequent_events_are_compared_by_days_rare_ones_by_counts() -> None:
    days = lived([0.02, 0.02], np.random.default_rng(4), cvr=0.05)
    often, seldom = claims_of(days, "ctr"), claims_of(days, "cvr")
    assert (often.rare[0], seldom.rare[0]) == (False, True)
    score = often.contrasts.score
    np.testing.assert_allclose(often.log_evidence, log_evidence(score))
    pair = (days.conversions[:1], days.conversions[1:]), (days.clicks[:1], days.clicks[1:])
    np.testing.assert_allclose(seldom.log_evidence, log_evidence_of_counts(*pair))


def test_how_arms_are_compared_is_settled_by_the_first_days() -> None:
    """Orders become frequent later: the method must not follow the result."""
    days = lived([0.02, 0.02], np.random.default_rng(5), days=20, cvr=0.05)
    orders = days.conversions.copy()
    orders[:, 10:] += 50
    found = claims_of(replace(days, conversions=orders), "cvr")
    assert found.rare[0]


def test_amounts_are_always_compared_by_days() -> None:
    days = lived([0.02, 0.02], np.random.default_rng(6), cvr=0.02)
    assert not claims_of(days, "value_per_impression").rare[0]


def test_the_cheaper_arm_wins_on_cost_per_conversion() -> None:
    """Arm 1 pays half as much per click; everything else is alike."""
    days = lived([0.05, 0.05], np.random.default_rng(7), cvr=0.1, impressions=4000)
    halved = replace(days, cost=days.cost * [[1.0], [0.5]])
    found = claims_of(halved, "cpa", ahead=1)
    assert found.losers(2).tolist() == [True, False]
    assert not claims_of(halved, "cpa", ahead=0).losers(2).any()


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(4)), st.floats(0.01, 100.0))
def test_neither_order_nor_currency_changes_a_verdict(order: list[int], rate: float) -> None:
    days = lived([0.04, 0.03, 0.02, 0.039], np.random.default_rng(8), days=15)
    moved = ArmDays(
        days.impressions[order],
        days.clicks[order],
        days.cost[order] * rate,
        days.conversions[order],
        days.value[order] * rate,
    )
    for metric in ("ctr", "profit_per_impression", "cpa"):
        plain = claims_of(days, metric).losers(4)
        found = claims_of(moved, metric, ahead=order.index(0)).losers(4)
        np.testing.assert_array_equal(found, plain[order])


def test_alike_arms_seldom_lose() -> None:
    """400 A/A tests of five arms, whoever leads in the end: at most 5 % may name any loser."""
    rng = np.random.default_rng(9)
    days = lived([0.02] * 2000, rng, days=40, test=np.repeat(np.arange(400), 5))
    score = days.clicks.sum(axis=1).reshape(400, 5)
    leader = score.argmax(axis=1) + np.arange(0, 2000, 5)
    pairs = leader_pairs(leader, days.first, np.ones(2000, dtype=bool))
    ratios = daily_ratios(metric_named("ctr"), days)
    found = make_claims(ratios, days.place, pairs, np.ones(40, bool), RULE, counts=True)
    tests = np.bincount(days.place, found.losers(2000), 400) > 0
    assert 0 < tests.sum() <= 20


@pytest.mark.parametrize("metric", ["value_per_impression", "profit_per_impression"])
def test_an_arm_shown_seldom_is_no_loser_for_its_few_large_orders(metric: str) -> None:
    """1,500 A/A tests at 80 to 20, 2 orders a day for the lesser arm: the side that t favours."""
    rng, runs, days = np.random.default_rng(11), 1500, 60
    shown = np.tile([[16_000.0], [4_000.0]], (runs, days))
    orders = rng.poisson(0.0005 * shown)
    value = rng.gamma(0.8 * np.maximum(orders, 1e-9), 75.0) * (orders > 0)
    test = np.arange(2 * runs) // 2
    told = ArmDays(shown, shown * 0.02, shown * 0.002, orders.astype(float), value, test=test)
    pairs = np.arange(0, 2 * runs, 2), np.arange(1, 2 * runs, 2)
    ratios = daily_ratios(metric_named(metric), told)
    found = make_claims(
        ratios, told.place, pairs, np.ones(days, bool), RULE, counts=False, amount_cv2=1.25
    )
    plain = log_evidence(found.contrasts.score)
    mean = np.nancumsum(found.contrasts.score, axis=1)
    named = ((plain >= np.log(20)) & (mean > 0) & (found.contrasts.fewest >= 20)).any(axis=1)
    assert named.mean() > 0.02
    assert found.worse[:, -1].mean() <= 0.0125


def test_arms_that_take_no_part_are_not_compared() -> None:
    pairs = leader_pairs(
        np.array([1, -1]), np.array([0, 3]), np.array([True, True, False, True, True])
    )
    assert [part.tolist() for part in pairs] == [[1], [0]]


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"alpha": 1.0}, {"least_completion": 1.5}])
def test_shares_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadSettings, match="share_out_of_range"):
        ClaimRule(**wrong)  # type: ignore[arg-type]


def test_one_day_tells_no_variation() -> None:
    with pytest.raises(BadSettings, match="too_few"):
        ClaimRule(least_days=1)
