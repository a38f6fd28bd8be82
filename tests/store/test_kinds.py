"""Creatives, keyword lists and negatives: what is kept of each, and as of which day."""

from __future__ import annotations

from datetime import date
from typing import Any

from optimizer.store.sql_store import SqlStore
from optimizer.tables import (
    CREATIVE_ROWS,
    CREATIVE_TEXTS,
    CREATIVES,
    NEGATIVE_ROWS,
    STATE_ROWS,
    check_table,
)
from tests.store.samples import ANNA, _report, frame_of, keyword_report, keyword_row

AD = {
    "campaign_name": "Shoes",
    "ad_group_name": "Red",
    "creative_name": "Light",
    "impressions": 100,
    "clicks": 10,
    "cost_micros": 5_000_000,
    "conversions": 1.0,
}


def ad_row(day: str, **changes: Any) -> dict[str, Any]:
    return {"first_day": day, "last_day": day, **AD, **changes}


def creatives(store: SqlStore, *rows: dict[str, Any], as_of: date) -> Any:
    report = _report(frame_of(rows, CREATIVE_ROWS), "creative_day", "google_ads_creatives", {})
    return store.append_report(report, "shop", as_of, ANNA)


def negatives(store: SqlStore, *texts: str, as_of: date) -> Any:
    rows = [
        {
            "first_day": str(as_of),
            "last_day": str(as_of),
            "keyword_text": text,
            "match_type": "EXACT",
            "level": "account",
        }
        for text in texts
    ]
    report = _report(frame_of(rows, NEGATIVE_ROWS), "negative", "google_ads_negatives", {})
    return store.append_report(report, "shop", as_of, ANNA)


def test_creatives_keep_their_days_and_restatements(store: SqlStore) -> None:
    creatives(store, ad_row("2026-03-01"), ad_row("2026-03-02"), as_of=date(2026, 3, 3))
    batch = creatives(store, ad_row("2026-03-01", clicks=12), as_of=date(2026, 3, 9))
    assert (batch.rows_changed, batch.keys_missing) == (1, 0)
    found = store.creative_tables("shop", date(2026, 3, 9), 30)
    check_table(found.creatives, CREATIVES)
    assert found.daily["clicks"].tolist() == [12, 10]
    before = store.creative_tables("shop", date(2026, 3, 4), 30)
    assert before.daily["clicks"].tolist() == [10, 10]


def test_ads_of_the_same_text_are_told_apart_by_their_id(store: SqlStore) -> None:
    rows = [ad_row("2026-03-01", creative_id=each) for each in ("7", "8")]
    creatives(store, *rows, as_of=date(2026, 3, 3))
    found = store.creative_tables("shop", date(2026, 3, 9), 30)
    assert found.creatives["creative_id"].tolist() == ["7", "8"]


def test_texts_of_creatives_are_kept_as_each_report_showed_them(store: SqlStore) -> None:
    """Blanks and case make no other text; what came later is not known before."""
    for day, text in ((1, "Light shoes"), (4, "LIGHT  shoes"), (7, "Warm shoes")):
        row = ad_row(f"2026-03-0{day}", creative_id="7", creative_name=text)
        creatives(store, row, as_of=date(2026, 3, day + 1))
    found = store.creative_tables("shop", date(2026, 3, 9), 30)
    check_table(found.texts, CREATIVE_TEXTS)
    assert found.texts["text"].tolist() == ["light shoes", "light shoes", "warm shoes"]
    assert found.texts["day"].dt.day.tolist() == [1, 4, 7]
    assert found.creatives["creative_name"].tolist() == ["Warm shoes"]
    assert len(store.creative_tables("shop", date(2026, 3, 6), 30).texts) == 2


def test_creatives_are_no_keywords(store: SqlStore) -> None:
    creatives(store, ad_row("2026-03-01"), as_of=date(2026, 3, 3))
    tables = store.review_tables("shop", date(2026, 3, 3), 30)
    assert tables.keywords.empty
    assert tables.daily.empty


def test_keyword_list_tells_ids_bids_and_status_and_counts_nothing(store: SqlStore) -> None:
    store.append_report(keyword_report([keyword_row("2026-03-01")]), "shop", date(2026, 3, 2), ANNA)
    told = {"campaign_id": "1", "ad_group_id": "11", "keyword_id": "111", "status": "PAUSED"}
    row = keyword_row("2026-03-05", **told, bid_micros=700_000)
    report = _report(frame_of([row], STATE_ROWS), "keyword_state", "list", {})
    batch = store.append_report(report, "shop", date(2026, 3, 5), ANNA)
    assert batch.reconciliation.totals == {}
    tables = store.review_tables("shop", date(2026, 3, 5), 30)
    (keyword,) = tables.keywords.to_dict("records")
    assert (keyword["keyword_id"], keyword["bid"], keyword["status"]) == ("111", 0.7, "PAUSED")
    assert len(tables.daily) == 1


def test_newest_list_of_negatives_replaces_the_one_before(store: SqlStore) -> None:
    negatives(store, "free", "job", as_of=date(2026, 3, 2))
    negatives(store, "free", as_of=date(2026, 3, 9))
    negatives(store, "repair", as_of=date(2026, 3, 9))
    now = store.review_tables("shop", date(2026, 3, 9), 30).negatives
    assert now["keyword_text"].tolist() == ["free", "repair"]
    before = store.review_tables("shop", date(2026, 3, 5), 30).negatives
    assert before["keyword_text"].tolist() == ["free", "job"]
    assert store.check() == []
