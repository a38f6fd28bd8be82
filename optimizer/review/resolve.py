"""From a plan to suggestions; and again, after a decision, without estimating anything anew."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from optimizer.decisions import keywords as keyword_rules
from optimizer.decisions.allocation import Budgets, Gates, allocate
from optimizer.decisions.bids import StepLimits, allowed_levels, bid_levels, level_options
from optimizer.decisions.outcomes import CommonShocks, Moves, Outcome, draw_outcome, expected_change
from optimizer.errors import Infeasible
from optimizer.estimates.posteriors import Bools, Floats, Ints, group_sum
from optimizer.review import levers
from optimizer.review.assembly import (
    Held,
    Solution,
    TermChoice,
    assemble_suggestions,
    summarise,
    yield_pauses,
)
from optimizer.review.plan import gamma_of, response_of
from optimizer.review.suggestions import ReviewResult

Context = Mapping[str, Any]


def resolve_account(result: ReviewResult, holds: pd.DataFrame) -> ReviewResult:
    """The same run under new holds (table HOLDS): beliefs and draws stay, the solution moves."""
    return resolve_plan(result.frames["plan"], result.frames["terms"], result.context, holds)


def resolve_plan(
    plan: pd.DataFrame, terms: pd.DataFrame, context: Context, holds: pd.DataFrame
) -> ReviewResult:
    """Solve, judge the terms at the line found, and solve again with their cost counted.

    Raises `Infeasible` when a stated budget cannot be met within today's steps.
    """
    day = date.fromisoformat(context["as_of"])
    stated, context = context, levers.committed(context, holds)
    held = _held(plan, holds, day)
    held = yield_pauses(plan, terms, held, _free_terms(terms, holds, "negative", day))
    stays = _donor_stays(plan, terms, held)
    negative = _free_terms(terms, holds, "negative", day) & stays
    saved = _term_change(terms, negative, np.zeros(len(terms)), context)
    solution = solve(plan, context, held, saved)
    approved = _approved_bids(terms, holds, day)
    free = _free_terms(terms, holds, "add", day) & stays
    add, bids = _additions(terms, free, approved, plan, solution, context)
    solution, add = _with_additions(
        plan, terms, context, held, solution, saved, approved, add, bids
    )
    chosen = TermChoice(negative, add, bids)
    moved, outcome = _outcome(plan, terms, solution, chosen, context)
    suggestions, reasons = assemble_suggestions(
        plan, terms, solution, chosen, moved, outcome, held, context
    )
    campaign = np.concatenate(
        [plan["campaign"].to_numpy()[moved], _campaigns(terms, negative), _campaigns(terms, add)]
    ).astype(np.int64)
    summary = summarise(plan, solution, suggestions, reasons, outcome, campaign, context)
    frames = {"plan": plan.assign(reason=reasons), "terms": terms}
    return levers.with_levers(ReviewResult(summary, suggestions, frames, stated), holds)


def _campaigns(terms: pd.DataFrame, picked: Bools) -> Ints:
    return terms.loc[picked, "campaign"].to_numpy() if picked.any() else np.empty(0, dtype=np.int64)


def _with_additions(
    plan: pd.DataFrame,
    terms: pd.DataFrame,
    context: Context,
    held: Held,
    solution: Solution,
    saved: Floats,
    approved: Floats,
    add: Bools,
    bids: Floats,
) -> tuple[Solution, Bools]:
    """The solution once the additions are paid for; without those not yet approved if none fits."""
    if not add.any():
        return solution, add
    try:
        cost = saved + _term_change(terms, add, bids, context)
        return solve(plan, context, held, cost), add
    except Infeasible:
        settled = add & ~np.isnan(approved)
    cost = saved + _term_change(terms, settled, bids, context)
    return solve(plan, context, held, cost), settled


def _donor_stays(plan: pd.DataFrame, terms: pd.DataFrame, held: Held) -> Bools:
    """Whether a term's donor goes on: a paused one takes the term's cost with it already."""
    if terms.empty:
        return np.zeros(0, dtype=bool)
    stopped = _paused(plan, held)[terms["donor"].to_numpy(dtype=np.int64)]
    stays: Bools = ~stopped
    return stays


def _paused(plan: pd.DataFrame, held: Held) -> Bools:
    paused: Bools = plan["pause"].to_numpy(dtype=bool) & ~held.state
    return paused


def _held(plan: pd.DataFrame, holds: pd.DataFrame, day: date) -> Held:
    size = len(plan)
    active = _active(holds, day)
    row = pd.Index(plan["entity_key"].astype(str)).get_indexer(
        pd.Index(active["entity_key"].astype(str))
    )
    active = active[row >= 0].assign(row=row[row >= 0])
    on_bid = active[active["slot"] == "bid"]
    fixed, code = np.full(size, np.nan), np.full(size, "", dtype=object)
    present = plan["bid"].to_numpy()[on_bid["row"]]
    given = on_bid["value"].to_numpy(dtype=np.float64, na_value=np.nan)
    fixed[on_bid["row"]] = np.where(np.isnan(given), present, given)
    code[on_bid["row"]] = on_bid["kind"].to_numpy()
    state = np.zeros(size, dtype=bool)
    refused = active["kind"].isin(["rejected", "snoozed"]) & (active["slot"] == "state")
    locked = active["kind"] == "locked"
    state[active.loc[refused | locked, "row"]] = True
    return Held(fixed, code, state)


def _active(holds: pd.DataFrame, day: date) -> pd.DataFrame:
    until = pd.to_datetime(holds["until"])
    return holds[until.isna() | (until >= pd.Timestamp(day))]


def _free_terms(terms: pd.DataFrame, holds: pd.DataFrame, slot: str, day: date) -> Bools:
    """Candidates for the slot ("add" or "negative") that nobody has refused."""
    candidate = terms[slot].to_numpy(dtype=bool)
    if not candidate.any():
        return candidate
    active = _active(holds, day)
    refused = active[
        (active["slot"] == slot) & active["kind"].isin(["rejected", "snoozed", "locked"])
    ]
    free: Bools = candidate & ~terms["entity_key"].isin(refused["entity_key"]).to_numpy()
    return free


def _approved_bids(terms: pd.DataFrame, holds: pd.DataFrame, day: date) -> Floats:
    """Bid of each term that somebody approved as a keyword; nan for the others."""
    if terms.empty:
        return np.zeros(0)
    active = _active(holds, day)
    settled = active[(active["slot"] == "add") & active["kind"].isin(["approved", "exported"])]
    bids = settled.set_index("entity_key")["value"]
    return np.asarray(terms["entity_key"].map(bids), dtype=np.float64)


def _term_change(terms: pd.DataFrame, chosen: Bools, bids: Floats, context: Context) -> Floats:
    """Δcost per campaign number of excluding (bid 0) or re-pricing the chosen terms."""
    campaigns = len(context["budgets"]) - 1
    if not chosen.any():
        return np.zeros(campaigns)
    part = terms[chosen]
    moves = Moves(
        response_of(part), gamma_of(part, "volume"), gamma_of(part, "value"), bids[chosen]
    )
    campaign = part["campaign"].to_numpy(dtype=np.int64)
    return group_sum(campaign, expected_change(moves)[1], campaigns)


def solve(plan: pd.DataFrame, context: Context, held: Held, term_cost: Floats) -> Solution:
    """Bids of the free keywords under the budgets left by everything else.

    When even the lowest assumed steps overspend, lowers may use the full step limit; an assumed
    budget then gives way to what is reachable, a stated one is `Infeasible`.
    """
    try:
        return _solve(plan, context, held, term_cost, stretched=False)
    except Infeasible:
        relaxed = dict(context)
    try:
        return _solve(plan, relaxed, held, term_cost, stretched=True)
    except Infeasible as error:
        if not context["budget_assumed"] or error.code != "account_budget_unreachable":
            raise
        relaxed["budgets"] = _with_account_budget(context, error.fields["nearest"])
        return _solve(plan, relaxed, held, term_cost, stretched=True)


def _with_account_budget(context: Context, budget: float) -> list[dict[str, Any]]:
    first, *rest = context["budgets"]
    return [{**first, "budget": budget}, *rest]


def _solve(
    plan: pd.DataFrame,
    context: Context,
    held: Held,
    term_cost: Floats,
    *,
    stretched: bool,
) -> Solution:
    paused = _paused(plan, held)
    fixed = np.where(np.isnan(held.bid), plan["bid"].to_numpy(), held.bid)
    free = (plan["state_code"] == "").to_numpy() & np.isnan(held.bid) & ~paused
    budgets = _budgets_left(plan, context, paused, free, fixed, term_cost)
    index = np.flatnonzero(free)
    part = plan.iloc[index]
    levels, options = _options(part, context, stretched=stretched)
    room = np.zeros((len(plan), 2), dtype=bool)
    middle = levels.shape[1] // 2
    room[index, 0] = options.allowed[:, :middle].any(axis=1)
    room[index, 1] = options.allowed[:, middle + 1 :].any(axis=1)
    gates = Gates(part["raise_gate"].to_numpy(), part["lower_gate"].to_numpy())
    campaign = part["campaign"].to_numpy(dtype=np.int64)
    try:
        found = allocate(options, campaign, budgets, gates)
    except Infeasible as error:
        raise _explained(error, context, budgets) from error
    bid = np.where(paused, 0.0, fixed)
    bid[index] = levels[np.arange(len(index)), found.level]
    return Solution(
        bid, paused, free, room, found, float(context["budgets"][0]["budget"]), stretched
    )


def _options(part: pd.DataFrame, context: Context, *, stretched: bool) -> tuple[Floats, Any]:
    rules = context["rules"]
    step = part["step_limit"].to_numpy()
    limits = StepLimits(
        step,
        np.full(len(part), rules["step_limit"]) if stretched else step,
        (part["raise_block"] == "").to_numpy(),
        (part["lower_block"] == "").to_numpy(),
        part["lowest_bid"].to_numpy(),
        part["highest_bid"].to_numpy(),
    )
    bid = part["bid"].to_numpy(dtype=np.float64)
    levels = bid_levels(bid, limits, context["step"], context["half_grid_levels"])
    allowed = allowed_levels(levels, bid, limits, rules["dead_band"])
    return levels, level_options(response_of(part), part["value_mean"].to_numpy(), levels, allowed)


def _budgets_left(
    plan: pd.DataFrame,
    context: Context,
    paused: Bools,
    free: Bools,
    fixed: Floats,
    term_cost: Floats,
) -> Budgets:
    """What the free keywords may spend: budgets less the expected cost of all others."""
    cost = _cost_at(plan, np.where(paused, 0.0, fixed))
    cost[free] = 0.0
    account, *campaigns = context["budgets"]
    used = group_sum(plan["campaign"].to_numpy(dtype=np.int64), cost, len(campaigns))
    used += term_cost
    caps = np.array([np.inf if row["budget"] is None else row["budget"] for row in campaigns])
    return Budgets(account["budget"] - float(used.sum()), caps - used)


def _cost_at(plan: pd.DataFrame, bid: Floats) -> Floats:
    """Expected cost per day at `bid`; where the bid is unknown, what it costs now."""
    response = response_of(plan)
    target = np.where(np.isnan(bid) | (bid <= 0), response.bid, bid)
    cost = response.expected_cost(target[:, None])[:, 0]
    return np.where(bid == 0.0, 0.0, cost)


def _explained(error: Infeasible, context: Context, left: Budgets) -> Infeasible:
    """The same refusal with the budget's name and the nearest whole budget that could be met."""
    account, *campaigns = context["budgets"]
    if error.code == "account_budget_unreachable":
        stated, short = account, error.fields["nearest"] - left.account
    else:
        number = error.fields["campaign"]
        stated, short = campaigns[number], error.fields["nearest"] - float(left.campaign[number])
    return Infeasible(
        error.code, name=stated["name"], budget=stated["budget"], nearest=stated["budget"] + short
    )


def _additions(
    terms: pd.DataFrame,
    free: Bools,
    approved: Floats,
    plan: pd.DataFrame,
    solution: Solution,
    context: Context,
) -> tuple[Bools, Floats]:
    """Terms that pay above the line, at the bid where their return meets it; and approved ones."""
    settled = ~np.isnan(approved)
    if not (free | settled).any():
        return free, np.zeros(len(terms))
    line = solution.allocation.line[terms["campaign"].to_numpy(dtype=np.int64)]
    response, value = response_of(terms), gamma_of(terms, "value")
    reach = context["rules"]["step_limit"]
    bid = keyword_rules.bid_for_term(value.mean, response, line, reach)
    bid = _writable(bid, plan.iloc[terms["donor"].to_numpy(dtype=np.int64)], context["step"])
    profit = expected_change(Moves(response, gamma_of(terms, "volume"), value, bid))[2]
    worth = keyword_rules.worth_adding(value, response, line, context["rules"]["add_probability"])
    chosen: Bools = settled | (free & worth & (profit > 0))
    return chosen, np.where(chosen, np.where(settled, approved, bid), 0.0)


def _writable(bid: Floats, donors: pd.DataFrame, step: float) -> Floats:
    """Whole currency steps within the bounds of the donor's bid."""
    lowest, highest = donors["lowest_bid"].to_numpy(), donors["highest_bid"].to_numpy()
    inside = np.minimum(np.maximum(bid, lowest), highest)
    result: Floats = np.round(np.maximum(np.floor(inside / step + 1e-6), 1) * step, 6)
    return result


def _outcome(
    plan: pd.DataFrame,
    terms: pd.DataFrame,
    solution: Solution,
    chosen: TermChoice,
    context: Context,
) -> tuple[Ints, Outcome]:
    """Joint outcome of all moves: moved plan rows first, then negatives, then additions."""
    changed = ~np.isnan(solution.bid) & (solution.bid != plan["bid"].to_numpy())
    moved = np.flatnonzero(solution.paused | changed)
    parts, targets = [plan.iloc[moved]], [solution.bid[moved]]
    for picked, target in ((chosen.negative, np.zeros(len(terms))), (chosen.add, chosen.bid)):
        if picked.any():
            parts.append(terms[picked])
            targets.append(target[picked])
    rows = pd.concat([part[_OUTCOME_COLUMNS] for part in parts], ignore_index=True)
    moves = Moves(
        response_of(rows),
        gamma_of(rows, "volume"),
        gamma_of(rows, "value"),
        np.concatenate(targets),
    )
    rng = np.random.default_rng(context["seed"])
    return moved, draw_outcome(
        moves, CommonShocks(**context["shocks"]), context["draws"], context["interval"], rng
    )


_OUTCOME_COLUMNS = [
    "curve_bid",
    "clicks",
    "cpc",
    "elasticity",
    "elasticity_sd",
    "cpc_exponent",
    "cpc_exponent_sd",
    "click_share",
    "response_assumed",
    "volume_mean",
    "volume_cv2",
    "value_mean",
    "value_cv2",
]
