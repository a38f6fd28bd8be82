"""How the days of an account differ: weekdays of clicks, price and conversion, and whole-day shocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from optimizer.estimates.exposure import day_number
from optimizer.estimates.posteriors import Floats, Ints
from optimizer.estimates.seasonality import estimate_seasonality, event_days, phases
from optimizer.settings import Event

_WEEK = 7
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday
_LEAST_COMPLETION = 0.1


@dataclass(frozen=True)
class Rhythm:
    """Indices Monday to Sunday that average 1; `sd` of log demand of whole days, and how it carries over.

    `spend_low` and `spend_high` are the least and most that an ordinary day has cost; `days` how many
    were seen.
    """

    clicks: Floats
    cpc: Floats
    conversions: Floats
    sd: float
    autocorrelation: float
    spend_low: float
    spend_high: float
    days: int

    def spend_index(self, day: Ints) -> Floats:
        """What each day costs over an average one, days as days since 1970-01-01."""
        at = weekday(day)
        result: Floats = self.clicks[at] * self.cpc[at]
        return result


def weekday(day: Ints) -> Ints:
    """0 is Monday."""
    return (day + _EPOCH_WEEKDAY) % _WEEK


def account_days(daily: pd.DataFrame) -> pd.DataFrame:
    """Sums per day (`day` as days since 1970-01-01) of a frame like KEYWORD_DAILY.

    Records of several days do not tell a day's own and are left out; a day without any record is a
    gap, not a day of zeros.
    """
    single = daily[daily["first_day"] == daily["last_day"]]
    day = single["first_day"].to_numpy().astype("datetime64[D]").astype(np.int64)
    named = single[["clicks", "cost", "conversions", "value"]].astype("float64").assign(day=day)
    return named.groupby("day", sort=True).sum(min_count=1).reset_index()


def learn_rhythm(
    days: pd.DataFrame, context: Mapping[str, Any], events: Sequence[Event] = ()
) -> Rhythm:
    """Rhythm of `days` (from `account_days`); event days teach no weekday.

    Clicks are compared with the seven days around them, orders with clicks that are completed by the
    run's F(age). Where there are few days all indices are near 1.
    """
    day = days["day"].to_numpy(dtype=np.int64)
    clicks, cost, orders = (
        days[name].to_numpy(dtype=np.float64) for name in ("clicks", "cost", "conversions")
    )
    known = context["days"]
    price = cost.sum() / max(clicks.sum(), 1e-12)
    known_share = _completion(day, context)
    told = known_share >= _LEAST_COMPLETION
    ordinary = phases(day, event_days(events)) == 0
    spent = cost[ordinary] if ordinary.any() else cost
    return Rhythm(
        _weekly(day, clicks, _around(day, clicks), events),
        _weekly(day, cost / max(price, 1e-12), clicks, events),
        _weekly(day[told], orders[told], (clicks * known_share)[told], events),
        float(known["sd"]),
        float(known["autocorrelation"]),
        float(spent.min(initial=np.inf)) if len(spent) else 0.0,
        float(spent.max(initial=0.0)),
        len(day),
    )


def _weekly(day: Ints, seen: Floats, due: Floats, events: Sequence[Event]) -> Floats:
    found = estimate_seasonality(day, seen, due, events) if len(day) else None
    return np.ones(_WEEK) if found is None else found.index[:_WEEK]


def _around(day: Ints, amount: Floats) -> Floats:
    """Mean of each day and the three known ones on either side of it."""
    running = np.concatenate([[0.0], np.cumsum(amount)])
    first = np.searchsorted(day, day - 3)
    last = np.searchsorted(day, day + 3, side="right")
    result: Floats = (running[last] - running[first]) / np.maximum(last - first, 1)
    return result


def _completion(day: Ints, context: Mapping[str, Any]) -> Floats:
    """Share of each day's orders that was known on the run's day."""
    known = np.array([*context["completion"], 1.0], dtype=np.float64)
    age = day_number(pd.Timestamp(context["as_of"]).date()) - 1 - day
    result: Floats = known[np.clip(age, 0, len(known) - 1)]
    return result
