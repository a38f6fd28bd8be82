"""Item tables, item logs and organic words: what holds of several files on a day."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

from optimizer.store.protocol import Change
from optimizer.store.sql_store import SqlStore
from optimizer.tables import (
    ITEM_ENTRIES,
    ITEM_LOG_ROWS,
    ITEM_ROWS,
    ITEMS,
    ORGANIC,
    ORGANIC_ROWS,
    Table,
    check_table,
)
from tests.store.samples import (
    ANNA,
    BEN,
    _report,
    frame_of,
    keyword_report,
    keyword_row,
    suggestion,
    suggestions_of,
)

FIRST, SECOND, LAST = date(2026, 3, 2), date(2026, 3, 5), date(2026, 3, 9)
TABLES: dict[Any, Table] = {"item": ITEM_ROWS, "item_log": ITEM_LOG_ROWS, "organic": ORGANIC_ROWS}


def listed(store: SqlStore, kind: Any, *rows: dict[str, Any], as_of: date = FIRST) -> Any:
    days = {"first_day": str(as_of), "last_day": str(as_of)}
    frame = frame_of([{**days, **row} for row in rows], TABLES[kind])
    return store.append_report(_report(frame, kind, kind, {}), "shop", as_of, ANNA)


def item(store: SqlStore, item_id: str, as_of: date = LAST) -> dict[str, Any]:
    found = store.items("shop", as_of)
    check_table(found, ITEMS)
    found = found.drop(columns=["price_day", "stock_day"])
    (row,) = found[found["item_id"] == item_id].to_dict("records")
    return {str(name): value for name, value in row.items() if value == value}


def test_newest_table_wins_and_older_days_know_the_older(store: SqlStore) -> None:
    listed(store, "item", {"item_id": "1", "margin": 0.3, "stock": 40.0})
    listed(store, "item", {"item_id": "1", "margin": 0.4, "stock": 12.0}, as_of=SECOND)
    assert item(store, "1")["margin"] == 0.4
    assert item(store, "1", FIRST) == {"item_id": "1", "margin": 0.3, "stock": 40.0}


def test_late_older_table_takes_nothing_back(store: SqlStore) -> None:
    listed(store, "item", {"item_id": "1", "stock": 12.0}, as_of=SECOND)
    listed(store, "item", {"item_id": "1", "stock": 40.0})
    assert item(store, "1")["stock"] == 12.0


def test_table_of_stock_alone_leaves_margins_as_they_were(store: SqlStore) -> None:
    listed(store, "item", {"item_id": "1", "margin": 0.3}, {"item_id": "2", "margin": 0.5})
    listed(store, "item", {"item_id": "2", "stock": 3.0}, as_of=SECOND)
    assert item(store, "2") == {"item_id": "2", "margin": 0.5, "stock": 3.0}
    assert item(store, "1") == {"item_id": "1", "margin": 0.3}


def test_blank_cell_in_a_column_that_is_filled_takes_the_older_back(store: SqlStore) -> None:
    rows = [{"item_id": each, "max_loss_micros": 5_000_000} for each in "12"]
    listed(store, "item", *rows)
    listed(store, "item", {"item_id": "1"}, rows[1], as_of=SECOND)
    assert item(store, "1") == {"item_id": "1"}
    assert item(store, "2")["max_loss"] == 5.0


def test_blank_takes_no_price_from_a_unit_cost(store: SqlStore) -> None:
    row = {"item_id": "1", "unit_cost_micros": 30_000_000, "price_micros": 100_000_000}
    listed(store, "item", row)
    other = {"item_id": "2", "price_micros": 5_000_000}
    listed(store, "item", {"item_id": "1", "stock": 3.0}, other, as_of=SECOND)
    assert item(store, "1") == {"item_id": "1", "unit_cost": 30.0, "price": 100.0, "stock": 3.0}
    days = store.items("shop", LAST).set_index("item_id")["price_day"]
    assert days.dt.date.tolist() == [FIRST, SECOND]


def test_of_unit_cost_and_margin_the_later_stands(store: SqlStore) -> None:
    cost = {"item_id": "1", "unit_cost_micros": 30_000_000}
    listed(store, "item", {"item_id": "1", "margin": 0.3})
    listed(store, "item", cost, as_of=FIRST)
    assert item(store, "1") == {"item_id": "1", "unit_cost": 30.0}
    listed(store, "item", {"item_id": "1", "margin": 0.4}, as_of=SECOND)
    assert item(store, "1") == {"item_id": "1", "margin": 0.4}


def test_price_and_stock_say_of_which_day_they_are(store: SqlStore) -> None:
    listed(store, "item", {"item_id": "1", "stock": 4.0, "price_micros": 9_000_000})
    listed(store, "item", {"item_id": "1", "stock": 3.0}, {"item_id": "2"}, as_of=SECOND)
    days = store.items("shop", LAST).set_index("item_id")[["price_day", "stock_day"]]
    assert days.loc["1"].dt.date.tolist() == [FIRST, SECOND]
    assert days.loc["2"].isna().all()


def test_items_stand_in_the_order_of_their_first_listing(store: SqlStore) -> None:
    listed(store, "item", {"item_id": "9", "stock": 1.0}, {"item_id": "3", "stock": 1.0})
    listed(store, "item", {"item_id": "1", "stock": 1.0}, {"item_id": "9"}, as_of=SECOND)
    assert store.items("shop", LAST)["item_id"].tolist() == ["9", "3", "1"]


def entries(store: SqlStore, as_of: date = LAST) -> list[tuple[str, str, str, float]]:
    found = store.item_entries("shop", as_of)
    check_table(found, ITEM_ENTRIES)
    days = found["day"].dt.strftime("%m-%d")
    return list(zip(found["item_id"], days, found["what"], found["price"], strict=True))


def changed(day: str, **cells: Any) -> dict[str, Any]:
    return {"first_day": f"2026-03-{day}", "last_day": f"2026-03-{day}", "item_id": "1", **cells}


def test_every_filled_cell_of_a_log_is_a_change(store: SqlStore) -> None:
    listed(store, "item_log", changed("01", price_micros=9_000_000, page="new"), as_of=SECOND)
    assert [entry[:3] for entry in entries(store)] == [
        ("1", "03-01", "page"),
        ("1", "03-01", "price"),
    ]
    assert entries(store)[1][3] == 9.0
    assert entries(store, FIRST) == []


def test_price_that_is_said_again_is_no_change(store: SqlStore) -> None:
    prices = {"01": 9, "02": 9, "03": 8, "04": 9}
    rows = [changed(day, price_micros=price * 1_000_000) for day, price in prices.items()]
    listed(store, "item_log", *rows, as_of=SECOND)
    assert [(day, price) for _, day, _, price in entries(store)] == [
        ("03-01", 9.0),
        ("03-03", 8.0),
        ("03-04", 9.0),
    ]


def test_newer_log_corrects_the_same_day_and_keeps_the_others(store: SqlStore) -> None:
    rows = [changed("01", price_micros=9_000_000), changed("02", what="image")]
    listed(store, "item_log", *rows, as_of=FIRST)
    listed(store, "item_log", changed("01", price_micros=7_000_000), as_of=SECOND)
    assert [(day, what) for _, day, what, _ in entries(store)] == [
        ("03-01", "price"),
        ("03-02", "image"),
    ]
    assert entries(store)[0][3] == 7.0


def test_row_that_names_its_kind_and_price_is_one_change(store: SqlStore) -> None:
    listed(store, "item_log", changed("01", what="price", price_micros=9_000_000), as_of=SECOND)
    assert entries(store) == [("1", "03-01", "price", 9.0)]


def test_table_that_told_another_price_is_what_the_log_changes(store: SqlStore) -> None:
    listed(store, "item", {"item_id": "1", "price_micros": 9_000_000})
    listed(store, "item_log", changed("03", price_micros=8_000_000), as_of=SECOND)
    listed(store, "item", {"item_id": "1", "price_micros": 8_000_000}, as_of=SECOND)
    assert [(day, price) for _, day, _, price in entries(store)] == [("03-02", 9.0), ("03-03", 8.0)]


def organic(text: str, day: str, orders: float) -> dict[str, Any]:
    days = {"first_day": f"2026-02-{day}", "last_day": f"2026-02-{day}"}
    return {**days, "item_id": "1", "keyword_text": text, "orders": orders}


def test_lists_of_organic_words_that_overlap_are_not_added(store: SqlStore) -> None:
    listed(store, "organic", organic("tent", "20", 2.0), organic("lamp", "20", 1.0))
    listed(store, "organic", organic("tent", "20", 2.0), organic("tent", "21", 3.0), as_of=SECOND)
    found = store.organic("shop", LAST, 30)
    check_table(found, ORGANIC)
    assert dict(zip(found["keyword_text"], found["orders"], strict=True)) == {
        "lamp": 1.0,
        "tent": 5.0,
    }
    assert found["sales"].isna().all()


def told(store: SqlStore, window: int = 30) -> dict[str, tuple[float, str, str]]:
    """Orders, first and last day of each word."""
    rows = store.organic("shop", LAST, window)
    days = (rows[name].dt.strftime("%m-%d") for name in ("first_day", "last_day"))
    return dict(zip(rows["keyword_text"], zip(rows["orders"], *days, strict=True), strict=True))


def test_word_of_one_day_counts_over_the_days_of_its_list(store: SqlStore) -> None:
    listed(store, "organic", organic("tent", "10", 1.0), organic("lamp", "12", 2.0),
           organic("tent", "20", 1.0), as_of=FIRST)  # fmt: skip
    assert told(store) == {"lamp": (2.0, "02-10", "02-20"), "tent": (2.0, "02-10", "02-20")}


def test_lists_of_one_day_each_are_added(store: SqlStore) -> None:
    for day in ("20", "21", "22"):
        listed(store, "organic", organic("tent", day, 1.0), as_of=date(2026, 2, int(day) + 1))
    listed(store, "organic", organic("tent", "21", 5.0), organic("lamp", "21", 1.0), as_of=SECOND)
    assert told(store) == {"lamp": (1.0, "02-20", "02-22"), "tent": (7.0, "02-20", "02-22")}


def test_list_that_ends_before_the_window_says_nothing(store: SqlStore) -> None:
    listed(store, "organic", organic("tent", "07", 1.0), organic("tent", "06", 1.0))
    assert told(store, 30) == {"tent": (2.0, "02-06", "02-07")}
    assert told(store, 29) == {}


def test_list_of_a_later_day_leaves_exported_bids_held(store: SqlStore) -> None:
    store.append_report(keyword_report([keyword_row("2026-03-01")]), "shop", FIRST, ANNA)
    plan = pd.DataFrame({"entity_key": [1], "text": ["tent"]})
    store.save_run("shop", FIRST, {}, suggestions_of(suggestion("a")), {"plan": plan}, ANNA)
    approved = Change("a", 1, "proposed", "approved", replaced_bid=1.0, approved_bid=1.2)
    store.apply_changes("shop", [approved], BEN, "decide")
    store.record_export("shop", "e1", ["bulk.csv"], [("a", 1)], ANNA)
    listed(store, "item", {"item_id": "1", "stock": 3.0}, as_of=SECOND)
    assert store.holds("shop", SECOND)["kind"].tolist() == ["exported"]


def test_account_without_lists_has_empty_tables(store: SqlStore) -> None:
    store.append_report(keyword_report([keyword_row("2026-03-01")]), "shop", FIRST, ANNA)
    for found, table in (
        (store.items("shop", LAST), ITEMS),
        (store.item_entries("shop", LAST), ITEM_ENTRIES),
        (store.organic("shop", LAST, 30), ORGANIC),
    ):
        check_table(found, table)
        assert found.empty


@pytest.mark.parametrize("kind", ["item", "item_log", "organic"])
def test_list_is_sound_and_known_by_its_bytes(store: SqlStore, kind: str) -> None:
    row = {"item_id": "1", "stock": 1.0, "what": "page", "keyword_text": "tent", "orders": 1.0}
    own = {name: cell for name, cell in row.items() if name in TABLES[kind].columns}
    first = listed(store, kind, own)
    again = listed(store, kind, own)
    assert (again.batch_id, again.duplicate) == (first.batch_id, True)
    assert store.check() == []
