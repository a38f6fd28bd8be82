"""Allocation problems shared by the tests, and their linear optimum by HiGHS."""

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from optimizer.decisions.allocation import (
    Allocation,
    BudgetTree,
    Gates,
    Options,
    SideCaps,
    Target,
    allocate,
    ungated,
)


@dataclass(frozen=True)
class Problem:
    options: Options
    node: np.ndarray
    tree: BudgetTree
    gates: Gates
    base: float = 1.0
    targets: tuple[Target, ...] = ()
    sides: SideCaps | None = None
    extras: dict = field(default_factory=dict)

    def solve(self, **more) -> Allocation:
        told = {"base": self.base, "targets": self.targets, "sides": self.sides, **more}
        return allocate(self.options, self.node, self.tree, self.gates, **told)

    def under(self, node: int) -> np.ndarray:
        """Which keywords hang in the subtree of `node`."""
        at, found = self.node.copy(), np.zeros(len(self.node), dtype=bool)
        while (at >= 0).any():
            found |= at == node
            at = np.where(at >= 0, self.tree.parent[at], -1)
        return found

    def spent(self, level: np.ndarray) -> np.ndarray:
        cost = self.options.cost[np.arange(len(level)), level]
        return np.array([cost[self.under(n)].sum() for n in range(len(self.tree.parent))])

    def gained(self, level: np.ndarray) -> np.ndarray:
        return self.options.value[np.arange(len(level)), level]


def options(cost: list[list[float]], value: list[list[float]], hold: int) -> Options:
    shape = np.array(cost, dtype=float)
    held = np.full(len(shape), hold, dtype=np.int64)
    return Options(shape, np.array(value, dtype=float), np.ones(shape.shape, dtype=bool), held)


def free(cost: list[list[float]], value: list[list[float]]) -> tuple[Options, Gates]:
    """Keywords that may take every level."""
    return ungated(options(cost, value, 0))


def logistic_curves(
    rng: np.random.Generator, keywords: int, levels: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cost and value per level: logistic clicks in the bid; level 0 is off."""
    volume, middle = np.exp(rng.normal(1, 1.6, keywords)), np.exp(rng.normal(0, 0.5, keywords))
    steep, worth = rng.uniform(1.2, 4, (keywords, 1)), np.exp(rng.normal(-0.1, 0.8, (keywords, 1)))
    bids = middle[:, None] * np.geomspace(0.2, 4, levels - 1)
    clicks = volume[:, None] / (1 + (middle[:, None] / bids) ** steep)
    price = bids * (1 - 0.35 * clicks / volume[:, None]) * rng.uniform(0.75, 0.95, (keywords, 1))
    cost = np.pad(np.maximum.accumulate(clicks * price, axis=1), ((0, 0), (1, 0)))
    return cost, np.pad(clicks * worth, ((0, 0), (1, 0)))


def nested(rng: np.random.Generator, keywords: int, levels: int, *, locks: bool = True) -> Problem:
    """A tree of random depth with caps and floors that bind, some keywords locked to some levels."""
    cost, value = logistic_curves(rng, keywords, levels)
    nodes = int(rng.integers(1, 9))
    parent = np.array([-1, *(int(rng.integers(0, n)) for n in range(1, nodes))])
    allowed = np.ones(cost.shape, dtype=bool)
    if locks:
        allowed = rng.random(cost.shape) < rng.choice([0.3, 1.0], (keywords, 1))
        allowed[np.arange(keywords), rng.integers(0, levels, keywords)] = True
    node = rng.integers(0, nodes, keywords)
    hold = np.array([np.flatnonzero(row)[-1] for row in allowed])
    gates = Gates(np.full(keywords, -np.inf), np.full(keywords, -np.inf))
    problem = Problem(
        Options(cost, value, allowed, hold),
        node,
        BudgetTree(parent, np.zeros(nodes), np.zeros(nodes)),
        gates,
    )
    return Problem(problem.options, node, _budgets(problem, rng), gates)


def _budgets(problem: Problem, rng: np.random.Generator) -> BudgetTree:
    """Caps between the least and the wanted spend, floors on a third of the nodes; always feasible."""
    cost, parent = problem.options.cost, problem.tree.parent
    low = np.where(problem.options.allowed, cost, np.inf).min(axis=1)
    high = np.where(problem.options.allowed, cost, -np.inf).max(axis=1)
    nodes = len(parent)
    cap, floor, least, most = (
        np.full(nodes, np.inf),
        np.zeros(nodes),
        np.zeros(nodes),
        np.zeros(nodes),
    )
    for n in range(nodes - 1, -1, -1):
        least[n] += low[problem.node == n].sum()
        most[n] += high[problem.node == n].sum()
        if rng.random() < 0.6:
            cap[n] = least[n] + rng.uniform(0.05, 0.7) * (most[n] - least[n])
            most[n] = cap[n]
        if rng.random() < 0.3:
            floor[n] = least[n] + rng.uniform(0.1, 0.95) * (most[n] - least[n])
            least[n] = floor[n]
        if n:
            least[parent[n]] += least[n]
            most[parent[n]] += most[n]
    return BudgetTree(parent, cap, floor)


def linear_optimum(problem: Problem) -> float | None:
    """The best mixture of allowed levels, by HiGHS; None where there is none."""
    where = np.nonzero(problem.options.allowed)
    cost, value = problem.options.cost[where], problem.options.value[where]
    count, keyword = len(cost), where[0]
    rows, limits = [], []
    for n in range(len(problem.tree.parent)):
        spend = np.where(problem.under(n)[keyword], cost, 0.0)
        if np.isfinite(problem.tree.cap[n]):
            rows.append(spend)
            limits.append(problem.tree.cap[n])
        if problem.tree.floor[n] > 0:
            rows.append(-spend)
            limits.append(-problem.tree.floor[n])
        for one in problem.targets:
            if one.least[n] > 0:
                inside = problem.under(n)[keyword]
                rows.append(np.where(inside, one.least[n] * cost - one.per[keyword] * value, 0.0))
                limits.append(one.brought[n] - one.least[n] * one.spent[n])
    if problem.sides is not None:
        for group, limit in enumerate(problem.sides.limit):
            member = problem.sides.group[keyword] == group
            rows.append(np.where(member, problem.sides.per[keyword] * value, 0.0))
            limits.append(limit)
    one_each = sparse.csr_matrix((np.ones(count), (keyword, np.arange(count))))
    found = linprog(
        -(value - problem.base * cost),
        A_ub=np.array(rows) if rows else None,
        b_ub=np.array(limits) if rows else None,
        A_eq=one_each,
        b_eq=np.ones(one_each.shape[0]),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    return None if found.x is None else -float(found.fun)
