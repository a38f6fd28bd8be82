"""Indices of the conversion rate by weekday and event phase, pooled over the account and shrunk.

Weekdays are shrunk to 1 and each event's phase to what that phase was in other events. The spread
between weekdays comes from the data by moments, beside a stated one; an event day, its warm-up (put
in the cart, not bought) and the slump after it teach no weekday.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.estimates.posteriors import Floats, Ints, group_sum
from optimizer.settings import Event

ORDINARY, WARMUP, EVENT, AFTER = range(4)
_WEEKDAYS = 7
_PHASES = 3
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday
_WEEKDAY_TAU2 = 0.01
_PRIOR_WEEKDAYS = 2.0
_PHASE_TAU2 = 0.25
_EVENT_TAU2 = 0.1
_DISPERSION_STRENGTH = 20.0
_ITERATIONS = 10

Spans = tuple[tuple[int, int, int, int], ...]
"""Per event: first day of the warm-up, first and last day of the event, last day after it."""


@dataclass(frozen=True)
class Seasonality:
    """`index[c]` multiplies the conversion rate on days of category c.

    0-6 are Monday to Sunday; 7 + 3i, 8 + 3i and 9 + 3i warm-up, days and aftermath of event i.
    """

    index: Floats
    events: Spans

    def at(self, day: Ints) -> Floats:
        """Index of each day, given as days since 1970-01-01."""
        return self.index[categories(day, self.events)]


def event_days(events: Sequence[Event]) -> Spans:
    """The days of each event, as days since 1970-01-01."""
    epoch = np.datetime64("1970-01-01")
    spans = []
    for event in events:
        first = int((np.datetime64(event.start) - epoch).astype(int))
        last = int((np.datetime64(event.end) - epoch).astype(int))
        spans.append((first - event.warmup_days, first, last, last + event.after_days))
    return tuple(spans)


def categories(day: Ints, events: Spans) -> Ints:
    """Weekday of each day, or 7 + 3i + phase - 1 near event i; the days of an event go first."""
    found = (day + _EPOCH_WEEKDAY) % _WEEKDAYS
    for number, (warmup, first, last, after) in enumerate(events):
        own = _WEEKDAYS + _PHASES * number
        found = np.where((day >= warmup) & (day < first), own, found)
        found = np.where((day > last) & (day <= after), own + 2, found)
    for number, (_, first, last, _) in enumerate(events):
        inside = (day >= first) & (day <= last)
        found = np.where(inside, _WEEKDAYS + _PHASES * number + 1, found)
    return found


def phases(day: Ints, events: Spans) -> Ints:
    """ORDINARY, WARMUP, EVENT or AFTER."""
    kind = categories(day, events)
    return np.where(kind < _WEEKDAYS, ORDINARY, (kind - _WEEKDAYS) % _PHASES + 1)


def estimate_seasonality(
    day: Ints, conversions: Floats, exposure: Floats, events: Sequence[Event] = ()
) -> Seasonality:
    """Gamma-Poisson index per category from account totals per day; ordinary days average 1.

    `exposure` is completed clicks, one entry per day. Without ordinary days every index is 1.
    """
    spans = event_days(events)
    kind = categories(day, spans)
    count = _WEEKDAYS + _PHASES * len(spans)
    ordinary = kind < _WEEKDAYS
    exposed = float(exposure[ordinary].sum())
    if exposed <= 0:
        return Seasonality(np.ones(count), spans)
    rate = max(float(conversions[ordinary].sum()), 0.0) / exposed
    scale = _dispersion(conversions[ordinary], rate * exposure[ordinary], kind[ordinary])
    seen = np.maximum(group_sum(kind, conversions, count), 0.0) / scale
    expected = rate * group_sum(kind, exposure, count) / scale
    weekdays = _weekday_index(seen[:_WEEKDAYS], expected[:_WEEKDAYS])
    weekdays = weekdays / np.average(weekdays, weights=_weights(expected[:_WEEKDAYS]))
    phase = _event_index(seen[_WEEKDAYS:], expected[_WEEKDAYS:])
    return Seasonality(np.concatenate([weekdays, phase]), spans)


def _weights(expected: Floats) -> Floats:
    return expected if expected.sum() > 0 else np.ones(len(expected))


def _dispersion(conversions: Floats, expected: Floats, kind: Ints) -> float:
    """How much more totals of like days vary than Poisson counts, at least 1.

    Shocks of whole days make 30 orders of one Sunday tell less than 30 independent ones.
    """
    seen = group_sum(kind, conversions, _WEEKDAYS)
    likely = group_sum(kind, expected, _WEEKDAYS)
    ratio = np.divide(seen, likely, out=np.ones(_WEEKDAYS), where=likely > 0)
    residual = float(((conversions - ratio[kind] * expected) ** 2).sum())
    share = np.divide(expected, likely[kind], out=np.zeros(len(kind)), where=likely[kind] > 0)
    freedom = float((ratio[kind] * expected * (1 - share)).sum())
    return max((residual + _DISPERSION_STRENGTH) / (freedom + _DISPERSION_STRENGTH), 1.0)


def _weekday_index(seen: Floats, expected: Floats) -> Floats:
    """Shrunk to 1 with the spread that iterated moments find between weekdays.

    A stated 10 % worth two well-known weekdays keeps few orders from inventing a pattern.
    """
    tau2 = _WEEKDAY_TAU2
    for _ in range(_ITERATIONS):
        w = 1.0 / (1.0 + tau2 * expected) ** 2
        information = w * expected**2
        total = max(float(information.sum()), 1e-300)
        typical = float((information**2).sum()) / total
        prior = _PRIOR_WEEKDAYS * max(typical, 1.0 / _WEEKDAY_TAU2**2)
        excess = float((w * ((seen - expected) ** 2 - expected)).sum())
        tau2 = max((excess + _WEEKDAY_TAU2 * prior) / (total + prior), 1e-4)
    result: Floats = (1.0 / tau2 + seen) / (1.0 / tau2 + expected)
    return result


def _event_index(seen: Floats, expected: Floats) -> Floats:
    """Each phase shrunk to the same phase of all events, and that to 1."""
    x, e = seen.reshape(-1, _PHASES), expected.reshape(-1, _PHASES)
    strength = 1.0 / _PHASE_TAU2
    pooled = (strength + x.sum(axis=0)) / (strength + e.sum(axis=0))
    shape = 1.0 / _EVENT_TAU2
    result: Floats = ((shape + x) / (shape / pooled + e)).ravel()
    return result
