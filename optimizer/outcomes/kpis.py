"""An account's figures over a period and over the one it is compared with, completed for late conversions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import special

from optimizer.estimates.exposure import day_number
from optimizer.estimates.posteriors import Floats, Ints
from optimizer.outcomes.movement import Sums

Against = Literal["previous", "year"]
AGAINST: tuple[Against, ...] = ("previous", "year")
_WEEKS_OF_A_YEAR = 364
_LEAST_SHARE = 0.1
_VALUE_CV = 0.8
"""How much single order values vary where nobody measured it: as `settings.Estimation.value_cv`."""


@dataclass(frozen=True)
class Span:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many they are."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Figure:
    """A figure as expected once all conversions are in, its interval, and what is `known` so far.

    Ends are None where nothing is late, all is None of a ratio over nothing.
    """

    mean: float | None
    low: float | None
    high: float | None
    known: float | None


@dataclass(frozen=True)
class Lag:
    """How much of what clicks bring is known by age in days: `share`, and the sd of its logarithm.

    All is known of days older than these; empty where conversions are dated to the order.
    """

    share: Floats
    sd_log: Floats

    def known(self, age: Ints) -> Floats:
        """Share known of days that are this old."""
        return np.maximum(_by_age(self.share, age, 1.0), _LEAST_SHARE)

    def doubt(self, age: Ints) -> Floats:
        """Standard deviation of the logarithm of that share."""
        return _by_age(self.sd_log, age, 0.0)


def _by_age(values: Floats, age: Ints, beyond: float) -> Floats:
    result: Floats = np.append(values, beyond)[np.clip(age, 0, len(values))]
    return result


@dataclass(frozen=True)
class Lateness:
    """The lag of orders and of their value; `dispersion`: how much more than Poisson counts scatter.

    `interval` is the chance that the intervals made with it are to hold.
    """

    orders: Lag
    value: Lag
    dispersion: float
    interval: float


def spans(as_of: date, days: int, against: Against) -> tuple[Span, Span]:
    """The last `days` before `as_of`, and what they are compared with: the days just before them, or
    those of 52 weeks ago, which are the same weekdays."""
    last = as_of - timedelta(days=1)
    now = Span(as_of - timedelta(days=days), last)
    back = timedelta(days=days if against == "previous" else _WEEKS_OF_A_YEAR)
    return now, Span(now.first - back, now.last - back)


def completed_days(
    daily: pd.DataFrame, as_of: date, late: Lateness, worth: pd.DataFrame
) -> pd.DataFrame:
    """KEYWORD_DAILY as single days: entity_key, `day` (days since 1970), impressions, clicks, cost,
    orders, value, `margin` (the part of the value that stays), `orders_known`, `value_known`.

    A row of several days is spread over them evenly. Orders and value are divided by the share that is
    known of conversions of their age; `worth` is as `worth_of` gives it for every keyword here.
    """
    rows = daily.reset_index(drop=True)
    first = _numbers(rows["first_day"])
    length = _numbers(rows["last_day"]) - first + 1
    at = np.repeat(np.arange(len(rows)), length)
    day = first[at] + np.arange(len(at)) - np.repeat(np.cumsum(length) - length, length)
    amount = {name: rows[name].to_numpy(np.float64)[at] / length[at] for name in _REPORTED}
    key, age = rows["entity_key"].to_numpy(np.int64)[at], day_number(as_of) - 1 - day
    orders, told = amount["conversions"], ~np.isnan(amount["value"])
    known = np.where(told, amount["value"], orders * worth["each"].reindex(key).to_numpy())
    # What values are made of orders comes as late as these.
    share = np.where(told, late.value.known(age), late.orders.known(age))
    return pd.DataFrame(
        {
            "entity_key": key,
            "day": day,
            **{name: amount[name] for name in ("impressions", "clicks", "cost")},
            "orders": orders / late.orders.known(age),
            "value": known / share,
            "margin": worth["kept"].reindex(key).to_numpy() * known / share,
            "orders_known": orders,
            "value_known": known,
        }
    )


_REPORTED = ("impressions", "clicks", "cost", "conversions", "value")


def _numbers(days: pd.Series[Any]) -> Ints:
    result: Ints = days.to_numpy().astype("datetime64[D]").astype(np.int64)
    return result


def inside(days: pd.DataFrame, span: Span) -> pd.DataFrame:
    """The rows of `days` that lie in the span."""
    return days[days["day"].between(day_number(span.first), day_number(span.last))]


def keyword_sums(days: pd.DataFrame, keys: Ints) -> Sums:
    """Sums of each of `keys`, 0 where a keyword has no row."""
    found = days.groupby("entity_key")[["clicks", "cost", "orders", "value"]].sum()
    aligned = found.reindex(keys, fill_value=0.0)
    return Sums(*(aligned[name].to_numpy(np.float64) for name in aligned.columns))


def figures(days: pd.DataFrame, span: Span, as_of: date, late: Lateness) -> dict[str, Figure]:
    """FIGURES of a span, money in account currency; `days` as `completed_days` gives them."""
    rows = inside(days, span)
    cost, clicks = (float(rows[name].sum()) for name in ("cost", "clicks"))
    orders = _orders(rows, late, as_of)
    value = _value(rows, np.ones(len(rows)), late, as_of)
    kept = np.divide(
        rows["margin"], rows["value"], out=np.zeros(len(rows)), where=rows["value"] != 0
    )
    margin = _value(rows, kept, late, as_of)
    told = (
        Figure(cost, None, None, cost),
        Figure(clicks, None, None, clicks),
        orders,
        value,
        _mapped(margin, lambda each: each - cost),
        _mapped(value, lambda each: each / cost if cost > 0 else None),
        _inverse(orders, cost),
    )
    return dict(zip(FIGURES, told, strict=True))


FIGURES = ("cost", "clicks", "orders", "value", "profit", "roas", "cpa")


def _orders(rows: pd.DataFrame, late: Lateness, as_of: date) -> Figure:
    mean, known = (rows[name].to_numpy(np.float64) for name in ("orders", "orders_known"))
    return _completed(mean, known, known, late.orders, _age(rows, as_of), late)


def _value(rows: pd.DataFrame, part: Floats, late: Lateness, as_of: date) -> Figure:
    """Value times `part`, with the spread that the amounts of late orders have."""
    mean, known = (
        part * rows[name].fillna(0.0).to_numpy(np.float64) for name in ("value", "value_known")
    )
    orders = rows["orders_known"].to_numpy(np.float64)
    each = float(known.sum()) / max(float(orders.sum()), 1e-12)
    scatter = orders * each**2 * (1.0 + _VALUE_CV**2)
    return _completed(mean, known, scatter, late.value, _age(rows, as_of), late)


def _age(rows: pd.DataFrame, as_of: date) -> Ints:
    result: Ints = day_number(as_of) - 1 - rows["day"].to_numpy(np.int64)
    return result


def _completed(
    mean: Floats, known: Floats, scatter: Floats, lag: Lag, age: Ints, late: Lateness
) -> Figure:
    """The total with its interval: of n known at a share F, n(1-F)/F are to come with variance
    n(1-F)/F², and all days share the doubt about F. `scatter` is n times the square of an amount."""
    share, total, seen = lag.known(age), float(mean.sum()), float(known.sum())
    coming = float((scatter * np.abs(1.0 - share) / share**2).sum()) * late.dispersion
    sd = float(np.hypot(np.sqrt(coming), (mean * lag.doubt(age)).sum()))
    if sd == 0.0:
        return Figure(total, None, None, seen)
    half = float(special.ndtri(0.5 + late.interval / 2)) * sd
    # What is known can only be taken back where the lag says that orders are.
    low = total - half if bool((share > 1.0).any()) else max(total - half, seen)
    return Figure(total, low, total + half, seen)


def _mapped(figure: Figure, change: Callable[[float], float | None]) -> Figure:
    ends = (figure.mean, figure.low, figure.high, figure.known)
    return Figure(*(None if each is None else change(each) for each in ends))


def _inverse(orders: Figure, cost: float) -> Figure:
    """Cost per order: many orders are its low end."""
    ends = (orders.mean, orders.high, orders.low, orders.known)
    return Figure(*(cost / each if each is not None and each > 0 else None for each in ends))


def worth_of(plan: pd.DataFrame, keys: Ints) -> pd.DataFrame:
    """What a review's `plan` believes of each of `keys`: `each` what an order is worth before margin,
    `kept` the part of it that stays; the account's own means for keywords that it does not know."""
    value = plan["rate_mean"] * plan["per_conversion_mean"]
    overall = {
        "each": _ratio(value.sum(), plan["rate_mean"].sum()),
        "kept": _ratio(plan["value_mean"].sum(), value.sum()),
    }
    own = pd.DataFrame(
        {
            "each": plan["per_conversion_mean"].to_numpy(np.float64),
            "kept": (plan["value_mean"] / value.where(value > 0)).to_numpy(np.float64),
        },
        index=plan["entity_key"].to_numpy(np.int64),
    )
    return own.reindex(np.unique(keys)).fillna(overall)


def _ratio(top: float, under: float) -> float:
    return float(top) / float(under) if under > 0 else 0.0


def daily_figures(days: pd.DataFrame, span: Span, shift: int = 0) -> pd.DataFrame:
    """Per day of the span: `day` (a date, moved on by `shift` days), cost, clicks, orders, value, profit.

    A day without any row is a gap (null), not a day of zeros.
    """
    rows = inside(days, span)
    sums = rows.groupby("day")[["cost", "clicks", "orders", "value", "margin"]].sum(min_count=1)
    numbers = np.arange(day_number(span.first), day_number(span.last) + 1)
    told = sums.reindex(numbers).reset_index(drop=True)
    told["profit"] = told.pop("margin") - told["cost"]
    return told.assign(day=pd.to_datetime(numbers + shift, unit="D"))


def luck(days: pd.DataFrame, both: Sequence[Span], late: Lateness) -> float:
    """Half-width of the interval in which profit would differ between equal periods by chance alone.

    Orders scatter as counts with the review's dispersion, their values by `_VALUE_CV`.
    """
    sums = [inside(days, span)[["orders", "margin"]].sum() for span in both]
    scatter = max(late.dispersion, 0.0) + _VALUE_CV**2
    variance = sum(
        one["margin"] ** 2 / one["orders"] * scatter for one in sums if one["orders"] > 0
    )
    return float(special.ndtri(0.5 + late.interval / 2) * np.sqrt(variance))
