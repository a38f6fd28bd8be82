"""What followed each keyword's last bid change, as the reports have it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from optimizer.estimates.exposure import Records
from optimizer.estimates.posteriors import Bools, Floats, group_sum

LONGEST_DAYS = 14
SHORTEST_DAYS = 3
UNSAID = (
    "change_days",
    "change_clicks_before",
    "change_cpc_before",
    "change_clicks_after",
    "change_cpc_after",
)
"""Columns that are nan where nothing can be said."""


def last_changes(rows: Records, last_change: pd.Series[Any], now: int) -> dict[str, Any]:
    """Plan columns on the last known change of each keyword's bid; `now` is the review's day number.

    `change_day` (ISO text, None: none known), `change_days`, and clicks per day and CPC in that many
    days before and from it on: up to LONGEST_DAYS, nan under SHORTEST_DAYS, when nothing can be
    said yet. No claim of cause: demand may have moved as well.
    """
    known = last_change.notna().to_numpy()
    day = last_change.to_numpy().astype("datetime64[D]")
    number = np.where(known, day.astype(np.int64), now)
    span = np.minimum(now - number, LONGEST_DAYS)
    told = known & (span >= SHORTEST_DAYS)
    offset = rows.last - number[rows.unit]
    daily = (rows.first == rows.last) & told[rows.unit]
    after = daily & (offset >= 0) & (offset < span[rows.unit])
    before = daily & (offset < 0) & (offset >= -span[rows.unit])
    return {
        "change_day": _as_text(day),
        "change_days": np.where(told, span, np.nan),
        **_side(rows, before, span, told, "before"),
        **_side(rows, after, span, told, "after"),
    }


def _as_text(day: Any) -> Any:
    """ISO text of each day, None where there is none; written once per day that occurs."""
    place, distinct = pd.factorize(day)
    return np.array([*distinct.astype("datetime64[D]").astype(str), None], dtype=object)[place]


def _side(rows: Records, inside: Bools, span: Any, told: Bools, name: str) -> dict[str, Floats]:
    """Clicks per day and CPC of the rows on one side of the change."""
    size = len(span)
    clicks = group_sum(rows.unit[inside], rows.clicks[inside], size)
    cost = group_sum(rows.unit[inside], rows.cost[inside], size)
    missing = np.full(size, np.nan)
    return {
        f"change_clicks_{name}": np.divide(clicks, span, out=missing.copy(), where=told),
        f"change_cpc_{name}": np.divide(cost, clicks, out=missing, where=told & (clicks > 0)),
    }


def forget_changes(keywords: pd.DataFrame, randomised: pd.DataFrame) -> pd.DataFrame:
    """KEYWORDS without the bid changes that a test made, so that no cool-down follows from them.

    `randomised` has `entity_key`, `first_day`, `last_day`; the hand-back is the day after the last.
    """
    if randomised.empty:
        return keywords
    spans = randomised.groupby("entity_key").agg(
        first=("first_day", "min"), last=("last_day", "max")
    )
    known = spans.reindex(keywords["entity_key"])
    changed = keywords["last_change"].to_numpy()
    first = known["first"].to_numpy() - np.timedelta64(1, "D")
    last = known["last"].to_numpy() + np.timedelta64(2, "D")
    of_test = (changed >= first) & (changed <= last)
    return keywords.assign(last_change=keywords["last_change"].mask(of_test))
