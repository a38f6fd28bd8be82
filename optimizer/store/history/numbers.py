"""What keywords, terms and creatives did: rows, their sums, and what reports count beside clicks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from optimizer.store.history.layout import EXTRA_TYPES, KEY, SUMS, HistoryFile, Window
from optimizer.store.history.newest import (
    connect,
    filled_with,
    newest_of,
    newest_periods,
    to_pandas,
)
from optimizer.tables import KEYWORD_DAILY, MICROS, NEGATIVES, empty_table

_DAILY_SHARES = ("impression_share", "lost_is_budget")


def daily(
    days: Sequence[HistoryFile], periods: Sequence[HistoryFile], window: Window
) -> pd.DataFrame:
    """Table KEYWORD_DAILY: newest version of each row; periods only for entities without days."""
    session = connect()
    of_days = _without_extras(newest_of(session, days, window)) if days else None
    of_periods = _without_extras(newest_periods(session, periods, window)) if periods else None
    if of_days is None or of_periods is None:
        found = of_periods if of_days is None else of_days
        return empty_table(KEYWORD_DAILY) if found is None else _in_currency(found)
    return _in_currency(of_days.union(of_periods.anti_join(of_days, "entity_key")))


def extras(
    days: Sequence[HistoryFile], periods: Sequence[HistoryFile], window: Window
) -> pd.DataFrame:
    """What reports counted beside clicks and conversions: entity_key, the days, and EXTRA_TYPES.

    Counts as float64, money in currency under names without `_micros`; null where a report has none.
    Rows without any of them are left out; periods stand only for entities without days.
    """
    names = [name.removesuffix("_micros") for name in EXTRA_TYPES]
    rows = _extra_rows(days, periods, window)
    if rows is None:
        columns = {"entity_key": "int64"} | dict.fromkeys(KEY[1:], "datetime64[s]")
        return pd.DataFrame(columns=[*columns, *names]).astype(
            columns | dict.fromkeys(names, "float64")
        )
    told = rows.filter(ibis.or_(*(rows[name].notnull() for name in EXTRA_TYPES)))  # noqa: PD004
    counts = {
        name.removesuffix("_micros"): told[name].cast("float64")
        / (MICROS if name.endswith("_micros") else 1)
        for name in EXTRA_TYPES
    }
    dates = {name: told[name].cast("timestamp(0)") for name in KEY[1:]}
    ordered = told.order_by(list(KEY))
    return to_pandas(ordered.select("entity_key", **dates, **counts))


def _extra_rows(
    days: Sequence[HistoryFile], periods: Sequence[HistoryFile], window: Window
) -> Any | None:
    """Newest rows with every column of EXTRA_TYPES; None where no file has any of them."""
    session = connect()
    of_days = newest_of(session, days, window) if days else None
    of_periods = newest_periods(session, periods, window) if periods else None
    known = [one for one in (of_days, of_periods) if one is not None]
    if not any(set(EXTRA_TYPES) & set(one.columns) for one in known):
        return None  # most accounts: to compile the question takes longer than to answer it
    first, *rest = (filled_with(one, EXTRA_TYPES)[[*KEY, *EXTRA_TYPES]] for one in known)
    return first.union(rest[0].anti_join(first, "entity_key")) if rest else first


def sums(
    days: Sequence[HistoryFile], window: Window, weights: Mapping[date, float] | None = None
) -> pd.DataFrame:
    """One row per entity: Σ weight(day)·number over the window; weight 1 without `weights`.

    Days that `weights` does not name count nothing. `value` is null where no day has one.
    """
    names = ["entity_key", "impressions", "clicks", "cost", "conversions", "value"]
    if not days:
        return empty_table(KEYWORD_DAILY)[names]
    session = connect()
    newest = newest_of(session, days, window)
    weighted = _weighted(newest, weights)
    totals = weighted.group_by("entity_key").agg(
        **{name: (weighted[name] * weighted["weight"]).sum() for name in SUMS}
    )
    return to_pandas(totals.select(*_currency_columns(totals, ["entity_key"])))


def negatives(files: Sequence[HistoryFile]) -> pd.DataFrame:
    """Table NEGATIVES: what the files list together, each once."""
    columns = list(NEGATIVES.columns)
    if not files:
        return empty_table(NEGATIVES)
    listed = pa.concat_tables([pq.read_table(file.path, columns=columns) for file in files])
    frame: pd.DataFrame = listed.to_pandas().astype(empty_table(NEGATIVES).dtypes)
    return frame.drop_duplicates(ignore_index=True)


def _without_extras(rows: Any) -> Any:
    return rows.drop(*(name for name in EXTRA_TYPES if name in rows.columns))


def _weighted(rows: Any, weights: Mapping[date, float] | None) -> Any:
    if weights is None:
        return rows.mutate(weight=ibis.literal(1.0))
    table = pa.table(
        {
            "weight_day": pa.array(list(weights), pa.date32()),
            "weight": pa.array(list(weights.values()), pa.float64()),
        }
    )
    weighing = ibis.memtable(table)
    return rows.inner_join(weighing, [rows["last_day"] == weighing["weight_day"]])


def _in_currency(rows: Any) -> pd.DataFrame:
    dated = rows.mutate(**{name: rows[name].cast("timestamp(0)") for name in KEY[1:]})
    shares = [name for name in _DAILY_SHARES if name in dated.columns]
    return _sorted(to_pandas(dated.select(*_currency_columns(dated, KEY), *shares)))


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    """By key, so that sums over it come out the same every time; files are sorted already."""
    days = frame["last_day"].to_numpy().astype("datetime64[D]").astype(np.int64)
    place = frame["entity_key"].to_numpy() * (1 << 22) + days
    if (np.diff(place) > 0).all():
        return frame
    return frame.sort_values(list(KEY), ignore_index=True)


def _currency_columns(rows: Any, names: Sequence[str]) -> list[Any]:
    """`names` as they are, then the five sums as float64, money in currency."""
    money = {"cost": rows["cost_micros"], "value": rows["value_micros"]}
    amounts = {name: column.cast("float64") / MICROS for name, column in money.items()}
    counts = {name: rows[name].cast("float64") for name in ("impressions", "clicks", "conversions")}
    order = ("impressions", "clicks", "cost", "conversions", "value")
    named = {**counts, **amounts}
    return [*(rows[name] for name in names), *(named[name].name(name) for name in order)]
