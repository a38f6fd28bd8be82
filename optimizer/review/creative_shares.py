"""What reviews planned to show of each creative, day by day, and what was served instead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from optimizer.estimates.posteriors import Floats, Ints
from optimizer.tables import CREATIVE_SERVED, empty_table


def share_panel(shares: pd.DataFrame, test: Sequence[str], key: Ints, days: Ints) -> Floats:
    """Shares that were in force, (arms, days): the propensities of an adaptive test.

    `shares` is CREATIVE_SHARES; `test` and `key` (entity key) name the arms, `days` are numbers of days
    (since 1970-01-01). A plan holds from the day after its review until the next one that was handed
    over. NaN on days before the first.
    """
    held = shares[shares["in_force"]].sort_values("as_of", kind="stable")
    starts = held["as_of"].to_numpy().astype("datetime64[D]").astype(np.int64) + 1
    arm = pd.MultiIndex.from_arrays([list(test), key])
    place = arm.get_indexer(pd.MultiIndex.from_frame(held[["test", "entity_key"]]))
    panel = np.full((len(key), len(days)), np.nan)
    for row, first, share in zip(place, starts, held["asked"].to_numpy(), strict=True):
        if row >= 0:
            panel[row, days >= first] = share
    return panel


def served_since(shares: pd.DataFrame, daily: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Table CREATIVE_SERVED: the newest plan in force of each test beside what reports show since.

    `daily` is CREATIVE_DAILY. Plans are judged on the whole days after their review and before `as_of`.
    """
    held = shares[shares["in_force"] & (shares["as_of"] < pd.Timestamp(as_of - timedelta(days=1)))]
    newest = held[held["as_of"].eq(held.groupby("test")["as_of"].transform("max"))]
    if newest.empty:
        return empty_table(CREATIVE_SERVED)
    single = daily[daily["first_day"].eq(daily["last_day"])]
    shown = newest.merge(single[["entity_key", "first_day", "impressions"]], on="entity_key")
    later = shown[shown["first_day"].gt(shown["as_of"])]
    sums = later.groupby(["test", "entity_key"])["impressions"].sum()
    keys = pd.MultiIndex.from_frame(newest[["test", "entity_key"]])
    impressions = sums.reindex(keys, fill_value=0.0).to_numpy(dtype=np.float64)
    rows = newest.assign(impressions=impressions)
    total = rows.groupby("test")["impressions"].transform("sum")
    rows["served"] = (rows["impressions"] / total).where(total > 0)
    named = rows[list(CREATIVE_SERVED.columns)].reset_index(drop=True)
    return named.astype(empty_table(CREATIVE_SERVED).dtypes.to_dict())
