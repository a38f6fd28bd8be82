"""A report on its way into history: identities, quarantine, facts and states. No files, no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from optimizer.store import entities, history, listings
from optimizer.store.entities import Kind
from optimizer.tables import MICROS, QUARANTINE, Reconciliation, Report, empty_table

_KINDS: dict[str, Kind] = {
    "keyword": "keyword",
    "keyword_state": "keyword",
    "search_term": "search_term",
    "creative": "creative",
    "negative": "negative",
    "item": "item",
    "item_log": "item_log",
    "organic": "organic",
}


@dataclass(frozen=True)
class Draft:
    """What a report becomes: facts and states (history's schemas), entities and quarantine."""

    kind: Kind
    facts: pa.Table
    states: pa.Table
    state_columns: tuple[str, ...]
    resolution: entities.Resolution
    quarantine: pd.DataFrame
    reconciliation: Reconciliation
    listing: pa.Table = field(default_factory=history.NEGATIVES_FILE.empty_table)


def kind_of(grain: str) -> Kind:
    """What the rows of a grain are about."""
    return _KINDS[grain.removesuffix("_day").removesuffix("_period")]


def draft(
    report: Report,
    known: pd.DataFrame,
    next_key: int,
    stamp: tuple[date, int],
    *,
    newest_report: bool,
) -> Draft:
    """Resolve, quarantine and shape a report; `known` are the account's entities of its kind."""
    kind = kind_of(report.grain)
    if kind in listings.SCHEMAS:
        return _listed(report, known, kind)
    rows = report.rows.reset_index(drop=True).rename(columns=entities.CREATIVE_NAMES)
    numbers, found = entities.distinct_identities(rows, kind)
    resolution = entities.resolve(found, known, next_key, newest_report=newest_report, kind=kind)
    keys = resolution.keys.astype("float64").to_numpy()[numbers]
    codes = _refusals(rows, keys, kind)
    kept = codes == ""
    clean = rows[kept].assign(entity_key=keys[kept].astype("int64"))
    refused = _quarantined(rows[~kept], codes[~kept])
    return Draft(
        kind,
        _facts(clean, kind, stamp) if "clicks" in clean else history.FACTS[kind].empty_table(),
        _states(clean, kind, stamp),
        tuple(name for name in history.STATE_TYPES[kind] if clean[name].notna().any()),
        _only(resolution, clean["entity_key"]),
        pd.concat([report.quarantine, refused], ignore_index=True)
        if len(refused)
        else report.quarantine,
        _reconciled(
            report.reconciliation,
            clean,
            len(refused),
            entities.count_unmatched(found, known, resolution) if kind == "keyword" else 0,
        ),
    )


def _listed(report: Report, known: pd.DataFrame, kind: Kind) -> Draft:
    """Negatives in force, items, organic words: a list of its own, without identities or counts."""
    listed = listings.listed(report.rows, kind)
    none = pd.Series(dtype="Int64")
    return Draft(
        kind,
        history.FACTS["negative"].empty_table(),
        history.STATES["negative"].empty_table(),
        listings.filled(listed),
        entities.Resolution(none, known.iloc[:0], known.iloc[:0]),
        report.quarantine,
        report.reconciliation,
        listed,
    )


def _refusals(rows: pd.DataFrame, keys: np.ndarray, kind: Kind) -> np.ndarray:
    """Per row "" or why its identity cannot be trusted."""
    unnamed = rows["campaign_name"].isna() | rows["ad_group_name"].isna()
    codes = np.where(np.isnan(keys), "entity_ambiguous", "").astype("object")
    codes[np.isnan(keys) & unnamed.to_numpy()] = "entity_unknown"
    if kind != "search_term":
        days = rows[["first_day", "last_day"]].assign(entity_key=keys)
        repeated = days.duplicated(keep=False).to_numpy() & ~np.isnan(keys)
        codes[repeated] = "entity_repeated"
    return codes


def _quarantined(rows: pd.DataFrame, codes: np.ndarray) -> pd.DataFrame:
    if rows.empty:
        return empty_table(QUARANTINE)
    text = rows["search_term"] if "search_term" in rows else rows["keyword_text"]
    return pd.DataFrame(
        {
            "line": rows["source_row"].to_numpy(),
            "column": "",
            "code": codes,
            "text": text.astype("object").to_numpy(),
        }
    )


def _only(resolution: entities.Resolution, keys: pd.Series[Any]) -> entities.Resolution:
    """Without new entities that no kept row is about."""
    used = resolution.new["entity_key"].isin(keys)
    return replace(resolution, new=resolution.new[used])


def _facts(rows: pd.DataFrame, kind: Kind, stamp: tuple[date, int]) -> pa.Table:
    if kind == "search_term":
        rows = _summed_over_segments(rows)
    order = np.lexsort((rows["first_day"].to_numpy(), rows["entity_key"].to_numpy()))
    counted = [name for name in history.EXTRA_TYPES if name in rows and rows[name].notna().any()]
    extra = [pa.field(name, history.EXTRA_TYPES[name]) for name in counted]
    return _arrow(rows.iloc[order], pa.schema([*history.FACTS[kind], *extra]), stamp)


def _summed_over_segments(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per term and day: the report splits a term by the way it matched."""
    groups = rows.groupby(list(history.KEY), sort=False)
    counts = groups[["impressions", "clicks", "cost_micros", "conversions"]].sum()
    money = [name for name in ("value_micros", *history.EXTRA_TYPES) if name in rows]
    value = rows[money].astype("Int64").groupby([rows[name] for name in history.KEY])
    return counts.join(value.sum(min_count=1)).reset_index()


def _states(rows: pd.DataFrame, kind: Kind, stamp: tuple[date, int]) -> pa.Table:
    numbers, keys = pd.factorize(rows["entity_key"])
    newest = entities.newest_position(numbers, rows["last_day"])
    state = rows.iloc[newest].rename(columns={"last_day": "day"})
    changed = np.full(len(keys), np.datetime64("NaT", "s"))
    if kind == "keyword":
        _note_bid_changes(changed, rows, numbers)
    state = state.assign(changed_on=changed).sort_values("entity_key")
    return _arrow(state, history.STATES[kind], stamp)


def _note_bid_changes(changed: np.ndarray, rows: pd.DataFrame, numbers: np.ndarray) -> None:
    """Per entity the last day whose bid differs from that of its row before; others stay as is."""
    days = rows["first_day"].to_numpy().astype("datetime64[s]")
    bids = rows["bid_micros"].astype("float64").to_numpy()
    order = np.lexsort((days, numbers))
    after, before = order[1:], order[:-1]
    known = ~np.isnan(bids[after]) & ~np.isnan(bids[before])
    moved = (numbers[after] == numbers[before]) & known & (bids[after] != bids[before])
    changed[numbers[after[moved]]] = days[after[moved]]  # days rise, the last write stays


def _arrow(rows: pd.DataFrame, schema: pa.Schema, stamp: tuple[date, int]) -> pa.Table:
    stamps: Mapping[str, Any] = dict(zip(history.STAMP, stamp, strict=True))
    columns = [
        pa.array([stamps[field.name]], field.type).take(pa.array(np.zeros(len(rows), np.int32)))
        if field.name in stamps
        else _column(rows[field.name], field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _column(values: pd.Series[Any], kind: pa.DataType) -> pa.Array:
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype("str")
    array = pa.Array.from_pandas(values)
    plain = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return plain.cast(kind)


def _reconciled(
    reconciliation: Reconciliation, kept: pd.DataFrame, refused: int, unmatched: int
) -> Reconciliation:
    """Counts and totals after `refused` more rows went to quarantine, and keywords without an id."""
    if unmatched:
        warnings = {**reconciliation.warnings, "keywords_unmatched": unmatched}
        reconciliation = replace(reconciliation, warnings=warnings)
    if refused == 0:
        return reconciliation
    return replace(
        reconciliation,
        rows_kept=reconciliation.rows_kept - refused,
        rows_quarantined=reconciliation.rows_quarantined + refused,
        totals=_totals(kept),
    )


def _totals(kept: pd.DataFrame) -> dict[str, float | None]:
    if "clicks" not in kept:
        return {}
    value = kept["value_micros"].astype("Int64").sum(min_count=1)
    return {
        "impressions": float(kept["impressions"].sum()),
        "clicks": float(kept["clicks"].sum()),
        "cost": int(kept["cost_micros"].sum()) / MICROS,
        "conversions": float(kept["conversions"].sum()),
        "value": None if pd.isna(value) else int(value) / MICROS,
    }
