"""Does an approved subset fit the budgets by itself?

A plan balances raises against lowers. An operator may approve only some of it, so every approval and
every export is judged with the bids nobody approved left as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from optimizer.review.budget_tree import moved_by_node

TOLERANCE = 0.01
"""Rounding of sums that is not called an excess, in account currency per day."""


@dataclass(frozen=True)
class Excess:
    """A budget the approved changes would pass; amounts per day in account currency.

    `excess` is what `projected` exceeds the budget by, or today's cost where that is higher already.
    """

    scope: str
    name: str
    budget: float
    cost_now: float
    projected: float
    excess: float


def budget_excess(
    budgets: Sequence[Mapping[str, Any]], changes: pd.DataFrame
) -> tuple[Excess, ...]:
    """The nodes of `budgets` that `changes` would break.

    `budgets` are the nodes of `review.budget_tree`; `changes` has `node` (position among them, -1: no
    longer known) and `delta_cost`, which counts for the node and all above it. A node that is over
    budget today may stay there, but approvals must not raise it.
    """
    budgets = _raised(budgets, changes)
    node = changes["node"].to_numpy(dtype=np.int64)
    deltas = moved_by_node(budgets, node, changes["delta_cost"].to_numpy(dtype=np.float64))
    judged = [_judge(node, delta) for node, delta in zip(budgets, deltas, strict=True)]
    return tuple(found for found in judged if found is not None and found.excess > TOLERANCE)


def _raised(budgets: Sequence[Mapping[str, Any]], changes: pd.DataFrame) -> list[Mapping[str, Any]]:
    """`budgets` with the campaign budgets that are themselves among the changes."""
    nodes = list(budgets)
    if "kind" not in changes.columns:
        return nodes
    set_to = changes[changes["kind"].eq("set_budget") & changes["node"].ge(0)]
    for at, value in zip(set_to["node"], set_to["approved_bid"], strict=True):
        nodes[at] = {**nodes[at], "budget": float(value)}
    return nodes


def _judge(node: Mapping[str, Any], delta: float) -> Excess | None:
    if node["budget"] is None:
        return None
    budget, cost_now = float(node["budget"]), float(node["cost_now"])
    projected = cost_now + delta
    over = projected - max(budget, cost_now)
    return Excess(str(node["scope"]), str(node["name"]), budget, cost_now, projected, over)


def spend_at_risk(changes: pd.DataFrame) -> float:
    """Spend per day that `changes` add where they add any: the sum of positive Δcost."""
    return float(changes["delta_cost"].clip(lower=0).sum())
