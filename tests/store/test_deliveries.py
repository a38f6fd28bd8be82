"""What the store keeps of exports' fate: one row each, moved only from the state it was seen in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
import sqlalchemy as sa
from alembic import command

from optimizer.errors import Conflict
from optimizer.store.database import Database, _config
from optimizer.store.protocol import Change, Delivered
from optimizer.store.sql_store import SqlStore
from tests.store.samples import ANNA, BEN, keyword_report, keyword_row, suggestion, suggestions_of

DAY, NEXT = date(2026, 3, 5), date(2026, 3, 6)
LIVE = Delivered("a", 1, "exported", "confirmed_live", "approved_value_seen", seen_value=1.2)


@pytest.fixture
def shop(store: SqlStore) -> SqlStore:
    """An account with one exported raise."""
    store.append_report(keyword_report([keyword_row("2026-03-04")]), "shop", DAY, ANNA)
    exported(store, "a", DAY)
    return store


def exported(store: SqlStore, id_: str, day: date) -> None:
    store.save_run("shop", day, {}, suggestions_of(suggestion(id_)), {}, ANNA)
    approved = Change(id_, 1, "proposed", "approved", replaced_bid=1.0, approved_bid=1.2)
    store.apply_changes("shop", [approved], BEN, "approve")
    store.record_export("shop", f"export {id_}", ["x.csv"], [(id_, 1)], BEN)


def test_recorded_state_comes_back_with_its_reason(shop: SqlStore) -> None:
    shop.record_deliveries("shop", [LIVE], ANNA)
    (row,) = shop.delivered("shop").to_dict("records")
    assert (row["delivery"], row["code"], row["seen_value"]) == (
        "confirmed_live",
        "approved_value_seen",
        1.2,
    )
    assert shop.suggestions("shop", ids=["a"])["delivery"].tolist() == ["confirmed_live"]
    assert shop.audit("shop")["action"].tolist()[-1] == "deliver"
    assert shop.check() == []


@pytest.mark.parametrize("stale", [{"version": 2}, {"from_delivery": "failed"}, {"id": "zz"}])
def test_all_or_none_where_one_moved(shop: SqlStore, stale: dict[str, object]) -> None:
    with pytest.raises(Conflict, match="deliveries_moved"):
        shop.record_deliveries("shop", [replace(LIVE, **stale)], ANNA)
    (row,) = shop.delivered("shop").to_dict("records")
    assert row["delivery"] == "exported"
    assert pd.isna(row["code"])


def test_only_the_newest_export_of_a_slot_is_followed(shop: SqlStore) -> None:
    exported(shop, "b", NEXT)
    assert shop.delivered("shop")["id"].tolist() == ["b"]


def test_shown_has_the_newest_of_each_fact_and_where_it_stands(shop: SqlStore) -> None:
    later = keyword_row("2026-03-05", bid_micros=1_200_000, status="PAUSED")
    batch = shop.append_report(keyword_report([later], file_name="n.csv"), "shop", NEXT, ANNA)
    shown = shop.shown("shop", DAY).set_index("fact")
    assert shown.loc["bid", "amount"] == 1.2
    assert shown.loc["status", "text"] == "PAUSED"
    assert set(shown["batch_id"]) == {batch.batch_id}
    assert shown["as_of"].tolist() == [pd.Timestamp(NEXT)] * len(shown)
    assert shop.shown("shop", NEXT).empty


@pytest.mark.parametrize(
    ("state", "kind"), [("confirmed_live", "exported"), ("failed", "locked"), ("drifted", "locked")]
)
def test_holds_follow_what_became_of_it(shop: SqlStore, state: str, kind: str) -> None:
    shop.record_deliveries("shop", [replace(LIVE, delivery=state)], ANNA)
    (hold,) = shop.holds("shop", DAY).to_dict("records")
    assert hold["kind"] == kind
    assert pd.isna(hold["value"]) == (kind == "locked")


def test_a_failed_change_leaves_no_trace_in_the_bid_history(shop: SqlStore) -> None:
    shop.record_deliveries("shop", [replace(LIVE, delivery="failed")], ANNA)
    assert pd.isna(shop.review_tables("shop", DAY, 30).keywords["last_change"]).all()


def test_a_store_of_the_second_schema_is_upgraded(
    database_url: str | None, tmp_path: object
) -> None:
    database = Database(database_url or f"sqlite:///{tmp_path}/state.sqlite")
    config = _config()
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
    with database.read() as connection:
        assert "deliveries" not in sa.inspect(connection).get_table_names()
    database.migrate()
    with database.read() as connection:
        assert "deliveries" in sa.inspect(connection).get_table_names()
    database.close()
