import numpy as np
import pytest

from optimizer.planning.flows import expected_flows, present_bids
from optimizer.planning.forecast import DayEffects, forecast_days, interval_of
from tests.planning.reviewed_shop import TODAY, shop

NAMES = ("spend", "clicks", "orders", "value", "profit")


def forecast(days=7, **asked):
    told = shop()
    return forecast_days(
        told.plan, told.context, told.rhythm, TODAY, days, **{"draws": 300, "seed": 5, **asked}
    )


def test_same_seed_same_bits_and_another_seed_others():
    first, again, other = forecast(), forecast(), forecast(seed=6)
    assert all(np.array_equal(getattr(first, name), getattr(again, name)) for name in NAMES)
    assert not np.array_equal(first.profit, other.profit)


def test_a_week_without_caps_is_seven_times_the_expected_day():
    told = shop()
    uncapped = forecast(draws=2000, caps=np.full(told.plan["campaign"].max() + 1, np.inf))
    mean = expected_flows(told.plan, present_bids(told.plan))
    assert uncapped.interval("clicks")[0] == pytest.approx(7 * mean.clicks.sum(), rel=0.15)
    assert uncapped.interval("orders")[0] == pytest.approx(7 * mean.orders.sum(), rel=0.15)


def test_no_day_costs_more_than_its_budget():
    free = forecast()
    budget = 0.8 * float(free.spend.mean())
    held = forecast(budget=budget)
    assert held.spend.max() <= budget + 1e-9
    assert np.array_equal(held.wanted, free.wanted)
    assert held.total("clicks").mean() < free.total("clicks").mean()


def test_keywords_that_are_off_bring_nothing():
    nothing = forecast(bids=np.zeros(len(shop().plan)))
    assert not nothing.spend.any()
    assert not nothing.orders.any()


def test_an_event_multiplies_volume_and_price():
    two, one = np.full((300, 7), 2.0), np.ones((300, 7))
    caps = np.full(shop().plan["campaign"].max() + 1, np.inf)
    usual = forecast(caps=caps)
    busy = forecast(caps=caps, effects=DayEffects(two, two, one))
    assert busy.total("spend").mean() == pytest.approx(4 * usual.total("spend").mean(), rel=0.05)


def test_no_days_are_no_forecast():
    with pytest.raises(ValueError):
        forecast(days=0)


def test_interval_of_known_draws():
    assert interval_of(np.arange(101.0), 0.8) == pytest.approx((50.0, 10.0, 90.0))


def test_forecast_starts_where_it_is_told():
    assert forecast(days=3).first_day == TODAY
    assert forecast(days=3).days == 3
