from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from optimizer.errors import NotFound, RefusedInput
from optimizer.store.sql_store import SqlStore
from optimizer.tables import (
    KEYWORD_DAILY,
    KEYWORDS,
    QUARANTINE,
    TERM_DAILY,
    TERMS,
    VERSIONS,
    check_table,
)
from tests.store.samples import ANNA, keyword_report, keyword_row, term_report, term_row

MARCH_5 = date(2026, 3, 5)


def test_report_comes_back_as_review_tables(store: SqlStore) -> None:
    store.append_report(keyword_report([keyword_row("2026-03-04")]), "shop", MARCH_5, ANNA)
    store.append_report(term_report([term_row("2026-03-04")]), "shop", MARCH_5, ANNA)
    found = store.review_tables("shop", MARCH_5, 30)
    assert found.account.currency == "USD"
    assert check_table(found.keywords, KEYWORDS)["bid"].tolist() == [1.0]
    assert check_table(found.daily, KEYWORD_DAILY)["cost"].tolist() == [5.0]
    assert check_table(found.terms, TERMS)["search_term"].tolist() == ["buy red shoes"]
    assert check_table(found.term_daily, TERM_DAILY)["value"].tolist() == [20.0]
    assert check_table(found.versions, VERSIONS)["conversions"].tolist() == [1.0]
    assert found.batches == tuple(batch.batch_id for batch in reversed(store.batches("shop")))


def test_same_bytes_are_one_batch(store: SqlStore) -> None:
    report = keyword_report([keyword_row("2026-03-04")])
    first = store.append_report(report, "shop", MARCH_5, ANNA)
    again = store.append_report(report, "shop", date(2026, 3, 6), ANNA)
    assert (first.duplicate, again.duplicate) == (False, True)
    assert replace(again, duplicate=False) == first == store.batches("shop")[0]
    assert len(store.audit()) == 1


def test_eight_uploads_at_once_are_one_batch(store: SqlStore) -> None:
    report = keyword_report([keyword_row("2026-03-04")])
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(store.append_report, report, "shop", MARCH_5, ANNA) for _ in range(8)]
    assert sorted(job.result().duplicate for job in jobs) == [False] + [True] * 7
    assert len(store.batches("shop")) == 1


def test_reordered_copy_is_a_batch_without_changes(store: SqlStore) -> None:
    rows = [keyword_row("2026-03-03"), keyword_row("2026-03-04")]
    store.append_report(keyword_report(rows), "shop", MARCH_5, ANNA)
    copy = store.append_report(keyword_report(rows[::-1]), "shop", MARCH_5, ANNA)
    assert (copy.duplicate, copy.rows_changed, copy.keys_missing) == (False, 0, 0)
    assert len(store.review_tables("shop", MARCH_5, 30).daily) == 2


def test_missing_keys_are_kept_and_counted(store: SqlStore) -> None:
    both = [keyword_row("2026-03-04"), keyword_row("2026-03-04", keyword_text="blue shoes")]
    store.append_report(keyword_report(both), "shop", MARCH_5, ANNA)
    newer = keyword_report([keyword_row("2026-03-04", clicks=12)])
    batch = store.append_report(newer, "shop", date(2026, 3, 6), ANNA)
    assert (batch.rows_changed, batch.keys_missing) == (1, 1)
    daily = store.review_tables("shop", date(2026, 3, 6), 30).daily
    assert sorted(daily["clicks"]) == [10.0, 12.0]


def test_other_currency_or_platform_is_refused(store: SqlStore) -> None:
    store.append_report(keyword_report([keyword_row("2026-03-04")]), "shop", MARCH_5, ANNA)
    euro = keyword_report([keyword_row("2026-03-04")], currency="EUR")
    with pytest.raises(RefusedInput, match="currency_differs") as refusal:
        store.append_report(euro, "shop", MARCH_5, ANNA)
    assert refusal.value.fields["expected"] == "USD"
    amazon = keyword_report([keyword_row("2026-03-04")], platform="amazon_ads")
    with pytest.raises(RefusedInput, match="platform_differs"):
        store.append_report(amazon, "shop", MARCH_5, ANNA)


def test_unknown_currency_cannot_make_an_account(store: SqlStore) -> None:
    report = keyword_report([keyword_row("2026-03-04")], currency=None)
    with pytest.raises(RefusedInput, match="currency_unknown"):
        store.append_report(report, "shop", MARCH_5, ANNA)
    assert store.accounts() == []
    with pytest.raises(NotFound) as missing:
        store.account("shop")
    assert missing.value.fields == {"account": "shop", "known": []}


def test_quarantined_text_survives_any_database(store: SqlStore) -> None:
    bad = pd.DataFrame({"line": [7], "column": ["Cost"], "code": ["nul"], "text": ["a\x00b"]})
    report = keyword_report([keyword_row("2026-03-04")], quarantine=bad)
    batch = store.append_report(report, "shop", MARCH_5, ANNA)
    found = check_table(store.quarantine(batch.batch_id), QUARANTINE)
    assert found.iloc[0].tolist() == [7, "Cost", "nul", "a\u2400b"]
    with pytest.raises(NotFound, match="batch_not_found"):
        store.quarantine("nothing")


def test_review_before_the_first_report_says_which_days_exist(store: SqlStore) -> None:
    store.append_report(keyword_report([keyword_row("2026-03-04")]), "shop", MARCH_5, ANNA)
    with pytest.raises(NotFound, match="no_reports_as_of") as missing:
        store.review_tables("shop", date(2026, 3, 4), 30)
    assert missing.value.fields["known"] == ["2026-03-05"]


def test_window_ends_before_the_day_of_the_review(store: SqlStore) -> None:
    rows = [keyword_row(f"2026-03-0{day}") for day in (1, 2, 3, 4, 5)]
    store.append_report(keyword_report(rows), "shop", MARCH_5, ANNA)
    daily = store.review_tables("shop", MARCH_5, 2).daily
    assert daily["last_day"].dt.day.tolist() == [3, 4]


def test_reconciliation_round_trips(store: SqlStore) -> None:
    report = keyword_report(
        [keyword_row("2026-03-04", value_micros=None)],
        rows_dropped={"total_row": 2},
        rows_read=3,
        warnings={"clicks_above_impressions": 1},
    )
    store.append_report(report, "shop", MARCH_5, ANNA)
    assert store.batches("shop")[0].reconciliation == report.reconciliation


def test_terms_are_summed_over_how_they_matched(store: SqlStore) -> None:
    rows = [
        term_row("2026-03-04", term_match_type="EXACT", value_micros=None),
        term_row("2026-03-04", term_match_type="PHRASE", clicks=3),
    ]
    store.append_report(term_report(rows), "shop", MARCH_5, ANNA)
    found = store.review_tables("shop", MARCH_5, 30)
    assert len(found.terms) == 1
    assert found.term_daily[["clicks", "value"]].iloc[0].tolist() == [13.0, 20.0]


def test_report_without_usable_rows_is_stored(store: SqlStore) -> None:
    batch = store.append_report(keyword_report([]), "shop", MARCH_5, ANNA)
    assert batch.rows_changed == 0
    found = store.review_tables("shop", MARCH_5, 30)
    assert found.keywords.empty
    assert found.daily.empty
