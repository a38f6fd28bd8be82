"""Plans: what another budget, target, sale or month would mean; kept, compared, and put into the queue."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from typing import Any

import pandas as pd

from optimizer.errors import Infeasible, NotFound, RefusedInput
from optimizer.planning.account_plan import AccountPlan, Believed, plan_account
from optimizer.planning.events import EventShapes
from optimizer.planning.scenarios import Scenario
from optimizer.review import planned
from optimizer.review.lever_candidates import campaign_key
from optimizer.review.resolve import resolve_account
from optimizer.review.suggestions import ReviewResult
from optimizer.settings import Settings, load_model
from optimizer.store.protocol import PlanRecord, RunRecord
from optimizer.tables import Actor
from optimizer.workflows.items import stated_settings
from optimizer.workflows.reviewing import open_rows, restored_result, stored_summary
from optimizer.workflows.values import plain, plain_record
from optimizer.workflows.workspace import Workspace

_LAST_YEAR = 460
_MONTH = 31
_TRIES = 50
COMPARED = ("cost", "profit", "value", "orders", "roas", "cpa", "marginal")


@dataclass(frozen=True)
class PlanReport:
    """A scenario's plan on an account, from the review `run_id` of `as_of`; amounts per day.

    `now` and `proposed` are rows of `frontier`; `month` and `sale` None where nobody asked.
    """

    account: str
    as_of: date
    run_id: str
    currency: str
    scenario: Scenario
    seed: int
    plan: AccountPlan

    @property
    def now(self) -> Mapping[str, Any]:
        """The account at its present bids."""
        return self._point("now")

    @property
    def proposed(self) -> Mapping[str, Any]:
        """The account under the plan."""
        return self._point("proposed")

    def _point(self, name: str) -> Mapping[str, Any]:
        rows = self.plan.frontier
        return plain_record(rows[rows["point"].eq(name)].to_dict("records")[0])

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        plan = self.plan
        return plain_record(
            {
                "account": self.account,
                "as_of": self.as_of,
                "run_id": self.run_id,
                "currency": self.currency,
                "seed": self.seed,
                "scenario": self.scenario.model_dump(mode="json"),
                "budget": plan.budget,
                "dual_price": plan.dual_price,
                "now": self.now,
                "proposed": self.proposed,
                "frontier": plan.frontier,
                "campaigns": plan.campaigns,
                "items": plan.items,
                "event": None if plan.event is None else plan.event.told(),
                "sale": plan.sale,
                "month": self._month(),
                "assumed": plan.assumed,
                "alerts": plan.alerts,
            }
        )

    def _month(self) -> dict[str, Any] | None:
        month = self.plan.month
        if month is None:
            return None
        return {
            **vars(month.period),
            "so_far": month.so_far,
            **vars(month.landing),
            "days": month.days,
        }


@dataclass(frozen=True)
class Adopted:
    """What a plan became in the queue: how many budgets and bids are proposed, per day in currency.

    `budget` is what today's steps reach of the plan's `asked`; `unknown` names campaigns whose present
    budget no report tells, so that none can be proposed.
    """

    budgets: int
    bids: int
    asked: float
    budget: float
    cost_planned: float
    dual_price: float
    unknown: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return plain_record(vars(self))


def plan(
    workspace: Workspace,
    account: str,
    actor: Actor,
    scenario: Scenario | None = None,
    *,
    as_of: date | None = None,
    budgets: Sequence[float] = (),
    seed: int = 0,
) -> PlanReport:
    """The plan of `scenario` from the newest review (of `as_of`). Raises `NotFound` without one.

    `budgets` are the points of the frontier; without them a quarter to three times today's spend.
    """
    actor.require("viewer", account)
    asked = Scenario() if scenario is None else scenario
    bad = [one for one in budgets if not (math.isfinite(one) and one > 0)]
    run = workspace.store.latest_run(account, as_of)
    believed, settings = _believed(workspace, run, asked)
    if bad:
        raise RefusedInput("budget_not_positive", budget=bad[0], nearest=believed.cost_now)
    shapes = event_shapes(workspace)
    found = plan_account(
        believed,
        asked,
        shapes,
        budgets=tuple(budgets),
        draws=settings.estimation.draws,
        seed=seed,
    )
    currency = workspace.store.account(account).currency
    return PlanReport(account, run.as_of, run.run_id, currency, asked, seed, found)


def plan_basis(workspace: Workspace, account: str, actor: Actor, run_id: str) -> str:
    """What besides the scenario a plan of this run depends on: the same text, the same plan.

    The account's newest act stands for locks, approvals and adopted plans, settings for themselves.
    """
    actor.require("viewer", account)
    run = workspace.store.run(run_id)
    settings, _ = stated_settings(workspace, account, run.as_of)
    shapes = event_shapes(workspace)
    told = [run_id, workspace.store.last_act(account), repr(settings), repr(shapes)]
    return sha256(repr(told).encode()).hexdigest()


def plan_names(workspace: Workspace, account: str, actor: Actor, run_id: str) -> list[str]:
    """Campaigns, then items, that a scenario may lock or bound."""
    actor.require("viewer", account)
    run = workspace.store.run(run_id)
    nodes = run.summary["context"]["budgets"]
    items = stated_settings(workspace, account, run.as_of)[0].account.items
    named = [node["name"] for node in nodes if node["scope"] == "campaign"]
    return [*named, *(one.item_id for one in items)]


def event_shapes(workspace: Workspace) -> EventShapes:
    """The sales that `configs/events.yaml` knows."""
    return load_model(workspace.configs.root / "events.yaml", EventShapes, missing_ok=True)


def _believed(
    workspace: Workspace, run: RunRecord, scenario: Scenario
) -> tuple[Believed, Settings]:
    """The run's beliefs and the days they rest on, as many as the scenario's sale or month asks for."""
    store, account = workspace.store, run.account
    settings, _ = stated_settings(workspace, account, run.as_of)
    frames = store.run_frames(run.run_id)
    window = settings.estimation.window_days
    known = store.review_tables(account, run.as_of, max(window, _days_needed(scenario)))
    holds = store.holds(account, run.as_of)
    kept = holds.loc[holds["kind"].eq("locked") & holds["slot"].eq("bid"), "entity_key"]
    items = [one.item_id for one in settings.account.items]
    context = {**run.summary["context"], "items": items}
    believed = Believed(
        frames["plan"],
        context,
        known.daily,
        known.bid_changes,
        frozenset(int(key) for key in kept if str(key).isdecimal()),
        settings.account.events,
    )
    return believed, settings


def _days_needed(scenario: Scenario) -> int:
    """Last year's sale teaches this year's; a month counts all of its days, whatever a review looks at."""
    if scenario.event is not None:
        return _LAST_YEAR
    return 0 if scenario.month is None else _MONTH


def save_plan(
    workspace: Workspace,
    account: str,
    name: str,
    actor: Actor,
    scenario: Scenario | None = None,
    *,
    as_of: date | None = None,
    seed: int = 0,
) -> PlanRecord:
    """Plan `scenario` and keep it under `name`. Raises `Conflict` where the name is taken."""
    actor.require("operator", account)
    if not name.strip():
        raise RefusedInput("plan_name_empty")
    found = plan(workspace, account, actor, scenario, as_of=as_of, seed=seed)
    told = found.to_json()
    result = {
        key: told[key] for key in ("as_of", "budget", "now", "proposed", "campaigns", "assumed")
    }
    asked = {**told["scenario"], "seed": seed}
    return workspace.store.save_plan(account, name.strip(), found.run_id, asked, result, actor)


def delete_plan(workspace: Workspace, account: str, name: str, actor: Actor) -> None:
    """Forget a kept scenario. Raises `NotFound`."""
    actor.require("operator", account)
    workspace.store.delete_plan(account, name, actor)


def plans(workspace: Workspace, account: str, actor: Actor) -> pd.DataFrame:
    """Kept scenarios beside each other, newest first: one row each, amounts per day.

    Columns `name`, `as_of`, `budget`, those of COMPARED with `profit_low` and `profit_high`,
    `assumed`, `saved_at`, `saved_by`.
    """
    actor.require("viewer", account)
    rows = [_compared(one) for one in workspace.store.plans(account)]
    ends = ("profit_low", "profit_high")
    names = ["name", "as_of", "budget", *COMPARED, *ends, "assumed", "saved_at", "saved_by"]
    return pd.DataFrame(rows, columns=names)


def _compared(record: PlanRecord) -> dict[str, Any]:
    proposed = record.result["proposed"]
    figures = {name: proposed[name] for name in (*COMPARED, "profit_low", "profit_high")}
    return {
        "name": record.name,
        "as_of": record.result["as_of"],
        "budget": record.result["budget"],
        **figures,
        "assumed": record.result["assumed"],
        "saved_at": record.saved_at,
        "saved_by": record.saved_by,
    }


def kept_scenario(workspace: Workspace, account: str, name: str, actor: Actor) -> Scenario:
    """The scenario kept under `name`. Raises `NotFound` listing those there are."""
    actor.require("viewer", account)
    kept = {one.name: one for one in workspace.store.plans(account)}
    if name not in kept:
        raise NotFound("plan_not_found", name=name, known=sorted(kept))
    told = {key: value for key, value in kept[name].scenario.items() if key != "seed"}
    return Scenario.model_validate(told)


def suggest_from_plan(
    workspace: Workspace,
    account: str,
    name: str,
    actor: Actor,
    scenario: Scenario | None = None,
    *,
    seed: int = 0,
) -> Adopted:
    """Put the plan called `name` (or `scenario` under that name) into the newest review's queue.

    Campaign budgets move towards the plan within the guardrail's step, bids follow by the re-solve at
    the plan's money; both go through the same approval as any suggestion. What is approved stays.
    Raises `Infeasible` where no step meets what is locked or approved, `RefusedInput` for bounds of
    items, which no budget of the queue holds to.
    """
    actor.require("operator", account)
    asked = kept_scenario(workspace, account, name, actor) if scenario is None else scenario
    found = plan(workspace, account, actor, asked, seed=seed)
    store = workspace.store
    run, settings = store.run(found.run_id), stated_settings(workspace, account, found.as_of)[0]
    before = restored_result(
        run, store.suggestions(account, as_of=run.as_of), store.run_frames(run.run_id)
    )
    _refuse_item_bounds(asked, before)
    wishes, unknown = _wishes(found, before, settings)
    holds = store.holds(account, run.as_of)
    after, told = _within_reach(before, _context(before, found, wishes, name), holds)
    summary = stored_summary(after, {**run.summary["origin"], "plan": name})
    rows = open_rows(workspace, account, after.proposals(), holds)
    store.adopt_plan(run.run_id, name, asked.model_dump(mode="json"), summary, rows, actor)
    return Adopted(
        int(rows["reason"].eq(planned.REASON).sum()),
        int(rows["kind"].isin(["raise", "lower"]).sum()),
        found.plan.budget,
        told,
        after.summary.cost_planned,
        after.summary.dual_price,
        unknown,
    )


def _refuse_item_bounds(asked: Scenario, before: ReviewResult) -> None:
    """The queue's budgets are those of campaigns: nothing in it would hold an item to an amount."""
    campaigns = {one["name"] for one in before.context["budgets"] if one["scope"] == "campaign"}
    items = [name for name in asked.bounds if name not in campaigns]
    if items:
        raise RefusedInput("item_bounds_not_queued", name=items[0])


def _wishes(
    found: PlanReport, before: ReviewResult, settings: Settings
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Budgets of campaigns towards the plan, and names of those whose present one nobody tells."""
    rules, step = settings.guardrails, float(before.context["step"])
    frame = before.frames["plan"].drop_duplicates("campaign_name").set_index("campaign_name")
    capped = {
        one["name"] for one in before.context.get("levers", ()) if one["kind"] == "set_budget"
    }
    wishes, unknown = [], []
    for row in found.plan.campaigns.to_dict("records"):
        now = row["budget"]
        if row["locked"]:
            continue
        if math.isnan(now):
            unknown.append(str(row["name"]))
            continue
        limit = rules.budget_step_limit
        wanted = min(max(row["cost_plan"], now * (1 - limit)), now * (1 + limit))
        setting = round(math.ceil(wanted / step - 1e-6) * step, 6)
        still = abs(setting / now - 1) < rules.dead_band
        # A capped campaign's own lever raises its budget, priced by the demand that it turns away.
        if still or (setting > now and row["name"] in capped):
            continue
        key = campaign_key(frame["campaign_id"].get(row["name"]), str(row["name"]))
        wishes.append(
            {
                "key": key,
                "name": str(row["name"]),
                "now": float(now),
                "setting": float(setting),
                "line": float(row["marginal"]),
                "cost_now": float(row["cost_now"]),
                "cost_plan": float(row["cost_plan"]),
            }
        )
    return wishes, tuple(unknown)


def _context(
    before: ReviewResult, found: PlanReport, wishes: list[dict[str, Any]], name: str
) -> dict[str, Any]:
    """The run's constants at the plan's money."""
    first, *rest = before.context["budgets"]
    nodes = [{**first, "budget": found.plan.budget, "planned_share": 1.0}, *rest]
    told = {"plan": name, "budgets": wishes}
    return {**before.context, "budgets": nodes, "budget_assumed": False, "planned": told}


def _within_reach(
    before: ReviewResult, context: dict[str, Any], holds: pd.DataFrame
) -> tuple[ReviewResult, float]:
    """The re-solve, money that today's steps cannot come down to raised to the nearest they can."""
    for _ in range(_TRIES):
        try:
            after = resolve_account(replace(before, context=plain(context)), holds)
        except Infeasible as error:
            context = _loosened(context, error)
            continue
        return after, float(context["budgets"][0]["budget"])
    raise Infeasible("plan_out_of_reach", tries=_TRIES)


def _loosened(context: dict[str, Any], error: Infeasible) -> dict[str, Any]:
    """The context with the one budget that was in the way at its nearest feasible value."""
    nearest, step = error.fields.get("nearest"), float(context["step"])
    if nearest is None:
        raise error
    money = math.ceil(float(nearest) / step + 1e-6) * step
    if error.code == "account_budget_unreachable":
        first, *rest = context["budgets"]
        return {**context, "budgets": [{**first, "budget": money}, *rest]}
    wishes = context["planned"]["budgets"]
    name = error.fields.get("name")
    if error.code != "campaign_budget_unreachable" or name not in {one["name"] for one in wishes}:
        raise error
    kept = [one if one["name"] != name else {**one, "setting": money} for one in wishes]
    kept = [one for one in kept if one["setting"] != one["now"]]
    return {**context, "planned": {**context["planned"], "budgets": kept}}


def event_names(workspace: Workspace) -> list[str]:
    """The sales that a scenario may name."""
    return list(event_shapes(workspace).events)
