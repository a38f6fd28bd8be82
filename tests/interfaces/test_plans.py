"""Plans from the workflow to the queue, the command line and the page, on the reviewed example account."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from optimizer import workflows
from optimizer.errors import Conflict, Forbidden, NotFound
from optimizer.interfaces.cli import app
from optimizer.interfaces.plans import stated_bounds
from optimizer.tables import Actor
from optimizer.workflows.planning import _days_needed
from tests.interfaces.conftest import ACCOUNT, OWNER
from tests.interfaces.test_bulk_files_page import ROUTER

MORE = workflows.Scenario(budget=300.0)


def test_now_is_what_the_review_says(workspace: workflows.Workspace) -> None:
    report = workflows.plan(workspace, ACCOUNT, OWNER, MORE)
    summary = workflows.latest_review(workspace, ACCOUNT, OWNER).summary
    assert report.now["cost"] == pytest.approx(summary["cost_now"])
    assert report.proposed["cost"] <= 300.0 + 1e-9


def test_a_kept_plan_is_compared_and_deleted(workspace: workflows.Workspace) -> None:
    workflows.save_plan(workspace, ACCOUNT, "more", OWNER, MORE)
    with pytest.raises(Conflict):
        workflows.save_plan(workspace, ACCOUNT, "more", OWNER, MORE)
    assert workflows.plans(workspace, ACCOUNT, OWNER)["name"].tolist() == ["more"]
    assert workflows.kept_scenario(workspace, ACCOUNT, "more", OWNER) == MORE
    workflows.delete_plan(workspace, ACCOUNT, "more", OWNER)
    assert workflows.plans(workspace, ACCOUNT, OWNER).empty


def test_a_viewer_plans_but_keeps_and_suggests_nothing(workspace: workflows.Workspace) -> None:
    viewer = Actor("vi", "viewer")
    workflows.plan(workspace, ACCOUNT, viewer, MORE)
    for refused in (workflows.save_plan, workflows.suggest_from_plan):
        with pytest.raises(Forbidden):
            refused(workspace, ACCOUNT, "more", viewer, MORE)


def test_suggestions_from_a_plan_stand_in_the_queue_and_stay_after_decisions(
    workspace: workflows.Workspace,
) -> None:
    found = workflows.suggest_from_plan(workspace, ACCOUNT, "less", OWNER, MORE)
    assert found.cost_planned <= found.budget + 0.01
    rows = workflows.suggestions(workspace, ACCOUNT, OWNER)
    budgets = rows[rows["reason"].eq("plan_budget")]
    assert len(budgets) == found.budgets
    first = rows[rows["kind"].isin(["raise", "lower"])].iloc[0]
    workflows.reject(workspace, ACCOUNT, [(first["id"], int(first["version"]))], OWNER, "no")
    after = workflows.suggestions(workspace, ACCOUNT, OWNER)
    assert set(after.loc[after["reason"].eq("plan_budget"), "id"]) == set(budgets["id"])
    audit = workflows.audit(workspace, OWNER, ACCOUNT)
    assert audit["action"].eq("plan_adopt").sum() == 1


def test_an_act_on_the_account_makes_the_plan_s_basis_another(
    workspace: workflows.Workspace,
) -> None:
    run = workflows.latest_review(workspace, ACCOUNT, OWNER).run_id
    before = workflows.plan_basis(workspace, ACCOUNT, OWNER, run)
    assert workflows.plan_basis(workspace, ACCOUNT, OWNER, run) == before
    workflows.suggest_from_plan(workspace, ACCOUNT, "less", OWNER, MORE)
    assert workflows.plan_basis(workspace, ACCOUNT, OWNER, run) != before


def test_blank_bounds_are_none_and_a_blank_end_is_open() -> None:
    rows = [
        {"name": "Brand", "least": 10.0, "most": None},
        {"name": "tent", "least": None, "most": 5.0},
        {"name": "Generic", "least": None, "most": float("nan")},
    ]
    assert stated_bounds(rows) == {"Brand": (10.0, float("inf")), "tent": (0.0, 5.0)}


def test_a_blank_row_of_the_same_name_takes_no_bound_away() -> None:
    rows = [{"name": "Brand", "least": 10.0, "most": None}]
    rows += [{"name": "Brand", "least": None, "most": None}]
    assert stated_bounds(rows) == {"Brand": (10.0, float("inf"))}


@pytest.mark.usefixtures("store")
def test_two_bounds_for_one_name_are_refused_not_halved() -> None:
    told = cli("--bound", "tent=1:5", "--bound", "tent=2:6")
    assert (told.exit_code, "twice" in told.output) == (2, True)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("alone", [("--suggest", "m"), ("--list",), ("--delete", "m")])
@pytest.mark.parametrize(
    "option",
    [
        ("--budget", "300"), ("--save", "n"), ("--budgets", "3,4"), ("--days", "30"),
        ("--as-of", "2026-05-04"), ("--weeks", "8"), ("--backtest",), ("--scenario", "s.yaml"),
    ],
)  # fmt: skip
def test_options_that_nothing_minds_are_refused_by_name(
    alone: tuple[str, ...], option: tuple[str, ...]
) -> None:
    told = cli(*alone, *option)
    assert told.exit_code == 2
    assert alone[0] in told.output
    assert option[0] in told.output


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    "options", [("--weeks", "8"), ("--weeks", "8", "--budget", "3"), ("--backtest", "--days", "30")]
)
def test_weeks_belong_to_a_backtest_and_days_to_none(options: tuple[str, ...]) -> None:
    told = cli(*options)
    assert (told.exit_code, "--backtest" in told.output) == (2, True)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("text", ["tent=5", "tent=", "tent=:"])
def test_a_bound_without_two_ends_is_refused_not_read_as_a_least(text: str) -> None:
    told = CliRunner().invoke(app, ["plan", "--account", ACCOUNT, "--bound", text])
    assert (told.exit_code, "LEAST:MOST" in told.output) == (2, True)


@pytest.mark.usefixtures("store")
def test_a_scenario_file_beside_its_options_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text("bounds: {Nowhere: [1, null]}\n", encoding="utf-8")
    asked = ["plan", "--account", ACCOUNT, "--scenario", str(file), "--budget", "300"]
    told = CliRunner().invoke(app, asked)
    assert (told.exit_code, "stands in place" in told.output) == (2, True)


@pytest.mark.usefixtures("store")
def test_a_scenario_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_text("budget: 300\nbounds: {Nowhere: [1, null]}\n", encoding="utf-8")
    told = CliRunner().invoke(app, ["plan", "--account", ACCOUNT, "--scenario", str(file)])
    assert told.exit_code != 0
    assert "Nowhere" in told.output


def test_a_plan_nobody_kept_cannot_be_suggested(workspace: workflows.Workspace) -> None:
    with pytest.raises(NotFound):
        workflows.suggest_from_plan(workspace, ACCOUNT, "missing", OWNER)


def cli(*arguments: str, **env: str) -> object:
    return CliRunner().invoke(app, ["plan", "--account", ACCOUNT, *arguments], env=env)


@pytest.mark.usefixtures("store")
def test_the_command_prints_a_plan_and_its_json() -> None:
    shown = cli("--budget", "300", "--budgets", "200,300", "--lang", "en")
    assert shown.exit_code == 0, shown.output
    assert "■ plan" in shown.output
    told = json.loads(cli("--budget", "300", "--budgets", "200,300", "--json").output)
    assert told["budget"] == 300.0
    assert {"now", "proposed"} <= {row["point"] for row in told["frontier"]}


@pytest.mark.usefixtures("store")
def test_what_is_kept_is_told_in_the_account_s_currency(workspace: workflows.Workspace) -> None:
    workflows.save_plan(workspace, ACCOUNT, "more", OWNER, MORE)
    shown = cli("--list", "--lang", "en").output
    assert "more" in shown
    assert "XXX" not in shown


@pytest.mark.usefixtures("store")
def test_the_command_refuses_with_the_nearest() -> None:
    refused = cli("--roas", "9999", "--json")
    told = json.loads(refused.output)["error"]
    assert (refused.exit_code, told["code"]) == (1, "roas_unreachable")
    assert told["fields"]["nearest"] < 9999


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    "asked", [("--event-start", "2026-06-16"), ("--multiplier", "cpc.burst=2")]
)
def test_what_belongs_to_a_sale_is_refused_without_one(asked: tuple[str, str]) -> None:
    refused = cli(*asked)
    assert refused.exit_code == 2


def test_a_month_reads_all_its_days_however_short_the_review_s_window() -> None:
    assert _days_needed(workflows.Scenario()) == 0
    assert _days_needed(workflows.Scenario(month={"amount": 10.0})) == 31


@pytest.mark.usefixtures("store")
def test_the_page_draws_the_frontier_and_keeps_a_scenario() -> None:
    page = AppTest.from_file(str(ROUTER), default_timeout=120).run()
    page = page.switch_page("web/budget_page.py").run()
    assert not page.exception
    assert len(page.metric) == 5
    page.number_input(f"budget {ACCOUNT}").set_value(300.0).run()
    page.text_input("plan_name").set_value("more").run()
    page.button("keep").click().run()
    assert not page.exception
    assert page.selectbox("kept").value == "more"


@pytest.mark.usefixtures("store")
def test_the_page_draws_a_month_and_says_of_a_sale_that_it_is_too_far(
    workspace: workflows.Workspace,
) -> None:
    spent = workflows.latest_review(workspace, ACCOUNT, OWNER).summary["cost_now"]
    page = AppTest.from_file(str(ROUTER), default_timeout=120).run()
    page = page.switch_page("web/budget_page.py").run()
    page.selectbox(f"month_kind {ACCOUNT}").set_value("spend")
    page.number_input(f"month_amount {ACCOUNT}").set_value(30.0 * spent).run()
    assert not page.exception
    assert len(page.error) == 0
    assert len(page.metric) == 5
    page.selectbox(f"event {ACCOUNT}").set_value("双11").run()
    assert not page.exception
    assert len(page.error) == 1
