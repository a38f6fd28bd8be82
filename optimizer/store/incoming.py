"""A report on its way into history: identities, quarantine, facts and states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from optimizer.store import entities, history, listings, report_rows
from optimizer.store.entities import Kind
from optimizer.store.protocol import Tell, nobody
from optimizer.store.report_rows import Facts
from optimizer.tables import MICROS, Reconciliation, Report

_SETTLED: Final = 0.4
"""Share of storing a report after which its rows have found their entities."""
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
    """What a report becomes: facts and states (history's schemas), entities and quarantine.

    `facts` is None where the report has no counts, or no row was kept.
    """

    kind: Kind
    facts: Facts | None
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
    facts: Path,
    *,
    newest_report: bool,
    tell: Tell = nobody,
) -> Draft:
    """Resolve, quarantine and shape a report; `known` are the account's entities of its kind.

    `tell` hears when its rows have found their entities. Its facts go into the file `facts`. Raises
    `RefusedInput` when that disk, or the one of temporary files, is full.
    """
    kind = kind_of(report.grain)
    if kind in listings.SCHEMAS:
        return _listed(report, known, kind)
    with report_rows.opened(report, kind) as db:
        things = report_rows.told(db)
        numbers, found = entities.distinct_identities(things, kind)
        resolution = entities.resolve(
            found, known, next_key, newest_report=newest_report, kind=kind
        )
        keys = resolution.keys.astype("float64").to_numpy()[numbers]
        refused = report_rows.settle(db, things, keys, kind)
        tell(_SETTLED)
        columns = tuple(history.STATE_TYPES[kind])
        clean = report_rows.summary(db, (*columns, *history.EXTRA_TYPES))
        counted = [name for name in history.EXTRA_TYPES if clean.get(f"has_{name}")]
        return Draft(
            kind,
            report_rows.write_facts(db, kind, stamp, facts, counted)
            if report_rows.counts_traffic(db)
            else None,
            report_rows.states(db, kind, stamp),
            tuple(name for name in columns if clean[f"has_{name}"]),
            _only(resolution, clean["keys"]),
            _with_refused(report, refused),
            _reconciled(
                report.reconciliation,
                report_rows.sums(db) if len(refused) else {},
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
        None,
        history.STATES["negative"].empty_table(),
        listings.filled(listed),
        entities.Resolution(none, known.iloc[:0], known.iloc[:0]),
        report.quarantine,
        report.reconciliation,
        listed,
    )


def _with_refused(report: Report, refused: pd.DataFrame) -> pd.DataFrame:
    """The report's quarantine and the rows whose identity cannot be trusted."""
    if refused.empty:
        return report.quarantine
    rows = pd.DataFrame(
        {
            "line": report.kept.lines[refused["ordinal"].to_numpy()],
            "column": "",
            "code": refused["code"].to_numpy(),
            "text": refused["text"].astype("object").to_numpy(),
        }
    )
    return pd.concat([report.quarantine, rows], ignore_index=True)


def _only(resolution: entities.Resolution, keys: np.ndarray) -> entities.Resolution:
    """Without new entities that no kept row is about."""
    used = resolution.new["entity_key"].isin(keys)
    return replace(resolution, new=resolution.new[used])


def _reconciled(
    reconciliation: Reconciliation, kept: Mapping[str, Any], refused: int, unmatched: int
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


def _totals(kept: Mapping[str, Any]) -> dict[str, float | None]:
    if "clicks" not in kept:
        return {}
    value = kept["value_micros"]
    return {
        "impressions": float(kept["impressions"] or 0),
        "clicks": float(kept["clicks"] or 0),
        "cost": int(kept["cost_micros"] or 0) / MICROS,
        "conversions": float(kept["conversions"] or 0),
        "value": None if value is None else int(value) / MICROS,
    }
