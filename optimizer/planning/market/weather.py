"""What happens whatever anyone bids: weekdays, season, shocks and the drift of rivals' prices."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from optimizer.planning.market.arrays import frozen
from optimizer.planning.market.settings import Demand, MarketSettings, Phases, SalesEvent


@dataclass(frozen=True)
class Weather:
    """Per campaign (rows) and day (columns) from the market's first day on.

    `volume` multiplies searches, `rivals` is added to the log of rivals' prices; `cvr` (days only)
    multiplies conversion rates.
    """

    volume: np.ndarray
    rivals: np.ndarray
    cvr: np.ndarray


def draw_weather(settings: MarketSettings, first_day: date, rng: np.random.Generator) -> Weather:
    """Weather of the whole horizon, drawn at once so that every policy meets the same days."""
    days, campaigns = settings.size.horizon_days, settings.size.campaigns
    weekday = (first_day.weekday() + np.arange(days)) % 7
    common = calendar(settings.demand, first_day, days) * np.exp(_shock(settings.demand, days, rng))
    own = rng.normal(0.0, settings.demand.campaign_shock_sd, (campaigns, days))
    drift = rng.normal(0.0, settings.rivals.drift_sd, (campaigns, days)).cumsum(axis=1)
    volume, cvr, rivals = _event_factors(settings.events, first_day, days)
    return Weather(
        volume=frozen(common * volume * np.exp(own)),
        rivals=frozen(drift + settings.rivals.trend * np.arange(days) + np.log(rivals)),
        cvr=frozen(np.array(settings.orders.weekday)[weekday] * cvr),
    )


def calendar(demand: Demand, first_day: date, days: int) -> np.ndarray:
    """The predictable part of demand but for events: weekday × season."""
    weekday = (first_day.weekday() + np.arange(days)) % 7
    phase = first_day.timetuple().tm_yday + np.arange(days) - demand.season_peak_day
    season = 1 + demand.season_amplitude * np.cos(2 * np.pi * phase / 365.25)
    pattern: np.ndarray = np.array(demand.weekday)[weekday] * season
    return pattern


def _event_factors(events: Sequence[SalesEvent], first_day: date, days: int) -> np.ndarray:
    """What events multiply volume, conversion rates and rivals' prices with: (3, days)."""
    factors = np.ones((3, days))
    for event in events:
        for day in range(days):
            on = first_day + timedelta(days=day)
            told = (event.volume, event.cvr, event.rivals)
            factors[:, day] *= [_phase(event, phases, on) for phases in told]
    return factors


def _phase(event: SalesEvent, phases: Phases, day: date) -> float:
    """The multiplier of the phase that `day` is in; 1 outside."""
    start, end = (_in_year(text, day.year) for text in (event.start, event.end))
    if start <= day <= end:
        return phases.burst
    if start - timedelta(days=event.warmup_days) <= day < start:
        return phases.warmup
    return phases.after if end < day <= end + timedelta(days=event.after_days) else 1.0


def _in_year(month_day: str, year: int) -> date:
    """The day in that year; 29 February is the 28th where there is none."""
    month, day = (int(part) for part in month_day.split("-"))
    return date(year, month, min(day, monthrange(year, month)[1]))


def _shock(demand: Demand, days: int, rng: np.random.Generator) -> np.ndarray:
    """A stationary autoregression: a good day tends to follow a good day."""
    memory = demand.day_shock_memory
    news = rng.normal(0.0, demand.day_shock_sd, days)
    news[1:] *= np.sqrt(1 - memory**2)
    shock = np.empty(days)
    level = 0.0
    for day in range(days):
        level = memory * level + news[day]
        shock[day] = level
    return shock
