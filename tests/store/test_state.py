from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from optimizer.store.protocol import Change
from optimizer.store.sql_store import SqlStore
from tests.store.samples import ANNA, keyword_report, keyword_row, suggestion, suggestions_of


def imported(store: SqlStore, as_of: date, *rows: dict[str, Any]) -> None:
    report = keyword_report(rows, file_name=f"{as_of}.csv")
    store.append_report(report, "shop", as_of, ANNA)


def bid_row(day: str, bid: float | None, **changes: Any) -> dict[str, Any]:
    return keyword_row(day, bid_micros=None if bid is None else round(bid * 1e6), **changes)


def keyword(store: SqlStore, as_of: date = date(2026, 3, 31)) -> dict[Any, Any]:
    return store.review_tables("shop", as_of, 60).keywords.iloc[0].to_dict()


def last_change(store: SqlStore, as_of: date = date(2026, 3, 31)) -> date | None:
    day = keyword(store, as_of)["last_change"]
    return None if pd.isna(day) else day.date()


def test_unchanged_bid_has_no_last_change(store: SqlStore) -> None:
    imported(store, date(2026, 3, 3), bid_row("2026-03-01", 1.0), bid_row("2026-03-02", 1.0))
    imported(store, date(2026, 3, 4), bid_row("2026-03-03", 1.0))
    assert last_change(store) is None


def test_change_within_a_file_is_dated_by_its_rows(store: SqlStore) -> None:
    days = [bid_row("2026-03-01", 1.0), bid_row("2026-03-02", 1.2), bid_row("2026-03-03", 1.2)]
    imported(store, date(2026, 3, 4), *days)
    assert last_change(store) == date(2026, 3, 2)
    assert keyword(store)["bid"] == 1.2


def test_change_between_downloads_is_dated_by_the_newer(store: SqlStore) -> None:
    """Google's report gives all days the bid of the download day."""
    imported(store, date(2026, 3, 3), bid_row("2026-03-01", 1.0), bid_row("2026-03-02", 1.0))
    imported(store, date(2026, 3, 5), bid_row("2026-03-02", 1.2), bid_row("2026-03-04", 1.2))
    assert last_change(store) == date(2026, 3, 4)
    assert last_change(store, date(2026, 3, 4)) is None
    assert keyword(store, date(2026, 3, 4))["bid"] == 1.0


def test_change_told_by_the_rows_themselves_is_not_dated_twice(store: SqlStore) -> None:
    imported(store, date(2026, 3, 3), bid_row("2026-03-02", 1.0))
    days = [bid_row("2026-03-02", 1.0), bid_row("2026-03-03", 1.2), bid_row("2026-03-09", 1.2)]
    imported(store, date(2026, 3, 10), *days)
    assert last_change(store) == date(2026, 3, 3)


def test_report_without_bids_does_not_hide_them(store: SqlStore) -> None:
    imported(store, date(2026, 3, 3), bid_row("2026-03-02", 1.0, quality_score=7))
    imported(store, date(2026, 3, 4), bid_row("2026-03-03", None, status="PAUSED"))
    found = keyword(store)
    assert (found["bid"], found["status"], found["quality_score"]) == (1.0, "PAUSED", 7.0)


def test_bid_that_vanished_for_one_keyword_is_unknown(store: SqlStore) -> None:
    imported(store, date(2026, 3, 3), bid_row("2026-03-02", 1.0))
    other = bid_row("2026-03-03", 2.0, ad_group_name="Zebra")
    imported(store, date(2026, 3, 4), bid_row("2026-03-03", None), other)
    assert pd.isna(keyword(store)["bid"])


def test_older_days_imported_later_do_not_set_the_state(store: SqlStore) -> None:
    imported(store, date(2026, 3, 10), bid_row("2026-03-09", 1.5))
    imported(store, date(2026, 3, 11), bid_row("2026-01-09", 0.5))
    assert keyword(store)["bid"] == 1.5


def test_export_counts_as_a_change(store: SqlStore) -> None:
    imported(store, date(2026, 3, 3), bid_row("2026-03-02", 1.0))
    key = str(keyword(store)["entity_key"])
    day = date(2026, 3, 3)
    store.save_run("shop", day, {}, suggestions_of(suggestion("a", entity_key=key)), {}, ANNA)
    approve = Change("a", 1, "proposed", "approved", 1.0, 1.2)
    store.apply_changes("shop", [approve], ANNA, "approve")
    store.record_export("shop", "e1", ["bulk.csv"], [("a", 1)], ANNA)
    assert last_change(store) == day
