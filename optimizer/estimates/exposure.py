"""Clicks that have had time to convert, summed per keyword.

Reports date a conversion to its click (completed by F(age)) or to the order (owed by earlier
clicks); a sum of either kind is only ever of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from optimizer.estimates.conversion_lag import Completion, Lags
from optimizer.estimates.posteriors import Bools, Floats, Ints
from optimizer.estimates.seasonality import Seasonality

_OWED = 0.5


@dataclass(frozen=True)
class Records:
    """KEYWORD_DAILY (or TERM_DAILY) as arrays; `unit` is the row of the keyword, days since 1970-01-01."""

    unit: Ints
    first: Ints
    last: Ints
    impressions: Floats
    clicks: Floats
    cost: Floats
    conversions: Floats
    value: Floats


def records(daily: pd.DataFrame, entity_keys: pd.Series[int]) -> Records:
    """Arrays of `daily`, its keywords numbered by their position in `entity_keys`."""
    unit = pd.Index(entity_keys).get_indexer(pd.Index(daily["entity_key"]))
    return Records(
        unit.astype(np.int64),
        _days(daily["first_day"]),
        _days(daily["last_day"]),
        *(
            daily[name].to_numpy(dtype=np.float64)
            for name in ("impressions", "clicks", "cost", "conversions", "value")
        ),
    )


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return int(np.datetime64(day, "D").astype(np.int64))


def _days(column: pd.Series[pd.Timestamp]) -> Ints:
    return column.to_numpy().astype("datetime64[D]").astype(np.int64)


@dataclass(frozen=True)
class Weights:
    """What a click of each record counts as: `exposure` for conversions; `used` marks mature records.

    Conversions count on `used` records only. `due` is the part of the exposure whose conversions
    would have been dated to the last few days; `net_value` how much of a conversion's final value
    is known when the conversion is, F_value / F_count.
    """

    exposure: Floats
    used: Bools
    due: Floats
    net_value: Floats


def exposure_weights(
    rows: Records,
    today: int,
    lags: tuple[Lags, Lags],
    campaign: Ints,
    seasonality: Seasonality | None,
    min_completion: float,
    recent_days: int = 3,
) -> Weights:
    """Conversions dated to the click: F(age)·s(day) per record, averaged over the days it covers.

    `lags` of conversions and of value; `campaign` numbers the campaign of each unit. Single days
    with F below `min_completion` are left out: they teach less than their noise.
    """
    start, days = _days_of(rows, today)
    of_count, of_value = lags
    share, worth = of_count.shares(days, today), of_value.shares(days, today)
    season = _season(seasonality, days)
    place = _Place(campaign[rows.unit], rows.first - start, rows.last - start)
    known = share[place.campaign, place.last] >= min_completion
    used = (place.last > place.first) | known
    exposure = np.where(used, _mean(share * season, place), 0.0)
    net = np.maximum(_mean(worth, place), 1e-6) / np.maximum(_mean(share, place), 1e-6)
    recent = rows.first >= today - recent_days
    return Weights(exposure, used, np.where(recent, exposure, 0.0), net)


def order_dated_weights(
    rows: Records,
    today: int,
    stated: Completion,
    seasonality: Seasonality | None,
    recent_days: int = 3,
) -> Weights:
    """Conversions dated to the order: Σ_D f(D - click day)·s(D) per record, D over the counted days.

    Summed over a keyword's clicks that is Σ_D e_D with e_D = Σ_s clicks_s f(D - s). Nothing is
    completed: a day's orders are known when it is over. The first days of the window are owed to
    clicks before it; a day counts once half of its orders stem from the window, the other half
    being credited as if earlier clicks were like these.
    """
    start, days = _days_of(rows, today)
    owed, counted = _order_days(days, stated)
    season = _season(seasonality, days) * counted / np.where(counted, owed, 1.0)
    arriving = _arriving(stated, len(days))
    whole = (arriving * season).sum(axis=1)
    late = (arriving * season)[:, days >= today - recent_days].sum(axis=1)
    alone = np.zeros(len(rows.unit), dtype=np.int64)
    place = _Place(alone, rows.first - start, rows.last - start)
    used = counted[place.last]
    ones = np.ones(len(rows.unit))
    return Weights(_mean(whole[None, :], place), used, _mean(late[None, :], place), ones)


def order_dated_totals(
    day: Ints, clicks: Floats, stated: Completion, today: int
) -> tuple[Ints, Floats]:
    """Account totals: every counted day D and e_D = Σ_s clicks_s f(D - s), from clicks per day."""
    days = np.arange(int(day.min()), today)
    owed, counted = _order_days(days, stated)
    of_day = np.bincount(day - days[0], clicks, len(days))
    due = of_day @ _arriving(stated, len(days))
    return days[counted], due[counted] / owed[counted]


@dataclass(frozen=True)
class _Place:
    """Row of the campaign, and first and last column of the days, of each record."""

    campaign: Ints
    first: Ints
    last: Ints


def _days_of(rows: Records, today: int) -> tuple[int, Ints]:
    start = int(rows.first.min()) if len(rows.first) else today - 1
    return start, np.arange(start, max(today, start + 1))


def _season(seasonality: Seasonality | None, days: Ints) -> Floats:
    return seasonality.at(days) if seasonality is not None else np.ones(len(days))


def _mean(by_day: Floats, place: _Place) -> Floats:
    """Mean over the days of each record, of an array (campaigns, days)."""
    if np.array_equal(place.first, place.last):
        single: Floats = by_day[place.campaign, place.last]
        return single
    cumulative = np.pad(np.cumsum(by_day, axis=1), ((0, 0), (1, 0)))
    total = cumulative[place.campaign, place.last + 1] - cumulative[place.campaign, place.first]
    result: Floats = total / (place.last - place.first + 1)
    return result


def _order_days(days: Ints, stated: Completion) -> tuple[Floats, Bools]:
    """Share of each day's orders that clicks of the window bring, and whether the day counts."""
    owed = stated.at(days - days[0])
    return owed, owed >= _OWED


def _arriving(stated: Completion, days: int) -> Floats:
    """Array (click day, order day): share of a click's orders that falls on the order day."""
    density = np.diff(stated.at(np.arange(days)), prepend=0.0)
    lag = np.arange(days)[None, :] - np.arange(days)[:, None]
    return np.where(lag >= 0, density[np.maximum(lag, 0)], 0.0)
