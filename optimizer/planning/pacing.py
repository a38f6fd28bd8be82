"""A period's money or result, day by day: the corridor, the next day's budget, and where the month lands.

A day that ran into its budget says only that demand was at least the budget: it is overload, not a
day on pace. Demand is therefore learnt with such days censored (Tobin 1958), or the controller would
starve an account whose budget is too small to show what it could spend.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import special

from optimizer.errors import Infeasible, RefusedInput
from optimizer.estimates.exposure import day_number
from optimizer.estimates.posteriors import Bools, Floats
from optimizer.planning.forecast import DayForecast, interval_of

Kind = Literal["spend", "value", "orders", "profit"]
KINDS: tuple[Kind, ...] = ("spend", "value", "orders", "profit")
CAPPED_SHARE = 0.95
"""A day that cost at least this share of its budget ran into it."""

_LEVEL_SD = 0.3
_CENSORED = 0.3
"""What a censored day tells of the level, beside a day that was not."""

_ROUNDS = 60
_WIDE, _NARROW = 0.25, 0.02
_SPENT_WELL = 0.05


@dataclass(frozen=True)
class Period:
    """What is to be reached from `first` to `last`: `amount` of `kind` in all."""

    first: date
    last: date
    kind: Kind
    amount: float

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1


def month_of(day: date, kind: Kind, amount: float) -> Period:
    """The calendar month that `day` is in."""
    first = day.replace(day=1)
    after = (first + timedelta(days=32)).replace(day=1)
    return Period(first, after - timedelta(days=1), kind, amount)


def checked_period(period: Period, today: date) -> Period:
    """`period` itself. Raises `RefusedInput` naming an amount, a kind or days that cannot be."""
    if period.kind not in KINDS:
        raise RefusedInput("target_kind_unknown", kind=period.kind, known=list(KINDS))
    if not (math.isfinite(period.amount) and period.amount > 0):
        raise RefusedInput("target_not_positive", kind=period.kind, target=period.amount)
    if not period.first <= today <= period.last:
        raise RefusedInput(
            "period_not_running",
            first=period.first.isoformat(),
            last=period.last.isoformat(),
            nearest=min(max(today, period.first), period.last).isoformat(),
        )
    return period


def demand_level(
    spent: Floats, expected: Floats, budget: Floats, sd: Floats | float
) -> tuple[float, float, int]:
    """Demand over what was expected: level, standard deviation of its logarithm, capped days.

    Days (or campaign-days) are lognormal around level·expected with `sd`; those that ran into
    `budget` (inf: none) are known to have wanted at least it. The prior level is 1, known to 30 %.
    EM of a censored normal.
    """
    known = (spent > 0) & (expected > 0)
    spent, expected, budget = spent[known], expected[known], budget[known]
    capped: Bools = spent >= CAPPED_SHARE * budget
    noise: Floats = np.maximum(np.broadcast_to(sd, known.shape)[known], 0.05)
    seen = np.log(np.where(capped, np.minimum(spent, budget), spent) / expected)
    level, prior = 0.0, 1 / _LEVEL_SD**2
    precision = prior + float((1 / noise**2).sum())
    for _ in range(_ROUNDS):
        believed = np.where(capped, _mean_above(seen, level, noise), seen)
        level = float((believed / noise**2).sum() / precision)
    informed = prior + float((np.where(capped, _CENSORED, 1.0) / noise**2).sum())
    return math.exp(level), math.sqrt(1 / informed), int(capped.sum())


def _mean_above(floor: Floats, mean: float, sd: Floats) -> Floats:
    """Mean of a normal that is known to lie above `floor`."""
    z = (floor - mean) / sd
    density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    result: Floats = mean + sd * density / np.maximum(special.ndtr(-z), 1e-12)
    return np.maximum(result, floor)


def day_shares(index: Floats) -> Floats:
    """Each day's share of the period by what such a day usually costs."""
    result: Floats = index / index.sum()
    return result


def corridor(period: Period, shares: Floats) -> pd.DataFrame:
    """Cumulative path and its bounds per day: a quarter off at the start, two per cent at the end.

    Columns `day` (date), `path`, `low`, `high`, in the unit of the period's amount.
    """
    done = np.cumsum(shares)
    width = _WIDE + (_NARROW - _WIDE) * done
    path = period.amount * done
    days = pd.date_range(period.first, period.last, freq="D")
    return pd.DataFrame(
        {"day": days, "path": path, "low": path * (1 - width), "high": path * (1 + width)}
    )


@dataclass(frozen=True)
class Landing:
    """Where the period ends: (mean, low, high) of its total, and the chance of reaching the amount.

    Of a spend target the chance is that of ending within five per cent of it. `per_day` is what is
    left per remaining day, `today` the next day's part of it; `demand` what the bids would spend per
    remaining day without any budget, `level` demand over what the review expected, `capped_days` those
    that ran into their budget. `alarms` are codes with fields.
    """

    total: tuple[float, float, float]
    chance: float
    per_day: float
    today: float
    demand: float
    level: float
    capped_days: int
    alarms: tuple[dict[str, Any], ...]


def day_budgets(left: float, shares: Floats) -> Floats:
    """What is left, spread over the remaining days by their shares."""
    result: Floats = max(left, 0.0) * shares / max(float(shares.sum()), 1e-12)
    return result


def land(
    period: Period,
    so_far: float,
    ahead: DayForecast | None,
    path: pd.DataFrame,
    shares: Floats,
    level: tuple[float, float, int],
    interval: float,
) -> Landing:
    """The period's end from what is known `so_far` and the draws of the days `ahead` (None: over)."""
    done = len(shares) - (ahead.days if ahead is not None else 0)
    total = np.array([so_far]) if ahead is None else so_far + ahead.total(period.kind)
    told = interval_of(total, interval)
    reached = total >= period.amount
    if period.kind == "spend":
        reached = np.abs(total / period.amount - 1) <= _SPENT_WELL
    rest = day_budgets(period.amount - so_far, shares[done:])
    wanted = 0.0 if ahead is None else float(ahead.wanted.mean())
    return Landing(
        told,
        float(reached.mean()),
        float(rest.mean()) if len(rest) else 0.0,
        float(rest[0]) if len(rest) else 0.0,
        wanted,
        level[0],
        level[2],
        tuple(_alarms(period, so_far, path, done, level[2], told)),
    )


def _alarms(
    period: Period,
    so_far: float,
    path: pd.DataFrame,
    done: int,
    capped: int,
    total: tuple[float, float, float],
) -> Sequence[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if done:
        at = path.iloc[done - 1]
        ends = {"low": float(at["low"]), "high": float(at["high"]), "so_far": so_far}
        if so_far > at["high"]:
            found.append({"code": "pace_above", "kind": period.kind, **ends})
        elif so_far < at["low"]:
            found.append({"code": "pace_below", "kind": period.kind, **ends})
    if capped:
        found.append({"code": "budget_overload", "days": capped})
    if total[2] < period.amount * (1 - _SPENT_WELL):
        found.append(
            {
                "code": "landing_short",
                "kind": period.kind,
                "high": total[2],
                "target": period.amount,
            }
        )
    return found


def refuse_out_of_reach(period: Period, so_far: float, most: float) -> None:
    """Raise `Infeasible` where even `most`, the best the curves allow, leaves the target unmet."""
    if so_far + most < period.amount:
        raise Infeasible(
            "month_target_unreachable",
            kind=period.kind,
            target=period.amount,
            first=period.first.isoformat(),
            last=period.last.isoformat(),
            nearest=so_far + most,
        )


def spent_in(period: Period, days: pd.DataFrame) -> pd.DataFrame:
    """The days of the period that `days` (from `rhythm.account_days`) tells of."""
    day = days["day"]
    inside = (day >= day_number(period.first)) & (day <= day_number(period.last))
    return days[inside]
