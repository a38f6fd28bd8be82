"""What budgets that a platform enforces leave unspent: a bad day spends less, a good day stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from optimizer.decisions.budgets import DaySpread, enforced_spend
from optimizer.decisions.outcomes import Outcome
from optimizer.estimates.posteriors import Floats, Ints, group_sum
from optimizer.review.budget_tree import CAMPAIGN_AT, Node, parents, part_planned
from optimizer.review.plan import bought_share
from optimizer.settings import BudgetRule

_ENFORCED = ("campaign", "shared_budget")


def day_rules(spread: DaySpread, rule: BudgetRule | None) -> dict[str, Any]:
    """JSON values of how days differ and how far the platform may pass a budget."""
    peak, month = (rule.peak, rule.month) if rule else (1.0, 1.0)
    days = {"sd": spread.sd, "autocorrelation": spread.autocorrelation, "days": spread.days}
    return {**days, "peak": peak, "month": month}


def budget_outlook(
    plan: pd.DataFrame,
    campaign: Ints,
    outcome: Outcome,
    budget: float,
    context: Mapping[str, Any],
) -> dict[str, Any]:
    """What the plan will really cost per day, with enforced budgets in its way.

    `campaign` is the campaign number of each row of `outcome`. `unspent` of the account's `budget`;
    `kept` is what the plan left of it for busy days; `cut` is the planned cost, and `lost` the planned
    profit, that budgets are expected to stop. Empty for a run that was stored without its spread of days.
    """
    nodes, days = context["budgets"], context.get("days")
    if days is None:
        return {}
    size = sum(node["scope"] == "campaign" for node in nodes)
    number = plan["campaign"].to_numpy(dtype=np.int64)
    clicks, price, worth = plan[["clicks", "cpc", "value_mean"]].to_numpy(dtype=np.float64).T
    clicks = clicks * bought_share(plan)
    now = clicks * price
    before = group_sum(number, now, size)
    reserved = np.array(context["reserved"])[CAMPAIGN_AT : CAMPAIGN_AT + size]
    cost = before + group_sum(campaign, outcome.cost, size) + reserved
    profit = group_sum(number, clicks * worth - now, size)
    profit += group_sum(campaign, outcome.profit, size)
    paid = group_sum(number, now * price, size)
    cpc = np.divide(paid, before, out=np.zeros(size), where=before > 0)
    spent = _through_budgets(nodes, np.maximum(cost, 0.0), cpc, days)
    kept = np.divide(spent, cost, out=np.ones(size), where=cost > 0)
    unplanned = budget * (1.0 - part_planned(nodes[0]))
    return {
        "kept": min(unplanned, max(budget - float(cost.sum()), 0.0)),
        "unspent": max(budget - float(spent.sum()), 0.0),
        "cut": float((np.maximum(cost, 0.0) - spent).sum()),
        "lost": float(((1 - kept) * profit).sum()),
        "enforced": any(node["scope"] in _ENFORCED and node["budget"] for node in nodes),
        "peak": days["peak"],
        "month": days["month"],
    }


def _through_budgets(
    nodes: Sequence[Node], cost: Floats, cpc: Floats, days: Mapping[str, Any]
) -> Floats:
    """Expected cost per campaign behind its own budget, then behind the one it shares."""
    spread = DaySpread(days["sd"], days["autocorrelation"], days["days"])
    rule = (spread, days["peak"], days["month"])
    told = [node["budget"] if node["scope"] in _ENFORCED else None for node in nodes]
    limit = np.array([np.inf if one is None else one for one in told])
    own = slice(CAMPAIGN_AT, CAMPAIGN_AT + len(cost))
    spent = enforced_spend(cost, cpc, limit[own], *rule)
    above = parents(nodes)[own]
    together = group_sum(above, spent, len(nodes))
    some = together > 0
    price = np.divide(
        group_sum(above, spent * cpc, len(nodes)), together, out=np.zeros(len(nodes)), where=some
    )
    whole = enforced_spend(together, price, limit, *rule)
    result: Floats = spent * np.divide(whole, together, out=np.ones(len(nodes)), where=some)[above]
    return result
