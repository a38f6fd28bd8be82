"""Clicks that have had time to convert: clicks · F(age) · weekday index, summed per keyword."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from optimizer.estimates.conversion_lag import Completion
from optimizer.estimates.posteriors import Bools, Floats, Ints
from optimizer.estimates.seasonality import Seasonality


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
    """What a click of each record counts as: `exposure` for conversions; `used` marks mature records."""

    exposure: Floats
    used: Bools


def exposure_weights(
    rows: Records,
    today: int,
    completion: Completion,
    seasonality: Seasonality | None,
    min_completion: float,
) -> Weights:
    """F(age)·s(day) per record, averaged over the days it covers.

    Single days with F below `min_completion` are left out: they teach less than their noise.
    """
    start = int(rows.first.min()) if len(rows.first) else today
    days = np.arange(start, max(today, start + 1))
    share = completion.at(today - 1 - days)
    season = seasonality.at(days) if seasonality is not None else np.ones(len(days))
    cumulative = np.concatenate([[0.0], np.cumsum(share * season)])
    length = rows.last - rows.first + 1
    mean = (cumulative[rows.last - start + 1] - cumulative[rows.first - start]) / length
    used = (length > 1) | (share[rows.last - start] >= min_completion)
    return Weights(np.where(used, mean, 0.0), used)
