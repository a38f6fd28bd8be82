"""Sales such as 618 and 双11: warm-up, burst and return as uncertain multiples of an ordinary day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from optimizer.errors import RefusedInput
from optimizer.estimates.exposure import day_number
from optimizer.estimates.posteriors import Floats, Ints
from optimizer.planning.forecast import DayEffects, day_index
from optimizer.planning.rhythm import Rhythm, weekday
from optimizer.settings import Event, Model, NonNegative

PHASES = ("warmup", "burst", "after")
QUANTITIES = ("volume", "cpc", "cvr")
Phase = Literal["warmup", "burst", "after"]

LOWEST, HIGHEST = 0.05, 20.0
"""Multipliers a scenario may state."""

_MonthDay = Annotated[str, Field(pattern=r"^\d{2}-\d{2}$")]
_BETWEEN_YEARS = 0.15
_LEAST_DAYS = 14


class Multiple(Model):
    """Lognormal: its median, and the standard deviation of its logarithm."""

    median: float
    sd: NonNegative = 0.0


class EventShape(Model):
    """One sale as shipped: when it usually is, and what its phases do. `source` says how we know.

    `aliases` are other names that people ask for it by.
    """

    aliases: tuple[str, ...] = ()
    start: _MonthDay
    end: _MonthDay
    warmup_days: Annotated[int, Field(ge=0, le=60)] = 7
    after_days: Annotated[int, Field(ge=0, le=60)] = 7
    source: str
    volume: Mapping[Phase, Multiple]
    cpc: Mapping[Phase, Multiple]
    cvr: Mapping[Phase, Multiple]

    def days_in(self, name: str, year: int) -> Event:
        """The sale of one year."""
        return Event(
            name=name,
            start=date.fromisoformat(f"{year}-{self.start}"),
            end=date.fromisoformat(f"{year}-{self.end}"),
            warmup_days=self.warmup_days,
            after_days=self.after_days,
        )


class EventShapes(Model):
    """`configs/events.yaml`."""

    events: Mapping[str, EventShape] = {}

    def named(self, asked: str) -> str:
        """The name of the sale that is `asked` for by name or alias; raises `RefusedInput`."""
        for name, shape in self.events.items():
            if asked in (name, *shape.aliases):
                return name
        raise RefusedInput("event_unknown", name=asked, known=sorted(self.events))


@dataclass(frozen=True)
class EventPlan:
    """A sale at its days with its multipliers, `multiples[quantity][phase]`.

    `learned` are (quantity, phase) that last year's days told something about.
    """

    event: Event
    multiples: Mapping[str, Mapping[str, Multiple]]
    learned: tuple[tuple[str, str], ...] = ()

    def told(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "event": self.event.model_dump(mode="json"),
            "multiples": {
                quantity: {phase: one.model_dump() for phase, one in phases.items()}
                for quantity, phases in self.multiples.items()
            },
            "learned": [list(pair) for pair in self.learned],
        }


def planned_event(
    name: str,
    shapes: EventShapes,
    first_day: date,
    days: int,
    *,
    start: date | None = None,
    end: date | None = None,
    stated: Mapping[str, Mapping[str, float]] | None = None,
) -> EventPlan:
    """The next sale called `name` (or at `start`..`end`) within the horizon of `days` from `first_day`.

    `stated` medians replace the shipped ones. Raises `RefusedInput`: event_unknown,
    event_outside_horizon, multiplier_out_of_range, each with the nearest that would do.
    """
    name = shapes.named(name)
    shape, last = shapes.events[name], first_day + timedelta(days=days - 1)
    event = _next(shape, name, first_day)
    if start or end:
        event = _at(shape, name, start or event.start, end)
    if event.start > last or event.end + timedelta(days=event.after_days) < first_day:
        needed = (event.end - first_day).days + 1 if event.start > last else 0
        nearest = needed if needed > 0 else _next(shape, name, first_day).start.isoformat()
        raise RefusedInput(
            "event_outside_horizon",
            name=name,
            start=event.start.isoformat(),
            end=event.end.isoformat(),
            first=first_day.isoformat(),
            last=last.isoformat(),
            nearest=nearest,
        )
    shipped = {quantity: dict(getattr(shape, quantity)) for quantity in QUANTITIES}
    return EventPlan(event, _restated(name, shipped, stated or {}))


def _at(shape: EventShape, name: str, start: date, end: date | None) -> Event:
    known = shape.days_in(name, start.year)
    last = end or start + (known.end - known.start)
    if last < start:
        raise RefusedInput(
            "event_ends_first", name=name, start=start.isoformat(), nearest=start.isoformat()
        )
    return known.model_copy(update={"start": start, "end": last})


def _next(shape: EventShape, name: str, first_day: date) -> Event:
    this_year = shape.days_in(name, first_day.year)
    over = this_year.end + timedelta(days=this_year.after_days) < first_day
    return shape.days_in(name, first_day.year + 1) if over else this_year


def _restated(
    name: str,
    shipped: Mapping[str, Mapping[str, Multiple]],
    stated: Mapping[str, Mapping[str, float]],
) -> dict[str, dict[str, Multiple]]:
    result = {quantity: dict(phases) for quantity, phases in shipped.items()}
    for quantity, phases in stated.items():
        for phase, median in phases.items():
            if quantity not in QUANTITIES or phase not in PHASES:
                raise RefusedInput("multiplier_unknown", name=name, quantity=quantity, phase=phase)
            if not LOWEST <= median <= HIGHEST:
                raise RefusedInput(
                    "multiplier_out_of_range",
                    name=name,
                    quantity=quantity,
                    phase=phase,
                    value=median,
                    nearest=min(max(median, LOWEST), HIGHEST) if median == median else 1.0,
                )
            result[quantity][phase] = Multiple(median=median, sd=result[quantity][phase].sd)
    return result


def phase_of(day: Ints, event: Event) -> Ints:
    """-1 on ordinary days, else the position in PHASES."""
    first, last = day_number(event.start), day_number(event.end)
    result = np.full(len(day), -1)
    result[(day >= first - event.warmup_days) & (day < first)] = 0
    result[(day > last) & (day <= last + event.after_days)] = 2
    result[(day >= first) & (day <= last)] = 1
    return result


def event_effects(
    plan: EventPlan, first_day: date, days: int, draws: int, rng: np.random.Generator
) -> DayEffects:
    """Multipliers per draw and day: within one draw a phase is as strong on all of its days."""
    phase = phase_of(day_index(first_day, days), plan.event)
    told = [_drawn(plan.multiples[quantity], phase, draws, rng) for quantity in QUANTITIES]
    return DayEffects(*told)


def _drawn(
    multiples: Mapping[str, Multiple], phase: Ints, draws: int, rng: np.random.Generator
) -> Floats:
    normals = rng.standard_normal((draws, len(PHASES)))
    median = np.array([multiples[name].median for name in PHASES])
    sd = np.array([multiples[name].sd for name in PHASES])
    strength = np.concatenate([median * np.exp(sd * normals), np.ones((draws, 1))], axis=1)
    result: Floats = strength[:, phase]
    return result


def learn_event(
    plan: EventPlan,
    days: pd.DataFrame,
    rhythm: Rhythm,
    stated: Mapping[str, Mapping[str, float]] | None = None,
) -> EventPlan:
    """`plan` with its multipliers shrunk towards what the same days a year before were like.

    Those `stated` (quantity → phase) stay as somebody said them: last year is known to who states one.

    `days` from `rhythm.account_days`. Log ratios to the ordinary days before that warm-up, weekdays
    taken out, are weighed by their precision (counts, whole-day shocks, 15 % between years) against
    the plan's own. Unchanged where the history does not reach back so far.
    """
    before = _year_before(plan.event)
    day = days["day"].to_numpy(dtype=np.int64)
    phase = phase_of(day, before)
    calm = (phase < 0) & (day < day_number(before.start)) & (day >= day_number(before.start) - 60)
    if calm.sum() < _LEAST_DAYS:
        return plan
    multiples = {name: dict(plan.multiples[name]) for name in QUANTITIES}
    learned = []
    for number, name in enumerate(PHASES):
        for quantity, (ratio, sd) in _seen(days, rhythm, phase == number, calm).items():
            if name in (stated or {}).get(quantity, ()):
                continue
            multiples[quantity][name] = _shrunk(plan.multiples[quantity][name], ratio, sd)
            learned.append((quantity, name))
    return EventPlan(plan.event, multiples, tuple(learned))


def _year_before(event: Event) -> Event:
    def back(day: date) -> date:
        return day.replace(year=day.year - 1, day=min(day.day, 28) if day.month == 2 else day.day)

    return event.model_copy(update={"start": back(event.start), "end": back(event.end)})


def _seen(
    days: pd.DataFrame, rhythm: Rhythm, inside: Any, calm: Any
) -> dict[str, tuple[float, float]]:
    """Ratio to calm days and the sd of its logarithm, of quantities that were counted."""
    at = weekday(days["day"].to_numpy(dtype=np.int64))
    clicks, cost, orders = (days[name].to_numpy() for name in ("clicks", "cost", "conversions"))
    count = int(inside.sum())
    if not count or not clicks[inside].sum() or not clicks[calm].sum():
        return {}
    volume = _mean(clicks, rhythm.clicks[at], inside) / _mean(clicks, rhythm.clicks[at], calm)
    price = (cost[inside].sum() / clicks[inside].sum()) / (cost[calm].sum() / clicks[calm].sum())
    shock = np.hypot(rhythm.sd / np.sqrt(count), _BETWEEN_YEARS)
    noise = 1 / clicks[inside].sum() + 1 / clicks[calm].sum()
    found = {"volume": (volume, np.hypot(shock, np.sqrt(noise)))}
    found["cpc"] = (price, np.hypot(_BETWEEN_YEARS, np.sqrt(noise)))
    if orders[inside].sum() > 0 and orders[calm].sum() > 0:
        rate = (orders[inside].sum() / clicks[inside].sum()) / (
            orders[calm].sum() / clicks[calm].sum()
        )
        own = np.sqrt(1 / orders[inside].sum() + 1 / orders[calm].sum())
        found["cvr"] = (rate, np.hypot(_BETWEEN_YEARS, own))
    return {name: (float(one), float(sd)) for name, (one, sd) in found.items() if one > 0}


def _mean(amount: Floats, index: Floats, days: Any) -> float:
    return float(amount[days].sum() / index[days].sum())


def _shrunk(prior: Multiple, ratio: float, sd: float) -> Multiple:
    """Precision-weighted mean of two beliefs about a logarithm."""
    if prior.sd == 0:
        return prior
    own, told = 1 / prior.sd**2, 1 / sd**2
    mean = (own * np.log(prior.median) + told * np.log(ratio)) / (own + told)
    return Multiple(median=float(np.exp(mean)), sd=float(np.sqrt(1 / (own + told))))
