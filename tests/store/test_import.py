from __future__ import annotations

from datetime import date

from optimizer.store.sql_store import SqlStore
from optimizer.tables import KEYWORD_DAILY, KEYWORDS, TERMS, VERSIONS, check_table
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
    assert check_table(found.term_daily, KEYWORD_DAILY)["value"].tolist() == [20.0]
    assert check_table(found.versions, VERSIONS)["conversions"].tolist() == [1.0]


def test_same_bytes_are_one_batch(store: SqlStore) -> None:
    report = keyword_report([keyword_row("2026-03-04")])
    first = store.append_report(report, "shop", MARCH_5, ANNA)
    again = store.append_report(report, "shop", date(2026, 3, 6), ANNA)
    assert (first.duplicate, again.duplicate) == (False, True)
    assert again.batch_id == first.batch_id
    assert len(store.batches("shop")) == 1
    assert len(store.audit()) == 1
