"""Items of settings and files as one statement: cell by cell the file's, and told where both speak."""

from datetime import date

import pandas as pd
import pytest

from optimizer.errors import RefusedInput
from optimizer.review.stated_items import newest_prices, with_entries, with_listed_items
from optimizer.settings import Account, Item, ItemChange
from optimizer.tables import ITEM_ENTRIES, ITEMS, empty_table

DAY = pd.Timestamp("2026-03-02")


def table(of, *rows):
    frame = pd.DataFrame(list(rows), columns=list(of.columns))
    return frame.astype(empty_table(of).dtypes)


def listed(*rows):
    return table(ITEMS, *rows)


def priced(item_id, price, day=DAY):
    return {"item_id": item_id, "day": day, "what": "price", "price": price}


def merged(rows, *entries, items=(), log=()):
    account = Account(items=items, item_log=log)
    return with_listed_items(account, listed(*rows), table(ITEM_ENTRIES, *entries), DAY.date())


def test_file_stands_before_the_settings_cell_by_cell():
    own = Item(item_id="1", ad_groups=("Red",), stage="新品", max_loss=50, refund_rate=0.1)
    account, alerts = merged([{"item_id": "1", "stage": "清仓", "stock": 7.0}], items=(own,))
    assert account.items == (own.model_copy(update={"stage": "清仓", "stock": 7.0}),)
    (told,) = alerts
    assert (told["code"], told["key"]) == ("item_conflict", "stage")
    assert (told["settings"], told["file"]) == ("新品", "清仓")


def test_same_words_are_no_conflict():
    own = Item(item_id="1", margin=0.4, restock=date(2026, 4, 1))
    row = {"item_id": "1", "margin": 0.4, "restock": pd.Timestamp("2026-04-01")}
    assert merged([row], items=(own,)) == (Account(items=(own,)), [])


def test_items_of_the_settings_keep_their_places():
    own = (Item(item_id="5"), Item(item_id="2"))
    account, _ = merged([{"item_id": "9"}, {"item_id": "2"}], priced("7", 3.0), items=own)
    assert [item.item_id for item in account.items] == ["5", "2", "9", "7"]


def test_ad_groups_of_a_cell_are_told_apart():
    account, _ = merged([{"item_id": "1", "item_ad_groups": "Red; Big blue；夏|冬"}])
    assert account.items[0].ad_groups == ("Red", "Big blue", "夏", "冬")


def test_unit_cost_becomes_the_margin_of_the_newest_price():
    row = {"item_id": "1", "unit_cost": 30.0, "price": 100.0, "price_day": DAY}
    later = priced("1", 60.0, DAY + pd.Timedelta(days=1))
    assert merged([row])[0].items[0].margin == pytest.approx(0.7)
    assert merged([row], later)[0].items[0].margin == pytest.approx(0.5)
    before = priced("1", 60.0, DAY - pd.Timedelta(days=1))
    assert merged([row], before)[0].items[0].margin == pytest.approx(0.7)


def test_stated_margin_needs_no_price():
    account, alerts = merged([{"item_id": "1", "unit_cost": 30.0, "margin": 0.2}])
    assert (account.items[0].margin, alerts) == (0.2, [])


def test_unit_cost_without_a_price_is_refused_by_name():
    with pytest.raises(RefusedInput, match=r"item_cost_unpriced.*item='1'"):
        merged([{"item_id": "1", "unit_cost": 30.0}])


def test_item_sold_below_cost_keeps_nothing_and_is_told():
    account, alerts = merged([{"item_id": "1", "unit_cost": 30.0}], priced("1", 20.0))
    assert account.items[0].margin == 0.0
    assert alerts == [{"code": "item_below_cost", "item": "1", "unit_cost": 30.0, "price": 20.0}]


def test_margin_of_a_file_takes_the_place_of_a_stated_cost():
    account, alerts = merged(
        [{"item_id": "1", "margin": 0.2}], items=(Item(item_id="1", unit_cost=5),)
    )
    assert (account.items[0].margin, account.items[0].unit_cost) == (0.2, None)
    assert [told["key"] for told in alerts] == ["unit_cost"]


def test_log_entries_join_those_of_the_settings_once():
    own = ItemChange(item_id="1", day=DAY.date(), what="price")
    page = {"item_id": "2", "day": DAY, "what": "page"}
    log = with_entries((own,), table(ITEM_ENTRIES, priced("1", 9.0), page))
    assert log == (own, ItemChange(item_id="2", day=DAY.date(), what="page"))


def test_account_without_files_is_left_as_it_is():
    own = Account(items=(Item(item_id="1", unit_cost=5),))
    assert with_listed_items(own, listed(), table(ITEM_ENTRIES), DAY.date()) == (own, [])
    assert newest_prices(listed(), table(ITEM_ENTRIES)) == {}


@pytest.mark.parametrize(("age", "told"), [(7, []), (8, [8])])
def test_stock_counted_long_ago_is_told(age, told):
    row = {"item_id": "1", "stock": 5.0, "stock_day": DAY - pd.Timedelta(days=age)}
    _, alerts = merged([row])
    assert [one["days"] for one in alerts if one["code"] == "item_stock_old"] == told


def test_first_price_of_a_log_is_no_change():
    later = DAY + pd.Timedelta(days=3)
    entries = table(ITEM_ENTRIES, priced("1", 9.0), priced("1", 8.0, later), priced("2", 5.0))
    assert with_entries((), entries) == (ItemChange(item_id="1", day=later.date(), what="price"),)
