"""Does what a plan promises come true? Frontiers of small markets against the markets' own truth.

`python -m simulations.bench_plans [--seeds N] [--seed S] [--json]`

Per seed a market of 240 keywords, 45 days of bids set by hand and the review of the next morning. For
budgets around today's spend the plan's bids are set at once and the market says what the seven days
after it are expected to cost and earn. Printed per budget: how often cost and profit lie in their 80 %
bands, and their means over what was forecast.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from optimizer.planning.choices import plan_choices, seen_bids
from optimizer.planning.frontier import Limits, Solved, frontier, solve_plan
from optimizer.planning.market import Market
from optimizer.planning.market.auction import outcome
from optimizer.review.daily import review_account
from simulations.promised_markets import (
    AHEAD,
    OFF,
    TODAY,
    market_inputs,
    market_log,
    market_settings,
)

SHARES = (0.7, 0.85, 1.0, 1.15, 1.3, 1.5)
DRAWS = 200


def expected_day(market: Market, bids: np.ndarray) -> dict[str, float]:
    """Expected cost and profit per day of the week from TODAY."""
    effective, campaign = market.bids_in_force(bids), market.keyword_campaign
    weather, worth = market.weather, market.truth["value_per_click"].to_numpy()
    worth = worth * market.settings.orders.margin
    cost = profit = 0.0
    first = market.day_number(TODAY)
    for number in range(first, first + AHEAD):
        met = outcome(market.auctions, effective, weather.rivals[campaign, number])
        clicks = market.auctions.volume * weather.volume[campaign, number] * met.share * met.ctr
        wanted = np.bincount(campaign, clicks * met.cpc, len(market.campaign_names))
        served = np.minimum(1.0, market.campaign_budgets / np.maximum(wanted, 1e-9))[campaign]
        cost += float((served * clicks * met.cpc).sum())
        profit += float((served * clicks * (worth * weather.cvr[number] - met.cpc)).sum())
    return {"cost": cost / AHEAD, "profit": profit / AHEAD}


def planned_market(seed: int) -> pd.DataFrame:
    """One row per point: its forecast, and what the market says (`true_cost`, `true_profit`)."""
    log = market_log(seed)
    inputs, settings = market_inputs(log), market_settings()
    result = review_account(inputs, settings, TODAY, np.random.default_rng(seed))
    plan, context = result.frames["plan"], result.context
    choices = plan_choices(plan, context, (), ())
    seen = seen_bids(plan, inputs.bid_changes, float(context["rules"]["step_limit"]))
    now = result.summary.cost_now

    def solved(share: float) -> Solved:
        return solve_plan(plan, context, choices, Limits(share * now), spend_all=True)

    told = frontier(
        plan,
        context,
        choices,
        [share * now for share in SHARES],
        Limits(now),
        solved(1.0),
        seen,
        (0.0, np.inf),
        draws=DRAWS,
        seed=seed,
    )
    points = told[told["point"].ne("proposed")].reset_index(drop=True)
    place = plan["entity_key"].to_numpy(dtype=np.int64) - 1
    free = replace(log.market, campaign_budgets=np.full_like(log.market.campaign_budgets, np.inf))
    rows = []
    for row in points.to_dict("records"):
        bids = log.bids[-1].copy()
        if row["point"] == "frontier":
            asked = solved(row["budget"] / now).bids
            bids[place[choices.movable]] = np.where(asked > 0, asked, OFF)[choices.movable]
        came = expected_day(log.market if row["point"] == "now" else free, bids)
        share = 0.0 if row["point"] == "now" else round(row["budget"] / now, 2)
        rows.append({**row, "share": share, **{f"true_{name}": x for name, x in came.items()}})
    return pd.DataFrame(rows).assign(seed=seed)


def summarised(rows: pd.DataFrame) -> dict[str, Any]:
    """Per budget share (now: today's bids): coverage, and forecast over truth, of cost and profit."""
    found = {}
    for share, part in rows.groupby("share"):
        told: dict[str, Any] = {"points": len(part), "beyond_bids": part["beyond_bids"].mean()}
        for name in ("cost", "profit"):
            inside = part[f"true_{name}"].between(part[f"{name}_low"], part[f"{name}_high"])
            told[f"{name}_inside"] = float(inside.mean())
            told[f"{name}_over_true"] = float(part[name].sum() / part[f"true_{name}"].sum())
        found["now" if share == 0 else f"{share:.2f}"] = told
    return found


def main() -> None:
    """Run, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    seeds = range(asked.seed, asked.seed + asked.seeds)
    found = summarised(pd.concat([planned_market(seed) for seed in seeds], ignore_index=True))
    if asked.json:
        print(json.dumps({"seeds": asked.seeds, "seed": asked.seed, "points": found}))
    else:
        print(pd.DataFrame(found).T.round(3).to_string())


if __name__ == "__main__":
    main()
