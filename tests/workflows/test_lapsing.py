from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine

from optimizer import workflows
from optimizer.errors import Conflict
from optimizer.workflows import Workspace
from tests.workflows.shop_account import APPROVER, OPERATOR, VIEWER, proposed, refs


@contextmanager
def days_later(shop: Workspace, days: float) -> Iterator[None]:
    made = shop.store.latest_run("shop").created_at
    with time_machine.travel(made + timedelta(days=days), tick=False):
        yield


def decisions(shop: Workspace) -> set[str]:
    return set(workflows.suggestions(shop, "shop", VIEWER)["decision"])


def test_suggestions_can_be_decided_on_their_last_day(shop: Workspace) -> None:
    with days_later(shop, 6.99):
        result = workflows.approve(shop, "shop", refs(proposed(shop, "raise")[:1]), APPROVER)
    assert len(result.changed) == 1


def test_what_nobody_decided_in_time_is_listed_as_expired(shop: Workspace) -> None:
    rows = proposed(shop, "raise", "lower")
    with days_later(shop, 7):
        assert decisions(shop) == {"expired"}
        for act in (workflows.approve, workflows.undo):
            with pytest.raises(Conflict) as caught:
                act(shop, "shop", refs(rows[:1]), APPROVER)
            assert caught.value.code in ("suggestion_expired", "version_moved")
        with pytest.raises(Conflict, match="suggestion_expired"):
            workflows.reject(shop, "shop", refs(rows[:1]), OPERATOR, "late")


def test_expiry_is_audited_once_and_by_nobody_of_flesh(shop: Workspace) -> None:
    rows = workflows.suggestions(shop, "shop", VIEWER)
    with days_later(shop, 8):
        decisions(shop)
        decisions(shop)
    audit = workflows.audit(shop, VIEWER, "shop").query("action == 'expire'")
    assert sorted(audit["subject"]) == sorted(rows["id"])
    assert set(audit["actor"]) == {"optimizer clock"}
    assert workflows.check(shop, OPERATOR).ok


def test_what_was_decided_in_time_stays_and_undone_it_is_expired(shop: Workspace) -> None:
    rows = proposed(shop, "raise", "lower")
    workflows.approve(shop, "shop", refs(rows[:1]), APPROVER)
    workflows.reject(shop, "shop", refs(rows[1:2]), OPERATOR, "stock is low")
    with days_later(shop, 8):
        assert decisions(shop) == {"approved", "rejected", "expired"}
        workflows.undo(shop, "shop", refs(rows[:1]), APPROVER)
        assert decisions(shop) == {"rejected", "expired"}


def test_another_review_proposes_anew(shop: Workspace) -> None:
    with days_later(shop, 8):
        assert decisions(shop) == {"expired"}
        workflows.review(shop, "shop", actor=OPERATOR)
        assert decisions(shop) == {"proposed"}
        assert len(proposed(shop, "raise"))


def test_overview_tells_what_expired_and_counts_what_waits_as_the_queue_does(
    shop: Workspace,
) -> None:
    rows = workflows.suggestions(shop, "shop", VIEWER)
    asked = int((rows["decision"].eq("proposed") & rows["kind"].ne("watch")).sum())
    (told,) = workflows.account_statuses(shop, VIEWER)
    assert told.suggestions["proposed"] == asked
    codes = {each["code"] for each in workflows.attention(shop, "shop", VIEWER).alerts}
    assert "suggestions_expired" not in codes
    with days_later(shop, 8):
        alerts = {each["code"]: each for each in workflows.attention(shop, "shop", VIEWER).alerts}
    assert alerts["suggestions_expired"]["rows"] == asked
