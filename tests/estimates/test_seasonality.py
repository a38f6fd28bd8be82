from datetime import date

import numpy as np
import pytest

from optimizer.estimates.seasonality import (
    AFTER,
    EVENT,
    ORDINARY,
    WARMUP,
    categories,
    estimate_seasonality,
    event_days,
    phases,
)
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


def around(level: dict[int, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ten weeks on either side of the sale: days, orders at `level` per phase, clicks."""
    warmup, _, _, after = event_days([SALE])[0]
    days = np.arange(warmup - 70, after + 70)
    factor = np.array([level.get(phase, 1.0) for phase in phases(days, event_days([SALE]))])
    return days, 100.0 * factor, np.full(len(days), 3000.0)


def test_a_sale_teaches_no_ordinary_day() -> None:
    """Nor do the warm-up, when people fill carts, and the slump after it."""
    level = {WARMUP: 0.5, EVENT: 3.0, AFTER: 0.7}
    found = estimate_seasonality(*around(level), [SALE])
    assert found.index[:7] == pytest.approx(np.ones(7), abs=0.01)
    assert found.index[7:] == pytest.approx([0.5, 3.0, 0.7], rel=0.05)


def test_even_an_unmarked_sale_hardly_moves_the_week() -> None:
    """Four days at six times the level make the days unlike, so that none of them tells much."""
    days, orders, clicks = around({EVENT: 6.0})
    raw = np.bincount(categories(days, ()), orders) / (orders.sum() / 7)
    assert np.ptp(estimate_seasonality(days, orders, clicks).index) < 0.1 * np.ptp(raw)


def test_the_days_of_a_sale_go_before_the_warm_up_of_another() -> None:
    again = SALE.model_copy(update={"start": date(2024, 11, 12), "end": date(2024, 11, 13)})
    days = np.arange(-8, 15) + event_days([SALE])[0][1]
    found = phases(days, event_days([SALE, again]))
    expected = [ORDINARY, *[WARMUP] * 7, *[EVENT] * 6, *[AFTER] * 7, *[ORDINARY] * 2]
    assert found.tolist() == expected


def test_a_sale_to_come_resembles_those_that_were() -> None:
    later = SALE.model_copy(update={"start": date(2025, 11, 8), "end": date(2025, 11, 11)})
    found = estimate_seasonality(*around({EVENT: 3.0}), [SALE, later])
    assert found.index[11] == pytest.approx(3.0, rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_a_flat_week_stays_flatter_than_its_raw_ratios(seed: int) -> None:
    clicks = np.full(len(DAYS), 300.0)
    orders = np.random.default_rng(seed).poisson(0.03 * clicks).astype(float)
    raw = np.bincount(categories(DAYS, ()), orders) / (orders.sum() / 7)
    found = estimate_seasonality(DAYS, orders, clicks).index
    assert np.abs(found - 1).mean() < 0.6 * np.abs(raw - 1).mean()


def test_days_that_jump_together_tell_less() -> None:
    """The same orders under daily shocks leave the week nearer to flat."""
    rng, clicks = np.random.default_rng(1), np.full(len(DAYS), 20_000.0)
    shocks = rng.gamma(4, 0.25, len(DAYS))
    wild = rng.poisson(600 * shocks).astype(float)
    found = estimate_seasonality(DAYS, wild, clicks).index
    raw = np.bincount(categories(DAYS, ()), wild) / (wild.sum() / 7)
    assert np.abs(found - 1).max() < 0.7 * np.abs(raw - 1).max()


def test_only_sale_days_are_a_flat_season() -> None:
    first, last = event_days([SALE])[0][1:3]
    days = np.arange(first, last + 1)
    found = estimate_seasonality(days, np.ones(len(days)), np.full(len(days), 9.0), [SALE])
    assert found.index.tolist() == [1.0] * 10


def test_nothing_seen_is_a_flat_season() -> None:
    nothing = np.zeros(len(DAYS))
    found = estimate_seasonality(DAYS, nothing, nothing)
    assert found.index == pytest.approx(np.ones(7))
