from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from optimizer.estimates.conversion_lag import Completion, Lags
from optimizer.estimates.exposure import (
    Records,
    Weights,
    exposure_weights,
    order_dated_totals,
    order_dated_weights,
    records,
)
from optimizer.estimates.seasonality import Seasonality

TODAY = 100
RAMP = Completion(np.array([0.05, 0.4, 0.7, 1.0]), np.zeros(4), 0.0)
ALONE = np.zeros(1, dtype=np.int64)


def lags(completion: Completion, pace: float = 1.0) -> Lags:
    return Lags((completion, completion, completion), np.array([pace]), ())


def weighed(told: Records, season: Seasonality | None = None, pace: float = 1.0) -> Weights:
    both = (lags(RAMP, pace), lags(RAMP, pace))
    return exposure_weights(told, TODAY, both, ALONE, season, 0.1)


def rows(*spans: tuple[int, int]) -> Records:
    first, last = np.array(spans, dtype=np.int64).T
    ones = np.ones(len(spans))
    return Records(np.zeros(len(spans), dtype=np.int64), first, last, ones, ones, ones, ones, ones)


def test_yesterday_has_age_nought() -> None:
    found = weighed(rows((98, 98), (97, 97), (50, 50)))
    assert found.exposure == pytest.approx([0.4, 0.7, 1.0])


def test_a_day_that_knows_too_little_is_left_out() -> None:
    found = weighed(rows((99, 99), (98, 98)))
    assert found.used.tolist() == [False, True]
    assert found.exposure == pytest.approx([0.0, 0.4])


def test_a_period_counts_the_mean_of_its_days() -> None:
    found = weighed(rows((96, 99)))
    assert found.used.tolist() == [True]
    assert found.exposure == pytest.approx((1.0 + 0.7 + 0.4 + 0.05) / 4)


def test_single_days_weigh_alike_with_and_without_a_period_beside_them() -> None:
    index = np.linspace(0.5, 1.5, 7)
    spans = [(day, day) for day in (99, 98, 96, 60, 55)]
    alone, beside = (
        weighed(rows(*spans, *more), Seasonality(index, ())) for more in ([], [(40, 46)])
    )
    for name in ("exposure", "used", "due", "net_value"):
        assert getattr(alone, name) == pytest.approx(getattr(beside, name)[:-1], rel=1e-12)


def test_a_strong_weekday_counts_for_more_clicks() -> None:
    index = np.ones(7)
    index[(60 + 3) % 7] = 1.5
    found = weighed(rows((60, 60), (61, 61)), Seasonality(index, ()))
    assert found.exposure == pytest.approx([1.5, 1.0])


def test_records_find_their_keyword_by_key_not_by_position() -> None:
    days = pd.to_datetime(["2026-01-02", "2026-01-03"]).as_unit("s")
    frame = pd.DataFrame({"entity_key": [7, 5], "first_day": days, "last_day": days}, index=[4, 2])
    sums = {name: [1.0, 2.0] for name in ("impressions", "clicks", "cost", "conversions", "value")}
    found = records(frame.assign(**sums), pd.Series([5, 6, 7], index=[9, 8, 7]))
    assert found.unit.tolist() == [2, 0]
    assert (found.last - found.last[0]).tolist() == [0, 1]


def test_a_slow_campaign_counts_its_recent_clicks_for_less() -> None:
    days = rows((98, 98), (50, 50))
    assert weighed(days, pace=2.0).exposure == pytest.approx([0.16, 1.0])


def test_what_is_due_of_late_is_the_exposure_of_late_days() -> None:
    found = weighed(rows((98, 98), (97, 97), (96, 96)))
    assert found.due == pytest.approx([0.4, 0.7, 0.0])


def test_a_days_orders_are_owed_to_earlier_clicks() -> None:
    """f is 0.05, 0.35, 0.3, 0.3: of the orders of one day 5 % stem from its own clicks."""
    days, due = order_dated_totals(np.array([90, 96]), np.array([0.0, 100.0]), RAMP, TODAY)
    assert days.tolist() == list(range(92, 100))
    assert due[-4:] == pytest.approx([5.0, 35.0, 30.0, 30.0])


def test_order_dated_clicks_sum_to_what_their_days_are_owed() -> None:
    told = rows(*((day, day) for day in range(80, 100)))
    found = order_dated_weights(told, TODAY, RAMP, None)
    _, due = order_dated_totals(told.first, told.clicks, RAMP, TODAY)
    assert found.exposure.sum() == pytest.approx(due.sum())
    assert found.due.sum() == pytest.approx(due[-3:].sum())


def test_an_order_dated_day_is_never_completed() -> None:
    """Every order of the last days counts; those of the first days belong to clicks unseen."""
    told = rows(*((day, day) for day in range(80, 100)))
    found = order_dated_weights(told, TODAY, RAMP, None)
    assert found.used.tolist() == [False] * 2 + [True] * 18
    assert found.exposure[-1] == pytest.approx(0.05)
    assert found.exposure[8] == pytest.approx(1.0)


def test_steady_order_dated_clicks_owe_every_day_alike() -> None:
    told = rows(*((day, day) for day in range(60, 100)))
    _, due = order_dated_totals(told.first, told.clicks, RAMP, TODAY)
    assert due == pytest.approx(np.ones(len(due)))


@pytest.mark.parametrize("spans", [[(99, 99)], [(40, 99)]])
def test_one_record_has_finite_weights(spans: list[tuple[int, int]]) -> None:
    for found in (weighed(rows(*spans)), order_dated_weights(rows(*spans), TODAY, RAMP, None)):
        assert np.isfinite([found.exposure, found.due, found.net_value]).all()


def order_dated_account(seed: int) -> tuple[Records, Completion, float]:
    """Forty days of growing clicks at 5 %, orders booked on their own day; ten days before unseen."""
    rng, lag = np.random.default_rng(seed), 1 - np.exp(-(np.arange(61) + 0.5) / 6)
    day = np.repeat(np.arange(50, 100), np.linspace(100, 500, 50).astype(int))
    bought = day[rng.random(len(day)) < 0.05]
    booked = bought + np.searchsorted(lag / lag[-1], rng.random(len(bought)))
    days = np.arange(60, 100)
    clicks, orders = (np.bincount(each, minlength=200)[days] for each in (day, booked))
    told = rows(*((one, one) for one in days))
    records_of = replace(told, clicks=clicks.astype(float), conversions=orders.astype(float))
    return records_of, Completion(lag / lag[-1], np.zeros(61), 0.0), 0.05


def test_order_dated_rates_are_right_where_click_dated_ones_would_not_be() -> None:
    ours, naive, completed = [], [], []
    for seed in range(20):
        told, lag, truth = order_dated_account(seed)
        found = order_dated_weights(told, TODAY, lag, None)
        wrong = exposure_weights(told, TODAY, (lags(lag), lags(lag)), ALONE, None, 0.1)
        counted = told.conversions[found.used].sum()
        ours.append(counted / (told.clicks @ found.exposure) / truth)
        naive.append(told.conversions.sum() / told.clicks.sum() / truth)
        completed.append(told.conversions.sum() / (told.clicks @ wrong.exposure) / truth)
    assert np.mean(ours) == pytest.approx(1.0, abs=0.03)
    assert np.mean(naive) < 0.93
    assert np.mean(completed) > 1.05
