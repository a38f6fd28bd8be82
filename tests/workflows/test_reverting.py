import csv
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from optimizer import workflows
from optimizer.errors import Conflict, NotFound
from optimizer.store.protocol import Delivered
from optimizer.tables import SUGGESTIONS
from optimizer.workflows import Workspace
from tests.workflows.shop_account import APPROVER, OPERATOR, VIEWER, proposed, refs
from tests.workflows.test_lapsing import days_later


def exported(shop: Workspace, tmp_path: Path, kind: str, count: int = 2) -> pd.DataFrame:
    """Suggestions of a kind, approved and in a file."""
    rows = proposed(shop, kind).tail(count)
    workflows.approve(shop, "shop", refs(rows), APPROVER)
    workflows.export(shop, "shop", tmp_path / "first", APPROVER)
    return rows


def bids_of(shop: Workspace, out: Path, ending: str = "_keywords.csv") -> dict[str, str]:
    """Keyword ids and bids in the next export's file."""
    made = workflows.export(shop, "shop", out, APPROVER)
    (path,) = [
        path for name, path in made.files.items() if name.endswith(f"{made.export_id}{ending}")
    ]
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return {row["Keyword ID"]: row["Default max. CPC"] for row in rows}


def test_the_next_export_restores_the_old_bids(shop: Workspace, tmp_path: Path) -> None:
    rows = exported(shop, tmp_path, "lower")
    done = workflows.revert(shop, "shop", APPROVER, list(rows["id"]))
    assert len(done.changed) == 2
    old = {key: f"{bid:.2f}" for key, bid in zip(rows["keyword_id"], rows["bid"], strict=True)}
    assert bids_of(shop, tmp_path / "second") == old
    assert workflows.check(shop, OPERATOR).ok


def test_what_the_platform_confirmed_is_taken_back_before_a_report_shows_it(
    shop: Workspace, tmp_path: Path
) -> None:
    row = exported(shop, tmp_path, "lower", 1)
    ((id_, version),) = refs(shop.store.suggestions("shop", ids=list(row["id"])))
    answer = Delivered(id_, version, "exported", "confirmed_live", "platform_applied")
    shop.store.record_deliveries("shop", [answer], OPERATOR)
    workflows.revert(shop, "shop", APPROVER, [id_])
    old = {row["keyword_id"].iloc[0]: f"{row['bid'].iloc[0]:.2f}"}
    assert bids_of(shop, tmp_path / "second") == old


def test_a_whole_export_is_taken_back_and_said_in_the_trail(
    shop: Workspace, tmp_path: Path
) -> None:
    rows = exported(shop, tmp_path, "raise")
    (record,) = workflows.exports(shop, "shop", VIEWER)
    workflows.revert(shop, "shop", APPROVER, export_id=record.export_id)
    audit = workflows.audit(shop, VIEWER, "shop").query("action == 'revert'")
    assert set(audit["subject"]) == set(rows["id"])
    held = workflows.holdings.load_holdings(shop, "shop")
    assert held.committed()["delta_cost"].sum() == pytest.approx(0, abs=1e-9)


def propose_a_pause(shop: Workspace) -> None:
    """The same review, its last lower being a pause."""
    run = shop.store.latest_run("shop")
    rows = shop.store.suggestions("shop")[list(SUGGESTIONS.columns)]
    last = rows.index == rows.index[rows["kind"].eq("lower")][-1]
    rows = rows.assign(
        kind=rows["kind"].mask(last, "pause"),
        slot=rows["slot"].mask(last, "state"),
        proposed_bid=rows["proposed_bid"].mask(last),
    )
    frames = shop.store.run_frames(run.run_id)
    shop.store.save_run("shop", run.as_of, run.summary, rows, frames, OPERATOR)


def test_a_paused_keyword_is_resumed(shop: Workspace, tmp_path: Path) -> None:
    propose_a_pause(shop)
    row = exported(shop, tmp_path, "pause", 1)
    workflows.revert(shop, "shop", APPROVER, list(row["id"]))
    made = workflows.suggestions(shop, "shop", VIEWER).query("reason == 'revert'")
    assert list(made["kind"]) == ["resume"]
    workflows.suggestion(shop, "shop", made["id"].iloc[0], VIEWER).to_json()
    assert workflows.export(shop, "shop", tmp_path / "second", APPROVER).rows == 1


def test_only_what_is_in_force_is_taken_back(shop: Workspace, tmp_path: Path) -> None:
    waiting = proposed(shop, "lower")["id"].iloc[0]
    with pytest.raises(Conflict, match="revert_not_exported"):
        workflows.revert(shop, "shop", APPROVER, [waiting])
    workflows.approve(shop, "shop", refs(proposed(shop, "lower")), APPROVER)
    added = exported(shop, tmp_path, "add_keyword", 1)
    with pytest.raises(Conflict, match="revert_by_file"):
        workflows.revert(shop, "shop", APPROVER, list(added["id"]))
    with pytest.raises(NotFound, match="suggestion_unknown"):
        workflows.revert(shop, "shop", APPROVER, ["0" * 16])


def test_twice_is_once(shop: Workspace, tmp_path: Path) -> None:
    rows = exported(shop, tmp_path, "lower")
    workflows.revert(shop, "shop", APPROVER, list(rows["id"]))
    with pytest.raises(Conflict, match="wrong_state"):
        workflows.revert(shop, "shop", APPROVER, list(rows["id"]))
    workflows.export(shop, "shop", tmp_path / "second", APPROVER)
    with pytest.raises(Conflict, match="revert_overtaken"):
        workflows.revert(shop, "shop", APPROVER, list(rows["id"]))


def test_it_can_be_undone_before_its_own_export(shop: Workspace, tmp_path: Path) -> None:
    rows = exported(shop, tmp_path, "lower", 1)
    done = workflows.revert(shop, "shop", APPROVER, list(rows["id"]))
    made = shop.store.suggestions("shop", ids=list(done.changed))
    workflows.undo(shop, "shop", refs(made), APPROVER)
    assert shop.store.approved("shop").empty
    workflows.revert(shop, "shop", APPROVER, list(rows["id"]))
    assert list(shop.store.approved("shop")["id"]) == list(done.changed)


def test_later_decisions_leave_it_approved(shop: Workspace, tmp_path: Path) -> None:
    rows = exported(shop, tmp_path, "lower", 1)
    done = workflows.revert(shop, "shop", APPROVER, list(rows["id"]))
    other = proposed(shop, "raise")[:1]
    workflows.reject(shop, "shop", refs(other), OPERATOR, "no")
    workflows.review(shop, "shop", actor=OPERATOR)
    assert list(shop.store.approved("shop")["id"]) == list(done.changed)
    assert bids_of(shop, tmp_path / "second").keys() == set(rows["keyword_id"])


def test_a_week_without_a_review_is_no_reason_to_wait(shop: Workspace, tmp_path: Path) -> None:
    rows = exported(shop, tmp_path, "lower", 1)
    with days_later(shop, 9):
        done = workflows.revert(shop, "shop", APPROVER, list(rows["id"]))
        made = shop.store.suggestions("shop", ids=list(done.changed))
        assert list(made["decision"]) == ["approved"]
    assert made["as_of"].iloc[0] - rows["as_of"].iloc[0] == timedelta(0)
