"""Whether an account spends its money at the pace of its month, or of a period that its settings state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from optimizer.estimates.exposure import day_number
from optimizer.planning.forecast import day_index
from optimizer.planning.pacing import Period, corridor, day_shares, month_of, spent_in
from optimizer.planning.rhythm import learn_rhythm
from optimizer.settings import Event, PeriodBudget


@dataclass(frozen=True)
class Pace:
    """Money of a period: the corridor by day (`day`, `path`, `low`, `high`, cumulative `actual` where
    known), `so_far` until `until`, and the `alert` (code with fields) where that is outside."""

    period: Period
    days: pd.DataFrame
    so_far: float
    until: date | None
    alert: Mapping[str, Any] | None


def paced_period(as_of: date, per_day: float, stated: PeriodBudget | None) -> Period | None:
    """The stated period that yesterday is in, else its calendar month at `per_day`; None without money."""
    last = as_of - timedelta(days=1)
    if stated is not None and stated.first <= last <= stated.last:
        return _with_money(Period(stated.first, stated.last, "spend", stated.amount))
    month = month_of(last, "spend", 0.0)
    return _with_money(Period(month.first, month.last, "spend", per_day * month.days))


def _with_money(period: Period) -> Period | None:
    return period if period.amount > 0 else None


def month_pace(
    days: pd.DataFrame,
    context: Mapping[str, Any],
    period: Period,
    events: Sequence[Event] = (),
) -> Pace:
    """The pace of `days` (from `rhythm.account_days`) in `period`, by what each weekday usually costs.

    A day between reported ones that no report tells of cost nothing.
    """
    rhythm = learn_rhythm(days, context, events)
    shares = day_shares(rhythm.spend_index(day_index(period.first, period.days)))
    path = corridor(period, shares)
    seen = spent_in(period, days)
    at = seen["day"].to_numpy(np.int64) - day_number(period.first)
    if not len(at):
        return Pace(period, path.assign(actual=np.nan), 0.0, None, None)
    known = int(at.max()) + 1
    spent = np.zeros(known)
    spent[at] = seen["cost"].to_numpy(np.float64)
    actual = np.full(period.days, np.nan)
    actual[:known] = np.cumsum(spent)
    so_far, until = float(actual[known - 1]), period.first + timedelta(days=known - 1)
    row = path.iloc[known - 1]
    alert = _alert(so_far, float(row["low"]), float(row["high"]))
    return Pace(period, path.assign(actual=actual), so_far, until, alert)


def _alert(so_far: float, low: float, high: float) -> dict[str, Any] | None:
    if low <= so_far <= high:
        return None
    code = "month_ahead" if so_far > high else "month_behind"
    return {"code": code, "so_far": so_far, "low": low, "high": high}
