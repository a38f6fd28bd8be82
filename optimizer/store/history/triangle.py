"""The run-off triangle: what each import knew of each day, by campaign."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa

from optimizer.store.history.layout import KEY, STAMP, HistoryFile, Window
from optimizer.store.history.newest import connect, rows_of, to_pandas, where_restated
from optimizer.tables import MICROS, VERSIONS, empty_table

_MEASURES = ["clicks", "conversions", "value", "valued"]


def versions(
    days: Sequence[HistoryFile],
    coverage: pd.DataFrame,
    campaigns: pd.DataFrame,
    window: Window,
) -> pd.DataFrame:
    """Table VERSIONS: per campaign and day, the sums as known on each as_of that covered the day.

    `coverage` (day, as_of) says which; `campaigns` (entity_key, campaign_name) who is where.
    """
    if not days or coverage.empty:
        return empty_table(VERSIONS)
    steps = _version_steps(days, campaigns, window)
    return _accumulate(steps, coverage)


def _version_steps(
    files: Sequence[HistoryFile], campaigns: pd.DataFrame, window: Window
) -> pd.DataFrame:
    """Per campaign, day and as_of: by how much that report moved the sums."""
    session = connect()
    rows = rows_of(session, files, window)
    measured = rows.select(
        *KEY,
        *STAMP,
        clicks=rows["clicks"].cast("float64"),
        conversions=rows["conversions"],
        value=rows["value_micros"].cast("float64").fill_null(0.0) / MICROS,
        valued=rows["value_micros"].notnull().cast("float64"),  # noqa: PD004
    )
    moved = where_restated(measured, files, _moves)
    codes, names = pd.factorize(campaigns["campaign_name"])
    place = ibis.memtable(
        pa.table({"entity_key": campaigns["entity_key"].to_numpy(), "campaign": codes})
    )
    placed = moved.inner_join(place, "entity_key")
    groups = {
        "campaign": placed["campaign"],
        "day": placed["last_day"].cast("timestamp(0)"),
        "as_of": placed["as_of"].cast("timestamp(0)"),
    }
    totals = placed.group_by(**groups).agg(**{name: placed[name].sum() for name in _MEASURES})
    steps = to_pandas(totals)
    return steps.assign(
        campaign_name=pd.Series(names.take(steps.pop("campaign").to_numpy()), dtype="str")
    )


def _moves(rows: Any) -> Any:
    """Each version less the one before it of the same key."""
    oldest_first = ibis.window(group_by=list(KEY), order_by=list(STAMP))
    return rows.mutate(
        **{
            name: rows[name] - rows[name].lag().over(oldest_first).fill_null(0.0)
            for name in _MEASURES
        }
    )


def _accumulate(steps: pd.DataFrame, coverage: pd.DataFrame) -> pd.DataFrame:
    """Running sums over as_of, for every (campaign, day) at every as_of that covered the day."""
    pairs = steps[["campaign_name", "day"]].drop_duplicates()
    grid = pairs.merge(coverage, on="day")
    keys = ["campaign_name", "day", "as_of"]
    # A late, older report may reaffirm rows under a stamp whose day it does not cover alone.
    every = grid.merge(steps, on=keys, how="outer").sort_values(keys, ignore_index=True)
    filled = every[_MEASURES].fillna(0.0)
    every[_MEASURES] = filled.groupby([every[name] for name in keys[:2]]).cumsum()
    known = every.merge(grid, on=keys)
    # Before a campaign's first row of a day nothing was known about it.
    known = known[known["as_of"] >= _first_known(steps, known)]
    known["value"] = known["value"].where(known["valued"] > 0)
    return known[list(VERSIONS.columns)].reset_index(drop=True)


def _first_known(steps: pd.DataFrame, rows: pd.DataFrame) -> pd.Series[Any]:
    first = steps.groupby(["campaign_name", "day"], as_index=False)["as_of"].min()
    return rows[["campaign_name", "day"]].merge(first, how="left")["as_of"].set_axis(rows.index)
