"""A change of the creatives shown, and what the bids of the ad group's keywords make of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from optimizer.review.suggestions import CreativeRecord, ReviewInputs, ReviewResult
from optimizer.tables import CREATIVE_DAILY, CREATIVE_SHARES, CREATIVE_TEXTS, CREATIVES
from tests.review.creative_accounts import typed
from tests.review.small_account import (
    DAYS,
    FILLERS,
    Word,
    alerts_of,
    days_ago,
    evidence_of,
    review,
    small_account,
    told,
)

TENTS = Word("tent", clicks=40.0)
CHANGED = 6
"""Days since the new creative took over."""


def creatives(shares: np.ndarray, cvr: tuple[float, ...], ctr: float = 0.05) -> CreativeRecord:
    """Creatives of ad group tents, shown 20,000 times a day by `shares` (creatives, days)."""
    keys = np.arange(1, len(cvr) + 1)
    listed = pd.DataFrame(
        {
            "entity_key": keys,
            "campaign_name": "shop",
            "ad_group_name": "tents",
            "creative_id": [f"9{key}" for key in keys],
            "creative_name": [f"title {key}" for key in keys],
            "status": "ENABLED",
        }
    )
    when = [pd.Timestamp(days_ago(DAYS - day)) for day in range(DAYS)]
    shown = 20_000.0 * shares
    clicks = np.round(shown * ctr)
    daily = pd.DataFrame(
        {
            "entity_key": np.repeat(keys, DAYS),
            "first_day": when * len(keys),
            "last_day": when * len(keys),
            "impressions": shown.ravel(),
            "clicks": clicks.ravel(),
            "conversions": np.round(clicks * np.array(cvr)[:, None]).ravel(),
        }
    )
    return CreativeRecord(typed(listed, CREATIVES), typed(daily, CREATIVE_DAILY))


def taken_over(days: int = CHANGED, share: float = 1.0) -> np.ndarray:
    """Creative 2 has had `share` of the impressions for so many days, and nothing before."""
    new = np.where(np.arange(DAYS) >= DAYS - days, share, 0.0)
    return np.stack([1 - new, new])


def account() -> ReviewInputs:
    return small_account((TENTS, *FILLERS))


def rate_of(result: ReviewResult, text: str = "tent") -> float:
    plan = result.frames["plan"]
    return float(plan.loc[plan["keyword_text"] == text, "rate_mean"].iloc[0])


def test_a_mix_that_stays_changes_nothing() -> None:
    inputs = account()
    steady = replace(inputs, creatives=creatives(np.full((2, DAYS), 0.5), (0.04, 0.08)))
    before, after = (review(one, told()) for one in (inputs, steady))
    pd.testing.assert_frame_equal(before.frames["plan"], after.frames["plan"])
    pd.testing.assert_frame_equal(before.suggestions, after.suggestions)
    assert before.context == after.context


def test_a_creative_that_converts_twice_as_well_doubles_what_its_keywords_are_worth() -> None:
    inputs = account()
    changed = replace(inputs, creatives=creatives(taken_over(), (0.04, 0.08)))
    before, after = (review(one, told()) for one in (inputs, changed))
    assert rate_of(after) == pytest.approx(1.8 * rate_of(before), rel=0.15)
    assert rate_of(after, "filler 1") == pytest.approx(rate_of(before, "filler 1"), rel=0.02)
    found = alerts_of(after)["creative_new"]
    assert (found["creative"], found["day"]) == ("title 2", str(days_ago(CHANGED)))
    assert found["cvr_ratio"] == pytest.approx(2.0, rel=0.15)
    assert found["ctr_ratio"] == pytest.approx(1.0, rel=0.02)


def test_the_change_stands_in_the_evidence_of_its_ad_group_only() -> None:
    changed = replace(account(), creatives=creatives(taken_over(), (0.04, 0.08)))
    result = review(changed, told())
    assert evidence_of(result, "tent")["creative_change"] == alerts_of(result)["creative_new"]
    others = result.suggestions["keyword_text"].ne("tent")
    for text in result.suggestions.loc[others, "keyword_text"].head(2):
        assert "creative_change" not in evidence_of(result, text)


def test_the_less_is_known_of_a_new_creative_the_less_earlier_days_count() -> None:
    """One day of it, against three weeks: what it converts is a guess, so that the past is one too."""
    inputs = account()
    young, old = (
        alerts_of(
            review(replace(inputs, creatives=creatives(taken_over(days), (0.04, 0.04))), told())
        )
        for days in (8, 21)
    )
    weights = [float(str(one["creative_new"]["weight"])) for one in (young, old)]
    assert 0 < weights[0] < weights[1] < 1


def test_a_creative_that_brings_more_clicks_brings_its_keywords_more() -> None:
    inputs = account()
    record = creatives(taken_over(), (0.04, 0.04))
    doubled = record.daily["entity_key"].eq(2)
    more = {
        name: record.daily[name].where(~doubled, 2 * record.daily[name])
        for name in ("clicks", "conversions")
    }
    changed = replace(inputs, creatives=replace(record, daily=record.daily.assign(**more)))
    plans = [
        review(one, told()).frames["plan"].set_index("keyword_text") for one in (inputs, changed)
    ]
    gained = plans[1]["clicks"] / plans[0]["clicks"]
    assert gained["tent"] > 1.3
    assert gained["filler 1"] == pytest.approx(1.0, rel=0.01)


def test_a_creative_no_longer_shown_is_named_with_its_last_day() -> None:
    shares = np.full((2, DAYS), 0.5)
    shares[0, -CHANGED:], shares[1, -CHANGED:] = 0.0, 1.0
    changed = replace(account(), creatives=creatives(shares, (0.02, 0.04)))
    found = alerts_of(review(changed, told()))["creative_paused"]
    assert (found["creative"], found["day"]) == ("title 1", str(days_ago(CHANGED)))
    assert found["cvr_ratio"] == pytest.approx(4 / 3, rel=0.1)


def test_a_changed_text_under_one_id_is_a_change_of_creative() -> None:
    record = creatives(np.ones((1, DAYS)), (0.04,))
    late = record.daily["first_day"].ge(pd.Timestamp(days_ago(CHANGED)))
    orders = record.daily["conversions"].where(~late, record.daily["conversions"] / 2)
    texts = pd.DataFrame(
        {
            "entity_key": [1, 1],
            "day": pd.to_datetime([days_ago(20), days_ago(CHANGED)]),
            "text": ["old", "new"],
        }
    )
    record = replace(
        record, daily=record.daily.assign(conversions=orders), texts=typed(texts, CREATIVE_TEXTS)
    )
    found = alerts_of(review(replace(account(), creatives=record), told()))["creative_text_changed"]
    assert found["day"] == str(days_ago(CHANGED))
    assert found["cvr_ratio"] == pytest.approx(0.5, rel=0.2)


@pytest.mark.parametrize(("age", "moves"), [(1, True), (9, False)])
def test_a_shift_that_was_handed_over_counts_until_reports_can_show_it(
    age: int, moves: bool
) -> None:
    record = creatives(np.full((2, DAYS), 0.5), (0.04, 0.08))
    shares = pd.DataFrame(
        {
            "test": "titles",
            "entity_key": [1, 2],
            "as_of": pd.Timestamp(days_ago(age)),
            "mode": "earn",
            "share": [0.0, 1.0],
            "asked": [0.0, 1.0],
            "taken": True,
            "in_force": True,
        }
    )
    planned = replace(record, shares=typed(shares, CREATIVE_SHARES))
    before, after = (review(replace(account(), creatives=one), told()) for one in (None, planned))
    ratio = rate_of(after) / rate_of(before)
    assert ratio == pytest.approx(4 / 3, rel=0.1) if moves else ratio == 1
    assert ("creative_shares_moved" in alerts_of(after)) is moves
