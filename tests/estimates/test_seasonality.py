from datetime import date

import numpy as np
import pytest

from optimizer.estimates.seasonality import categories, estimate_seasonality, event_days
from optimizer.settings import Event

WEEKEND = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.6, 1.6])
DAYS = np.arange(20_000, 20_140)
SALE = Event(name="sale", start=date(2024, 11, 8), end=date(2024, 11, 11))


def test_a_known_date_has_its_weekday() -> None:
    sunday = (date(2024, 11, 10) - date(1970, 1, 1)).days
    assert categories(np.array([sunday]), ()).tolist() == [6]


def test_a_weekend_pattern_is_recovered() -> None:
    clicks = np.full(len(DAYS), 4000.0)
    orders = np.random.default_rng(0).poisson(0.03 * clicks * WEEKEND[categories(DAYS, ())])
    found = estimate_seasonality(DAYS, orders.astype(float), clicks)
    assert found.index == pytest.approx(WEEKEND / WEEKEND.mean(), rel=0.05)


def test_few_orders_leave_the_index_near_one() -> None:
    orders = np.where(categories(DAYS, ()) == 2, 1.0, 0.0)
    found = estimate_seasonality(DAYS, orders, np.full(len(DAYS), 50.0))
    assert (np.abs(found.index - 1) < 0.6).all()


def test_an_event_has_its_own_index_and_teaches_no_weekday() -> None:
    first, last = event_days([SALE])[0]
    days = np.arange(first - 70, last + 70)
    inside = (days >= first) & (days <= last)
    found = estimate_seasonality(
        days, np.where(inside, 300.0, 100.0), np.full(len(days), 3000.0), [SALE]
    )
    assert found.index[:7] == pytest.approx(np.ones(7), abs=0.01)
    assert found.at(np.array([first]))[0] == pytest.approx(3.0, rel=0.02)


def test_nothing_seen_is_a_flat_season() -> None:
    nothing = np.zeros(len(DAYS))
    found = estimate_seasonality(DAYS, nothing, nothing)
    assert found.index == pytest.approx(np.ones(7))
