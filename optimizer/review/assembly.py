"""A solution, put as suggestions with evidence and as the account's summary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from optimizer.decisions.allocation import Allocation
from optimizer.decisions.bids import clicks_to_be_sure
from optimizer.decisions.guardrails import first_code
from optimizer.decisions.outcomes import Outcome
from optimizer.estimates.posteriors import Bools, Floats, Ints, group_sum
from optimizer.review.budget_tree import CAMPAIGN_AT
from optimizer.review.enforced import budget_outlook
from optimizer.review.evidence import FROM_PLAN
from optimizer.review.fit import TOLERANCE
from optimizer.review.overlaps import conflict_counts
from optimizer.review.plan import bought_share, gamma_of, lower_step
from optimizer.review.suggestions import (
    Interval,
    ReviewSummary,
    suggestion_ids,
)
from optimizer.tables import SUGGESTIONS, check_table

_WATCH_DAYS = 90
_WATCH_ORDERS = 3
_DELTAS = (
    "delta_clicks",
    "delta_cost",
    "delta_profit_mean",
    "delta_profit_low",
    "delta_profit_high",
    "p_positive",
)


@dataclass(frozen=True)
class Held:
    """Which keywords are not free, by plan row: `bid` fixed values (nan: free), `code` the reason.

    `state` marks rows whose pause was refused.
    """

    bid: Floats
    code: Any
    state: Bools


def nothing_held(size: int) -> Held:
    """Every keyword of a plan is free."""
    return Held(np.full(size, np.nan), np.full(size, "", dtype=object), np.zeros(size, dtype=bool))


@dataclass(frozen=True)
class Solution:
    """What the solve decided, by plan row: target bid (0: off), paused, free, and the lines.

    `room[k]` says whether any lower and any higher bid was allowed. `budget` is the account's, which
    an assumed one may have had to give way to.
    `stretched`: lowers went beyond the assumed step because the budget asked for it.
    `line` Λ per plan row and `campaign_line` per campaign, in margin per money; `binding` says per
    node of the context what sets its line, `stocked` per plan row whether its item's stock does so too,
    `short` per node the money by which whole bids miss its floor.
    """

    bid: Floats
    paused: Bools
    free: Bools
    room: Bools
    allocation: Allocation
    budget: float
    stretched: bool
    line: Floats
    campaign_line: Floats
    binding: Any
    stocked: Bools
    short: Floats


def yield_pauses(plan: pd.DataFrame, terms: pd.DataFrame, held: Held, free: Bools) -> Held:
    """`held` with the pauses that give way to negatives: none of those (`free` per term) was refused."""
    blamed = (plan["negative_first"] != "").to_numpy()
    if not blamed.any():
        return held
    asked = terms["negative"].to_numpy(dtype=bool)
    refused = np.zeros(len(plan), dtype=bool)
    refused[terms["donor"].to_numpy(dtype=np.int64)[asked & ~free]] = True
    return replace(held, state=held.state | (blamed & ~refused))


@dataclass(frozen=True)
class TermChoice:
    """Per judged term: exclude it, or add it at `bid`."""

    negative: Bools
    add: Bools
    bid: Floats


def assemble_suggestions(
    plan: pd.DataFrame,
    terms: pd.DataFrame,
    solution: Solution,
    chosen: TermChoice,
    moved: Ints,
    outcome: Outcome,
    held: Held,
    context: Mapping[str, Any],
) -> tuple[pd.DataFrame, Any]:
    """Table SUGGESTIONS, best first, and per plan row why it is not in there ("" if it is).

    Only what moves, or is free to, is judged: of ten million keywords, 99 % of them idle, few are.
    """
    reasons, still = _settled(plan, moved, held)
    rest = judged_against(_at_line(plan, solution, still), context)
    codes = unmoved_codes(rest, solution.room[still])
    reasons[still] = np.where(codes == "watch", "", codes)
    moving = judged_against(_at_line(plan, solution, moved), context)
    cut = np.cumsum([len(moved), int(chosen.negative.sum()), int(chosen.add.sum())])
    parts = [
        _keyword_rows(moving, solution, moved, outcome, context),
        _watch_rows(rest[codes == "watch"], context),
        _term_rows(terms, chosen, "negative", outcome, slice(cut[0], cut[1]), solution, context),
        _term_rows(terms, chosen, "add", outcome, slice(cut[1], cut[2]), solution, context),
    ]
    rows = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    rows = rows.sort_values(["delta_profit_mean", "id"], ascending=[False, True], kind="stable")
    return check_table(_typed(rows), SUGGESTIONS), reasons


def _at_line(plan: pd.DataFrame, solution: Solution, rows: Ints) -> pd.DataFrame:
    """Rows of the plan with their line and target."""
    return plan.iloc[rows].assign(line=solution.line[rows], target=solution.bid[rows])


def _settled(plan: pd.DataFrame, moved: Ints, held: Held) -> tuple[Any, Ints]:
    """Reason code per plan row as far as it needs no judgement ("" elsewhere), and the rows that do."""
    reasons = plan["state_code"].to_numpy(dtype=object).copy()
    frozen = held.code != ""
    reasons[frozen] = held.code[frozen]
    still = reasons == ""
    still[moved] = False
    reasons[moved] = ""
    return reasons, np.flatnonzero(still)


def judged_against(plan: pd.DataFrame, context: Mapping[str, Any]) -> pd.DataFrame:
    """`plan` with what its beliefs say about its column `line`."""
    marginal, line = gamma_of(plan, "marginal"), plan["line"].to_numpy(dtype=np.float64)
    needed = clicks_to_be_sure(
        marginal,
        gamma_of(plan, "value"),
        gamma_of(plan, "rate"),
        line,
        context["rules"]["min_probability"],
    )
    return plan.assign(clicks_needed=needed, p_marginal_above=marginal.above(line))


def unmoved_codes(plan: pd.DataFrame, room: Bools) -> Any:
    """Why bids that nobody has decided on stay as they are, from rows as `judged_against` gives them.

    `room[k]` says whether any lower and any higher bid is allowed. "watch": more clicks, or a test of
    the bid, would decide.
    """
    above = plan["marginal_mean"].to_numpy() > plan["line"].to_numpy()
    sure = np.where(above, plan["p_marginal_above"], 1 - plan["p_marginal_above"])
    gated = np.where(above, plan["raise_gate"] < plan["line"], plan["lower_gate"] > plan["line"])
    blocked = np.where(
        above,
        plan["raise_block"].to_numpy(dtype=object),
        plan["lower_block"].to_numpy(dtype=object),
    )
    soon = plan["clicks_needed"].to_numpy() <= plan["clicks"].to_numpy() * _WATCH_DAYS
    known = (plan["conversions"] >= _WATCH_ORDERS) | (plan["assumed_share"] > 0.5)
    untold = (plan["clicks_needed"].isna() & known).to_numpy()
    codes = first_code(
        [
            (plan["state_code"] != "", "state"),
            (blocked != "", "blocked"),
            (gated & (soon | untold) & (sure > 0), "watch"),
            (gated, "too_little_data"),
            (~np.where(above, room[:, 1], room[:, 0]), "no_bid_in_reach"),
        ],
        len(plan),
    )
    return np.select(
        [codes == "state", codes == "blocked", codes == ""],
        [
            plan["state_code"].to_numpy(dtype=object),
            blocked,
            np.full(len(plan), "on_target", object),
        ],
        default=codes.to_numpy(dtype=object),
    )


def _keyword_rows(
    part: pd.DataFrame,
    solution: Solution,
    moved: Ints,
    outcome: Outcome,
    context: Mapping[str, Any],
) -> pd.DataFrame:
    paused = solution.paused[moved]
    raised = part["target"].to_numpy() > part["bid"].to_numpy()
    kind = np.where(paused, "pause", np.where(raised, "raise", "lower"))
    binding = _binding(part, paused, raised, solution, moved, context)
    at_any_response = ~raised & (lower_step(part) > part["step_limit"].to_numpy())
    assumed = (part["assumed_share"].to_numpy() > 0.5) & ~at_any_response & ~paused
    reason = np.select(
        [paused, assumed, raised],
        ["loses_at_lowest_bid", "assumed_response", "returns_above_line"],
        "returns_below_line",
    )
    frame = part.assign(
        kind=kind,
        slot=np.where(paused, "state", "bid"),
        proposed_bid=np.where(paused, np.nan, part["target"].to_numpy()),
        reason=reason,
        binding=binding,
        **_deltas(outcome, slice(0, len(moved))),
    )
    return _finished(frame, context)


def _binding(
    part: pd.DataFrame,
    paused: Bools,
    raised: Bools,
    solution: Solution,
    moved: Ints,
    context: Mapping[str, Any],
) -> Any:
    """What stopped the change where it stopped."""
    rules, at = context["rules"], part["node"].to_numpy(dtype=np.int64)
    target, bid = part["target"].to_numpy(), part["bid"].to_numpy()
    down = rules["step_limit"] if solution.stretched else lower_step(part)
    limit = np.where(raised, part["step_limit"].to_numpy(), down)
    slack = context["step"] + 1e-9
    at_step = np.abs(target - bid) >= bid * limit - slack
    return np.select(
        [
            paused,
            raised & (target >= part["highest_bid"].to_numpy() - slack),
            ~raised & (target <= part["lowest_bid"].to_numpy() + slack),
            at_step & (limit < rules["step_limit"]),
            at_step,
            solution.stocked[moved],
        ],
        [
            "none",
            "highest_bid",
            "lowest_bid",
            "assumed_step_limit",
            "step_limit",
            "stock",
        ],
        solution.binding[at].astype(str),
    )


def _watch_rows(part: pd.DataFrame, context: Mapping[str, Any]) -> pd.DataFrame:
    zeros = dict.fromkeys(_DELTAS, 0.0)
    zeros["p_positive"] = np.nan
    frame = part.assign(
        kind="watch",
        slot="bid",
        proposed_bid=np.nan,
        reason=np.where(part["clicks_needed"].isna(), "response_unsure", "not_sure_yet"),
        binding="evidence",
        **zeros,
    )
    return _finished(frame, context)


def _term_rows(
    terms: pd.DataFrame,
    chosen: TermChoice,
    slot: str,
    outcome: Outcome,
    part: slice,
    solution: Solution,
    context: Mapping[str, Any],
) -> pd.DataFrame:
    picked = getattr(chosen, slot)
    if not picked.any():
        return pd.DataFrame()
    adding = slot == "add"
    rows = terms[picked]
    frame = rows.assign(
        keyword_id=None,
        keyword_text=rows["search_term"],
        match_type="EXACT",
        kind="add_keyword" if adding else "add_negative",
        slot=slot,
        bid=np.nan,
        proposed_bid=chosen.bid[picked] if adding else np.nan,
        reason=_reason_to_add(rows) if adding else "term_never_pays",
        binding="line" if adding else "none",
        marginal_mean=_term_return(rows),
        line=solution.line[rows["donor"].to_numpy(dtype=np.int64)],
        **_deltas(outcome, part),
    )
    return _finished(frame, context)


def _reason_to_add(rows: pd.DataFrame) -> Any:
    """Why each row of the judged terms is worth a keyword: its own clicks, or orders without one."""
    return np.where(bought_share(rows) > 0, "term_pays_above_line", "organic_word_pays")


def _term_return(rows: pd.DataFrame) -> Floats:
    share = rows["elasticity"] / (rows["elasticity"] + rows["cpc_exponent"])
    result: Floats = (rows["value_mean"] * share / rows["cpc"]).to_numpy(dtype=np.float64)
    return result


def _deltas(outcome: Outcome, part: slice) -> dict[str, Floats]:
    values = (
        outcome.clicks,
        outcome.cost,
        outcome.profit,
        outcome.low,
        outcome.high,
        outcome.p_positive,
    )
    return {name: array[part] for name, array in zip(_DELTAS, values, strict=True)}


def _finished(frame: pd.DataFrame, context: Mapping[str, Any]) -> pd.DataFrame:
    """Ids, evidence and the table's columns."""
    key = frame["entity_key"].astype(str)
    day = date.fromisoformat(context["as_of"])
    ids = suggestion_ids(context["account"], day, key.tolist(), frame["slot"].tolist())
    full = frame.assign(
        id=ids,
        entity_key=key,
        linked_id=None,
        marginal_return=frame["marginal_mean"],
        evidence=FROM_PLAN,
    )
    return full[[*SUGGESTIONS.columns]]


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    floats = [name for name, column in SUGGESTIONS.columns.items() if column.dtype == "float"]
    texts = [name for name, column in SUGGESTIONS.columns.items() if column.dtype == "str"]
    return rows.astype(
        {**dict.fromkeys(floats, "float64"), **dict.fromkeys(texts, "str")}
    ).reset_index(drop=True)


def summarise(
    plan: pd.DataFrame,
    solution: Solution,
    suggestions: pd.DataFrame,
    reasons: Any,
    outcome: Outcome,
    campaign: Ints,
    context: Mapping[str, Any],
) -> ReviewSummary:
    """The account's side of the run; `campaign` is the campaign number of each row of `outcome`."""
    campaigns = [node for node in context["budgets"] if node["scope"] == "campaign"]
    cost_now = float((plan["clicks"] * plan["cpc"] * bought_share(plan)).sum())
    reserved = np.array(context["reserved"])
    change = group_sum(campaign, outcome.cost, len(campaigns))
    change = change + reserved[CAMPAIGN_AT : CAMPAIGN_AT + len(campaigns)]
    by_reason = pd.Series(reasons[reasons != ""]).value_counts()
    low, high = outcome.total[1:]
    return ReviewSummary(
        account=context["account"],
        as_of=date.fromisoformat(context["as_of"]),
        currency=context["currency"],
        budget=solution.budget,
        dual_price=solution.allocation.dual_price,
        cost_now=cost_now,
        cost_planned=cost_now + float(outcome.cost.sum() + reserved.sum()),
        profit_delta=Interval(outcome.total[0], low, high),
        not_suggested={str(code): int(number) for code, number in by_reason.items()},
        kinds={str(kind): int(n) for kind, n in suggestions["kind"].value_counts().items()},
        levers=_levers(plan, context),
        assumed=tuple(context["assumed"]),
        campaigns=tuple(_campaign_rows(campaigns, change, solution)),
        completion=tuple(context["completion"]),
        alerts=(*context["alerts"], *_floor_alerts(context["budgets"], solution.short)),
        gap=solution.allocation.gap,
        data={
            **context["data"],
            "objective": context.get("objective", "profit"),
            "lag_observed": context["lag_observed"],
            "budget": budget_outlook(plan, campaign, outcome, solution.budget, context),
            "conflicts": conflict_counts(suggestions, {"plan": plan}),
        },
    )


def _floor_alerts(nodes: list[dict[str, Any]], short: Floats) -> list[dict[str, Any]]:
    """Floors that whole bids within the caps miss by more than a rounding."""
    return [
        {"code": "floor_short", "name": node["name"], "floor": node["floor"], "short": float(one)}
        for node, one in zip(nodes, short, strict=True)
        if one > TOLERANCE
    ]


def _levers(plan: pd.DataFrame, context: Mapping[str, Any]) -> dict[str, float]:
    """Share of present cost that bids, pauses and search terms can act on."""
    cost = (plan["clicks"] * plan["cpc"]).to_numpy()
    total = max(float(cost.sum()), 1e-12)
    fixed = plan["state_code"].isin(["", "cool_down"]).to_numpy()
    return {
        "bid": float(cost[fixed].sum()) / total,
        "pause": float(cost[(plan["inactive_code"] == "").to_numpy()].sum()) / total,
        "search_terms": float(context["term_cost_share"]),
    }


def _campaign_rows(
    campaigns: list[dict[str, Any]], change: Floats, solution: Solution
) -> list[dict[str, Any]]:
    return [
        {
            "name": row["name"],
            "budget": row["budget"],
            "cost_now": row["cost_now"],
            "cost_planned": row["cost_now"] + float(delta),
            "line": float(line),
        }
        for row, delta, line in zip(campaigns, change, solution.campaign_line, strict=True)
    ]
