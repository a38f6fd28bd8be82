from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from optimizer.decisions.guardrails import (
    activity_codes,
    bid_codes,
    capped_campaigns,
    effective_multiplier,
    event_freeze,
    group_outages,
    outage_probability,
    silent_days,
    tracking_lost,
)
from optimizer.settings import Event, Guardrails

TODAY = date(2026, 6, 10)
RULES = Guardrails()


def keyword(**told: object) -> pd.DataFrame:
    plain = {
        "target_type": "keyword",
        "status": "ENABLED",
        "ad_group_status": None,
        "campaign_status": None,
        "bidding_mode": "manual",
        "bid": 1.0,
        "last_change": pd.NaT,
    }
    return pd.DataFrame([{**plain, **told}]).astype({"last_change": "datetime64[s]"})


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({}, ""),
        ({"target_type": "content"}, "not_biddable"),
        ({"status": "PAUSED"}, "keyword_off"),
        ({"ad_group_status": "PAUSED"}, "ad_group_off"),
        ({"campaign_status": "REMOVED"}, "campaign_off"),
        ({"bidding_mode": "automated"}, "automated_bidding"),
        ({"bid": np.nan}, "bid_unknown"),
        ({"bid": 0.0}, "bid_unknown"),
        ({"status": "PAUSED", "bid": np.nan}, "keyword_off"),
        ({"last_change": pd.Timestamp(TODAY - timedelta(days=6))}, "cool_down"),
        ({"last_change": pd.Timestamp(TODAY - timedelta(days=7))}, ""),
    ],
)
def test_each_reason_not_to_move_a_bid_has_its_code(told: dict[str, object], code: str) -> None:
    assert bid_codes(keyword(**told), np.ones(1), TODAY, RULES).tolist() == [code]


def test_automated_and_unknown_bids_may_still_be_paused() -> None:
    both = pd.concat([keyword(bidding_mode="automated"), keyword(bid=np.nan)])
    assert activity_codes(both).tolist() == ["", ""]


def test_a_word_never_shown_has_no_bid_to_judge() -> None:
    assert bid_codes(keyword(), np.zeros(1), TODAY, RULES).tolist() == ["no_impressions"]


@pytest.mark.parametrize(
    ("day", "frozen"),
    [(9, None), (10, "sale"), (20, "sale"), (25, "sale"), (26, None)],
)
def test_an_event_freezes_from_warm_up_to_aftermath(day: int, frozen: str | None) -> None:
    sale = Event(
        name="sale", start=date(2026, 6, 17), end=date(2026, 6, 20), warmup_days=7, after_days=5
    )
    assert event_freeze([sale], date(2026, 6, day)) == frozen


@pytest.mark.parametrize(("day", "frozen"), [(5, "sale"), (6, None)])
def test_a_freeze_lasts_until_the_events_orders_are_in(day: int, frozen: str | None) -> None:
    sale = Event(name="sale", start=date(2026, 6, 17), end=date(2026, 6, 20), after_days=5)
    assert event_freeze([sale], date(2026, 7, day), window_days=15) == frozen


def test_a_group_is_out_when_hardly_anything_of_much_arrives() -> None:
    """Nothing of 9; a quarter of 40; half of 100 is a decline; nothing of 3 is luck; no clicks."""
    seen, expected = np.array([0.0, 10, 50, 0, 0]), np.array([9.0, 40, 100, 3, 0])
    found = group_outages(seen, expected, 1.0, RULES)
    assert found.tolist() == [True, True, False, False, False]


def test_an_outage_is_a_count_that_working_tags_would_hardly_give() -> None:
    assert outage_probability(0.0, 9.0, 1.0) == pytest.approx(np.exp(-9))
    assert outage_probability(3.0, 5.0, 1.0) == pytest.approx(stats.poisson.cdf(3, 5))
    assert outage_probability(0.0, 9.0, 2.0) == pytest.approx(np.exp(-4.5))
    assert outage_probability(0.0, 0.0, 1.0) == 1.0


@pytest.mark.parametrize(
    ("seen", "expected", "lost"), [(0.0, 9.0, True), (2.0, 5.0, False), (9_000, 1e4, False)]
)
def test_a_big_account_s_slightly_worse_days_are_no_outage(
    seen: float, expected: float, lost: bool
) -> None:
    """A tenth fewer of 10,000 has a probability of 1e-24 by chance alone, yet tags still work."""
    assert tracking_lost(seen, expected, 1.0, RULES) is lost
    assert outage_probability(9_000, 1e4, 1.0) < RULES.outage_probability


@pytest.mark.parametrize(("days", "capped"), [(2, False), (3, True)])
def test_a_campaign_is_capped_after_three_full_days_of_seven(days: int, capped: bool) -> None:
    """Two keywords share the budget of 10; the second campaign's budget is unknown."""
    day = np.tile(np.arange(93, 100), 4)
    cost = np.tile(np.where(np.arange(7) < days, 4.8, 1.0), 4)
    campaign, budget = np.repeat([0, 0, 1, 1], 7), np.array([10.0, np.nan])
    found = capped_campaigns(campaign, day, cost, budget, 100, RULES)
    assert found.tolist() == [capped, False]


def test_full_days_older_than_a_week_do_not_cap() -> None:
    day, zeros = np.arange(89, 93), np.zeros(4, dtype=np.int64)
    assert not capped_campaigns(zeros, day, np.full(4, 99.0), np.ones(1), 100, RULES).any()


def test_a_campaigns_own_multiplier_wins() -> None:
    names = pd.Series(["a", "b"])
    assert effective_multiplier(names, 1.2, {"b": 1.5}).tolist() == [1.2, 1.5]


def test_runs_of_days_without_orders_are_silent_days() -> None:
    day = np.arange(100, 130)
    seen = np.where(day < 110, 8.0, 10.0)
    seen[[3, 4, 5, 20]] = 0.0
    assert silent_days(day, seen, np.full(30, 300.0), RULES).tolist() == [103, 104, 105]


def test_an_account_that_sells_little_has_no_silent_days() -> None:
    seen = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0])
    assert not len(silent_days(np.arange(10), seen, np.full(10, 50.0), RULES))


def test_an_account_that_stopped_selling_for_good_is_believed() -> None:
    seen = np.where(np.arange(60) < 10, 20.0, 0.0)
    assert not len(silent_days(np.arange(60), seen, np.full(60, 300.0), RULES))
