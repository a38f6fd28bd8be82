"""Carts, favourites, pre-sales and new customers: kept in columns of their own, version by version."""

from __future__ import annotations

from datetime import date
from typing import Any

from optimizer.store.sql_store import SqlStore
from optimizer.tables import KEYWORD_ROWS
from tests.store.samples import (
    ANNA,
    _report,
    frame_of,
    keyword_report,
    keyword_row,
    term_report,
    term_row,
)

FIRST, SECOND = date(2026, 3, 5), date(2026, 3, 6)
CARTS: dict[str, Any] = {"add_to_cart": 4.0, "favourites": 2.0, "presale_value_micros": 3_000_000}


def reported(store: SqlStore, *rows: dict[str, Any], as_of: date = FIRST) -> Any:
    return store.append_report(keyword_report(rows), "shop", as_of, ANNA)


def carts(store: SqlStore, as_of: date = date(2026, 3, 20)) -> list[Any]:
    found = store.extra_counts("shop", as_of, 60)
    return found[["add_to_cart", "presale_value"]].values.tolist()


def test_extra_counts_are_kept_per_day(store: SqlStore) -> None:
    reported(store, keyword_row("2026-03-01", **CARTS), keyword_row("2026-03-02"))
    found = store.extra_counts("shop", date(2026, 3, 20), 60)
    assert found["first_day"].astype(str).tolist() == ["2026-03-01"]
    assert found["new_customers"].isna().all()
    assert carts(store) == [[4.0, 3.0]]


def test_reports_with_and_without_them_share_one_history(store: SqlStore) -> None:
    reported(store, keyword_row("2026-03-01"))
    reported(store, keyword_row("2026-03-02", **CARTS), as_of=SECOND)
    assert len(store.review_tables("shop", SECOND, 60).daily) == 2
    assert carts(store) == [[4.0, 3.0]]


def test_more_carts_alone_are_a_new_version(store: SqlStore) -> None:
    reported(store, keyword_row("2026-03-01", **CARTS))
    later = reported(store, keyword_row("2026-03-01", **CARTS | {"add_to_cart": 5.0}), as_of=SECOND)
    assert later.rows_changed == 1
    assert carts(store) == [[5.0, 3.0]]
    assert carts(store, FIRST) == [[4.0, 3.0]]


def test_report_that_lacks_them_takes_nothing_away(store: SqlStore) -> None:
    reported(store, keyword_row("2026-03-01", **CARTS))
    later = reported(store, keyword_row("2026-03-01"), as_of=SECOND)
    assert later.rows_changed == 0
    assert carts(store) == [[4.0, 3.0]]


def test_late_older_report_hides_no_later_carts(store: SqlStore) -> None:
    reported(store, keyword_row("2026-03-01", **CARTS), as_of=SECOND)
    reported(store, keyword_row("2026-03-01", clicks=9), as_of=FIRST)
    assert carts(store) == [[4.0, 3.0]]


def test_account_without_any_has_none(store: SqlStore) -> None:
    reported(store, keyword_row("2026-03-01"))
    assert store.extra_counts("shop", SECOND, 60).empty


def test_parts_of_the_value_are_kept_of_search_terms_too(store: SqlStore) -> None:
    halo = {"direct_value_micros": 3_000_000, "indirect_value_micros": 2_000_000}
    rows = [term_row("2026-03-01", term_match_type=match, **halo) for match in ("EXACT", "BROAD")]
    store.append_report(term_report(rows), "shop", FIRST, ANNA)
    found = store.extra_counts("shop", date(2026, 3, 20), 60, kind="search_term")
    assert found[["direct_value", "indirect_value"]].values.tolist() == [[6.0, 4.0]]
    assert len(store.review_tables("shop", FIRST, 60).term_daily) == 1


def test_counts_of_one_keyword_alone(store: SqlStore) -> None:
    rows = [keyword_row("2026-03-01", keyword_text=text, **CARTS) for text in ("a", "b")]
    reported(store, *rows)
    keys = store.extra_counts("shop", date(2026, 3, 20), 60)["entity_key"].tolist()
    found = store.extra_counts("shop", date(2026, 3, 20), 60, entity_key=keys[1])
    assert found["entity_key"].tolist() == keys[1:]


def test_period_stands_for_a_keyword_without_days(store: SqlStore) -> None:
    month = {"first_day": "2026-02-01", "last_day": "2026-02-28"}
    rows = frame_of([keyword_row("2026-03-01", **CARTS | month)], KEYWORD_ROWS)
    store.append_report(_report(rows, "keyword_period", "summary", {}), "shop", FIRST, ANNA)
    assert carts(store) == [[4.0, 3.0]]
    reported(store, keyword_row("2026-03-01", **CARTS | {"add_to_cart": 1.0}), as_of=SECOND)
    assert carts(store) == [[1.0, 3.0]]
