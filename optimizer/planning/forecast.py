"""The next days of an account under given bids and budgets: joint draws, day by day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from optimizer.estimates.exposure import day_number
from optimizer.estimates.posteriors import Floats, Ints
from optimizer.planning.flows import Flows, draw_flows, full_price, present_bids
from optimizer.planning.rhythm import Rhythm, weekday
from optimizer.review.budget_tree import CAMPAIGN_AT

Context = Mapping[str, Any]
_LEAST_ORDERS = 1e-9
_VALUE_CV = 0.8


@dataclass(frozen=True)
class DayEffects:
    """Multipliers of volume, price per click and conversion rate, arrays (draws, days)."""

    volume: Floats
    cpc: Floats
    cvr: Floats

    @classmethod
    def none(cls, draws: int, days: int) -> DayEffects:
        """Ordinary days."""
        one = np.ones((draws, days))
        return cls(one, one, one)


@dataclass(frozen=True)
class DayForecast:
    """What each day brings, arrays (draws, days), money in account currency.

    `wanted` is the spend without any budget; orders, value and profit are all that the clicks of a
    day end in, whenever they are reported.
    """

    first_day: date
    clicks: Floats
    spend: Floats
    wanted: Floats
    orders: Floats
    value: Floats
    profit: Floats

    @property
    def days(self) -> int:
        """How many days are forecast."""
        return int(self.spend.shape[1])

    def total(self, name: str) -> Floats:
        """Per draw the sum over all days of `spend`, `clicks`, `orders`, `value` or `profit`."""
        result: Floats = getattr(self, name).sum(axis=1)
        return result

    def interval(self, name: str, mass: float = 0.8) -> tuple[float, float, float]:
        """Mean of the sum over all days, and the ends that leave (1 - mass)/2 on each side."""
        return interval_of(self.total(name), mass)


def interval_of(sample: Floats, mass: float) -> tuple[float, float, float]:
    """Mean, low and high end of draws."""
    tail = (1 - mass) / 2
    low, high = np.quantile(sample, [tail, 1 - tail])
    return float(sample.mean()), float(low), float(high)


def forecast_days(
    plan: pd.DataFrame,
    context: Context,
    rhythm: Rhythm,
    first_day: date,
    days: int,
    *,
    bids: Floats | None = None,
    budget: float | Floats | None = None,
    caps: Floats | None = None,
    effects: DayEffects | None = None,
    draws: int = 400,
    seed: int = 0,
) -> DayForecast:
    """Spend, clicks, orders, value and profit of `days` days from `first_day`.

    `plan` and `context` are those of a review (`ReviewResult.frames["plan"]`, `.context`), made as of
    any day; `rhythm` from `planning.rhythm.learn_rhythm(account_days(daily), context)`. `bids` one per
    row of the plan (0: off), the present ones when not given. `budget` stops the account's day (one
    number, or one per day); `caps` stops each campaign's (inf: none; not given: the budgets that the
    context knows). Each draw has one state of all beliefs for the whole period, then shocks of whole
    days, Poisson clicks, and orders and their values. Same seed, same bits.
    """
    if days < 1:
        raise ValueError("at least one day")
    group = plan["campaign"].to_numpy(dtype=np.int64)
    count = int(group.max(initial=-1)) + 1
    asked = present_bids(plan) if bids is None else bids
    limits = campaign_caps(context, count) if caps is None else caps
    demand = demand_share(plan, context)
    price = np.where((demand > 1) & np.isinf(limits)[group], full_price(plan), 1.0)
    terms = {"share": demand[None, :], "price": price[None, :]}
    level = draw_flows(
        plan, context, asked[None, :], group, count, **terms, draws=draws, seed=seed
    ).at(0)
    rng = np.random.default_rng([seed, 1])
    effects = DayEffects.none(draws, days) if effects is None else effects
    wanted = _wanted(level, context, rhythm, effects, first_day, days, plan, rng)
    served = _served(wanted.cost, limits, budget)
    bought = Flows(*(getattr(wanted, one.name) * served for one in fields(Flows)))
    return _day_totals(bought, wanted, plan, context, first_day, rng)


def demand_share(plan: pd.DataFrame, context: Context) -> Floats:
    """What each keyword's bid would buy over what it buys: above 1 where the budget stops the day."""
    result = np.ones(int(plan["campaign"].max()) + 1 if len(plan) else 0)
    for one in context.get("levers", ()):
        if one["kind"] == "set_budget":
            result[one["campaign"]] = 1.0 / one["served"]
    own: Floats = result[plan["campaign"].to_numpy(dtype=np.int64)]
    return own


def campaign_caps(context: Context, campaigns: int) -> Floats:
    """The daily budget of each campaign that a platform enforces; inf where none is known."""
    nodes = context["budgets"][CAMPAIGN_AT : CAMPAIGN_AT + campaigns]
    return np.array([np.inf if one["budget"] is None else float(one["budget"]) for one in nodes])


def _wanted(
    level: Flows,
    context: Context,
    rhythm: Rhythm,
    effects: DayEffects,
    first_day: date,
    days: int,
    plan: pd.DataFrame,
    rng: np.random.Generator,
) -> Flows:
    """Flows (campaigns, draws, days) without budgets; clicks are counted, orders still expected."""
    at = weekday(day_index(first_day, days))
    draws = level.clicks.shape[1]
    shock = _day_shocks(rhythm, draws, days, rng)
    volume = rhythm.clicks[at] * effects.volume * shock
    expected = level.clicks[:, :, None] * volume
    clicks = rng.poisson(expected).astype(np.float64)
    price = np.divide(
        level.cost, level.clicks, out=np.zeros_like(level.cost), where=level.clicks > 0
    )
    cost = clicks * price[:, :, None] * (rhythm.cpc[at] * effects.cpc)
    rate = rhythm.conversions[at] * effects.cvr
    per = [
        np.divide(one, level.clicks, out=np.zeros_like(one), where=level.clicks > 0)[:, :, None]
        * rate
        for one in (level.orders, level.value, level.margin)
    ]
    return Flows(clicks, cost, *(clicks * one for one in per))


def _day_shocks(rhythm: Rhythm, draws: int, days: int, rng: np.random.Generator) -> Floats:
    """Lognormal shocks of mean 1 that carry over from day to day, (draws, days)."""
    kept, sd = rhythm.autocorrelation, rhythm.sd
    own = rng.standard_normal((draws, days))
    state = own.copy()
    for day in range(1, days):
        state[:, day] = kept * state[:, day - 1] + np.sqrt(1 - kept**2) * own[:, day]
    result: Floats = np.exp(sd * state - 0.5 * sd**2)
    return result


def _served(wanted: Floats, caps: Floats, budget: float | Floats | None) -> Floats:
    """Share of each campaign's wanted day that its budget, then the account's, pays for.

    Within a day budgets stop all keywords alike, so what is bought is proportional to what is wanted.
    """
    room = np.broadcast_to(caps[:, None, None], wanted.shape)
    served = np.divide(room, wanted, out=np.ones_like(wanted), where=wanted > room)
    if budget is None:
        return served
    total = (wanted * served).sum(axis=0)
    limit = np.broadcast_to(np.asarray(budget, dtype=np.float64), total.shape)
    whole = np.divide(limit, total, out=np.ones_like(total), where=total > limit)
    result: Floats = served * whole
    return result


def _day_totals(
    bought: Flows,
    wanted: Flows,
    plan: pd.DataFrame,
    context: Context,
    first_day: date,
    rng: np.random.Generator,
) -> DayForecast:
    """Orders as counts with the run's dispersion, their values with a spread of their own."""
    due, value, margin = (one.sum(axis=0) for one in (bought.orders, bought.value, bought.margin))
    scale = max(float(context["data"].get("dispersion") or 1.0), 1.0)
    orders = rng.poisson(due / scale) * scale
    ratio = _relative_amount(orders, rng)
    per_due = np.divide(ratio * orders, due, out=np.ones_like(due), where=due > _LEAST_ORDERS)
    spend = bought.cost.sum(axis=0)
    return DayForecast(
        first_day,
        bought.clicks.sum(axis=0),
        spend,
        wanted.cost.sum(axis=0),
        orders,
        value * per_due,
        margin * per_due - spend,
    )


def _relative_amount(orders: Floats, rng: np.random.Generator) -> Floats:
    """Mean amount of a day's orders over its expectation: Gamma, narrower the more orders."""
    shape = np.maximum(orders, 1.0) / _VALUE_CV**2
    result: Floats = rng.standard_gamma(shape) / shape
    return result


def day_index(first_day: date, days: int) -> Ints:
    """The forecast's days as days since 1970-01-01."""
    first: int = day_number(first_day)
    result: Ints = np.arange(first, first + days)
    return result
