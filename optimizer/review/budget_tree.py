"""The account's budgets and targets as one tree: from settings, through the run's context, to the solve.

In the context a node is a mapping: `scope` (account, campaign, shared_budget, ad_group), `name`,
`parent` (position in the list, None for the account), `budget` and `floor` per day (None, 0: none),
`cost_now`; the account's may have `planned_share`, the share of its budget that an average day should cost. The
account comes first, then the campaigns by number, shared budgets, ad groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from optimizer.decisions.allocation import BASE, Allocation, BudgetTree, Target
from optimizer.decisions.budgets import DaySpread, day_spread, period_plan
from optimizer.errors import BadSettings, Infeasible
from optimizer.estimates.exposure import day_number
from optimizer.estimates.posteriors import Bools, Floats, Ints, group_sum
from optimizer.settings import Account, PeriodBudget

Node = Mapping[str, Any]
CAMPAIGN_AT = 1
"""Position of campaign 0 in the list of nodes."""

_SPREAD_DAYS = 28


def budget_nodes(
    account_name: str,
    account_budget: float,
    account: Account,
    campaigns: Sequence[str],
    caps: Floats,
    keywords: pd.DataFrame,
    campaign: Ints,
    cost: Floats,
) -> tuple[list[dict[str, Any]], Ints, list[str]]:
    """Nodes, each keyword's node, and the stated names that nothing in the account bears.

    `caps` per campaign (nan: none), `campaign` and `cost` per day of each keyword. A campaign budget
    that only the platform reports never asks for less than is spent now.
    """
    spent = group_sum(campaign, cost, len(campaigns))
    nodes = [_node("account", account_name, None, account_budget, 0.0, float(cost.sum()))]
    for name, cap, now in zip(campaigns, caps, spent, strict=True):
        stated = name in account.campaign_budgets
        kept = None if np.isnan(cap) else float(cap if stated else max(cap, now))
        floor = float(account.campaign_floors.get(name, 0.0))
        nodes.append(_node("campaign", name, 0, kept, floor, float(now)))
    number = {name: at + CAMPAIGN_AT for at, name in enumerate(campaigns)}
    unknown = [name for name in account.campaign_floors if name not in number]
    unknown += _add_shared(nodes, account, number)
    node, missing = _add_ad_groups(nodes, account, number, keywords, campaign + CAMPAIGN_AT, cost)
    return nodes, node, unknown + missing


def _node(
    scope: str, name: str, parent: int | None, budget: float | None, floor: float, cost_now: float
) -> dict[str, Any]:
    return {
        "scope": scope,
        "name": name,
        "parent": parent,
        "budget": budget,
        "floor": floor,
        "cost_now": cost_now,
    }


def _add_shared(
    nodes: list[dict[str, Any]], account: Account, number: Mapping[str, int]
) -> list[str]:
    """Shared budgets as parents of their campaigns. Raises `BadSettings` where two share one."""
    missing = []
    for shared in account.shared_budgets:
        members = [number[name] for name in shared.campaigns if name in number]
        missing += [name for name in shared.campaigns if name not in number]
        taken = [nodes[at]["name"] for at in members if nodes[at]["parent"] != 0]
        if taken:
            raise BadSettings("shared_budgets_overlap", name=shared.name, campaign=taken[0])
        now = sum(nodes[at]["cost_now"] for at in members)
        for at in members:
            nodes[at]["parent"] = len(nodes)
        nodes.append(_node("shared_budget", shared.name, 0, shared.cap, shared.floor, now))
    return missing


def _add_ad_groups(
    nodes: list[dict[str, Any]],
    account: Account,
    number: Mapping[str, int],
    keywords: pd.DataFrame,
    node: Ints,
    cost: Floats,
) -> tuple[Ints, list[str]]:
    node, missing = node.copy(), []
    for stated in account.ad_group_budgets:
        named = keywords["ad_group_name"].eq(stated.ad_group)
        inside = (named & keywords["campaign_name"].eq(stated.campaign)).to_numpy(dtype=bool)
        if stated.campaign not in number or not inside.any():
            missing.append(f"{stated.campaign} / {stated.ad_group}")
            continue
        parent, now = number[stated.campaign], float(cost[inside].sum())
        node[inside] = len(nodes)
        nodes.append(_node("ad_group", stated.ad_group, parent, stated.cap, stated.floor, now))
    return node, missing


def stated_targets(account: Account, campaigns: Sequence[str]) -> list[dict[str, Any]]:
    """Targets as mappings with `node`, `kind` (roas or cpa) and the value `asked`."""
    named = [(0, account.target)]
    named += [
        (campaigns.index(name) + CAMPAIGN_AT, target)
        for name, target in account.campaign_targets.items()
        if name in campaigns
    ]
    return [
        {"node": node, "kind": kind, "asked": float(asked)}
        for node, target in named
        for kind, asked in (("roas", target.roas), ("cpa", target.cpa))
        if asked is not None
    ]


def parents(nodes: Sequence[Node]) -> Ints:
    """Position of each node's parent; -1 for the account."""
    return np.array(
        [-1 if at == 0 else int(node.get("parent") or 0) for at, node in enumerate(nodes)]
    )


def part_planned(node: Node) -> float:
    """Share of the node's budget that may be planned."""
    return float(node.get("planned_share", 1.0))


def summed_up(nodes: Sequence[Node], amount: Floats) -> Floats:
    """Each node's own `amount` and that of all below it."""
    parent, total = parents(nodes), np.array(amount, dtype=np.float64)
    for at in _parents_first(parent)[::-1]:
        if at:
            total[parent[at]] += total[at]
    return total


def _parents_first(parent: Ints) -> Ints:
    depth, at = np.zeros(len(parent), dtype=np.int64), parent.copy()
    while (at >= 0).any():
        depth += at >= 0
        at = np.where(at >= 0, parent[at], -1)
    return np.argsort(depth, kind="stable")


@dataclass(frozen=True)
class Money:
    """What free keywords may spend, in the solver's numbering: node i is context node `order[i]`.

    `rank` is the inverse of `order`; `used` per context node is what everything else spends.
    """

    tree: BudgetTree
    order: Ints
    rank: Ints
    used: Floats


def money_left(nodes: Sequence[Node], used: Floats) -> Money:
    """Caps and floors less what is spent whatever the free keywords do (`used`, each node's own)."""
    total = summed_up(nodes, used)
    parent = parents(nodes)
    order = _parents_first(parent)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    caps = np.array(
        [
            np.inf if node["budget"] is None else node["budget"] * part_planned(node)
            for node in nodes
        ]
    )
    floors = np.array([float(node.get("floor") or 0.0) for node in nodes])
    above = np.where(parent[order] >= 0, rank[parent[order]], -1)
    # Negatives make `total` negative: without a stated floor nothing has to be spent in their place.
    least = np.where(floors > 0, np.maximum(floors - total, 0.0), 0.0)
    tree = BudgetTree(above, (caps - total)[order], least[order])
    return Money(tree, order, rank, total)


def solver_targets(
    targets: Sequence[Mapping[str, Any]],
    money: Money,
    counted: Mapping[str, Floats],
    others: Mapping[str, Floats],
) -> tuple[Target, ...]:
    """Targets of one kind together. `counted[kind]` per free keyword: what counts per objective value.

    `others[kind]` per context node: what everything else contributes, its cost in `money.used`.
    """
    result = []
    for kind in sorted({one["kind"] for one in targets}):
        least = np.zeros(len(money.order))
        for one in targets:
            if one["kind"] == kind:
                asked = one["asked"] if kind == "roas" else 1.0 / one["asked"]
                least[money.rank[one["node"]]] = asked
        brought, spent = others[kind][money.order], money.used[money.order]
        result.append(Target(counted[kind], least, brought, spent))
    return tuple(result)


def explained(
    error: Infeasible, nodes: Sequence[Node], targets: Sequence[Mapping[str, Any]], money: Money
) -> Infeasible:
    """The same refusal in the operator's terms: the node's name, what was stated, what can be met."""
    at = int(money.order[error.fields["node"]])
    node, name = nodes[at], nodes[at]["name"]
    if error.code == "cap_unreachable":
        nearest = error.fields["nearest"] + float(money.used[at])
        return Infeasible(
            f"{node['scope']}_budget_unreachable",
            name=name,
            budget=node["budget"],
            nearest=nearest,
        )
    if error.code == "floor_unreachable":
        nearest = error.fields["nearest"] + float(money.used[at])
        return Infeasible("floor_unreachable", name=name, floor=node["floor"], nearest=nearest)
    if error.code != "target_unreachable" or error.fields["nearest"] <= 0:
        return Infeasible("targets_conflict", name=name)
    kind = sorted({one["kind"] for one in targets})[error.fields["target"]]
    asked, nearest = error.fields["asked"], error.fields["nearest"]
    if kind == "cpa":
        asked, nearest = 1.0 / asked, 1.0 / nearest
    return Infeasible(f"{kind}_unreachable", name=name, target=asked, nearest=nearest)


def binding_codes(
    found: Allocation, nodes: Sequence[Node], kinds: Sequence[str], money: Money
) -> Any:
    """Per context node what sets its line: a budget's scope, floor, target_roas, target_cpa or line."""
    codes = []
    for at in range(len(nodes)):
        own = money.rank[at]
        what, setter = int(found.binding[own]), int(found.setter[own])
        if what == BASE or setter < 0:
            codes.append("line")
        elif what >= 2:
            codes.append(f"target_{kinds[what - 2]}")
        else:
            scope = nodes[int(money.order[setter])]["scope"]
            codes.append("floor" if what else _SCOPE_CODES[scope])
    return np.array(codes, dtype=object)


_SCOPE_CODES = {
    "account": "account_budget",
    "campaign": "campaign_budget",
    "shared_budget": "shared_budget",
    "ad_group": "ad_group_budget",
}


def moved_by_node(nodes: Sequence[Node], node: Ints, cost: Floats) -> Floats:
    """Δcost per context node, its descendants' included; rows of an unknown node (-1) are the account's."""
    known: Bools = (node >= 0) & (node < len(nodes))
    return summed_up(nodes, group_sum(np.where(known, node, 0), cost, len(nodes)))


@dataclass(frozen=True)
class Funds:
    """The account's money: `nodes` of the context, each keyword's `node`, and where it comes from.

    `spread` says how its days differ. `assumed`: nobody stated the account's budget. `alerts` name
    what was stated of nothing we know, and the period's plan.
    """

    nodes: list[dict[str, Any]]
    node: Ints
    spread: DaySpread
    assumed: bool
    alerts: list[dict[str, Any]]


def recent_spread(first: Ints, last: Ints, cost: Floats, cpc: float) -> DaySpread:
    """How the account's last 28 days differ; records of several days do not tell."""
    single = first == last
    day = last[single]
    if not len(day):
        return day_spread(np.zeros(0), cpc)
    ago = day.max() - day
    lately = ago < _SPREAD_DAYS
    recent = group_sum(_SPREAD_DAYS - 1 - ago[lately], cost[single][lately], _SPREAD_DAYS)
    return day_spread(recent, cpc)


def period_pace(
    period: PeriodBudget,
    first: Ints,
    last: Ints,
    cost: Floats,
    cpc: float,
    today: int,
    spread: DaySpread,
    chance: float,
) -> dict[str, Any] | None:
    """What may be spent per day of a running period, as an alert; None outside of it.

    `first` and `last` day and `cost` of each record; days as day numbers. A record that began before
    the period counts with its share of days; a day that no report shows yet is still to be paid for.
    Raises `Infeasible` when the period's money is spent.
    """
    begins, ends = (day_number(day) for day in (period.first, period.last))
    if not begins <= today <= ends:
        return None
    inside = np.maximum(last - np.maximum(first, begins) + 1, 0) / (last - first + 1)
    spent = float((cost * inside).sum())
    if spent >= period.amount:
        raise Infeasible(
            "period_budget_spent",
            first=period.first.isoformat(),
            last=period.last.isoformat(),
            budget=period.amount,
            spent=spent,
        )
    days = ends - max(int(last.max(initial=begins - 1)) + 1, begins) + 1
    per_day = period_plan(period.amount - spent, days, cpc, spread, chance)
    return {
        "code": "period_budget",
        "spent": round(spent, 2),
        "left": round(period.amount - spent, 2),
        "days": days,
        "per_day": round(per_day, 6),
    }
