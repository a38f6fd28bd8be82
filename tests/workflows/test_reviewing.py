import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from optimizer import workflows
from optimizer.errors import BadSettings, Forbidden, NotFound, RefusedInput
from optimizer.settings import Configs
from optimizer.workflows import Workspace
from tests.workflows.shop_account import APPROVER, AS_OF, OPERATOR, VIEWER, proposed, refs

KEYS = {
    *("account", "as_of", "budget", "dual_price", "cost_now", "cost_planned", "profit_delta"),
    *("suggestions", "not_suggested", "run_id", "currency", "kinds", "levers", "assumed"),
}
ROW_KEYS = {
    *("id", "version", "kind", "keyword_id", "keyword_text", "match_type", "bid"),
    *("proposed_bid", "delta_clicks", "delta_cost", "delta_profit", "p_positive", "reason"),
}


def test_same_data_settings_and_seed_give_the_same_suggestions(
    unreviewed: Workspace, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(tmp_path / "store", other)
    first = workflows.review(unreviewed, "shop", actor=OPERATOR, seed=5)
    with workflows.open_workspace(other, unreviewed.configs.root) as workspace:
        second = workflows.review(workspace, "shop", actor=OPERATOR, seed=5)
    left, right = (json.dumps(report.to_json(), sort_keys=True) for report in (first, second))
    assert left == right
    assert first.origin["settings_sha256"] == second.origin["settings_sha256"]


def test_reviewing_again_keeps_ids_versions_and_decisions(shop: Workspace) -> None:
    row = proposed(shop, "raise")[:1]
    workflows.approve(shop, "shop", refs(row), APPROVER)
    before = workflows.suggestions(shop, "shop", VIEWER).set_index("id")
    workflows.review(shop, "shop", actor=OPERATOR)
    after = workflows.suggestions(shop, "shop", VIEWER).set_index("id")
    assert after.loc[row["id"][0], "decision"] == "approved"
    pd.testing.assert_series_equal(before["version"].sort_index(), after["version"].sort_index())


def test_json_is_plain_and_complete(shop: Workspace) -> None:
    told = workflows.latest_review(shop, "shop", VIEWER).to_json()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told.keys() >= KEYS
    assert all(row.keys() >= ROW_KEYS for row in told["suggestions"])
    assert set(told["profit_delta"]) == {"mean", "low", "high"}


def test_dry_run_stores_nothing(unreviewed: Workspace) -> None:
    report = workflows.review(unreviewed, "shop", actor=OPERATOR, dry_run=True)
    assert report.run_id is None
    assert len(report.to_json()["suggestions"]) == len(report.suggestions) > 0
    with pytest.raises(NotFound):
        workflows.latest_review(unreviewed, "shop", VIEWER)


def test_budget_given_overrides_the_settings(unreviewed: Workspace) -> None:
    free = workflows.review(unreviewed, "shop", actor=OPERATOR, dry_run=True)
    budget = 1.05 * float(free.summary["cost_now"])
    report = workflows.review(unreviewed, "shop", actor=OPERATOR, budget=budget, dry_run=True)
    assert report.summary["budget"] == budget


def test_the_day_is_the_newest_import_unless_said(shop: Workspace) -> None:
    assert workflows.latest_review(shop, "shop", VIEWER).summary["as_of"] == AS_OF.isoformat()


def test_a_later_review_supersedes_and_does_not_propose_the_approved_again(
    shop: Workspace,
) -> None:
    row = proposed(shop, "raise").iloc[0]
    open_row = proposed(shop, "raise").iloc[1]
    workflows.approve(shop, "shop", [(row["id"], int(row["version"]))], APPROVER)
    workflows.review(shop, "shop", as_of=AS_OF + timedelta(days=1), actor=OPERATOR)
    now = workflows.suggestions(shop, "shop", VIEWER)
    same = now[now["entity_key"].eq(row["entity_key"]) & now["slot"].eq("bid")]
    assert same.empty
    assert set(shop.store.approved("shop")["id"]) == {row["id"]}
    older = workflows.suggestion(shop, "shop", open_row["id"], VIEWER)
    assert older.row["decision"] == "superseded"


def test_undoing_an_earlier_approval_frees_the_slot_for_the_newest_review(shop: Workspace) -> None:
    row = proposed(shop, "raise").iloc[0]
    ref = (str(row["id"]), int(row["version"]))
    workflows.approve(shop, "shop", [ref], APPROVER)
    workflows.review(shop, "shop", as_of=AS_OF + timedelta(days=1), actor=OPERATOR)
    workflows.undo(shop, "shop", [ref], APPROVER)
    assert workflows.suggestion(shop, "shop", ref[0], VIEWER).row["decision"] == "superseded"
    again = proposed(shop, "raise")
    assert row["entity_key"] in set(again["entity_key"])


def test_review_before_any_data_says_which_days_exist(unreviewed: Workspace) -> None:
    with pytest.raises(NotFound):
        workflows.review(unreviewed, "shop", as_of=date(2020, 1, 1), actor=OPERATOR)


def test_review_in_the_future_is_refused(unreviewed: Workspace) -> None:
    with pytest.raises(RefusedInput) as caught:
        workflows.review(unreviewed, "shop", as_of=date(2999, 1, 1), actor=OPERATOR)
    assert caught.value.code == "as_of_in_future"


@pytest.mark.parametrize("line", ["currency: USD", "platform: jd"])
def test_settings_that_contradict_the_reports_are_refused(
    unreviewed: Workspace, tmp_path: Path, line: str
) -> None:
    folder = tmp_path / "configs"
    shutil.copytree(unreviewed.configs.root, folder)
    (folder / "accounts" / "shop.yaml").write_text(line)
    workspace = Workspace(unreviewed.store, Configs(folder))
    with pytest.raises(BadSettings) as caught:
        workflows.review(workspace, "shop", actor=OPERATOR)
    assert caught.value.code == "account_differs"
    assert caught.value.fields["key"] == line.partition(":")[0]


def test_viewers_do_not_review(unreviewed: Workspace) -> None:
    with pytest.raises(Forbidden):
        workflows.review(unreviewed, "shop", actor=VIEWER)


def test_evidence_curve_and_history_of_one_suggestion(shop: Workspace) -> None:
    row = proposed(shop, "raise").iloc[0]
    workflows.approve(shop, "shop", [(row["id"], int(row["version"]))], APPROVER)
    detail = workflows.suggestion(shop, "shop", row["id"], VIEWER)
    assert detail.evidence["days"] > 0
    assert {"bid", "clicks", "cost", "profit_mean"} <= set(detail.curve.columns)
    assert list(detail.history["action"]) == ["approve"]
    json.dumps(detail.to_json(), allow_nan=False)


def test_why_not_finds_keywords_by_any_part_of_their_text(shop: Workspace) -> None:
    text = str(proposed(shop, "raise")["keyword_text"][0])
    found = workflows.why_not(shop, "shop", text[1:-1].upper(), VIEWER)
    assert text in set(found["keyword_text"])
    assert "reason" in found.columns
    assert workflows.why_not(shop, "shop", "no such (text", VIEWER).empty
