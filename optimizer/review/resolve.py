"""From a plan to suggestions; and again, after a decision, without estimating anything anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from optimizer.decisions import keywords as keyword_rules
from optimizer.decisions.outcomes import CommonShocks, Outcome, draw_outcome, expected_change
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
from optimizer.review.creative_suggestions import open_creatives
from optimizer.review.plan import bought_share, gamma_of, move_columns, moves_of, response_of
from optimizer.review.solving import paused_rows, solve
from optimizer.review.suggestions import ReviewResult

Context = Mapping[str, Any]


def resolve_account(result: ReviewResult, holds: pd.DataFrame) -> ReviewResult:
    """The same run under new holds (table HOLDS): beliefs and draws stay, the solution moves."""
    frames = result.frames
    solved = resolve_plan(frames["plan"], frames["terms"], result.context, holds)
    if "creatives" not in frames:
        return solved
    day = date.fromisoformat(result.context["as_of"])
    return replace(solved, creatives=open_creatives(frames["creatives"], holds, day))


def resolve_plan(
    plan: pd.DataFrame, terms: pd.DataFrame, context: Context, holds: pd.DataFrame
) -> ReviewResult:
    """Solve, judge the terms at the line found, and solve again with their cost counted.

    Raises `Infeasible` when a stated budget cannot be met within today's steps.
    """
    day = date.fromisoformat(context["as_of"])
    stated, context = context, levers.committed(plan, context, holds)
    held = _held(plan, holds, day)
    held = yield_pauses(plan, terms, held, _free_terms(terms, holds, "negative", day))
    stays = _donor_stays(plan, terms, held)
    negative = _free_terms(terms, holds, "negative", day) & stays
    saved = _term_change(terms, negative, np.zeros(len(terms)), context)
    saved = saved + np.array(context["reserved"])
    solution = solve(plan, context, held, saved)
    approved = _approved_bids(terms, holds, day)
    free = _free_terms(terms, holds, "add", day) & stays
    add, bids = _additions(terms, free, approved, plan, solution, context)
    solution, add = _with_additions(
        plan, terms, context, held, solution, saved, approved, add, bids
    )
    chosen = TermChoice(negative, add, bids)
    moved, longer, outcome = _outcome(plan, terms, solution, chosen, context)
    suggestions, reasons = assemble_suggestions(
        plan, terms, solution, chosen, moved, outcome, held, context
    )
    campaign = np.concatenate(
        [
            plan["campaign"].to_numpy()[moved],
            _campaigns(terms, negative),
            _campaigns(terms, add),
            plan["campaign"].to_numpy()[longer],
        ]
    ).astype(np.int64)
    summary = summarise(plan, solution, suggestions, reasons, outcome, campaign, context)
    frames = {"plan": plan.assign(reason=pd.Categorical(reasons)), "terms": terms}
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
    stopped = paused_rows(plan, held)[terms["donor"].to_numpy(dtype=np.int64)]
    stays: Bools = ~stopped
    return stays


def _held(plan: pd.DataFrame, holds: pd.DataFrame, day: date) -> Held:
    size = len(plan)
    active = _active(holds, day)
    row = _rows_of(plan, active["entity_key"].astype(str))
    active = active[row >= 0].assign(row=row[row >= 0])
    on_bid = active[active["slot"] == "bid"]
    fixed, code = np.full(size, np.nan), np.full(size, "", dtype=object)
    present = plan["bid"].to_numpy()[on_bid["row"]]
    # A test's bids are no proposal; `levers.committed` sets their spend aside.
    proposed = on_bid["value"].where(on_bid["kind"].ne("experiment"))
    given = proposed.to_numpy(dtype=np.float64, na_value=np.nan)
    fixed[on_bid["row"]] = np.where(np.isnan(given), present, given)
    code[on_bid["row"]] = on_bid["kind"].to_numpy()
    state = np.zeros(size, dtype=bool)
    refused = active["kind"].isin(["rejected", "snoozed"]) & (active["slot"] == "state")
    locked = active["kind"] == "locked"
    state[active.loc[refused | locked, "row"]] = True
    return Held(fixed, code, state)


def _rows_of(plan: pd.DataFrame, keys: pd.Series[str]) -> Ints:
    """Plan row of each key, -1 where it has none; the few are looked up, not the plan's many."""
    names, number = np.unique(keys.to_numpy(dtype=object), return_inverse=True)
    row = np.full(len(names), -1, dtype=np.int64)
    if len(names):
        place = pd.Index(names).get_indexer(pd.Index(plan["entity_key"].astype(str)))
        row[place[place >= 0]] = np.flatnonzero(place >= 0)
    return row[number]


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
    """Δcost per node of excluding (bid 0) or re-pricing the chosen terms, under their donor's node."""
    nodes = len(context["budgets"])
    if not chosen.any():
        return np.zeros(nodes)
    part = terms[chosen]
    moves = moves_of(part, bids[chosen])
    node = part["node"].to_numpy(dtype=np.int64)
    return group_sum(node, expected_change(moves)[1], nodes)


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
    line = solution.line[terms["donor"].to_numpy(dtype=np.int64)]
    response, value = response_of(terms), gamma_of(terms, "value")
    reach = context["rules"]["step_limit"]
    bid = keyword_rules.bid_for_term(value.mean, response, line, reach)
    bid = _writable(bid, plan.iloc[terms["donor"].to_numpy(dtype=np.int64)], context["step"])
    profit = expected_change(moves_of(terms, bid))[2]
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
) -> tuple[Ints, Ints, Outcome]:
    """Joint outcome of all moves: moved plan rows first, then negatives, then additions.

    Last come keywords whose bid stays, where a longer day brings them more: no suggestions, but part
    of what the plan brings.
    """
    changed = ~np.isnan(solution.bid) & (solution.bid != plan["bid"].to_numpy())
    moved = np.flatnonzero(solution.paused | changed)
    parts, targets = [plan.iloc[moved]], [solution.bid[moved]]
    for picked, target in ((chosen.negative, np.zeros(len(terms))), (chosen.add, chosen.bid)):
        if picked.any():
            parts.append(terms[picked])
            targets.append(target[picked])
    stays = ~np.isnan(solution.bid) & (solution.bid > 0) & ~solution.paused & ~changed
    longer = np.flatnonzero(stays & (bought_share(plan) < 1) & (plan["clicks"].to_numpy() > 0))
    if len(longer):
        parts.append(plan.iloc[longer])
        targets.append(solution.bid[longer])
    rows = pd.concat([part[move_columns(part)] for part in parts], ignore_index=True)
    moves = moves_of(rows, np.concatenate(targets))
    rng = np.random.default_rng(context["seed"])
    return (
        moved,
        longer,
        draw_outcome(
            moves, CommonShocks(**context["shocks"]), context["draws"], context["interval"], rng
        ),
    )
