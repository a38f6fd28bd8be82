from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from optimizer.errors import RefusedInput
from optimizer.planning.account_frames import account_frames
from optimizer.planning.backtest import (
    AMOUNTS,
    Backtest,
    WeekScore,
    _end_of_known,
    amount_score,
    backtest,
    bid_on,
    bid_ratio,
    week_starts,
)
from optimizer.review.suggestions import ReviewInputs
from optimizer.settings import Settings
from optimizer.tables import TERM_DAILY, TERMS, empty_table
from simulations.promised_markets import DOWNLOADS, TODAY, market_log, market_settings
from tests.planning.reviewed_shop import shop

START = TODAY - timedelta(days=14)
FIGURES = ["mean", "low", "high", "last_week", "proportional"]


def told(
    now: ReviewInputs | None = None, then: ReviewInputs | None = None, **asked: object
) -> Backtest:
    settings = asked.pop("settings", market_settings())
    assert isinstance(settings, Settings)
    return backtest(now or shop().inputs, TODAY, settings, lambda day: then, weeks=1, **asked)


def known_then() -> ReviewInputs:
    log = market_log(3)
    frames = account_frames(log, START, [day for day in DOWNLOADS if day < START])
    same = {
        name: getattr(frames, name) for name in ("keywords", "daily", "versions", "bid_changes")
    }
    empty = {"terms": empty_table(TERMS), "term_daily": empty_table(TERM_DAILY)}
    return replace(shop().inputs, **same, **empty)


def week(actual: float, mean: float, low: float, high: float, **parts: float) -> WeekScore:
    rules = {"last_week": mean, "proportional": mean, **parts}
    about = {"rebuilt": False, "unforeseen": 0.0, "event": False}
    return WeekScore(START, "spend", mean, low, high, actual, **rules, **about)


def test_weeks_end_when_their_orders_are_in_and_have_four_weeks_before_them() -> None:
    now = shop().inputs
    assert week_starts(now, TODAY, 7, 8) == [START]
    assert week_starts(now, TODAY, 3, 1) == [TODAY - timedelta(days=10)]
    older = now.daily.assign(first_day=now.daily["first_day"] - pd.Timedelta(days=7))
    assert week_starts(replace(now, daily=older), TODAY, 7, 8) == [START - timedelta(days=7), START]


def test_too_short_a_history_names_the_first_day_that_would_do() -> None:
    with pytest.raises(RefusedInput) as refused:
        week_starts(shop().inputs, TODAY, 20, 8)
    first = TODAY - timedelta(days=45)
    assert refused.value.code == "backtest_too_short"
    assert refused.value.fields["feasible"] == first + timedelta(days=28 + 7 + 20)


def test_scores_by_hand() -> None:
    weeks = [week(100, 110, 90, 120, last_week=80), week(200, 160, 150, 170, last_week=200)]
    found = amount_score(weeks)
    assert (found.weeks, found.coverage) == (2, 0.5)
    assert found.bias == pytest.approx(-0.1)
    assert found.error == pytest.approx(50 / 300)
    assert found.last_week_error == pytest.approx(20 / 300)
    nothing = amount_score([week(0, 1, 0, 2)])
    assert (nothing.bias, nothing.error) == (None, None)


def test_a_budget_that_no_step_reaches_refuses_no_week() -> None:
    own = market_settings()
    tight = own.account.model_copy(update={"daily_budget": 1.0})
    found = told(settings=own.model_copy(update={"account": tight}), draws=40)
    assert found.left_out == ()
    assert found.scores() == told(draws=40).scores()


def test_bids_of_the_week_are_held_against_the_eve() -> None:
    days = [START - timedelta(days=9), START + timedelta(days=2), START - timedelta(days=1)]
    changes = pd.DataFrame(
        {"entity_key": [1, 1, 2], "day": pd.to_datetime(days), "bid": [1.0, 1.7, 3.0]}
    )
    off = pd.DataFrame({"entity_key": [9], "day": pd.to_datetime([days[0]]), "bid": [0.0]})
    changes = pd.concat([changes, off], ignore_index=True)
    keys = pd.Series([2, 1, 9])
    assert bid_on(changes, keys, START).tolist()[:2] == [3.0, 1.0]
    assert bid_ratio(changes, keys, START) == pytest.approx([1.0, (2 + 5 * 1.7) / 7, 1.0])


def test_what_came_is_counted_and_completed() -> None:
    found = {one.amount: one for one in told().weeks}
    daily = shop().inputs.daily
    inside = (daily["first_day"] >= pd.Timestamp(START)) & (
        daily["first_day"] < pd.Timestamp(START + timedelta(days=7))
    )
    assert list(found) == list(AMOUNTS)
    assert found["spend"].actual == pytest.approx(daily.loc[inside, "cost"].sum())
    assert found["clicks"].actual == daily.loc[inside, "clicks"].sum()
    known = daily.loc[inside, "conversions"].sum()
    assert known <= found["orders"].actual <= known / 0.9
    assert found["profit"].actual < found["value"].actual
    assert all(one.rebuilt and not one.event for one in found.values())


def test_the_week_itself_is_not_known_to_its_forecast() -> None:
    """Twice the clicks and orders in the week change what came, and nothing of what was foretold."""
    now, then = shop().inputs, known_then()
    later = now.daily["first_day"] >= pd.Timestamp(START)
    sums = ["impressions", "clicks", "cost", "conversions", "value"]
    doubled = now.daily.copy()
    doubled.loc[later, sums] *= 2
    plain, other = (told(one, then, seed=3).frame() for one in (now, replace(now, daily=doubled)))
    spend = plain["amount"].eq("spend")
    pd.testing.assert_frame_equal(plain.loc[spend, FIGURES], other.loc[spend, FIGURES])
    assert other["actual"][0] == pytest.approx(2 * plain["actual"][0])
    assert not plain["rebuilt"].any()


def test_the_same_seed_gives_the_same_weeks() -> None:
    assert told(seed=4) == told(seed=4)
    assert told(seed=4) != told(seed=5)


def test_the_interval_of_an_ordinary_week_is_neither_empty_nor_endless() -> None:
    rows = told(then=known_then()).frame().set_index("amount")
    assert (rows["low"] < rows["mean"]).all()
    assert (rows["mean"] < rows["high"]).all()
    assert rows.loc["spend", "actual"] == pytest.approx(rows.loc["spend", "mean"], rel=0.3)


def test_a_week_with_a_day_missing_is_left_out() -> None:
    now = shop().inputs
    gap = now.daily["first_day"] == pd.Timestamp(START + timedelta(days=3))
    with pytest.raises(RefusedInput) as refused:
        told(replace(now, daily=now.daily[~gap].reset_index(drop=True)))
    assert (refused.value.code, refused.value.fields["reason"]) == (
        "backtest_no_week",
        "week_with_gaps",
    )


def test_a_week_within_a_longer_period_is_left_out() -> None:
    now = shop().inputs
    row = now.daily.iloc[[0]].assign(
        first_day=pd.Timestamp(START - timedelta(days=2)),
        last_day=pd.Timestamp(START + timedelta(days=1)),
    )
    joined = pd.concat([now.daily, row], ignore_index=True)
    with pytest.raises(RefusedInput) as refused:
        told(replace(now, daily=joined))
    assert refused.value.fields["reason"] == "week_in_longer_period"


def test_no_weeks_are_refused() -> None:
    with pytest.raises(RefusedInput, match="backtest_weeks"):
        backtest(shop().inputs, TODAY, market_settings(), lambda day: None, weeks=0)


def test_the_rules_days_end_with_the_newest_report() -> None:
    start = START
    daily = pd.DataFrame({"last_day": pd.to_datetime([start - timedelta(days=4)])})
    assert _end_of_known(daily, start) == start - timedelta(days=3)
    late = pd.DataFrame({"last_day": pd.to_datetime([start + timedelta(days=2)])})
    assert _end_of_known(late, start) == start
