"""Small reports, built as the readers build them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from optimizer.kept_rows import KeptRows
from optimizer.tables import (
    CREATIVE_ROWS,
    ITEM_LOG_ROWS,
    ITEM_ROWS,
    KEYWORD_ROWS,
    NEGATIVE_ROWS,
    ORGANIC_ROWS,
    QUARANTINE,
    STATE_ROWS,
    SUGGESTIONS,
    TERM_ROWS,
    Actor,
    Reconciliation,
    Report,
    Table,
    empty_table,
)

_PAID = (KEYWORD_ROWS, TERM_ROWS, STATE_ROWS, CREATIVE_ROWS)
_TABLES = (*_PAID, NEGATIVE_ROWS, ITEM_ROWS, ITEM_LOG_ROWS, ORGANIC_ROWS)
ANNA = Actor("anna", "admin")
BEN = Actor("ben", "approver")

_PLACE = {
    "campaign_id": None,
    "campaign_name": "Shoes",
    "ad_group_id": None,
    "ad_group_name": "Red",
}
_COUNTS = {
    "impressions": 100,
    "clicks": 10,
    "cost_micros": 5_000_000,
    "conversions": 1.0,
    "value_micros": 20_000_000,
}
_KEYWORD = {
    **_PLACE,
    **_COUNTS,
    "keyword_text": "red shoes",
    "match_type": "EXACT",
    "target_type": "keyword",
    "bid_micros": 1_000_000,
    "status": "ENABLED",
}
_TERM = {**_PLACE, **_COUNTS, "keyword_text": "red shoes", "search_term": "buy red shoes"}


def keyword_row(day: str, **changes: Any) -> dict[str, Any]:
    """One keyword row of `day`, with `changes`."""
    return {"first_day": day, "last_day": day, **_KEYWORD, **changes}


def term_row(day: str, **changes: Any) -> dict[str, Any]:
    """One search term row of `day`, with `changes`."""
    return {"first_day": day, "last_day": day, **_TERM, **changes}


def frame_of(rows: Sequence[Mapping[str, Any]], table: Table) -> pd.DataFrame:
    """Rows as a frame of `table`; columns a row does not name are null."""
    numbered = [{"source_row": line, **row} for line, row in enumerate(rows, start=2)]
    frame = pd.DataFrame(numbered, columns=list(table.columns), dtype="object")
    dtypes = dict(empty_table(table).dtypes)
    nullable = {name: "Int64" for name, kind in dtypes.items() if str(kind) == "int64"}
    return frame.astype(dtypes | nullable)


def keyword_report(rows: Sequence[Mapping[str, Any]], **changes: Any) -> Report:
    """A daily keyword report; `changes` replace fields of the reconciliation or the report."""
    return _report(frame_of(rows, KEYWORD_ROWS), "keyword_day", "google_ads_keywords", changes)


def term_report(rows: Sequence[Mapping[str, Any]], **changes: Any) -> Report:
    """A daily search terms report."""
    return _report(frame_of(rows, TERM_ROWS), "search_term_day", "google_ads_search_terms", changes)


def _report(rows: pd.DataFrame, grain: Any, profile: str, changes: dict[str, Any]) -> Report:
    table = next(each for each in _TABLES if list(each.columns) == list(rows.columns))
    text = rows.to_csv() + str(sorted(changes.items(), key=str))
    fields: dict[str, Any] = {
        "file_name": "report.csv",
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "platform": "google_ads",
        "grain": grain,
        "kept": KeptRows.of(rows, table.columns),
        "quarantine": empty_table(QUARANTINE),
    }
    fields |= {name: changes.pop(name) for name in list(changes) if name in fields}
    return Report(reconciliation=reconciliation_of(rows, profile, **changes), **fields)


def reconciliation_of(rows: pd.DataFrame, profile: str, **changes: Any) -> Reconciliation:
    """What a reader would say of `rows` if it dropped nothing."""
    fields: dict[str, Any] = {
        "profile": profile,
        "rows_read": len(rows),
        "rows_kept": len(rows),
        "rows_dropped": {},
        "rows_quarantined": 0,
        "totals": _totals(rows) if "clicks" in rows else {},
        "checksums": (),
        "currency": "USD",
        "period": _period(rows),
        "writable_bid_share": 1.0,
    }
    return Reconciliation(**(fields | changes))


def _totals(rows: pd.DataFrame) -> dict[str, float | None]:
    value = rows["value_micros"].sum(min_count=1)
    return {
        "impressions": float(rows["impressions"].sum()),
        "clicks": float(rows["clicks"].sum()),
        "cost": rows["cost_micros"].sum() / 1e6,
        "conversions": float(rows["conversions"].sum()),
        "value": None if pd.isna(value) else value / 1e6,
    }


def _period(rows: pd.DataFrame) -> tuple[date, date] | None:
    return (rows["first_day"].min().date(), rows["last_day"].max().date()) if len(rows) else None


def suggestion(id_: str, **changes: Any) -> dict[str, Any]:
    """One raise from 1.00 to 1.20, with `changes`."""
    return {
        "id": id_,
        "kind": "raise",
        "slot": "bid",
        "entity_key": "1",
        **_PLACE,
        "keyword_text": "red shoes",
        "match_type": "EXACT",
        "segment": "generic",
        "bid": 1.0,
        "proposed_bid": 1.2,
        "delta_clicks": 1.0,
        "delta_cost": 1.0,
        "delta_profit_mean": 2.0,
        "delta_profit_low": 0.5,
        "delta_profit_high": 4.0,
        "p_positive": 0.9,
        "reason": "above_line",
        "evidence": "{}",
    } | changes


def suggestions_of(*rows: Mapping[str, Any]) -> pd.DataFrame:
    """Table SUGGESTIONS of those rows."""
    frame = pd.DataFrame(list(rows), columns=list(SUGGESTIONS.columns), dtype="object")
    return frame.astype(dict(empty_table(SUGGESTIONS).dtypes))
