"""What a bid test adds to spend, keyword by keyword, so that each budget is asked for its own part."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimizer.decisions import ramps
from optimizer.estimates.posteriors import Bools, Floats, Ints, group_sum
from optimizer.review.experiments import looks_at
from optimizer.review.plan import response_of


def added_spend(plan: pd.DataFrame, members: pd.DataFrame, steps: pd.DataFrame) -> Floats:
    """Δcost per day of each row of `members` (table EXPERIMENT_MEMBERS), averaged over the test's weeks.

    `plan` may be that of a later review than the test's; a keyword it no longer has is left out of
    every step and adds nothing. Known by its own response where clicks are, for a starved keyword
    by what the first page should bring.
    """
    place = pd.Index(plan["entity_key"].astype(str)).get_indexer(pd.Index(members["entity_key"]))
    bids = _weekly(members, steps)
    result = np.zeros(len(members))
    known = place >= 0
    for arm, spend in (("dither", _dithered), ("ramp", _ramped)):
        picked = known & members["arm"].eq(arm).to_numpy()
        if picked.any():
            result[picked] = spend(plan, place, bids, picked)
    return result


def held_spend(plan: pd.DataFrame, holds: pd.DataFrame) -> Floats:
    """Δcost per day and campaign number of the bids that tests hold (table HOLDS) in place of present ones.

    By each keyword's own response: a starved one has no clicks and counts nothing.
    """
    tested = holds[holds["kind"].eq("experiment") & holds["value"].notna()]
    size = int(plan["campaign"].max()) + 1 if len(plan) else 0
    if tested.empty:
        return np.zeros(size)
    bids = plan["entity_key"].astype(str).map(tested.set_index("entity_key")["value"])
    part = plan[bids.notna()]
    response = response_of(part)
    cost = response.expected_cost(bids.dropna().to_numpy(dtype=np.float64)[:, None])[:, 0]
    number = part["campaign"].to_numpy(dtype=np.int64)
    return group_sum(number, cost - response.clicks * response.cpc, size)


def _weekly(members: pd.DataFrame, steps: pd.DataFrame) -> Floats:
    """Bids, shape (members, weeks), without the step that hands back."""
    table = steps.pivot_table(index="entity_key", columns="week", values="bid").sort_index(axis=1)
    bids: Floats = table.reindex(members["entity_key"]).to_numpy(dtype=np.float64)[:, :-1]
    return bids


def _dithered(plan: pd.DataFrame, place: Ints, bids: Floats, picked: Bools) -> Floats:
    response = response_of(plan.iloc[place[picked]])
    now = response.expected_cost(response.bid[:, None])[:, 0]
    result: Floats = response.expected_cost(bids[picked]).mean(axis=1) - now
    return result


def _ramped(plan: pd.DataFrame, place: Ints, bids: Floats, picked: Bools) -> Floats:
    part, way = plan.iloc[place[picked]], bids[picked]
    bid = part["bid"].to_numpy(dtype=np.float64)
    first_page = part["first_page_bid"].to_numpy(dtype=np.float64, na_value=np.nan)
    highest = part["highest_bid"].to_numpy(dtype=np.float64)
    target = np.fmax(way[:, -1], np.minimum(first_page, highest))
    looks = ramps.climbing(looks_at(part, bid, target, np.ones(len(part)), plan), way)
    result: Floats = looks.clicks * looks.cpc
    return result
