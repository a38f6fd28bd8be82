from datetime import date

import numpy as np
import pytest

from optimizer.errors import Infeasible, RefusedInput
from optimizer.planning.forecast import DayForecast
from optimizer.planning.pacing import (
    Period,
    checked_period,
    corridor,
    day_budgets,
    day_shares,
    demand_level,
    land,
    month_of,
    refuse_out_of_reach,
)

JULY = Period(date(2026, 7, 1), date(2026, 7, 31), "spend", 3100.0)
EVEN = day_shares(np.ones(31))


def ahead(days, per_day, draws=200):
    rng = np.random.default_rng(0)
    spend = per_day * np.exp(0.1 * rng.standard_normal((draws, days)))
    return DayForecast(date(2026, 7, 11), *(spend for _ in range(6)))


def test_the_month_of_a_day():
    assert month_of(date(2026, 2, 10), "spend", 1.0).last == date(2026, 2, 28)
    assert month_of(date(2026, 12, 31), "spend", 1.0).days == 31


def test_the_corridor_narrows_to_the_target():
    told = corridor(JULY, EVEN)
    width = (told["high"] - told["low"]) / told["path"]
    assert told["path"].iloc[-1] == pytest.approx(3100.0)
    assert width.is_monotonic_decreasing
    assert width.iloc[-1] == pytest.approx(0.04)


def test_a_capped_day_is_overload_and_not_a_day_on_pace():
    """Ten days at their budget of 80 while 100 was expected: demand is not 0.8."""
    spent, expected = np.full(10, 80.0), np.full(10, 100.0)
    level, _, capped = demand_level(spent, expected, np.full(10, 80.0), 0.2)
    naive, _, none = demand_level(spent, expected, np.full(10, np.inf), 0.2)
    assert (capped, none) == (10, 0)
    assert naive == pytest.approx(0.8, abs=0.03)
    assert level > 0.9


def test_demand_is_learnt_through_the_cap():
    rng = np.random.default_rng(2)
    wanted = 130.0 * np.exp(0.2 * rng.standard_normal(400))
    spent = np.minimum(wanted, 125.0)
    level, sd, _ = demand_level(spent, np.full(400, 100.0), np.full(400, 125.0), 0.2)
    assert level == pytest.approx(1.3, abs=0.04)
    assert sd < 0.02


def test_no_days_leave_the_prior():
    assert demand_level(np.zeros(0), np.zeros(0), np.zeros(0), 0.1)[0] == 1.0


def test_what_is_left_is_spread_by_shares_and_spent_to_the_last_unit():
    budgets = day_budgets(300.0, np.array([0.1, 0.2, 0.1]))
    assert budgets.sum() == pytest.approx(300.0)
    assert budgets[1] == pytest.approx(150.0)
    assert day_budgets(-5.0, np.ones(3)).sum() == 0.0


@pytest.mark.parametrize(
    ("so_far", "code"), [(1000.0, None), (2000.0, "pace_above"), (400.0, "pace_below")]
)
def test_leaving_the_corridor_is_an_alarm(so_far, code):
    found = land(JULY, so_far, ahead(21, 100.0), corridor(JULY, EVEN), EVEN, (1.0, 0.1, 0), 0.8)
    codes = {one["code"] for one in found.alarms}
    assert (code in codes) if code else not codes & {"pace_above", "pace_below"}


def test_landing_on_target_is_likely_and_far_from_it_is_not():
    good = land(JULY, 1000.0, ahead(21, 100.0), corridor(JULY, EVEN), EVEN, (1.0, 0.1, 0), 0.8)
    bad = land(JULY, 400.0, ahead(21, 60.0), corridor(JULY, EVEN), EVEN, (1.0, 0.1, 3), 0.8)
    assert good.chance > 0.9
    assert good.total[1] < 3100 < good.total[2]
    assert bad.chance < 0.01
    assert {"landing_short", "budget_overload"} <= {one["code"] for one in bad.alarms}
    assert bad.per_day == pytest.approx(2700 / 21)


def test_a_finished_month_lands_where_it_is():
    found = land(JULY, 3000.0, None, corridor(JULY, EVEN), EVEN, (1.0, 0.1, 0), 0.8)
    assert found.total == (3000.0, 3000.0, 3000.0)
    assert found.chance == 1.0


@pytest.mark.parametrize(
    ("period", "code"),
    [
        (Period(JULY.first, JULY.last, "spend", 0.0), "target_not_positive"),
        (Period(JULY.first, JULY.last, "spend", float("nan")), "target_not_positive"),
        (Period(JULY.first, JULY.last, "fame", 10.0), "target_kind_unknown"),
        (Period(date(2026, 8, 1), date(2026, 8, 31), "spend", 10.0), "period_not_running"),
    ],
)
def test_impossible_periods_are_refused_by_name(period, code):
    with pytest.raises(RefusedInput) as caught:
        checked_period(period, date(2026, 7, 11))
    assert caught.value.code == code


def test_a_target_beyond_the_curves_names_what_can_be_reached():
    with pytest.raises(Infeasible) as caught:
        refuse_out_of_reach(JULY, 1000.0, 2000.0)
    assert caught.value.fields["nearest"] == 3000.0
    refuse_out_of_reach(JULY, 1000.0, 2100.0)
