"""Rows that leave out what others say of the same keyword: joined where one fits, else set apart."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from optimizer.store.sql_store import SqlStore
from optimizer.tables import STATE_ROWS
from tests.store.samples import ANNA, _report, frame_of, keyword_report, keyword_row

IDS = {"campaign_id": "1", "ad_group_id": "11", "keyword_id": "111"}
DAY = date(2026, 3, 5)
WORD = {"match_type": None, "item_id": "700", "bid_micros": None}


def reported(store: SqlStore, *rows: dict[str, Any], as_of: date = DAY) -> Any:
    return store.append_report(keyword_report(rows), "shop", as_of, ANNA)


def listed(store: SqlStore, *rows: dict[str, Any], as_of: date = DAY) -> Any:
    """A keyword list without counts; rows name what `changes` say beside the word."""
    base = {"first_day": str(as_of), "last_day": str(as_of), "keyword_text": "red shoes"}
    base |= {"target_type": "keyword", "match_type": "EXACT", "bid_micros": 800_000}
    frame = frame_of([base | row for row in rows], STATE_ROWS)
    report = _report(frame, "keyword_state", "taobao_keyword_list", {})
    return store.append_report(report, "shop", as_of, ANNA)


def known(store: SqlStore) -> list[list[Any]]:
    found = store.review_tables("shop", date(2026, 4, 1), 60).keywords
    return found[["keyword_id", "match_type", "item_id", "bid"]].astype(object).values.tolist()


NAMED = {"campaign_name": "Shoes", "ad_group_name": "Red"}


@pytest.mark.parametrize(
    "row", [NAMED | IDS, NAMED, {"keyword_id": "111"}, NAMED | {"keyword_id": "111"}]
)
def test_list_joins_its_keyword_by_ids_by_names_or_by_its_id_alone(
    store: SqlStore, row: dict[str, Any]
) -> None:
    reported(store, keyword_row("2026-03-01", **IDS, **WORD))
    batch = listed(store, row)
    assert batch.reconciliation.rows_quarantined == 0
    assert known(store) == [["111", "EXACT", "700", 0.8]]


def test_report_after_the_list_keeps_the_lists_match_type(store: SqlStore) -> None:
    reported(store, keyword_row("2026-03-01", **WORD))
    listed(store, NAMED | IDS)
    reported(store, keyword_row("2026-03-02", **WORD), as_of=date(2026, 3, 6))
    assert known(store) == [["111", "EXACT", "700", 0.8]]
    assert len(store.review_tables("shop", date(2026, 4, 1), 60).daily) == 2


def test_id_that_nobody_knows_is_set_apart(store: SqlStore) -> None:
    reported(store, keyword_row("2026-03-01", **IDS, **WORD))
    batch = listed(store, {"keyword_id": "999"})
    assert store.quarantine(batch.batch_id)["code"].tolist() == ["entity_unknown"]


def test_names_that_fit_two_items_are_set_apart(store: SqlStore) -> None:
    first = keyword_row("2026-03-01", **WORD)
    reported(store, first, first | {"item_id": "701"})
    batch = listed(store, NAMED)
    assert store.quarantine(batch.batch_id)["code"].tolist() == ["entity_ambiguous"]
    assert len(known(store)) == 2


def test_match_types_that_differ_stay_apart(store: SqlStore) -> None:
    reported(store, keyword_row("2026-03-01", match_type="BROAD"))
    listed(store, NAMED | {"item_id": "700"})
    assert len(known(store)) == 2
