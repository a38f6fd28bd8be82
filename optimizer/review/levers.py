"""Budgets of capped campaigns and targets of automated ones, as suggestions beside the bids'.

They are alternatives to the plan, not part of it: a budget raise and lower bids answer the same
question, and only one of them should be approved. So their Δ is in no total of the plan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from optimizer.decisions.levers import (
    Campaigns,
    Priced,
    move_targets,
    raise_budgets,
    target_cost,
)
from optimizer.decisions.outcomes import CommonShocks
from optimizer.estimates.posteriors import Bools, Floats, Gamma, group_sum
from optimizer.review import lasting, planned
from optimizer.review.budget_tree import CAMPAIGN_AT
from optimizer.review.experiment_spend import held_spend
from optimizer.review.solving import objective_per_value
from optimizer.review.suggestions import Interval, ReviewResult, suggestion_id
from optimizer.tables import SUGGESTIONS, among, check_table

SLOTS = {"set_budget": "budget", "set_target": "target"}
_ROAS_STEP = 0.01

Context = Mapping[str, Any]


def committed(plan: pd.DataFrame, context: Context, holds: pd.DataFrame) -> Context:
    """The context with budgets that somebody approved, or a plan asks for, in place of the present ones.

    `reserved` per node is what approved budgets, targets and bid tests will spend, and what capped
    campaigns will although some of their bids were lowered: no bid may have it.
    """
    approved = _settled(holds).get("budget", {})
    asked = [one for one in context.get("levers", ()) if one["kind"] == "set_budget"]
    wished = planned.open_budgets(context, lambda one: _refused(one, holds, context))
    budgets = {one["name"]: one["setting"] for one in wished}
    known = [*asked, *context.get("planned", {}).get("budgets", ())]
    budgets |= {one["name"]: approved[one["key"]] for one in known if one["key"] in approved}
    nodes = [_with_budget(node, budgets) for node in context["budgets"]]
    return {**context, "budgets": nodes, "reserved": _reserved(plan, context, holds)}


def _reserved(plan: pd.DataFrame, context: Context, holds: pd.DataFrame) -> list[float]:
    """Δcost per day, by node of the context, of approved budgets and targets and lasting bids."""
    approved, result = _settled(holds), np.zeros(len(context["budgets"]))
    for kind, price in (("set_budget", _budget_cost), ("set_target", _target_cost)):
        asked = [one for one in context.get("levers", ()) if one["kind"] == kind]
        known = approved.get(SLOTS[kind], {})
        setting = np.array([float(known.get(one["key"], one["now"])) for one in asked])
        if any(one["key"] in known for one in asked):
            at = [CAMPAIGN_AT + one["campaign"] for one in asked]
            cost = np.where(
                setting == _campaigns(asked).setting, 0.0, price(asked, setting, context)
            )
            np.add.at(result, at, cost)
    capped = [one for one in context.get("levers", ()) if one["kind"] == "set_budget"]
    if capped and "bid" in approved:
        kept = lasting.respent(plan, capped, _campaigns(capped), approved["bid"], context)
        np.add.at(result, [CAMPAIGN_AT + one["campaign"] for one in capped], kept)
    tested = held_spend(plan, holds)
    np.add.at(result, CAMPAIGN_AT + np.arange(len(tested)), tested)
    return [float(one) for one in result]


def _budget_cost(asked: list[dict[str, Any]], setting: Floats, context: Context) -> Floats:
    more = np.maximum(setting - _campaigns(asked).setting, 0.0)
    result: Floats = np.minimum(_priced_budgets(asked, np.zeros(len(asked)), context).cost, more)
    return result


def _target_cost(asked: list[dict[str, Any]], setting: Floats, context: Context) -> Floats:
    return target_cost(
        _campaigns(asked),
        _by_roas(asked),
        setting,
        tuple(context["lever_rules"]["response"]),
        CommonShocks(**context["shocks"]),
        context["draws"],
        np.random.default_rng(context["seed"]),
    )


def _by_roas(asked: list[dict[str, Any]]) -> Bools:
    return np.array([one["target"] == "roas" for one in asked])


def _with_budget(node: Mapping[str, Any], budgets: Mapping[str, float]) -> Mapping[str, Any]:
    if node["scope"] != "campaign" or node["name"] not in budgets:
        return node
    return {**node, "budget": budgets[node["name"]]}


def _settled(holds: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Approved values by slot and key."""
    done = holds[holds["kind"].isin(["approved", "exported"]) & holds["value"].notna()]
    return {
        str(slot): dict(zip(part["entity_key"].astype(str), part["value"], strict=True))
        for slot, part in done.groupby("slot")
    }


def with_levers(result: ReviewResult, holds: pd.DataFrame) -> ReviewResult:
    """`result` with a suggestion for each lever that pays at its line, and the shares of cost they cover.

    Lower bids that make a capped campaign's budget last stand where their keyword was only watched.
    """
    context = result.context
    result = _with_capped_profit(result, holds)
    told = list(context.get("levers", ()))
    refused = {(one["kind"], one["key"]) for one in told if _refused(one, holds, context)}
    budgets, lowers = _budget_rows(told, refused, result, holds)
    wished = planned.open_budgets(context, lambda one: _refused(one, holds, context))
    asked_by_plan = planned.budget_rows(wished, result.frames["plan"], context)
    parts = [budgets, lowers, _target_rows(told, refused, result), asked_by_plan]
    rows = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    covered = {**result.summary.levers, **_covered(context, result.summary.cost_now)}
    if rows.empty:
        return replace(result, summary=replace(result.summary, levers=covered))
    told_rows = _approved_as(rows, holds).astype(result.suggestions.dtypes.to_dict())
    check_table(told_rows, SUGGESTIONS)
    kept = result.suggestions[~among(result.suggestions["id"], told_rows["id"])]
    plan = result.frames["plan"]
    answered = plan["entity_key"].astype(str).isin(told_rows["entity_key"])
    reasons = plan["reason"].astype("str").mask(answered, "")
    summary = replace(
        result.summary,
        kinds=_counted(pd.concat([kept["kind"], told_rows["kind"]])),
        not_suggested=_counted(reasons[reasons != ""]),
        levers=covered,
    )
    return replace(
        result,
        suggestions=kept.reset_index(drop=True),
        frames={**result.frames, "plan": plan.assign(reason=reasons.astype("category"))},
        levers=told_rows,
        summary=summary,
    )


def _with_capped_profit(result: ReviewResult, holds: pd.DataFrame) -> ReviewResult:
    """`result` with the profit of approved lasting bids as their capped campaigns bring it."""
    told, bids = result.context.get("levers", ()), _settled(holds).get("bid", {})
    capped = [one for one in told if one["kind"] == "set_budget"]
    if not (capped and bids):
        return result
    plan, now = result.frames["plan"], _campaigns(capped)
    more = lasting.unpriced(plan, capped, now, bids, result.context)
    known = result.summary.profit_delta
    moved = Interval(known.mean + more, known.low + more, known.high + more)
    return replace(result, summary=replace(result.summary, profit_delta=moved))


def _counted(kind: pd.Series[Any]) -> dict[str, int]:
    return {str(name): int(number) for name, number in kind.value_counts().items()}


def _refused(told: Mapping[str, Any], holds: pd.DataFrame, context: Context) -> bool:
    day = pd.Timestamp(context["as_of"])
    until = pd.to_datetime(holds["until"])
    active = holds[until.isna() | (until >= day)]
    named = active["entity_key"].astype(str).eq(told["key"]) & active["slot"].eq(
        SLOTS[told["kind"]]
    )
    return bool(active.loc[named, "kind"].isin(["rejected", "snoozed", "locked"]).any())


def _approved_as(rows: pd.DataFrame, holds: pd.DataFrame) -> pd.DataFrame:
    """Rows that were approved at another value say that value."""
    settled = _settled(holds)
    approved = [
        settled.get(slot, {}).get(key, np.nan)
        for slot, key in zip(rows["slot"], rows["entity_key"], strict=True)
    ]
    values = pd.Series(approved, index=rows.index, dtype="float64")
    return rows.assign(proposed_bid=values.fillna(rows["proposed_bid"]))


def _covered(context: Context, cost_now: float) -> dict[str, float]:
    """Share of present cost in campaigns whose budget, or target, can be judged."""
    total = max(cost_now, 1e-12)
    campaigns = [row for row in context["budgets"] if row["scope"] == "campaign"]
    budgets = sum(row["cost_now"] for row in campaigns if row["budget"] is not None)
    targets = sum(one["cost"] for one in context.get("levers", ()) if one["kind"] == "set_target")
    return {"budget": float(budgets) / total, "target": float(targets) / total}


def _campaigns(told: list[dict[str, Any]]) -> Campaigns:
    def column(name: str) -> Floats:
        return np.array([float(one.get(name, 1.0)) for one in told])

    assumed = np.array([bool(one.get("served_assumed", False)) for one in told])
    value = Gamma(column("value"), column("value_cv2"))
    spread = np.where(assumed, 0.15, 0.05)
    return Campaigns(
        column("now"),
        column("cost"),
        column("clicks"),
        value,
        column("served"),
        spread,
        column("price"),
    )


_Refused = set[tuple[str, str]]
"""Kind and campaign key of levers somebody refused. They are priced all the same: the draws of one
campaign must not depend on what was decided on another."""


def _budget_rows(
    told: list[dict[str, Any]], refused: _Refused, result: ReviewResult, holds: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Of capped campaigns that pay above the line: budgets, and the lower bids in place of each."""
    context, plan = result.context, result.frames["plan"]
    asked = [one for one in told if one["kind"] == "set_budget"]
    if not asked:
        return pd.DataFrame(), pd.DataFrame()
    now, line = _campaigns(asked), _lines(asked, result)
    priced = _priced_budgets(asked, line, context)
    pays = priced.p_above >= context["rules"]["min_probability"]
    pays &= priced.setting > now.setting
    offered, lower = pays & _open(asked, refused), lasting.instead(asked, now, pays, result, holds)
    served = [{name: one[name] for name in ("served", "served_assumed")} for one in asked]
    of_budget = [
        {**one, **(_lower_bids(lower, at) if lower.pays[at] else {})}
        for at, one in enumerate(served)
    ]
    of_lower = [
        {**one, **(_more_budget(asked[at], priced, at, context) if offered[at] else {})}
        for at, one in enumerate(served)
    ]
    reasons = ["budget_returns_above_line"] * len(asked)
    return (
        _rows(asked, priced, offered, reasons, of_budget, result),
        lasting.lasting_rows(plan, lower, line, of_lower, context),
    )


def _lower_bids(lower: lasting.Instead, at: int) -> dict[str, Any]:
    return {
        "alternative": "lower_bids",
        "alternative_factor": float(lower.priced.setting[at]),
        "alternative_profit": float(lower.priced.profit[at]),
        "alternative_rows": int(((lower.place == at) & ~np.isnan(lower.bids)).sum()),
    }


def _more_budget(
    one: Mapping[str, Any], priced: Priced, at: int, context: Context
) -> dict[str, Any]:
    day = date.fromisoformat(context["as_of"])
    return {
        "alternative": "set_budget",
        "alternative_id": suggestion_id(context["account"], day, one["key"], SLOTS["set_budget"]),
        "alternative_setting": float(priced.setting[at]),
        "alternative_profit": float(priced.profit[at]),
    }


def _open(asked: list[dict[str, Any]], refused: _Refused) -> Bools:
    return np.array([(one["kind"], one["key"]) not in refused for one in asked])


def _lines(asked: list[dict[str, Any]], result: ReviewResult) -> Floats:
    """The account's line per candidate in margin per money, whatever the objective counts."""
    plan, unit = result.frames["plan"], objective_per_value(result.frames["plan"], result.context)
    worth = (plan["clicks"] * plan["value_mean"]).to_numpy(dtype=np.float64)
    number = plan["campaign"].to_numpy(dtype=np.int64)
    size = int(number.max(initial=-1)) + 1
    margin, counted = group_sum(number, worth, size), group_sum(number, worth * unit, size)
    share = np.divide(margin, counted, out=np.ones(size), where=counted > 0)
    return result.summary.dual_price * share[[one["campaign"] for one in asked]]


def _priced_budgets(asked: list[dict[str, Any]], line: Floats, context: Context) -> Priced:
    return raise_budgets(
        _campaigns(asked),
        line,
        context["lever_rules"]["budget_step_limit"],
        context["step"],
        CommonShocks(**context["shocks"]),
        context["draws"],
        context["interval"],
        np.random.default_rng(context["seed"]),
    )


def _target_rows(
    told: list[dict[str, Any]], refused: _Refused, result: ReviewResult
) -> pd.DataFrame:
    context, rules = result.context, result.context.get("lever_rules", {})
    asked = [one for one in told if one["kind"] == "set_target"]
    if not asked:
        return pd.DataFrame()
    now, roas = _campaigns(asked), _by_roas(asked)
    priced = move_targets(
        now,
        roas,
        tuple(rules["response"]),
        _lines(asked, result),
        rules["target_step_limit"],
        np.where(roas, _ROAS_STEP, float(context["step"])),
        rules["learning_loss"],
        context["rules"]["min_probability"],
        CommonShocks(**context["shocks"]),
        context["draws"],
        context["interval"],
        np.random.default_rng(context["seed"]),
    )
    frozen = np.array([one["frozen"] for one in asked])
    pays = (priced.setting != now.setting) & ~(frozen & (priced.cost < 0))
    pays &= _open(asked, refused)
    more = np.where(priced.cost > 0, "target_returns_above_line", "target_returns_below_line")
    extra = [
        {
            "target": one["target"],
            "learning_loss": rules["learning_loss"] * one["value"] * one["clicks"],
        }
        for one in asked
    ]
    return _rows(asked, priced, pays, more.tolist(), extra, result)


def _rows(
    asked: list[dict[str, Any]],
    priced: Priced,
    pays: Bools,
    reasons: list[str],
    extra: list[dict[str, Any]],
    result: ReviewResult,
) -> pd.DataFrame:
    """SUGGESTIONS of the levers that pay; `bid` is the present setting, `proposed_bid` the new one."""
    context, plan = result.context, result.frames["plan"]
    account, day = context["account"], date.fromisoformat(context["as_of"])
    first = plan.drop_duplicates("campaign").set_index("campaign")
    line, listed = _lines(asked, result), []
    for place in np.flatnonzero(pays):
        one = asked[place]
        slot = SLOTS[one["kind"]]
        listed.append(
            {
                "id": suggestion_id(account, day, one["key"], slot),
                "kind": one["kind"],
                "slot": slot,
                "entity_key": one["key"],
                "campaign_id": first["campaign_id"].get(one["campaign"]),
                "campaign_name": one["name"],
                "ad_group_name": "",
                "keyword_text": one["name"],
                "segment": "",
                "bid": one["now"],
                "proposed_bid": priced.setting[place],
                "delta_clicks": priced.clicks[place],
                "delta_cost": priced.cost[place],
                "delta_profit_mean": priced.profit[place],
                "delta_profit_low": priced.low[place],
                "delta_profit_high": priced.high[place],
                "p_positive": priced.p_positive[place],
                "marginal_return": priced.marginal[place],
                "line": line[place],
                "reason": reasons[place],
                "binding": "none",
                "evidence": _evidence(
                    one, priced, int(place), {**extra[place], "line": float(line[place])}, result
                ),
            }
        )
    return pd.DataFrame(listed, columns=list(SUGGESTIONS.columns))


def _evidence(
    one: Mapping[str, Any],
    priced: Priced,
    place: int,
    extra: Mapping[str, Any],
    result: ReviewResult,
) -> str:
    data, context = result.context["data"], result.context
    told = {
        "clicks": one["clicks"],
        "cpc": one["cost"] / one["clicks"],
        "value_mean": one["value"],
        "p_marginal_above": float(priced.p_above[place]),
        **extra,
        "assumed": list(context["assumed"]),
        **{name: data[name] for name in ("first_day", "last_day", "days", "days_excluded")},
        "days_maturing": data["days_maturing"],
        "horizon_days": 7,
        "interval": context["interval"],
    }
    return json.dumps(told, ensure_ascii=False, allow_nan=False)
