"""Kept scenarios: named once, audited with what they said, adopted in the transaction of their audit row."""

import json
from datetime import date

import pytest

from optimizer.errors import Conflict, NotFound
from optimizer.store.sql_store import SqlStore
from optimizer.tables import Actor
from tests.store.samples import keyword_report, keyword_row, suggestion, suggestions_of

ANNA = Actor("anna", "operator")
DAY = date(2026, 6, 1)
MORE = {"budget": 120.0}
RESULT = {"cost": 118.5}


@pytest.fixture
def shop(store: SqlStore) -> SqlStore:
    store.append_report(keyword_report([keyword_row("2026-05-31")]), "shop", DAY, ANNA)
    return store


def reviewed(store: SqlStore) -> str:
    return store.save_run(
        "shop", DAY, {}, suggestions_of(suggestion("1111111111111111")), {}, ANNA
    ).run_id


def test_a_plan_comes_back_with_its_run_and_who_kept_it(shop: SqlStore) -> None:
    run_id = reviewed(shop)
    shop.save_plan("shop", "more", run_id, MORE, RESULT, ANNA)
    (found,) = shop.plans("shop")
    assert (found.scenario, found.result, found.run_id) == (MORE, RESULT, run_id)
    assert found.saved_by == "anna"


def test_a_name_is_taken_once(shop: SqlStore) -> None:
    run_id = reviewed(shop)
    shop.save_plan("shop", "more", run_id, MORE, RESULT, ANNA)
    with pytest.raises(Conflict) as caught:
        shop.save_plan("shop", "more", run_id, {"budget": 1.0}, RESULT, ANNA)
    assert (caught.value.code, caught.value.fields["by"]) == ("plan_name_taken", "anna")
    assert shop.plans("shop")[0].scenario == MORE


def test_a_deleted_plan_is_still_told_by_the_audit(shop: SqlStore) -> None:
    shop.save_plan("shop", "more", reviewed(shop), MORE, RESULT, ANNA)
    shop.delete_plan("shop", "more", ANNA)
    assert shop.plans("shop") == []
    last = shop.audit("shop").iloc[-1]
    assert (last["action"], json.loads(last["detail"])["scenario"]) == ("plan_delete", MORE)
    assert shop.check() == []


def test_deleting_what_is_not_there_lists_what_is(shop: SqlStore) -> None:
    shop.save_plan("shop", "more", reviewed(shop), MORE, RESULT, ANNA)
    with pytest.raises(NotFound) as caught:
        shop.delete_plan("shop", "less", ANNA)
    assert caught.value.fields["known"] == ["more"]


def test_adopting_a_plan_moves_open_rows_and_says_whose_money_it_was(shop: SqlStore) -> None:
    run_id = reviewed(shop)
    moved = suggestions_of(suggestion("1111111111111111", proposed_bid=1.75))
    shop.adopt_plan(run_id, "more", MORE, {"summary": {}}, moved, ANNA)
    assert shop.suggestions("shop")["proposed_bid"].tolist() == [1.75]
    last = shop.audit("shop").iloc[-1]
    assert (last["action"], last["subject"]) == ("plan_adopt", "more")
    assert shop.run(run_id).summary == {"summary": {}}
