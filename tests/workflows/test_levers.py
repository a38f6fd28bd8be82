"""Budgets of capped campaigns are decided, undone, fitted and written like any suggestion."""

import csv
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pandas as pd
import pytest

from optimizer import workflows
from optimizer.errors import Conflict
from optimizer.store.protocol import Change
from optimizer.workflows import Workspace, deciding
from tests.workflows.shop_account import APPROVER, AS_OF, OPERATOR, VIEWER, proposed, refs


@pytest.fixture
def budget(shop: Workspace) -> pd.DataFrame:
    """The best budget raise on offer, as a frame of one row."""
    rows = proposed(shop, "set_budget")
    assert len(rows) > 0
    return rows.head(1)


def test_an_approved_budget_is_written_with_its_rollback(
    shop: Workspace, budget: pd.DataFrame, tmp_path: Path
) -> None:
    """Money for it comes from lowers; alone it would pass the account's budget."""
    workflows.approve(shop, "shop", refs(budget), APPROVER)
    with pytest.raises(Conflict, match="over_budget"):
        workflows.export(shop, "shop", tmp_path / "alone", APPROVER)
    workflows.approve(shop, "shop", refs(proposed(shop, "lower")), APPROVER)
    result = workflows.export(shop, "shop", tmp_path / "out", APPROVER)
    files = {name.split("_", 2)[2]: path for name, path in result.files.items()}
    rows = {
        name: next(csv.DictReader(files[name].read_text(encoding="utf-8").splitlines()))
        for name in ("campaigns.csv", "rollback_campaigns.csv")
    }
    wanted = budget.iloc[0]
    assert rows["campaigns.csv"]["Campaign"] == wanted["campaign_name"]
    assert float(rows["campaigns.csv"]["Budget"]) == pytest.approx(wanted["proposed_bid"])
    assert float(rows["rollback_campaigns.csv"]["Budget"]) == pytest.approx(wanted["bid"])


def test_a_list_of_campaigns_says_whether_a_budget_is_live(
    shop: Workspace, budget: pd.DataFrame, tmp_path: Path
) -> None:
    """Live, taken back, and moved by somebody else; an older list says nothing any more."""
    workflows.approve(shop, "shop", refs(budget), APPROVER)
    workflows.approve(shop, "shop", refs(proposed(shop, "lower")), APPROVER)
    workflows.export(shop, "shop", tmp_path / "out", APPROVER)
    own = budget.iloc[0]
    told = []
    for days, amount in ((2, own["proposed_bid"]), (3, own["bid"]), (4, 1.5), (3, own["bid"])):
        path = tmp_path / f"campaigns_{days}.csv"
        path.write_text(f"Campaign,Budget,Target ROAS\n{own['campaign_name']},{amount:.2f}, --\n")
        (taken,) = workflows.import_files(
            shop, [path], "shop", as_of=AS_OF + timedelta(days=days), actor=OPERATOR
        )
        assert isinstance(taken, workflows.ResultsTaken)
        told.append(dict(taken.deliveries))
    assert told == [{"confirmed_live": 1}, {"reverted": 1}, {"drifted": 1}, {}]


def test_an_approved_budget_survives_the_re_solve_and_can_be_undone(
    shop: Workspace, budget: pd.DataFrame
) -> None:
    workflows.approve(shop, "shop", refs(budget), APPROVER)
    stored = workflows.suggestions(shop, "shop", VIEWER).set_index("id")
    row = stored.loc[budget["id"].iloc[0]]
    assert (row["decision"], row["approved_bid"]) == ("approved", row["proposed_bid"])
    workflows.undo(shop, "shop", [(row.name, int(row["version"]))], APPROVER)
    assert budget["id"].iloc[0] in set(proposed(shop, "set_budget")["id"])


@pytest.fixture
def pair(shop: Workspace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A budget raise, and a lower bid proposed in its place."""
    lowers = proposed(shop, "lower")
    lasting = lowers[lowers["reason"].eq("budget_lasts_longer")].head(1)
    budgets = proposed(shop, "set_budget")
    return budgets[budgets["campaign_name"].isin(lasting["campaign_name"])], lasting


@pytest.mark.parametrize("first", [0, 1])
def test_of_a_budget_and_a_lower_bid_in_its_place_one_is_approved(
    shop: Workspace, pair: tuple[pd.DataFrame, pd.DataFrame], first: int
) -> None:
    one, other = pair[first], pair[1 - first]
    workflows.approve(shop, "shop", refs(one), APPROVER)
    with pytest.raises(Conflict) as caught:
        workflows.approve(shop, "shop", refs(other), APPROVER)
    assert caught.value.code == "rival_approved"
    assert caught.value.fields["rival_id"] == one["id"].iloc[0]
    sums = workflows.totals(shop, "shop", list(other["id"]), VIEWER)
    assert sums.guardrail_hits == {"rival_approved": 1}
    workflows.undo(shop, "shop", refs(one), APPROVER)
    workflows.approve(shop, "shop", refs(other), APPROVER)


def test_of_a_pair_approved_at_the_same_instant_one_stands(
    shop: Workspace, pair: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    together = Barrier(2, timeout=60)

    def act(rows: pd.DataFrame) -> str:
        with workflows.open_workspace(tmp_path / "store", shop.configs.root) as workspace:
            together.wait()
            try:
                workflows.approve(workspace, "shop", refs(rows), APPROVER)
            except Conflict as refused:
                return refused.code
            return "approved"

    with ThreadPoolExecutor(2) as pool:
        told = sorted(pool.map(act, pair))
    assert told == ["approved", "rival_approved"]


def test_an_approval_between_the_look_and_the_write_is_seen(
    shop: Workspace, pair: tuple[pd.DataFrame, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one is approved after the rows were read: the second look names it."""
    one, other = pair
    check = deciding.within_limits

    def meanwhile(*judged: Any) -> Any:
        allowed = check(*judged)
        monkeypatch.setattr(deciding, "within_limits", check)
        workflows.approve(shop, "shop", refs(other), APPROVER)
        return allowed

    monkeypatch.setattr(deciding, "within_limits", meanwhile)
    with pytest.raises(Conflict, match="rival_approved"):
        workflows.approve(shop, "shop", refs(one), APPROVER)


def test_a_contradiction_however_it_came_about_is_not_exported(
    shop: Workspace, pair: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> None:
    rows = pd.concat(pair)
    named = zip(rows["id"], rows["version"], rows["bid"], rows["proposed_bid"], strict=True)
    changes = [
        Change(id_, int(version), "proposed", "approved", bid, new)
        for id_, version, bid, new in named
    ]
    shop.store.apply_changes("shop", changes, APPROVER, "approve")
    tried = workflows.export(shop, "shop", tmp_path / "out", APPROVER, dry_run=True)
    rivals = [one for one in tried.refused if one["code"] == "rival_approved"]
    assert {one["id"] for one in rivals} == {one["rival_id"] for one in rivals} == set(rows["id"])
    with pytest.raises(Conflict, match="rows_refused"):
        workflows.export(shop, "shop", tmp_path / "out", APPROVER)


def test_each_of_the_pair_names_the_other(
    shop: Workspace, pair: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    budget, lower = (
        workflows.suggestion(shop, "shop", rows["id"].iloc[0], VIEWER).evidence for rows in pair
    )
    assert lower["alternative_id"] == pair[0]["id"].iloc[0]
    assert budget["alternative_rows"] >= 1
    assert lower["flip_reason"] == "other_kind"


@pytest.mark.parametrize("refuse", ["reject", "lock"])
def test_a_refused_budget_is_not_proposed_again(
    shop: Workspace, budget: pd.DataFrame, refuse: str
) -> None:
    if refuse == "reject":
        workflows.reject(shop, "shop", refs(budget), OPERATOR, "no money")
    else:
        workflows.lock(shop, "shop", refs(budget)[0], OPERATOR)
    assert budget["id"].iloc[0] not in set(proposed(shop, "set_budget")["id"])


def test_a_selection_adds_budgets_and_bids_up(shop: Workspace, budget: pd.DataFrame) -> None:
    lowers = proposed(shop, "lower")
    lowers = lowers[lowers["reason"].ne("budget_lasts_longer")].head(3)
    ids = [*budget["id"], *lowers["id"]]
    sums = workflows.totals(shop, "shop", ids, VIEWER)
    both = budget["delta_profit_mean"].sum() + lowers["delta_profit_mean"].sum()
    assert sums.delta_profit["mean"] == pytest.approx(both)
    assert sums.delta_cost == pytest.approx(budget["delta_cost"].sum() + lowers["delta_cost"].sum())


def test_a_budget_is_not_edited_as_if_it_were_a_bid(shop: Workspace, budget: pd.DataFrame) -> None:
    with pytest.raises(Conflict, match="bid_not_editable"):
        workflows.edit(shop, "shop", refs(budget)[0], 9.0, APPROVER)
