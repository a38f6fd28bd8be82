"""How much spend one calendar day's approvals may add, and how many persons they need."""

import shutil
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from optimizer import workflows
from optimizer.errors import Conflict
from optimizer.settings import Exploration
from optimizer.tables import Actor
from optimizer.workflows import Workspace, experimenting
from tests.workflows.shop_account import APPROVER, AS_OF, OPERATOR, VIEWER, proposed, refs

GENEROUS = Exploration(cost_share=0.2, min_return=1, payback_days=365, shared_share=1)


def guarded(shop: Workspace, tmp_path: Path, lines: str) -> Workspace:
    """The same store under these guardrails, with bid tests that are worth something."""
    root = tmp_path / "configs"
    shutil.copytree(shop.configs.root, root, dirs_exist_ok=True)
    (root / "guardrails.yaml").write_text(lines, encoding="utf-8")
    stated = GENEROUS.model_dump_json()
    (root / "exploration.yaml").write_text(stated, encoding="utf-8")
    return Workspace(shop.store, type(shop.configs)(root))


def standing(shop: Workspace, id_: str) -> tuple[str, int]:
    row = workflows.suggestion(shop, "shop", id_, VIEWER).row
    return id_, int(row["version"])


def raise_exported(shop: Workspace, tmp_path: Path) -> float:
    """What one raise adds that fits beside all lowers, approved and exported."""
    workflows.approve(shop, "shop", refs(proposed(shop, "lower")), APPROVER)
    row = proposed(shop, "raise")[:1]
    workflows.approve(shop, "shop", refs(row), APPROVER)
    workflows.export(shop, "shop", tmp_path / "out", APPROVER)
    return float(row["delta_cost"].iloc[0])


def test_exported_approvals_of_the_day_count_in_the_next_review_too(
    shop: Workspace, tmp_path: Path
) -> None:
    with time_machine.travel("2026-03-03 10:00", tick=False):
        workflows.review(shop, "shop", actor=OPERATOR)
        spent = raise_exported(shop, tmp_path)
        workflows.review(shop, "shop", as_of=AS_OF + timedelta(days=1), actor=OPERATOR)
        strict = guarded(shop, tmp_path, f"spend_at_risk_per_day: {spent + 0.001}")
        row = refs(proposed(strict, "raise")[:1])
        with pytest.raises(Conflict, match="spend_at_risk_exceeded"):
            workflows.approve(strict, "shop", row, APPROVER)


def test_a_limit_that_is_just_reached_is_kept(shop: Workspace, tmp_path: Path) -> None:
    rows = proposed(shop, "raise")
    limit = repr(float(rows["delta_cost"].iloc[0]))
    strict = guarded(
        shop, tmp_path, f"spend_at_risk_per_day: {limit}\nfour_eyes_delta_cost: {limit}"
    )
    assert workflows.approve(strict, "shop", refs(rows[:1]), APPROVER).awaiting == ()
    with pytest.raises(Conflict, match="spend_at_risk_exceeded"):
        workflows.approve(strict, "shop", refs(proposed(strict, "raise")[:1]), APPROVER)


def test_what_adds_no_spend_is_approved_whatever_was_before(
    shop: Workspace, tmp_path: Path
) -> None:
    workflows.approve(shop, "shop", refs(proposed(shop, "raise")[:1]), APPROVER)
    strict = guarded(shop, tmp_path, "spend_at_risk_per_day: 0.0\nfour_eyes_delta_cost: 0.0")
    lower = refs(proposed(strict, "lower").tail(1))
    done = workflows.approve(strict, "shop", lower, APPROVER)
    assert (done.changed, done.awaiting) == ((lower[0][0],), ())


@pytest.mark.parametrize(("zone", "refused"), [("UTC", True), ("Asia/Shanghai", False)])
def test_a_day_ends_at_midnight_in_the_time_zone_of_the_account(
    shop: Workspace, tmp_path: Path, zone: str, refused: bool
) -> None:
    """15:30 in UTC is 23:30 in Shanghai, 16:30 is the next day there."""
    with time_machine.travel("2026-03-03 15:30", tick=False):
        workflows.review(shop, "shop", actor=OPERATOR)
        spent = raise_exported(shop, tmp_path)
        row = proposed(shop, "raise").query("delta_cost <= @spent")[:1]
    strict = guarded(shop, tmp_path, f"spend_at_risk_per_day: {spent + 0.001}")
    path = strict.configs.account_path("shop")
    path.write_text(f"{path.read_text()}\ntime_zone: {zone}\n")
    expected = pytest.raises(Conflict, match="spend_at_risk_exceeded") if refused else nullcontext()
    with time_machine.travel("2026-03-03 16:30", tick=False), expected:
        assert workflows.approve(strict, "shop", refs(row), APPROVER).changed


def test_an_approved_bid_test_counts_against_the_day(shop: Workspace, tmp_path: Path) -> None:
    workflows.approve(shop, "shop", refs(proposed(shop, "lower").tail(3)), APPROVER)
    loose = guarded(shop, tmp_path, "spend_at_risk_per_day: 1000")
    record = workflows.propose_experiment(loose, "shop", OPERATOR).record
    workflows.approve_experiment(loose, "shop", (record.id, record.version), APPROVER)
    row = proposed(loose, "raise")[:1]
    strict = guarded(shop, tmp_path, f"spend_at_risk_per_day: {row['delta_cost'].iloc[0] + 0.001}")
    with pytest.raises(Conflict) as caught:
        workflows.approve(strict, "shop", refs(row), APPROVER)
    assert caught.value.fields["projected"] > caught.value.fields["added"] + 0.001


def test_a_bid_test_is_judged_again_beside_what_was_approved_meanwhile(
    shop: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflows.approve(shop, "shop", refs(proposed(shop, "lower").tail(3)), APPROVER)
    loose = guarded(shop, tmp_path, "spend_at_risk_per_day: 1000")
    record = workflows.propose_experiment(loose, "shop", OPERATOR).record
    rows, judged, check = iter([proposed(loose, "raise").tail(1)]), [], experimenting.check_cap

    def approved_meanwhile(held: object, added: float, projected: float) -> None:
        judged.append(projected)
        check(held, added, projected)
        for row in rows:
            workflows.approve(loose, "shop", refs(row), APPROVER)

    monkeypatch.setattr(experimenting, "check_cap", approved_meanwhile)
    workflows.approve_experiment(loose, "shop", (record.id, record.version), APPROVER)
    first, second = judged
    assert second > first


def test_the_second_person_sees_what_the_first_one_chose(shop: Workspace, tmp_path: Path) -> None:
    strict = guarded(shop, tmp_path, "four_eyes_delta_cost: 0.0")
    row = proposed(strict, "raise").iloc[0]
    bid = round(float(row["bid"]) + 0.01, 2)
    workflows.edit(strict, "shop", (row["id"], int(row["version"])), bid, APPROVER)
    told = workflows.edited(strict, "shop", {row["id"]: bid}, VIEWER).iloc[0]
    listed = workflows.suggestions(strict, "shop", VIEWER).set_index("id").loc[row["id"]]
    detail = workflows.suggestion(strict, "shop", row["id"], VIEWER).row
    for name in ("delta_cost", "delta_profit_mean", "p_positive"):
        assert listed[name] == pytest.approx(told[name])
        assert detail[name] == pytest.approx(told[name])
    assert listed["delta_cost"] != pytest.approx(row["delta_cost"])


def test_only_who_needs_a_second_person_is_told_so(shop: Workspace, tmp_path: Path) -> None:
    strict = guarded(shop, tmp_path, "four_eyes_delta_cost: 0.0")
    row = refs(proposed(strict, "raise")[:1])
    assert "second_person_needed" in hits(strict, row[0][0], APPROVER)
    workflows.approve(strict, "shop", row, APPROVER)
    assert "second_person_needed" in hits(strict, row[0][0], APPROVER)
    assert hits(strict, row[0][0], Actor("ben", "approver")) == set()


def hits(shop: Workspace, id_: str, actor: Actor) -> set[str]:
    return set(workflows.totals(shop, "shop", [id_], actor).guardrail_hits)


@pytest.mark.parametrize("names", [("root", "ann@example.com"), ("ann@example.com", "root")])
def test_a_shell_and_a_login_are_not_two_persons(
    shop: Workspace, tmp_path: Path, names: tuple[str, str]
) -> None:
    first, second = (Actor(name, "approver") for name in names)
    strict = guarded(shop, tmp_path, "four_eyes_delta_cost: 0.0")
    row = refs(proposed(strict, "raise")[:1])
    workflows.approve(strict, "shop", row, first)
    seen = [standing(strict, row[0][0])]
    with pytest.raises(Conflict, match="second_person_unsure"):
        workflows.approve(strict, "shop", seen, second)
    same = guarded(shop, tmp_path, "four_eyes_delta_cost: 0.0\npeople: {root: Ann@example.com}")
    with pytest.raises(Conflict, match="second_person_needed"):
        workflows.approve(same, "shop", seen, second)
    other = guarded(shop, tmp_path, "four_eyes_delta_cost: 0.0\npeople: {root: ben@example.com}")
    assert workflows.approve(other, "shop", seen, second).awaiting == ()
