"""Figures of a period: completed for late conversions, with honest intervals, spread over days."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from optimizer.outcomes.kpis import (
    Lag,
    Lateness,
    Span,
    completed_days,
    daily_figures,
    figures,
    inside,
    keyword_sums,
    luck,
    spans,
    worth_of,
)

AS_OF = date(2026, 3, 2)
NONE = np.zeros(0)
AT_ONCE = Lateness(Lag(NONE, NONE), Lag(NONE, NONE), 1.0, 0.8)
HALF_KNOWN = Lateness(
    Lag(np.array([0.5]), np.zeros(1)), Lag(np.array([0.5]), np.zeros(1)), 1.0, 0.8
)
WORTH = pd.DataFrame({"each": [40.0, 40.0], "kept": [0.5, 0.25]}, index=[1, 2])


def daily(*rows: tuple[int, str, str, float, float, float, float | None]) -> pd.DataFrame:
    names = ["entity_key", "first_day", "last_day", "clicks", "cost", "conversions", "value"]
    frame = pd.DataFrame(rows, columns=names).assign(impressions=100.0)
    stamps = {name: "datetime64[s]" for name in ("first_day", "last_day")}
    return frame.astype(stamps | {"value": "float64"})


def test_periods_lie_beside_each_other_or_a_year_of_weeks_apart() -> None:
    now, before = spans(AS_OF, 28, "previous")
    assert (now.first, now.last) == (date(2026, 2, 2), date(2026, 3, 1))
    assert (before.first, before.last) == (date(2026, 1, 5), date(2026, 2, 1))
    year = spans(AS_OF, 28, "year")[1]
    assert (now.first - year.first).days == 364
    assert year.days == 28
    assert year.first.weekday() == now.first.weekday()


def test_leap_day_counts_as_a_day() -> None:
    now, before = spans(date(2028, 3, 1), 1, "previous")
    assert (now.first, before.first) == (date(2028, 2, 29), date(2028, 2, 28))


def test_what_is_known_of_yesterday_is_completed_with_an_interval() -> None:
    rows = daily((1, "2026-03-01", "2026-03-01", 100, 50, 10, 400))
    days = completed_days(rows, AS_OF, HALF_KNOWN, WORTH)
    told = figures(days, Span(date(2026, 3, 1), date(2026, 3, 1)), AS_OF, HALF_KNOWN)
    orders = told["orders"]
    assert (orders.mean, orders.known) == (20.0, 10.0)
    assert orders.low is not None
    assert orders.high is not None
    # Ten known of a half: ten more with variance ten times a half over a quarter.
    assert orders.high - 20 == pytest.approx(1.2816 * np.sqrt(20), rel=1e-3)
    assert told["profit"].mean == pytest.approx(0.5 * 800 - 50)
    assert told["profit"].known == pytest.approx(0.5 * 400 - 50)
    assert told["roas"].mean == pytest.approx(16.0)
    assert told["cpa"].mean == pytest.approx(2.5)
    assert told["cpa"].low == pytest.approx(50 / orders.high)


def test_nothing_is_late_where_orders_have_their_own_day() -> None:
    rows = daily((1, "2026-03-01", "2026-03-01", 100, 50, 10, 400))
    days = completed_days(rows, AS_OF, AT_ONCE, WORTH)
    told = figures(days, Span(date(2026, 3, 1), date(2026, 3, 1)), AS_OF, AT_ONCE)
    assert (told["orders"].mean, told["orders"].low) == (10.0, None)


def test_interval_of_completed_orders_holds_eight_in_ten() -> None:
    rng, share, hits = np.random.default_rng(4), 0.6, 0
    late = Lateness(Lag(np.array([share]), np.zeros(1)), Lag(NONE, NONE), 1.0, 0.8)
    span = Span(date(2026, 3, 1), date(2026, 3, 1))
    for _ in range(400):
        orders = rng.poisson(60)
        known = rng.binomial(orders, share)
        rows = daily((1, "2026-03-01", "2026-03-01", 900, 50, known, 40.0 * known))
        told = figures(completed_days(rows, AS_OF, late, WORTH), span, AS_OF, late)["orders"]
        assert told.low is not None
        assert told.high is not None
        hits += told.low <= orders <= told.high
    assert 0.75 < hits / 400 < 0.86


def test_row_of_several_days_is_spread_and_keeps_its_sums() -> None:
    rows = daily((1, "2026-02-24", "2026-03-02", 70, 35, 7, 280))
    days = completed_days(rows, date(2026, 3, 3), AT_ONCE, WORTH)
    assert len(days) == 7
    assert days[["clicks", "cost", "orders", "value"]].sum().tolist() == pytest.approx(
        [70, 35, 7, 280]
    )
    part = inside(days, Span(date(2026, 3, 1), date(2026, 3, 2)))
    assert part["clicks"].sum() == pytest.approx(20)


def test_orders_without_values_are_worth_what_the_review_believes() -> None:
    rows = daily((1, "2026-03-01", "2026-03-01", 100, 50, 10, None))
    days = completed_days(rows, AS_OF, AT_ONCE, WORTH)
    assert days[["value", "margin"]].to_numpy().tolist() == [[400.0, 200.0]]


def test_keywords_the_plan_does_not_know_get_the_account_s_mean() -> None:
    plan = pd.DataFrame(
        {
            "entity_key": [1, 2],
            "rate_mean": [0.1, 0.1],
            "per_conversion_mean": [40.0, 60.0],
            "value_mean": [2.0, 1.5],
        }
    )
    told = worth_of(plan, np.array([1, 2, 9]))
    assert told.loc[1].tolist() == pytest.approx([40.0, 0.5])
    assert told.loc[9].tolist() == pytest.approx([50.0, 0.35])


def test_days_without_rows_are_gaps_and_another_period_can_be_laid_over() -> None:
    rows = daily((1, "2026-02-27", "2026-02-27", 10, 5, 1, 40))
    days = completed_days(rows, AS_OF, AT_ONCE, WORTH)
    told = daily_figures(days, Span(date(2026, 2, 27), date(2026, 2, 28)), shift=28)
    assert told["cost"].tolist() == pytest.approx([5.0, np.nan], nan_ok=True)
    assert told["profit"].iloc[0] == pytest.approx(15.0)
    assert told["day"].iloc[0] == pd.Timestamp("2026-03-27")


def test_sums_of_a_keyword_without_rows_are_zero() -> None:
    rows = daily((2, "2026-03-01", "2026-03-01", 10, 5, 1, 40))
    days = completed_days(rows, AS_OF, AT_ONCE, WORTH)
    assert keyword_sums(days, np.array([1, 2])).clicks.tolist() == [0.0, 10.0]


def test_luck_of_two_equal_periods_covers_their_difference() -> None:
    """Poisson orders whose amounts vary by .8: profit differs by less in about 80 of 100 pairs."""
    rng, inside_, both = np.random.default_rng(7), 0, spans(AS_OF, 1, "previous")
    shape = 1 / 0.8**2
    for _ in range(400):
        orders = rng.poisson(200, 2)
        value = [float(rng.gamma(shape, 40 / shape, n).sum()) for n in orders]
        rows = daily(
            (1, "2026-03-01", "2026-03-01", 900, 50, orders[0], value[0]),
            (1, "2026-02-28", "2026-02-28", 900, 50, orders[1], value[1]),
        )
        days = completed_days(rows, AS_OF, AT_ONCE, WORTH)
        inside_ += abs(0.5 * (value[0] - value[1])) < luck(days, both, AT_ONCE)
    assert 0.75 < inside_ / 400 < 0.86
