import shutil
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest

from optimizer import workflows
from optimizer.errors import Conflict, Forbidden, NotFound, RefusedInput
from optimizer.tables import Actor
from optimizer.workflows import Workspace, resolving
from tests.workflows.shop_account import APPROVER, AS_OF, OPERATOR, VIEWER, proposed, refs

KINDS = ("raise", "lower", "pause", "watch", "add_keyword", "add_negative")


def decision(workspace: Workspace, suggestion_id: str) -> str:
    return str(workflows.suggestion(workspace, "shop", suggestion_id, VIEWER).row["decision"])


def standing(workspace: Workspace, suggestion_id: str) -> tuple[str, int]:
    row = workflows.suggestion(workspace, "shop", suggestion_id, VIEWER).row
    return suggestion_id, int(row["version"])


def audited(workspace: Workspace, action: str) -> list[str]:
    rows = workflows.audit(workspace, VIEWER, "shop")
    return list(rows.loc[rows["action"].eq(action), "subject"])


def test_every_decision_has_its_audit_row(shop: Workspace) -> None:
    rows = proposed(shop, "raise", "lower")
    workflows.approve(shop, "shop", refs(rows[:2]), APPROVER)
    workflows.reject(shop, "shop", refs(rows[2:3]), OPERATOR, "stock is low")
    workflows.snooze(shop, "shop", refs(rows[3:4]), OPERATOR, AS_OF + timedelta(days=3))
    workflows.undo(shop, "shop", refs(rows[:1]), APPROVER)
    assert sorted(audited(shop, "approve")) == sorted(rows["id"][:2])
    assert audited(shop, "reject") == [rows["id"][2]]
    assert audited(shop, "snooze") == [rows["id"][3]]
    assert audited(shop, "undo") == [rows["id"][0]]
    assert workflows.check(shop, OPERATOR).ok


def test_rejecting_the_largest_increase_moves_another_row(shop: Workspace) -> None:
    before = workflows.latest_review(shop, "shop", VIEWER).summary
    largest = proposed(shop, "raise")[:1]
    result = workflows.reject(shop, "shop", refs(largest), OPERATOR, "too dear")
    resolve = result.resolve
    assert resolve is not None
    assert resolve.rows_moved >= 1
    assert abs(resolve.cost_planned / before["budget"] - 1) <= 0.005
    assert resolve.dual_price <= before["dual_price"] + 1e-9
    after = workflows.latest_review(shop, "shop", VIEWER).summary
    assert after["cost_planned"] == pytest.approx(resolve.cost_planned)


def test_undo_returns_the_row_and_the_plan(shop: Workspace) -> None:
    before = workflows.latest_review(shop, "shop", VIEWER)
    row = proposed(shop, "raise")[:1]
    workflows.reject(shop, "shop", refs(row), OPERATOR, "mistake")
    workflows.undo(shop, "shop", refs(row), APPROVER)
    after = workflows.latest_review(shop, "shop", VIEWER)
    assert decision(shop, row["id"][0]) == "proposed"
    assert after.summary["cost_planned"] == pytest.approx(before.summary["cost_planned"])


def test_stale_version_is_refused_and_nothing_changes(shop: Workspace) -> None:
    row = proposed(shop, "raise")[:1]
    ((id_, version),) = refs(row)
    with pytest.raises(Conflict) as caught:
        workflows.approve(shop, "shop", [(id_, version + 1)], APPROVER)
    assert caught.value.code == "version_moved"
    assert decision(shop, id_) == "proposed"
    assert audited(shop, "approve") == []


def test_the_second_approver_learns_who_was_first(shop: Workspace) -> None:
    row = refs(proposed(shop, "raise")[:1])
    workflows.approve(shop, "shop", row, APPROVER)
    with pytest.raises(Conflict) as caught:
        workflows.approve(shop, "shop", row, Actor("bob", "approver"))
    assert caught.value.code == "wrong_state"
    assert caught.value.fields["decided_by"] == "ann"
    assert caught.value.fields["decided_at"]


def test_moved_rows_are_told_and_the_others_decided(shop: Workspace) -> None:
    rows = refs(proposed(shop, "raise")[:3])
    workflows.reject(shop, "shop", rows[:1], OPERATOR, "no")
    stale = [(id_, version) for id_, version in rows]
    result = workflows.approve(shop, "shop", stale, APPROVER)
    assert [told["id"] for told in result.refused] == [rows[0][0]]
    assert set(result.changed) <= {rows[1][0], rows[2][0]}


def test_edit_is_an_approval_at_another_bid(shop: Workspace) -> None:
    row = proposed(shop, "raise").iloc[0]
    bid = round(float(row["bid"]) + 0.01, 2)
    result = workflows.edit(shop, "shop", (row["id"], int(row["version"])), bid, APPROVER)
    stored = workflows.suggestion(shop, "shop", row["id"], VIEWER).row
    assert result.changed == (row["id"],)
    assert (stored["decision"], stored["approved_bid"]) == ("approved", bid)


def test_edit_beyond_the_step_limit_is_refused(shop: Workspace) -> None:
    row = proposed(shop, "raise").iloc[0]
    with pytest.raises(Conflict) as caught:
        workflows.edit(shop, "shop", refs(row.to_frame().T)[0], 2 * float(row["bid"]), APPROVER)
    assert caught.value.code == "bid_out_of_range"
    assert caught.value.fields["high"] <= 1.25 * float(row["bid"])


def test_edited_bid_is_priced_on_its_curve(shop: Workspace) -> None:
    row = proposed(shop, "raise").iloc[0]
    ref = (row["id"], int(row["version"]))
    full = workflows.totals(shop, "shop", [row["id"]], VIEWER).delta_cost
    workflows.edit(shop, "shop", ref, round(float(row["bid"]) + 0.01, 2), APPROVER)
    held = workflows.holdings.load_holdings(shop, "shop")
    priced = float(held.priced(held.committed())["delta_cost"].iloc[0])
    assert 0 < priced < full


def test_approving_raises_only_tells_the_excess(shop: Workspace) -> None:
    rows = proposed(shop, "raise")
    result = workflows.approve(shop, "shop", refs(rows), APPROVER)
    (account,) = [one for one in result.excess if one["scope"] == "account"]
    assert account["projected"] > account["budget"]
    assert set(result.changed) == set(rows["id"])


def test_lock_holds_the_keyword_and_unlock_frees_it(shop: Workspace) -> None:
    row = proposed(shop, "raise").iloc[0]
    workflows.lock(shop, "shop", (row["id"], int(row["version"])), OPERATOR)
    assert row["id"] not in set(proposed(shop, "raise", "lower", "watch")["id"])
    workflows.lock(shop, "shop", str(row["entity_key"]), OPERATOR, locked=False)
    assert row["id"] in set(proposed(shop, "raise")["id"])


def test_a_locked_term_is_unlocked_by_its_key(shop: Workspace) -> None:
    row = proposed(shop, "add_keyword").iloc[0]
    workflows.lock(shop, "shop", (row["id"], int(row["version"])), OPERATOR)
    assert row["id"] not in set(proposed(shop, "add_keyword")["id"])
    workflows.lock(shop, "shop", str(row["entity_key"]), OPERATOR, locked=False)
    assert row["id"] in set(proposed(shop, "add_keyword")["id"])


def test_watch_rows_need_no_approval(shop: Workspace) -> None:
    with pytest.raises(Conflict) as caught:
        workflows.approve(shop, "shop", refs(proposed(shop, "watch")[:1]), APPROVER)
    assert caught.value.code == "watch_not_decidable"


def test_unknown_ids_and_empty_selections_are_refused(shop: Workspace) -> None:
    with pytest.raises(NotFound) as caught:
        workflows.approve(shop, "shop", [("0" * 16, 1)], APPROVER)
    assert caught.value.fields["ids"] == ["0" * 16]
    with pytest.raises(RefusedInput) as empty:
        workflows.approve(shop, "shop", [], APPROVER)
    assert empty.value.code == "nothing_named"


def test_snooze_into_the_past_is_refused(shop: Workspace) -> None:
    row = refs(proposed(shop, "raise")[:1])
    with pytest.raises(RefusedInput) as caught:
        workflows.snooze(shop, "shop", row, OPERATOR, date(2026, 1, 1))
    assert caught.value.code == "until_in_past"


def test_roles_bound_what_one_may_decide(shop: Workspace) -> None:
    row = refs(proposed(shop, "raise")[:1])
    forbidden = [
        lambda: workflows.approve(shop, "shop", row, OPERATOR),
        lambda: workflows.edit(shop, "shop", row[0], 1.0, OPERATOR),
        lambda: workflows.undo(shop, "shop", row, OPERATOR),
        lambda: workflows.reject(shop, "shop", row, VIEWER, "no"),
        lambda: workflows.snooze(shop, "shop", row, VIEWER, AS_OF),
        lambda: workflows.lock(shop, "shop", row[0], VIEWER),
    ]
    for act in forbidden:
        with pytest.raises(Forbidden):
            act()
    assert decision(shop, row[0][0]) == "proposed"


def guarded(shop: Workspace, line: str) -> Workspace:
    """The same store under one more guardrail."""
    root = shop.configs.root
    (root / "guardrails.yaml").write_text(line, encoding="utf-8")
    return Workspace(shop.store, type(shop.configs)(root))


@pytest.fixture
def own_configs(shop: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("own") / "configs"
    shutil.copytree(shop.configs.root, folder)
    return Workspace(shop.store, type(shop.configs)(folder))


def test_spend_at_risk_is_capped_over_all_approvals(own_configs: Workspace) -> None:
    rows = proposed(own_configs, "raise")
    first = float(rows["delta_cost"][0])
    shop = guarded(own_configs, f"spend_at_risk_per_day: {first + 0.001}")
    workflows.approve(shop, "shop", refs(rows[:1]), APPROVER)
    with pytest.raises(Conflict) as caught:
        workflows.approve(shop, "shop", refs(proposed(shop, "raise")[:1]), APPROVER)
    assert caught.value.code == "spend_at_risk_exceeded"


def test_above_the_threshold_an_approval_waits_for_another_person(own_configs: Workspace) -> None:
    shop = guarded(own_configs, "four_eyes_delta_cost: 0.0")
    row = refs(proposed(shop, "raise")[:1])
    assert workflows.approve(shop, "shop", row, APPROVER).awaiting == (row[0][0],)
    assert decision(shop, row[0][0]) == "awaiting_second"
    with pytest.raises(Conflict, match="version_moved"):
        workflows.approve(shop, "shop", row, Actor("bob", "approver"))
    again = standing(shop, row[0][0])
    with pytest.raises(Conflict) as caught:
        workflows.approve(shop, "shop", [again], APPROVER)
    assert (caught.value.code, caught.value.fields["proposer"]) == ("second_person_needed", "ann")
    assert workflows.approve(shop, "shop", [again], Actor("bob", "approver")).awaiting == ()
    assert decision(shop, row[0][0]) == "approved"


def test_a_token_is_the_person_who_made_it(own_configs: Workspace) -> None:
    shop = guarded(own_configs, "four_eyes_delta_cost: 0.0")
    made = workflows.add_token(shop, "cron", "approver", Actor("ann", "admin"), "shop")
    row = refs(proposed(shop, "raise")[:1])
    workflows.approve(shop, "shop", row, APPROVER)
    program = workflows.token_actor(shop, made.secret)
    with pytest.raises(Conflict, match="second_person_needed"):
        workflows.approve(shop, "shop", [standing(shop, row[0][0])], program)


def test_the_second_person_approves_the_bid_the_first_one_chose(own_configs: Workspace) -> None:
    shop = guarded(own_configs, "four_eyes_delta_cost: 0.0")
    row = proposed(shop, "raise").iloc[0]
    bid = round(float(row["bid"]) + 0.01, 2)
    workflows.edit(shop, "shop", (row["id"], int(row["version"])), bid, APPROVER)
    changed = {row["id"]: float(row["proposed_bid"])}
    seen = standing(shop, row["id"])
    ben, cid = Actor("ben", "approver"), Actor("cid", "approver")
    assert workflows.approve(shop, "shop", [seen], ben, changed).awaiting == (row["id"],)
    done = workflows.approve(shop, "shop", [standing(shop, row["id"])], cid)
    stored = workflows.suggestion(shop, "shop", row["id"], VIEWER).row
    assert (done.awaiting, stored["approved_bid"]) == ((), float(row["proposed_bid"]))


def test_what_waits_is_not_exported_and_can_be_taken_back(
    own_configs: Workspace, tmp_path: Path
) -> None:
    shop = guarded(own_configs, "four_eyes_delta_cost: 0.0")
    row = refs(proposed(shop, "raise")[:1])
    workflows.approve(shop, "shop", row, APPROVER)
    with pytest.raises(Conflict, match="nothing_to_export"):
        workflows.export(shop, "shop", tmp_path / "out", APPROVER)
    workflows.undo(shop, "shop", [standing(shop, row[0][0])], APPROVER)
    assert decision(shop, row[0][0]) == "proposed"


def test_approvers_at_once_do_not_pass_the_cap_together(
    own_configs: Workspace, tmp_path: Path
) -> None:
    """Each sum fits alone; whoever comes second is judged with what the first one approved."""
    rows = proposed(own_configs, "raise")[:6]
    cap = float(rows["delta_cost"].max()) * 1.5
    shop = guarded(own_configs, f"spend_at_risk_per_day: {cap}")

    def act(ref: tuple[str, int]) -> list[str]:
        with workflows.open_workspace(tmp_path / "store", shop.configs.root) as workspace:
            try:
                return list(workflows.approve(workspace, "shop", [ref], APPROVER).changed)
            except Conflict:
                return []

    with ThreadPoolExecutor(6) as pool:
        won = [id_ for changed in pool.map(act, refs(rows)) for id_ in changed]
    assert won
    assert rows.set_index("id").loc[won, "delta_cost"].sum() <= cap


def test_a_second_review_of_the_day_keeps_an_edited_approval(shop: Workspace) -> None:
    row = proposed(shop, "raise").iloc[0]
    bid = round(float(row["bid"]) + 0.01, 2)
    workflows.edit(shop, "shop", (row["id"], int(row["version"])), bid, APPROVER)
    workflows.review(shop, "shop", actor=OPERATOR)
    stored = workflows.suggestion(shop, "shop", row["id"], VIEWER).row
    assert (stored["decision"], stored["approved_bid"]) == ("approved", bid)


def test_a_decision_during_a_review_is_solved_in_the_newer_one(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The review lands between the decision and its re-solve; the list of the newer one is whole."""
    row = proposed(shop, "raise")[:1]
    solve, reviews = resolving.resolve_account, iter([None])

    def reviewed_meanwhile(*arguments: object) -> object:
        for _ in reviews:
            workflows.review(shop, "shop", actor=OPERATOR)
        return solve(*arguments)

    monkeypatch.setattr(resolving, "resolve_account", reviewed_meanwhile)
    assert workflows.reject(shop, "shop", refs(row), OPERATOR, "stock").resolve is not None
    assert decision(shop, row["id"][0]) == "rejected"
    listed = workflows.suggestions(shop, "shop", VIEWER)
    workflows.review(shop, "shop", actor=OPERATOR)
    assert set(listed["id"]) == set(workflows.suggestions(shop, "shop", VIEWER)["id"])


def test_totals_add_up_what_would_be_approved(shop: Workspace) -> None:
    """Lower bids in place of a budget are beside the plan, whose total this is."""
    rows = proposed(shop, *KINDS)
    rows = rows[rows["reason"].ne("budget_lasts_longer")]
    sums = workflows.totals(shop, "shop", list(rows["id"]), VIEWER)
    decidable = rows[rows["kind"].ne("watch")]
    assert sums.count == len(decidable)
    assert sums.delta_cost == pytest.approx(decidable["delta_cost"].sum())
    assert sums.guardrail_hits == {"watch_not_decidable": len(rows) - len(decidable)}
    assert sums.ids_versions == tuple(sorted(refs(decidable)))
    whole = workflows.latest_review(shop, "shop", VIEWER).summary["profit_delta"]
    assert sums.delta_profit["mean"] == pytest.approx(whole["mean"])
    assert sums.delta_profit["low"] == pytest.approx(whole["low"], rel=0.2)
    assert sums.delta_profit["low"] > decidable["delta_profit_low"].sum()


def test_totals_price_the_bid_that_the_first_person_chose(own_configs: Workspace) -> None:
    shop = guarded(own_configs, "four_eyes_delta_cost: 0.0")
    row = proposed(shop, "raise").iloc[0]
    bid = round(float(row["bid"]) + 0.01, 2)
    workflows.edit(shop, "shop", (row["id"], int(row["version"])), bid, APPROVER)
    sums = workflows.totals(shop, "shop", [row["id"]], VIEWER)
    told = workflows.edited(shop, "shop", {row["id"]: bid}, VIEWER)
    assert sums.delta_cost == pytest.approx(told["delta_cost"][0])
    assert sums.delta_cost != pytest.approx(row["delta_cost"])


def test_totals_leave_out_what_moved_and_count_edits(shop: Workspace) -> None:
    rows = proposed(shop, "raise")[:2]
    first, second = refs(rows)
    bid = round(float(rows["bid"][0]) + 0.01, 2)
    seen = {first[0]: first[1], second[0]: second[1] + 1}
    sums = workflows.totals(shop, "shop", list(seen), VIEWER, seen, {first[0]: bid})
    told = workflows.edited(shop, "shop", {first[0]: bid}, VIEWER)
    assert (sums.ids_versions, sums.guardrail_hits) == ((first,), {"version_moved": 1})
    assert sums.delta_cost == pytest.approx(told["delta_cost"][0])


def test_eight_approvers_never_decide_a_row_twice(shop: Workspace, tmp_path: Path) -> None:
    rows = refs(proposed(shop, "raise")[:6])
    told_by: list[str] = []

    def act(number: int) -> list[str]:
        actor = Actor(f"approver {number}", "approver")
        with workflows.open_workspace(tmp_path / "store", shop.configs.root) as workspace:
            try:
                return list(workflows.approve(workspace, "shop", rows, actor).changed)
            except Conflict as lost:
                told_by.append(str(lost.fields["decided_by"]))
                return []

    with ThreadPoolExecutor(8) as pool:
        won = [id_ for changed in pool.map(act, range(8)) for id_ in changed]
    assert sorted(won) == sorted(id_ for id_, _ in rows)
    assert all(name.startswith("approver ") for name in told_by)
    assert sorted(audited(shop, "approve")) == sorted(won)
    assert workflows.check(shop, OPERATOR).ok


DIE_BEFORE_RESOLVE = """
import os, signal, sys
from pathlib import Path
from optimizer import workflows
from optimizer.tables import Actor
from optimizer.workflows import resolving
store, configs, id_, version = sys.argv[1:]
resolving._resolve = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with workflows.open_workspace(Path(store), Path(configs)) as workspace:
    workflows.approve(workspace, "shop", [(id_, int(version))], Actor("ann", "approver"))
"""


def test_killed_after_the_decision_it_stands_and_the_next_one_resolves(
    shop: Workspace, tmp_path: Path
) -> None:
    ((id_, version), other) = refs(proposed(shop, "raise")[:2])
    arguments = [str(tmp_path / "store"), str(shop.configs.root), id_, str(version)]
    done = subprocess.run([sys.executable, "-c", DIE_BEFORE_RESOLVE, *arguments], timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert (decision(shop, id_), audited(shop, "approve")) == ("approved", [id_])
    assert workflows.check(shop, OPERATOR).ok
    result = workflows.approve(shop, "shop", [other], APPROVER)
    assert result.resolve is not None
    assert decision(shop, id_) == "approved"


def test_check_tells_of_a_decision_that_was_rewritten(shop: Workspace, tmp_path: Path) -> None:
    row = refs(proposed(shop, "raise")[:1])
    workflows.approve(shop, "shop", row, APPROVER)
    with sqlite3.connect(tmp_path / "store" / "state.sqlite") as raw:
        forged = "UPDATE audit SET actor = 'bob' WHERE action = 'approve'"
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw.execute(forged)
        raw.execute("DROP TRIGGER audit_no_update")
        raw.execute(forged)
    (found,) = workflows.check(shop, OPERATOR).problems
    assert found["code"] == "audit_chain_broken"
