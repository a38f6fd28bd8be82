from __future__ import annotations

from datetime import date
from typing import Any

from optimizer.store.sql_store import SqlStore
from tests.store.samples import ANNA, keyword_report, keyword_row

IDS = {"campaign_id": "1", "ad_group_id": "11", "keyword_id": "111"}
DAY = date(2026, 3, 5)


def imported(store: SqlStore, *rows: dict[str, Any], as_of: date = DAY) -> Any:
    return store.append_report(keyword_report(rows), "shop", as_of, ANNA)


def known(store: SqlStore, as_of: date = date(2026, 4, 1)) -> Any:
    return store.review_tables("shop", as_of, 60).keywords


def test_names_match_whatever_their_width_case_and_blanks(store: SqlStore) -> None:
    imported(store, keyword_row("2026-03-01", keyword_text="Red  Shoes "))
    imported(store, keyword_row("2026-03-02", keyword_text="ｒｅｄ shoes"))
    assert known(store)["keyword_text"].tolist() == ["ｒｅｄ shoes"]


def test_match_types_are_different_keywords(store: SqlStore) -> None:
    imported(store, keyword_row("2026-03-01"), keyword_row("2026-03-01", match_type="BROAD"))
    assert len(known(store)) == 2


def test_first_seen_id_takes_over_the_entity_of_its_names(store: SqlStore) -> None:
    imported(store, keyword_row("2026-03-01"))
    imported(store, keyword_row("2026-03-02", **IDS))
    imported(store, keyword_row("2026-03-03", **IDS, campaign_name="Renamed"))
    found = known(store)
    assert found[["keyword_id", "campaign_name"]].values.tolist() == [["111", "Renamed"]]
    assert len(store.review_tables("shop", date(2026, 4, 1), 60).daily) == 3


def test_keyword_id_alone_is_not_an_identity(store: SqlStore) -> None:
    other = IDS | {"ad_group_id": "12", "ad_group_name": "Blue"}
    imported(store, keyword_row("2026-03-01", **IDS), keyword_row("2026-03-01", **other))
    assert len(known(store)) == 2


def test_old_file_imported_late_does_not_rename_back(store: SqlStore) -> None:
    imported(store, keyword_row("2026-03-08", **IDS, campaign_name="New"), as_of=date(2026, 3, 9))
    imported(store, keyword_row("2026-03-01", **IDS, campaign_name="Old"))
    assert known(store)["campaign_name"].tolist() == ["New"]


def test_names_that_fit_two_keywords_are_quarantined(store: SqlStore) -> None:
    twin = IDS | {"keyword_id": "112"}
    imported(store, keyword_row("2026-03-01", **IDS), keyword_row("2026-03-01", **twin))
    batch = imported(store, keyword_row("2026-03-02"), keyword_row("2026-03-02", ad_group_name="B"))
    quarantined = store.quarantine(batch.batch_id)
    assert quarantined[["line", "code"]].values.tolist() == [[2, "entity_ambiguous"]]
    counts = batch.reconciliation
    assert (counts.rows_read, counts.rows_kept, counts.rows_quarantined) == (2, 1, 1)
    assert counts.totals["clicks"] == 10.0


def test_id_and_names_of_different_keywords_are_quarantined(store: SqlStore) -> None:
    imported(store, keyword_row("2026-03-01", **IDS, campaign_name="Alpha"))
    imported(store, keyword_row("2026-03-02", campaign_name="Beta"))
    batch = imported(store, keyword_row("2026-03-03", **IDS, campaign_name="Beta"))
    assert batch.reconciliation.rows_quarantined == 1
    assert batch.reconciliation.totals["cost"] == 0.0


def test_two_new_ids_cannot_share_one_name(store: SqlStore) -> None:
    imported(store, keyword_row("2026-03-01"))
    twin = IDS | {"keyword_id": "112"}
    batch = imported(store, keyword_row("2026-03-02", **IDS), keyword_row("2026-03-02", **twin))
    assert store.quarantine(batch.batch_id)["code"].tolist() == ["entity_ambiguous"] * 2
    assert len(known(store)) == 1


def test_one_keyword_twice_on_a_day_is_quarantined_never_summed(store: SqlStore) -> None:
    batch = imported(
        store,
        keyword_row("2026-03-01"),
        keyword_row("2026-03-01", keyword_text="RED shoes", clicks=3),
        keyword_row("2026-03-02"),
    )
    assert store.quarantine(batch.batch_id)["code"].tolist() == ["entity_repeated"] * 2
    assert batch.reconciliation.totals["clicks"] == 10.0


def test_accounts_do_not_share_keywords(store: SqlStore) -> None:
    imported(store, keyword_row("2026-03-01"))
    store.append_report(keyword_report([keyword_row("2026-03-01")]), "other", DAY, ANNA)
    keys = [
        store.review_tables(name, DAY, 60).keywords["entity_key"][0] for name in ("shop", "other")
    ]
    assert len(set(keys)) == 2


def unmatched(batch: Any) -> int:
    return int(batch.reconciliation.warnings.get("keywords_unmatched", 0))


def test_report_without_ids_counts_keywords_that_no_id_matches(store: SqlStore) -> None:
    imported(store, keyword_row("2026-03-01", **IDS))
    batch = imported(
        store, keyword_row("2026-03-02"), keyword_row("2026-03-02", keyword_text="old boots")
    )
    assert unmatched(batch) == 1
    assert batch.reconciliation.rows_kept == 2
    assert known(store)["keyword_id"].isna().tolist() == [False, True]


def test_report_with_ids_counts_earlier_keywords_that_it_does_not_match(store: SqlStore) -> None:
    first = imported(
        store, keyword_row("2026-03-01"), keyword_row("2026-03-01", keyword_text="old boots")
    )
    assert unmatched(first) == 0
    batch = imported(store, keyword_row("2026-03-02", **IDS))
    assert unmatched(batch) == 1
    assert len(known(store)) == 2
