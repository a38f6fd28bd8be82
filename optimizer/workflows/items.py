"""Item tables and logs beside the account's settings; what a review is told of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd

from optimizer.errors import RefusedInput
from optimizer.review.stated_items import newest_prices, with_listed_items
from optimizer.settings import Settings
from optimizer.tables import Report
from optimizer.workflows.workspace import Workspace

_GRAINS = ("item", "item_log", "organic")


def stated_settings(
    workspace: Workspace, account: str, as_of: date
) -> tuple[Settings, tuple[Mapping[str, Any], ...]]:
    """The account's settings with what its item files said up to `as_of`, and alerts about items.

    Raises `BadSettings`, and `RefusedInput` where a unit cost has no price to be held against.
    """
    settings, store = workspace.configs.settings(account), workspace.store
    items, entries = store.items(account, as_of), store.item_entries(account, as_of)
    merged, alerts = with_listed_items(settings.account, items, entries, as_of)
    return settings.model_copy(update={"account": merged}), tuple(alerts)


def is_stated(read: object) -> bool:
    """Whether what was read is a file about items, which no platform made."""
    return isinstance(read, Report) and read.grain in _GRAINS


def for_account(workspace: Workspace, account: str, report: Report) -> Report:
    """The report; a file about items, which is of no platform, as one of the account's."""
    known = {record.name: record for record in workspace.store.accounts()}
    if not is_stated(report) or account not in known:
        return report
    return replace(report, platform=known[account].platform)


def refuse_unplaced(workspace: Workspace, account: str, reports: Sequence[Report]) -> None:
    """Raise `RefusedInput` for a file about items where no report has made, or makes, the account."""
    stated = [report for report in reports if is_stated(report)]
    if not stated or len(stated) < len(reports):
        return
    if account not in {record.name for record in workspace.store.accounts()}:
        raise RefusedInput("items_before_reports", file=stated[0].file_name, account=account)


def refuse_unpriced(
    workspace: Workspace, account: str, reports: Iterable[Report], as_of: date
) -> None:
    """Raise `RefusedInput` naming the first unit cost whose item has no price in any file."""
    frames = [(report, report.rows) for report in reports if report.grain in _GRAINS]
    tables = [(report, rows) for report, rows in frames if "unit_cost_micros" in rows]
    if not tables:
        return
    store = workspace.store
    known = newest_prices(store.items(account, as_of), store.item_entries(account, as_of))
    priced = {*known, *(item for _, rows in frames for item in _priced(rows))}
    for report, rows in tables:
        _refuse_first(report, _costed(rows), priced)


def _priced(rows: pd.DataFrame) -> Iterable[str]:
    if "price_micros" not in rows:
        return ()
    return rows.loc[rows["price_micros"].notna(), "item_id"].astype("object")


def _costed(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose unit cost must become a margin."""
    costed = rows["unit_cost_micros"].notna()
    return rows[costed & rows["margin"].isna()] if "margin" in rows else rows[costed]


def _refuse_first(report: Report, rows: pd.DataFrame, priced: set[str]) -> None:
    lacking = rows[~rows["item_id"].astype("object").isin(priced)]
    if lacking.empty:
        return
    first = lacking.iloc[0]
    raise RefusedInput(
        "item_price_unknown",
        file=report.file_name,
        line=int(first["source_row"]),
        item=str(first["item_id"]),
        count=len(lacking),
    )
