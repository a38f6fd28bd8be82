"""Indices of the conversion rate by weekday and event, pooled over the account and shrunk to 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.estimates.posteriors import Floats, Ints, group_sum
from optimizer.settings import Event

_WEEKDAYS = 7
_WEEKDAY_STRENGTH = 30.0
_EVENT_STRENGTH = 5.0
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday


@dataclass(frozen=True)
class Seasonality:
    """`index[c]` multiplies the conversion rate on days of category c: 0-6 Monday to Sunday, then events."""

    index: Floats
    events: tuple[tuple[int, int], ...]

    def at(self, day: Ints) -> Floats:
        """Index of each day, given as days since 1970-01-01."""
        return self.index[categories(day, self.events)]


def event_days(events: Sequence[Event]) -> tuple[tuple[int, int], ...]:
    """First and last day of each event, as days since 1970-01-01."""
    epoch = np.datetime64("1970-01-01")
    return tuple(
        (
            int((np.datetime64(event.start) - epoch).astype(int)),
            int((np.datetime64(event.end) - epoch).astype(int)),
        )
        for event in events
    )


def categories(day: Ints, events: tuple[tuple[int, int], ...]) -> Ints:
    """Weekday of each day, or 7 + i inside event i: a sale day does not teach its weekday."""
    found = (day + _EPOCH_WEEKDAY) % _WEEKDAYS
    for number, (first, last) in enumerate(events):
        found = np.where((day >= first) & (day <= last), _WEEKDAYS + number, found)
    return found


def estimate_seasonality(
    day: Ints, conversions: Floats, exposure: Floats, events: Sequence[Event] = ()
) -> Seasonality:
    """Gamma-Poisson index per category from account totals per day; ordinary days average 1.

    `exposure` is completed clicks. A weekday's index is shrunk to 1 by 30 expected conversions.
    """
    spans = event_days(events)
    kind = categories(day, spans)
    count = _WEEKDAYS + len(spans)
    ordinary = kind < _WEEKDAYS
    rate = conversions[ordinary].sum() / max(exposure[ordinary].sum(), 1e-12)
    strength = np.where(np.arange(count) < _WEEKDAYS, _WEEKDAY_STRENGTH, _EVENT_STRENGTH)
    seen = group_sum(kind, conversions, count)
    expected = rate * group_sum(kind, exposure, count)
    index = (strength + seen) / (strength + expected)
    weight = group_sum(kind[ordinary], exposure[ordinary], _WEEKDAYS)[:_WEEKDAYS]
    if weight.sum() > 0:
        index = index / np.average(index[:_WEEKDAYS], weights=weight)
    return Seasonality(index, spans)
