"""Roles of people and tokens of programs, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from optimizer.errors import Conflict, NotFound
from optimizer.store.protocol import TokenRecord
from optimizer.store.sql_store import SqlStore
from optimizer.tables import Actor

ADMIN = Actor("root", "admin")
NOW = datetime(2026, 4, 20, 8, tzinfo=UTC)
TOKEN = TokenRecord("ci", "shop", "operator", NOW, "root", NOW + timedelta(days=30))


def actions(store: SqlStore) -> list[tuple[str, str]]:
    rows = store.audit()
    return list(zip(rows["action"], rows["subject"], strict=True))


def test_role_on_one_account_stands_beside_that_on_all(
    store: SqlStore, reopen: Callable[[], SqlStore]
) -> None:
    store.set_grant("ada@x.org", None, "viewer", ADMIN)
    store.set_grant("ada@x.org", "shop", "operator", ADMIN)
    store.set_grant("ada@x.org", "shop", "approver", ADMIN)
    store.set_grant("bob@x.org", None, "admin", ADMIN)
    found = [(each.account, each.role) for each in reopen().grants("ada@x.org")]
    assert found == [(None, "viewer"), ("shop", "approver")]
    assert len(store.grants()) == 3


def test_role_taken_is_gone_and_both_are_told(store: SqlStore) -> None:
    store.set_grant("ada@x.org", "shop", "operator", ADMIN)
    store.set_grant("ada@x.org", "shop", None, ADMIN)
    assert store.grants() == []
    assert actions(store) == [("grant", "ada@x.org"), ("ungrant", "ada@x.org")]
    with pytest.raises(NotFound, match="grant_unknown"):
        store.set_grant("ada@x.org", "shop", None, ADMIN)
    assert len(actions(store)) == 2


def test_token_is_found_by_the_hash_of_its_secret_only(store: SqlStore) -> None:
    store.add_token(TOKEN, "ab" * 32, ADMIN)
    assert store.find_token("ab" * 32) == TOKEN
    assert store.find_token("cd" * 32) is None
    assert store.tokens() == [TOKEN]


def test_revoked_token_stays_listed_and_its_name_taken(store: SqlStore) -> None:
    store.add_token(TOKEN, "ab" * 32, ADMIN)
    store.revoke_token("ci", ADMIN)
    revoked = store.find_token("ab" * 32)
    assert revoked is not None
    assert revoked.revoked_at is not None
    store.revoke_token("ci", ADMIN)
    assert store.find_token("ab" * 32) == revoked
    with pytest.raises(Conflict, match="token_name_taken"):
        store.add_token(TOKEN, "cd" * 32, ADMIN)
    with pytest.raises(NotFound, match="token_unknown"):
        store.revoke_token("other", ADMIN)
    assert actions(store) == [("add_token", "ci"), ("revoke_token", "ci")]
    assert store.check() == []
