"""Definitions of creative tests and planned shares: optimistic, audited, on both databases."""

import json
from datetime import date

import pandas as pd
import pytest

from optimizer.errors import Conflict, NotFound
from optimizer.store.protocol import Change
from optimizer.store.sql_store import SqlStore
from optimizer.tables import CREATIVE_SHARES, SUGGESTIONS, Actor, empty_table
from tests.store.samples import keyword_report, keyword_row, suggestion, suggestions_of

ANNA, BO = Actor("anna", "operator"), Actor("bo", "operator")
DAY = date(2026, 6, 1)
TITLES = {"name": "titles", "campaign": "spring", "arms": ["91", "92"]}


@pytest.fixture
def shop(store: SqlStore) -> SqlStore:
    store.append_report(keyword_report([keyword_row("2026-05-31")]), "shop", DAY, ANNA)
    return store


def define(store: SqlStore, seen: int | None = None, **fields: object) -> int:
    action = "creative_test_define" if seen is None else "creative_test_edit"
    return store.save_creative_test("shop", {**TITLES, **fields}, seen, ANNA, action).version


def test_a_definition_comes_back_with_who_made_it(shop: SqlStore) -> None:
    define(shop)
    (found,) = shop.creative_tests("shop")
    assert (found.definition, found.version, found.defined_by) == (TITLES, 1, "anna")


def test_each_change_leaves_an_audit_row_with_both_definitions(shop: SqlStore) -> None:
    define(shop)
    define(shop, 1, floor=0.2)
    rows = shop.audit("shop").query("action.str.startswith('creative_test')")
    assert rows["action"].tolist() == ["creative_test_define", "creative_test_edit"]
    told = json.loads(rows["detail"].iloc[1])
    assert (told["before"], told["definition"]["floor"]) == (TITLES, 0.2)


def test_a_taken_name_is_refused_and_leaves_no_trace(shop: SqlStore) -> None:
    define(shop)
    before = len(shop.audit("shop"))
    with pytest.raises(Conflict, match="creative_test_exists"):
        shop.save_creative_test("shop", TITLES, None, BO, "creative_test_define")
    assert len(shop.audit("shop")) == before


def test_an_edit_of_an_older_version_is_refused(shop: SqlStore) -> None:
    define(shop)
    define(shop, 1, floor=0.2)
    with pytest.raises(Conflict, match="creative_test_moved") as raised:
        define(shop, 1, floor=0.3)
    assert (raised.value.fields["version"], raised.value.fields["by"]) == (2, "anna")


def test_an_account_without_reports_has_no_tests(store: SqlStore) -> None:
    with pytest.raises(NotFound, match="account_not_found"):
        define(store)


def shares(*rows: tuple[int, float, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["entity_key", "share", "suggestion_id"])
    full = frame.assign(test="titles", as_of=pd.Timestamp(DAY), mode="earn", asked=frame["share"])
    full = full.assign(taken=False, in_force=False)
    empty = empty_table(CREATIVE_SHARES)
    return full[list(empty.columns)].astype(empty.dtypes.to_dict())


def review(store: SqlStore, planned: pd.DataFrame, rows: pd.DataFrame | None = None) -> None:
    said = empty_table(SUGGESTIONS) if rows is None else rows
    store.save_run("shop", DAY, {}, said, {"creative_shares": planned}, ANNA)


def asking(identity: str) -> pd.DataFrame:
    """One suggestion on creative 1."""
    return suggestions_of(suggestion(identity, kind="pause", slot="creative", entity_key="a1"))


def test_a_plan_that_changes_nothing_is_in_force_at_once(shop: SqlStore) -> None:
    review(shop, shares((1, 0.5, None), (2, 0.5, None)))
    assert shop.creative_shares("shop")["in_force"].tolist() == [True, True]


def test_a_plan_is_in_force_once_all_it_asks_was_exported(shop: SqlStore) -> None:
    review(shop, shares((1, 0.2, "a" * 16), (2, 0.8, None)), asking("a" * 16))
    assert not shop.creative_shares("shop")["in_force"].any()
    export(shop, "a" * 16)
    found = shop.creative_shares("shop")
    assert (found["taken"].tolist(), found["in_force"].all()) == ([True, False], True)


def export(store: SqlStore, identity: str) -> None:
    change = Change(identity, 1, "proposed", "approved", replaced_bid=1.0, approved_bid=1.2)
    store.apply_changes("shop", [change], ANNA, "approve")
    store.record_export("shop", "e1", ["f.csv"], [(identity, 1)], ANNA)


def test_a_second_review_of_the_day_replaces_what_was_not_asked_yet(shop: SqlStore) -> None:
    review(shop, shares((1, 0.5, None), (2, 0.5, None)))
    review(shop, shares((1, 0.3, None), (2, 0.7, None)))
    assert shop.creative_shares("shop")["share"].tolist() == [0.3, 0.7]


def test_what_was_asked_of_the_platform_stays_on_record(shop: SqlStore) -> None:
    review(shop, shares((1, 0.2, "a" * 16), (2, 0.8, None)), asking("a" * 16))
    export(shop, "a" * 16)
    review(shop, shares((1, 0.4, "a" * 16), (2, 0.6, None)), asking("a" * 16))
    assert shop.creative_shares("shop")["share"].tolist() == [0.2, 0.8]
