"""Lower bids that make a capped campaign's budget last: the answer beside a raise of the budget.

Each keyword gets a row of its own, decided and written like any lower bid; what the whole campaign
gains is shared over them by cost. They are alternatives, in no total of the plan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from optimizer.decisions.levers import Campaigns, Lowered, Priced, lasting_factor, lower_bids
from optimizer.decisions.outcomes import CommonShocks, Moves, expected_change
from optimizer.estimates.posteriors import Bools, Floats, Ints, group_sum
from optimizer.review.plan import gamma_of, lower_step, response_of
from optimizer.review.rivals import BUDGET_LASTS
from optimizer.review.suggestions import ReviewResult, suggestion_id
from optimizer.tables import SUGGESTIONS

Context = Mapping[str, Any]
_SLACK = 1e-9


def lasting_bids(
    plan: pd.DataFrame, asked: Sequence[Mapping[str, Any]], now: Campaigns, context: Context
) -> Floats:
    """Per plan row the bid at which its campaign's budget lasts, or as near as its step allows.

    `asked` are the campaigns of `now`. nan where the bid may not be lowered or would hardly move.
    """
    rules, step = context["rules"], float(context["step"])
    place, bid = places(plan, asked), plan["bid"].to_numpy(dtype=np.float64)
    cost = (plan["clicks"] * plan["cpc"]).to_numpy(dtype=np.float64)
    may = (place >= 0) & _movable(plan)
    share = group_sum(place[may], cost[may], len(asked)) / now.cost
    elasticity, _, exponent, _ = context["lever_rules"]["response"]
    factor = np.append(lasting_factor(now, share, elasticity, exponent), np.nan)[place]
    least = np.maximum(bid * (1 - lower_step(plan)), plan["lowest_bid"].to_numpy())
    wanted = np.floor(bid * factor / step + _SLACK)
    target = np.round(np.maximum(wanted, np.ceil(least / step - _SLACK)) * step, 6)
    moves = may & (target <= bid * (1 - rules["dead_band"]) + _SLACK)
    return np.where(moves, target, np.nan)


def places(plan: pd.DataFrame, asked: Sequence[Mapping[str, Any]]) -> Ints:
    """Per plan row the position of its campaign in `asked`; -1: not among them."""
    number = pd.Index([one["campaign"] for one in asked], dtype="int64")
    found: Ints = number.get_indexer(pd.Index(plan["campaign"].astype("int64"))).astype(np.int64)
    return found


def _movable(plan: pd.DataFrame) -> Bools:
    free = plan["state_code"].eq("") & plan["lower_block"].eq("") & ~plan["pause"].astype(bool)
    result: Bools = (free & plan["clicks"].gt(0) & plan["bid"].notna()).to_numpy(dtype=bool)
    return result


def priced_lasting(
    plan: pd.DataFrame, bids: Floats, place: Ints, now: Campaigns, context: Context
) -> Priced:
    """What `bids` (nan: as it is) bring each campaign of `now` at its present budget."""
    size, picked = len(now.cost), ~np.isnan(bids)
    clicks = plan["clicks"].to_numpy(dtype=np.float64)
    cost = clicks * plan["cpc"].to_numpy(dtype=np.float64)
    worth = clicks * plan["value_mean"].to_numpy(dtype=np.float64)
    sums = [group_sum(place[picked], part[picked], size) for part in (cost, clicks, worth)]
    # One factor stands for all: bids move alike but for their step limits.
    logs = np.log(bids[picked] / plan["bid"].to_numpy(dtype=np.float64)[picked])
    moved = group_sum(place[picked], cost[picked] * logs, size)
    factor = np.exp(np.divide(moved, sums[0], out=np.zeros(size), where=sums[0] > 0))
    total = now.clicks * now.value.mean
    value = np.divide(sums[2], total, out=np.zeros(size), where=total > 0)
    return lower_bids(
        now,
        Lowered(factor, sums[0] / now.cost, sums[1] / now.clicks, np.minimum(value, 1.0)),
        tuple(context["lever_rules"]["response"]),
        CommonShocks(**context["shocks"]),
        context["draws"],
        context["interval"],
        np.random.default_rng(context["seed"]),
    )


@dataclass(frozen=True)
class Instead:
    """Lower bids in place of budgets: per plan row the campaign's `place`, its bid (nan: none) and
    whether that is to be proposed; per campaign what they bring and whether that pays."""

    place: Ints
    bids: Floats
    shown: Bools
    priced: Priced
    pays: Bools


def instead(
    asked: Sequence[Mapping[str, Any]],
    now: Campaigns,
    worth: Bools,
    result: ReviewResult,
    holds: pd.DataFrame,
) -> Instead:
    """The lower bids in place of budgets of `asked` that are `worth` their money.

    Bids that somebody decided on, or that the plan moves anyway, are left out; approved ones count.
    """
    context, plan = result.context, result.frames["plan"]
    place = places(plan, asked)
    open_, approved = _free_bids(result, holds)
    bids = lasting_bids(plan, asked, now, context)
    bids = np.where(open_ | approved, bids, np.nan)
    priced = priced_lasting(plan, bids, place, now, context)
    sure = priced.p_positive >= context["rules"]["min_probability"]
    pays = worth & sure & (priced.profit > 0)
    return Instead(place, bids, open_ & (place >= 0) & pays[place], priced, pays)


def _free_bids(result: ReviewResult, holds: pd.DataFrame) -> tuple[Bools, Bools]:
    """Per plan row whether its bid waits for a suggestion, and whether one was approved."""
    # As objects: pandas looks texts up one by one.
    key = pd.Index(result.frames["plan"]["entity_key"].astype(str), dtype="object")
    rows = result.suggestions
    until = pd.to_datetime(holds["until"])
    active = holds[until.isna() | (until >= pd.Timestamp(result.context["as_of"]))]
    on_bid = active[active["slot"].eq("bid")]
    settled = on_bid["kind"].isin(["approved", "exported"])
    approved = key.isin(on_bid.loc[settled, "entity_key"].astype("object"))
    moved = rows.loc[rows["slot"].isin(["bid", "state"]) & rows["kind"].ne("watch"), "entity_key"]
    taken = key.isin(moved.astype("object")) | key.isin(active["entity_key"].astype("object"))
    return ~taken, approved


def lasting_rows(
    plan: pd.DataFrame,
    lower: Instead,
    line: Floats,
    evidence: Sequence[Mapping[str, Any]],
    context: Context,
) -> pd.DataFrame:
    """SUGGESTIONS of the bids that are shown, each with its part of what its campaign gains.

    `line` and `evidence` are per campaign; `line` in margin per money.
    """
    cost = (plan["clicks"] * plan["cpc"]).to_numpy(dtype=np.float64)
    place, bids, priced = lower.place, lower.bids, lower.priced
    moved = ~np.isnan(bids)
    whole = group_sum(place[moved], cost[moved], len(evidence))
    row = np.flatnonzero(moved & lower.shown)
    at, part = place[row], plan.iloc[row]
    share = cost[row] / whole[at]
    account, day = context["account"], date.fromisoformat(context["as_of"])
    down = lower_step(part)
    limit = down >= context["rules"]["step_limit"] - _SLACK
    stopped = bids[row] <= part["bid"] * (1 - down) + context["step"]
    frame = part.assign(
        entity_key=part["entity_key"].astype(str),
        id=[suggestion_id(account, day, str(key), "bid") for key in part["entity_key"]],
        kind="lower",
        slot="bid",
        proposed_bid=bids[row],
        delta_clicks=priced.clicks[at] * share,
        delta_cost=priced.cost[at] * share,
        delta_profit_mean=priced.profit[at] * share,
        delta_profit_low=priced.low[at] * share,
        delta_profit_high=priced.high[at] * share,
        p_positive=priced.p_positive[at],
        marginal_return=part["marginal_mean"],
        line=line[at],
        reason=BUDGET_LASTS,
        binding=np.select(
            [stopped & limit, stopped], ["step_limit", "assumed_step_limit"], default="none"
        ),
        evidence=[json.dumps(evidence[one], ensure_ascii=False) for one in at],
    )
    return frame.reindex(columns=list(SUGGESTIONS.columns)).reset_index(drop=True)


def respent(
    plan: pd.DataFrame,
    asked: Sequence[Mapping[str, Any]],
    now: Campaigns,
    approved: Mapping[str, float],
    context: Context,
) -> Floats:
    """Money per day and campaign that the plan counts as saved by approved lasting bids, and is not.

    The plan prices a lower bid as if the campaign were not capped; its budget is spent all the same
    while demand C/s + Δ/s stays above C. `approved` are bids by entity key.
    """
    place, bids, picked = _approved(plan, asked, now, approved, context)
    if not picked.any():
        return np.zeros(len(asked))
    response = response_of(plan[picked])
    change = response.expected_cost(bids[picked][:, None])[:, 0] - response.clicks * response.cpc
    saved = group_sum(place[picked], change, len(asked))
    real = np.minimum(0.0, (now.cost * (1.0 - now.served) + saved) / now.served)
    result: Floats = real - saved
    return result


def unpriced(
    plan: pd.DataFrame,
    asked: Sequence[Mapping[str, Any]],
    now: Campaigns,
    approved: Mapping[str, float],
    context: Context,
) -> float:
    """Profit per day of approved lasting bids that the plan, which knows no cap, leaves out.

    What they bring at the present budget less what the plan counts for them. `approved` as above.
    """
    place, bids, picked = _approved(plan, asked, now, approved, context)
    if not picked.any():
        return 0.0
    priced = priced_lasting(plan, np.where(picked, bids, np.nan), place, now, context)
    part = plan[picked]
    moves = Moves(
        response_of(part), gamma_of(part, "volume"), gamma_of(part, "value"), bids[picked]
    )
    return float(priced.profit.sum() - expected_change(moves)[2].sum())


def _approved(
    plan: pd.DataFrame,
    asked: Sequence[Mapping[str, Any]],
    now: Campaigns,
    approved: Mapping[str, float],
    context: Context,
) -> tuple[Ints, Floats, Bools]:
    """Per plan row its campaign's place in `asked`, its lasting bid, and whether that was approved."""
    bids = lasting_bids(plan, asked, now, context)
    given = plan["entity_key"].astype(str).map(approved).to_numpy(dtype=np.float64)
    return places(plan, asked), bids, np.isclose(given, bids, rtol=0, atol=1e-6)
