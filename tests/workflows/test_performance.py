"""The last weeks of an account, from its store: figures, why they moved, and what wants attention."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import time_machine

from optimizer import workflows
from optimizer.errors import NotFound, RefusedInput
from optimizer.interfaces.locale import Translator
from optimizer.outcomes.movement import AMOUNTS, Amount
from optimizer.workflows import Workspace
from optimizer.workflows.creative_plans import shares_off
from tests.workflows.shop_account import APPROVER, AS_OF, OPERATOR, VIEWER, proposed, refs


def codes(workspace: Workspace) -> dict[str, Any]:
    return {each["code"]: each for each in workflows.attention(workspace, "shop", VIEWER).alerts}


@pytest.mark.parametrize("amount", AMOUNTS)
def test_parts_of_the_change_add_up_to_the_cards(shop: Workspace, amount: Amount) -> None:
    told = workflows.performance(shop, "shop", VIEWER, days=14, amount=amount)
    now, before = told.figures[amount]
    assert now.mean is not None
    assert before.mean is not None
    assert told.totals == pytest.approx((before.mean, now.mean))
    assert sum(told.factors.values()) == pytest.approx(now.mean - before.mean, abs=1e-6)
    by_campaign = told.by_campaign()
    assert by_campaign["change"].sum() == pytest.approx(now.mean - before.mean, abs=1e-6)


def test_figures_are_those_of_the_reports(shop: Workspace) -> None:
    told = workflows.performance(shop, "shop", VIEWER, days=14)
    daily = shop.store.review_tables("shop", AS_OF, 14).daily
    now = {name: pair[0] for name, pair in told.figures.items()}
    assert now["cost"].mean == pytest.approx(daily["cost"].sum())
    assert now["orders"].known == pytest.approx(daily["conversions"].sum())
    assert now["orders"].low is not None
    assert now["orders"].low >= daily["conversions"].sum()
    assert told.days["cost"].sum() == pytest.approx(daily["cost"].sum())
    assert (told.days["day"] == told.days_before["day"]).all()


def test_days_that_no_report_tells_of_are_counted(shop: Workspace) -> None:
    """Forty days were imported: of twice thirty the first twenty are not known."""
    assert workflows.performance(shop, "shop", VIEWER, days=30).untold == (0, 20)


def test_export_is_marked_on_its_day(
    shop: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = proposed(shop, "lower").head(2)
    workflows.approve(shop, "shop", refs(rows), APPROVER)
    workflows.export(shop, "shop", tmp_path / "out", actor=APPROVER)
    assert workflows.performance(shop, "shop", VIEWER).marks == ()  # after the reports' last day
    then = datetime(2026, 2, 20, 23, 30, tzinfo=UTC)
    made = [replace(shop.store.exports("shop")[0], created_at=then)]
    monkeypatch.setattr(shop.store, "exports", lambda _account: made)
    marks = workflows.performance(shop, "shop", VIEWER).marks
    assert [(each.what, each.first, each.count) for each in marks] == [
        ("export", date(2026, 2, 20), 2)
    ]


@pytest.mark.parametrize(
    "wish", [{"days": 0}, {"days": 400}, {"against": "never"}, {"amount": "luck"}]
)
def test_questions_without_an_answer_are_refused(shop: Workspace, wish: dict[str, Any]) -> None:
    with pytest.raises(RefusedInput):
        workflows.performance(shop, "shop", VIEWER, **wish)


def test_account_without_review_has_neither(unreviewed: Workspace) -> None:
    with pytest.raises(NotFound):
        workflows.performance(unreviewed, "shop", VIEWER)
    with pytest.raises(NotFound):
        workflows.attention(unreviewed, "shop", VIEWER)


def test_flow_holds_every_keyword_of_the_review(shop: Workspace) -> None:
    told = workflows.attention(shop, "shop", VIEWER)
    plan = shop.store.run_frames(shop.store.latest_run("shop").run_id)["plan"]
    assert told.flow[0].count == len(plan)
    assert sum(each.count for each in told.flow[1:]) == len(plan)


def test_old_data_and_newer_imports_are_told(
    shop: Workspace, report_files: list[Path], tmp_path: Path
) -> None:
    assert codes(shop)["data_old"]["as_of"] == AS_OF.isoformat()
    assert "review_due" not in codes(shop)
    again, later = tmp_path / "again.csv", date(2026, 3, 3)
    again.write_bytes(report_files[0].read_bytes() + b"\n")
    workflows.import_files(shop, [again], "shop", as_of=later, actor=OPERATOR)
    assert codes(shop)["review_due"]["as_of"] == later.isoformat()


def test_approvals_that_wait_for_a_second_person_are_told(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "second_person_awaited" not in codes(shop)
    rows = shop.store.suggestions("shop")
    rows.loc[[0, 1], "decision"] = "awaiting_second"
    rows.loc[[0, 1], "decided_by"] = "ann"
    monkeypatch.setattr(shop.store, "suggestions", lambda *_args, **_named: rows)
    found = codes(shop)["second_person_awaited"]
    assert (found["rows"], found["by"]) == (2, ["ann"])


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "code",
    [
        "data_old",
        "review_due",
        "rows_quarantined",
        "exports_failed",
        "exports_drifted",
        "exports_reverted",
        "second_person_awaited",
        "suggestions_expired",
        "month_ahead",
        "month_behind",
    ],
)
def test_alerts_have_words(language: str, code: str) -> None:
    assert Translator(language).has_code("alert", code)


def test_result_is_plain_json(shop: Workspace) -> None:
    json.dumps(workflows.performance(shop, "shop", VIEWER).to_json())
    json.dumps(workflows.attention(shop, "shop", VIEWER).to_json())


def test_creative_test_that_was_not_served_as_planned_is_an_alert() -> None:
    tests = pd.DataFrame(
        {"test": ["a", "b"], "state": ["shares_off", "too_early"], "served_off": [0.3, None]}
    )
    assert shares_off(tests) == ({"code": "creative_shares_off", "test": "a", "off": 0.3},)
    for language in ("zh", "en"):
        assert Translator(language).has_code("alert", "creative_shares_off")


@pytest.mark.parametrize(
    "clock",
    [
        datetime(2026, 2, 1, tzinfo=UTC),  # set back behind the data
        datetime(2026, 3, 2, 0, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),  # an hour that Europe skips
        datetime(2028, 2, 29, 23, 59, tzinfo=UTC),
    ],
)
def test_figures_do_not_hang_on_the_clock(shop: Workspace, clock: datetime) -> None:
    usual = workflows.performance(shop, "shop", VIEWER, days=14).to_json()
    with time_machine.travel(clock, tick=False):
        assert workflows.performance(shop, "shop", VIEWER, days=14).to_json() == usual
        old = codes(shop).get("data_old")
    assert (old is None) == (clock < datetime(2026, 3, 6, tzinfo=UTC))
