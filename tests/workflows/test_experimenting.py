"""One bid test from proposal to hand-back, through the door operators use."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from optimizer import workflows
from optimizer.errors import Conflict, Forbidden, NotFound
from optimizer.review import experiments as proposals
from optimizer.settings import Exploration
from optimizer.workflows import Workspace
from optimizer.workflows.review_inputs import review_inputs
from tests.workflows.shop_account import APPROVER, AS_OF, OPERATOR, VIEWER, proposed, refs

GENEROUS = Exploration(cost_share=0.2, min_return=1, payback_days=365, shared_share=1)


@pytest.fixture
def curious(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The shop with a budget for tests; small as it is, only words below the first page are worth one."""
    # The shop is above its budget: a test has to be paid for by what is approved beside it.
    savers = proposed(shop, "lower").tail(3)
    workflows.approve(shop, "shop", refs(savers), APPROVER)
    settings = shop.configs.settings("shop").model_copy(update={"exploration": GENEROUS})
    monkeypatch.setattr(type(shop.configs), "settings", lambda *_: settings)
    return shop


def proposed_test(workspace: Workspace) -> tuple[str, int]:
    record = workflows.propose_experiment(workspace, "shop", OPERATOR).record
    return record.id, record.version


def approved_test(workspace: Workspace) -> workflows.ExperimentReport:
    workflows.approve_experiment(workspace, "shop", proposed_test(workspace), APPROVER)
    found = workflows.experiment(workspace, "shop", VIEWER)
    assert found is not None
    return found


def at(monkeypatch: pytest.MonkeyPatch, day: date, bids: dict[str, float] | None = None) -> None:
    """As if a report of `day` had come in that shows `bids`."""
    monkeypatch.setattr("optimizer.workflows.experimenting._today", lambda *_: day)
    if bids is not None:
        shown = pd.Series(bids)
        real = workflows.experimenting._keywords

        def keywords(held: Any, on: date) -> pd.DataFrame:
            frame = real(held, on)
            return frame.assign(bid=frame["key"].map(shown).fillna(frame["bid"]))

        monkeypatch.setattr("optimizer.workflows.experimenting._keywords", keywords)


def written(result: workflows.StepExport, ending: str) -> dict[str, str]:
    """New bid by keyword id in one of the files."""
    (path,) = [path for name, path in result.files.items() if name.endswith(ending)]
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return {row["Keyword ID"]: row["Default max. CPC"] for row in rows}


def expected(report: workflows.ExperimentReport, week: int) -> dict[str, str]:
    ids = report.record.members.set_index("entity_key")["keyword_id"]
    steps = report.record.steps[report.record.steps["week"].eq(week)]
    return {
        ids[key]: f"{bid:.2f}" for key, bid in zip(steps["entity_key"], steps["bid"], strict=True)
    }


def test_there_is_no_test_until_one_is_proposed(shop: Workspace) -> None:
    assert workflows.experiment(shop, "shop", VIEWER) is None


def test_a_budget_of_nothing_proposes_nothing(
    curious: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposals, "propose_experiment", lambda *_: None)
    with pytest.raises(NotFound, match="experiment_not_worth"):
        workflows.propose_experiment(curious, "shop", OPERATOR)


def test_a_young_account_is_told_when_to_ask_again(
    curious: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposals, "too_young", lambda *_: True)
    with pytest.raises(NotFound, match="experiment_too_early") as told:
        workflows.propose_experiment(curious, "shop", OPERATOR)
    assert set(told.value.fields) == {"account", "days", "asked"}


def test_roles(curious: Workspace, tmp_path: Path) -> None:
    with pytest.raises(Forbidden):
        workflows.propose_experiment(curious, "shop", VIEWER)
    ref = proposed_test(curious)
    with pytest.raises(Forbidden):
        workflows.approve_experiment(curious, "shop", ref, OPERATOR)
    with pytest.raises(Forbidden):
        workflows.export_experiment(curious, "shop", tmp_path, OPERATOR)


def test_an_approved_test_holds_its_keywords(curious: Workspace) -> None:
    report = approved_test(curious)
    members = set(report.record.members["entity_key"])
    holds = curious.store.holds("shop", AS_OF)
    assert set(holds.loc[holds["kind"].eq("experiment"), "entity_key"]) == members
    rows = workflows.suggestions(curious, "shop", VIEWER)
    open_rows = rows[rows["slot"].eq("bid") & rows["kind"].ne("watch")]
    assert not members & set(open_rows["entity_key"])
    summary = workflows.latest_review(curious, "shop", VIEWER).summary
    assert summary["not_suggested"]["experiment"] == len(members)


def test_a_rejected_test_leaves_everything_as_it_was(curious: Workspace) -> None:
    before = workflows.suggestions(curious, "shop", VIEWER)[["id", "proposed_bid"]]
    ref = proposed_test(curious)
    workflows.approve_experiment(curious, "shop", ref, APPROVER)
    workflows.reject_experiment(curious, "shop", ref, OPERATOR, "not before the holidays")
    after = workflows.suggestions(curious, "shop", VIEWER)[["id", "proposed_bid"]]
    pd.testing.assert_frame_equal(after, before)
    with pytest.raises(Conflict, match="experiment_moved"):
        workflows.approve_experiment(curious, "shop", ref, APPROVER)


def test_the_first_step_is_written_with_its_rollback(curious: Workspace, tmp_path: Path) -> None:
    report = approved_test(curious)
    assert (report.due, report.next_day) == (0, AS_OF + timedelta(days=7))
    result = workflows.export_experiment(curious, "shop", tmp_path, APPROVER)
    assert written(result, "bid_test_keywords.csv") == expected(report, 0)
    old = report.record.members.set_index("keyword_id")["base_bid"].map("{:.2f}".format)
    assert written(result, "rollback_keywords.csv") == old.to_dict()
    with pytest.raises(Conflict, match="experiment_nothing_due"):
        workflows.export_experiment(curious, "shop", tmp_path, APPROVER)


def test_the_same_files_can_be_had_again(curious: Workspace, tmp_path: Path) -> None:
    approved_test(curious)
    first = workflows.export_experiment(curious, "shop", tmp_path / "a", APPROVER)
    again = workflows.export_experiment(curious, "shop", tmp_path / "b", APPROVER, again=True)
    assert again.files.keys() == first.files.keys()
    for name, path in first.files.items():
        assert path.read_bytes() == again.files[name].read_bytes()


def test_a_dry_run_writes_nothing(curious: Workspace, tmp_path: Path) -> None:
    approved_test(curious)
    out = tmp_path / "out"
    tried = workflows.export_experiment(curious, "shop", out, APPROVER, dry_run=True)
    assert tried.rows > 0
    assert not out.exists()
    report = workflows.experiment(curious, "shop", VIEWER)
    assert report is not None
    assert report.record.exports == ()


def test_steps_follow_week_by_week_and_hand_back(
    curious: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = approved_test(curious)
    keys = report.record.members.set_index("keyword_id")["entity_key"]
    bids: dict[str, float] = {}
    for week in range(report.record.weeks + 1):
        at(monkeypatch, AS_OF + timedelta(days=7 * week), bids)
        result = workflows.export_experiment(curious, "shop", tmp_path, APPROVER)
        assert result.left_out == ()
        wanted = expected(report, week)
        bids = {keys[one]: float(bid) for one, bid in wanted.items()}
    ended = workflows.experiment(curious, "shop", VIEWER)
    assert ended is not None
    assert (ended.record.state, ended.due, ended.next_day) == ("finished", None, None)


def test_an_approved_test_whose_weeks_passed_says_so_and_can_be_rejected(
    curious: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = approved_test(curious).record
    at(monkeypatch, record.last_day + timedelta(days=1))
    with pytest.raises(Conflict, match="experiment_lapsed"):
        workflows.export_experiment(curious, "shop", tmp_path, APPROVER)
    ref = (record.id, record.version)
    workflows.reject_experiment(curious, "shop", ref, OPERATOR, "never begun")
    again = workflows.propose_experiment(curious, "shop", OPERATOR)
    assert (again.record.state, again.record.version) == ("proposed", 2)


def test_a_keyword_that_somebody_moved_is_left_alone(
    curious: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = approved_test(curious)
    moved, locked = report.record.members["entity_key"].head(2)
    at(monkeypatch, AS_OF, {moved: 17.17})
    workflows.lock(curious, "shop", locked, OPERATOR)
    result = workflows.export_experiment(curious, "shop", tmp_path, APPROVER)
    assert {one["id"].split("-")[1]: one["code"] for one in result.left_out} == {
        moved: "member_moved",
        locked: "member_decided",
    }
    assert result.rows == len(report.record.members) - 2


def test_a_stopped_test_gives_every_old_bid_back(
    curious: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = approved_test(curious)
    with pytest.raises(Conflict, match="experiment_not_running"):
        workflows.stop_experiment(curious, "shop", tmp_path, APPROVER)
    workflows.export_experiment(curious, "shop", tmp_path, APPROVER)
    steps = report.record.steps[report.record.steps["week"].eq(0)]
    at(
        monkeypatch,
        AS_OF + timedelta(days=2),
        dict(zip(steps["entity_key"], steps["bid"], strict=True)),
    )
    result = workflows.stop_experiment(curious, "shop", tmp_path, APPROVER)
    old = report.record.members.set_index("keyword_id")["base_bid"].map("{:.2f}".format)
    assert written(result, "bid_test_keywords.csv") == old.to_dict()
    stopped = workflows.experiment(curious, "shop", VIEWER)
    assert stopped is not None
    assert stopped.record.state == "stopped"


def test_a_test_stopped_before_a_report_shows_it_gives_its_bids_back(
    curious: Workspace, tmp_path: Path
) -> None:
    approved_test(curious)
    step = workflows.export_experiment(curious, "shop", tmp_path, APPROVER)
    stopped = workflows.stop_experiment(curious, "shop", tmp_path / "back", APPROVER)
    assert stopped.rows == step.rows > 0


def test_a_test_beyond_a_budget_is_refused_with_the_worst_excess(
    curious: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = proposed_test(curious)
    found = {"scope": "campaign", "name": "small", "budget": 10.0, "cost_now": 9.0}
    refused = (
        {**found, "projected": 11.0, "excess": 1.0},
        {**found, "scope": "account", "name": "shop", "projected": 15.0, "excess": 5.0},
    )
    monkeypatch.setattr("optimizer.workflows.holdings.Holdings.excess", lambda *_: refused)
    with pytest.raises(Conflict) as caught:
        workflows.approve_experiment(curious, "shop", ref, APPROVER)
    told = caught.value
    assert told.code == "experiment_over_budget"
    assert (told.fields["name"], told.fields["over"]) == ("shop", 5.0)
    assert told.fields["excess"] == list(refused)


def test_a_test_is_judged_by_the_budgets_already_approved(
    curious: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflows.approve(curious, "shop", refs(proposed(curious, "set_budget").head(1)), APPROVER)
    ref = proposed_test(curious)
    judged: list[pd.DataFrame] = []

    def excess(_: Any, changes: pd.DataFrame) -> tuple[()]:
        judged.append(changes)
        return ()

    monkeypatch.setattr("optimizer.workflows.holdings.Holdings.excess", excess)
    workflows.approve_experiment(curious, "shop", ref, APPROVER)
    assert judged[0]["kind"].eq("set_budget").sum() == 1


def test_a_campaign_is_asked_for_the_spend_of_its_own_starved_words(
    curious: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words without clicks spend what the test adds; sharing it by clicks would ask others for it."""
    ref = proposed_test(curious)
    judged: list[pd.DataFrame] = []
    monkeypatch.setattr(
        "optimizer.workflows.holdings.Holdings.excess",
        lambda _, changes: judged.append(changes) or (),
    )
    workflows.approve_experiment(curious, "shop", ref, APPROVER)
    report = workflows.experiment(curious, "shop", VIEWER)
    assert report is not None
    asked = judged[0].set_index("entity_key").loc[report.record.members["entity_key"]]
    assert (asked["delta_cost"] > 0).all()
    stated = report.record.figures["extra_spend"]
    assert asked["delta_cost"].sum() == pytest.approx(stated, rel=0.1)


def test_a_bid_that_the_test_moved_is_not_in_cool_down(
    curious: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = curious.store.review_tables("shop", AS_OF, 60)
    moved = known.keywords["entity_key"].iloc[0]
    today = pd.Timestamp(AS_OF)
    seen = known.keywords["last_change"].mask(known.keywords["entity_key"].eq(moved), today)
    known = replace(known, keywords=known.keywords.assign(last_change=seen))
    span = {"entity_key": [moved], "bid": [1.1], "first_day": [today], "last_day": [today]}
    assert review_inputs(curious, known, 60).keywords["last_change"].iloc[0] == today
    monkeypatch.setattr(type(curious.store), "randomised_bids", lambda *_: pd.DataFrame(span))
    assert pd.isna(review_inputs(curious, known, 60).keywords["last_change"].iloc[0])
