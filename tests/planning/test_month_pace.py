"""Money of a month against its corridor."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from optimizer.estimates.exposure import day_number
from optimizer.planning.month_pace import month_pace, paced_period
from optimizer.settings import PeriodBudget

AS_OF = date(2026, 4, 21)
CONTEXT = {
    "as_of": AS_OF.isoformat(),
    "completion": [1.0],
    "days": {"sd": 0.1, "autocorrelation": 0.0},
}


def days(per_day: float, first: date = date(2026, 3, 1), gap: int | None = None) -> pd.DataFrame:
    """The same cost every day up to yesterday; `gap`: a day of April that no report tells of."""
    last = AS_OF - timedelta(days=1)
    numbers = np.arange(day_number(first), day_number(last) + 1)
    frame = pd.DataFrame({"day": numbers, "clicks": 10.0, "cost": per_day, "conversions": 1.0})
    return frame if gap is None else frame[numbers != day_number(date(2026, 4, gap))]


def test_account_at_its_budget_is_on_pace() -> None:
    period = paced_period(AS_OF, 100.0, None)
    assert period is not None
    assert (period.first, period.last, period.amount) == (
        date(2026, 4, 1),
        date(2026, 4, 30),
        3000.0,
    )
    found = month_pace(days(100.0), CONTEXT, period)
    assert (found.so_far, found.until, found.alert) == (2000.0, date(2026, 4, 20), None)
    assert found.days["actual"].isna().sum() == 10


@pytest.mark.parametrize(("per_day", "code"), [(140.0, "month_ahead"), (60.0, "month_behind")])
def test_account_off_its_corridor_is_told(per_day: float, code: str) -> None:
    period = paced_period(AS_OF, 100.0, None)
    assert period is not None
    found = month_pace(days(per_day), CONTEXT, period)
    assert found.alert is not None
    assert (found.alert["code"], found.alert["so_far"]) == (code, pytest.approx(20 * per_day))


def test_day_without_report_cost_nothing() -> None:
    period = paced_period(AS_OF, 100.0, None)
    assert period is not None
    assert month_pace(days(100.0, gap=5), CONTEXT, period).so_far == pytest.approx(1900.0)


def test_first_of_a_month_still_tells_of_the_month_before() -> None:
    period = paced_period(date(2026, 5, 1), 100.0, None)
    assert period is not None
    assert period.last == date(2026, 4, 30)


def test_stated_period_stands_instead_of_the_month_while_it_runs() -> None:
    stated = PeriodBudget(amount=500.0, first=date(2026, 4, 10), last=date(2026, 4, 25))
    period = paced_period(AS_OF, 100.0, stated)
    assert period is not None
    assert (period.first, period.days, period.amount) == (date(2026, 4, 10), 16, 500.0)
    later = paced_period(date(2026, 5, 3), 100.0, stated)
    assert later is not None
    assert later.first == date(2026, 5, 1)


def test_nothing_known_or_no_money_is_no_pace() -> None:
    assert paced_period(AS_OF, 0.0, None) is None
    period = paced_period(AS_OF, 100.0, None)
    assert period is not None
    found = month_pace(days(100.0).iloc[:5], CONTEXT, period)
    assert (found.until, found.alert) == (None, None)
