"""Prices of targets with their own numerator and of caps that cross the tree.

The Lagrangian of these constraints is convex and piecewise linear in their prices, and the tree
below each price is solved exactly. Each evaluation gives one cutting plane per block (a subtree
without such a constraint above it); the smallest point of all planes is the next trial (Kelley 1960).
The planes' linear program is the dual of Dantzig and Wolfe's (1960) master problem, so its value is
the objective of a feasible plan with steps in part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from optimizer.decisions import kernels_rounding
from optimizer.decisions.allocation.one_price import Tangent, lowest_point
from optimizer.decisions.allocation.problem import BASE, BudgetTree, SideCaps
from optimizer.decisions.allocation.steps import Steps
from optimizer.decisions.allocation.tree import Rules, Settled, settle
from optimizer.errors import Infeasible
from optimizer.estimates.posteriors import Floats, Ints, group_sum

_ROUNDS = 200
_TOLERANCE = 1e-9
_UNMET = 1e-4


@dataclass(frozen=True)
class Prices:
    """Per keyword (tree order) it maximises scale·value - price·cost; `duals` is Σ duals · limits.

    `settled` is the plan at these prices; `side` the price per group; `fractional` the best objective
    with steps in part.
    """

    settled: Settled
    scale: Floats
    price: Floats
    duals: float
    node_line: Floats
    side: Floats
    fractional: float

    @classmethod
    def plain(cls, settled: Settled, steps: Steps, base: float) -> Prices:
        """Prices where the tree alone decides."""
        return cls(
            settled,
            settled.scale[steps.node],
            settled.price[steps.node],
            settled.duals,
            settled.line,
            np.zeros(0),
            float((settled.value - base * settled.cost).sum()),
        )


@dataclass(frozen=True)
class _Coordinates:
    """What has a price: caps and floors above blocks, targets, side groups; in this order.

    `limit` is each one's right-hand side in the Lagrangian, `box` the highest price tried. `block`
    numbers keywords; `reach` (coordinates, nodes) is 1 where a node's keywords feel it.
    """

    caps: Ints
    floors: Ints
    targets: Ints
    target_nodes: Ints
    limit: Floats
    box: Floats
    block: Ints
    blocks: int
    inner: BudgetTree


def find_prices(
    steps: Steps, tree: BudgetTree, rules: Rules, sides: SideCaps, base: float
) -> Prices:
    """Prices of lowest Lagrangian. Raises `Infeasible` where no plan keeps all constraints."""
    at = _coordinates(steps, tree, rules, sides)
    if len(at.limit) == 1:
        found = _one_price(steps, at, rules, sides, base)
    else:
        none = rules.none()
        settle(steps, tree, none, none.least, base)
        _check_reach(steps, at, rules, sides)
        found = _many_prices(steps, at, rules, sides, base)
    if found.unmet > _UNMET * max(abs(found.height), 1e-9):
        _check_reach(steps, at, rules, sides)
        raise Infeasible("targets_conflict", node=0)
    return _prices(steps, at, found.response, found.trial, found.lower)


@dataclass(frozen=True)
class _Response:
    """The best plan at some prices, and each keyword's scale and price from outside its block."""

    settled: Settled
    scale: Floats
    price: Floats


@dataclass(frozen=True)
class _Found:
    """Prices of lowest Lagrangian `height`, the plan there, and how low it may be anywhere.

    `unmet` is what constraints that cannot be met would gain by a wider box.
    """

    trial: Floats
    response: _Response
    height: float
    lower: float
    unmet: float


def _one_price(
    steps: Steps, at: _Coordinates, rules: Rules, sides: SideCaps, base: float
) -> _Found:
    """One price by tangents: no linear program, and few plans."""
    plans: dict[float, _Response] = {}

    def tangent_at(price: float) -> Tangent:
        trial = np.array([price])
        plans[price] = _respond(steps, at, rules, sides, trial, base)
        plane = _planes(steps, at, rules, sides, plans[price].settled, base)
        slope = float(at.limit[0] - plane.slope.sum())
        return Tangent(price, float(plane.height.sum()) + slope * price, slope)

    lowest = lowest_point(tangent_at, _guess(steps, at, rules, sides), float(at.box[0]), _TOLERANCE)
    return _Found(
        np.array([lowest.at]), plans[lowest.at], lowest.height, lowest.lower, lowest.unmet
    )


def _guess(steps: Steps, at: _Coordinates, rules: Rules, sides: SideCaps) -> float:
    """A price at which the constraint weighs a twentieth of the objective."""
    counted = rules.per[at.targets[0]] if len(at.targets) else sides.per[sides.per > 0]
    return 0.05 / max(float(counted.mean()), 1e-12) if len(counted) else 1.0


def _many_prices(
    steps: Steps, at: _Coordinates, rules: Rules, sides: SideCaps, base: float
) -> _Found:
    trial = np.zeros(len(at.limit))
    planes: list[_Planes] = []
    best, best_trial, lower, unmet = np.inf, trial, -np.inf, 0.0
    for _ in range(_ROUNDS):
        response = _respond(steps, at, rules, sides, trial, base)
        found = _planes(steps, at, rules, sides, response.settled, base)
        planes.append(found)
        height = float((found.height - found.slope @ trial).sum() + at.limit @ trial)
        if height < best:
            best, best_trial, kept = height, trial, response
        trial, lower, unmet = _lowest(planes, at)
        if best - lower <= _TOLERANCE * max(abs(best), 1e-9):
            break
    return _Found(best_trial, kept, best, lower, unmet)


@dataclass(frozen=True)
class _Planes:
    """One plane per block: Lagrangian of a block ≥ height - slope @ prices."""

    height: Floats
    slope: sparse.csr_matrix


def _coordinates(steps: Steps, tree: BudgetTree, rules: Rules, sides: SideCaps) -> _Coordinates:
    nodes = len(tree.parent)
    asked = np.asarray((rules.least > 0).any(axis=0))
    above = np.zeros(nodes)
    above[tree.parent[1:][asked[1:]]] = 1.0
    for n in range(nodes - 1, 0, -1):
        above[tree.parent[n]] = max(above[tree.parent[n]], above[n])
    above[0] = max(above[0], float(len(sides.limit) > 0))
    outer = above > 0
    block = np.arange(nodes)
    for n in range(1, nodes):
        if not outer[n] and not outer[tree.parent[n]]:
            block[n] = block[tree.parent[n]]
    used, of_keyword = np.unique(block[steps.node], return_inverse=True)
    caps = np.flatnonzero(outer & np.isfinite(tree.cap))
    floors = np.flatnonzero(outer & (tree.floor > 0))
    targets, target_nodes = np.nonzero(rules.least > 0)
    limit = [tree.cap[caps], -tree.floor[floors], rules.slack[targets, target_nodes], sides.limit]
    inner = BudgetTree(
        tree.parent, np.where(outer, np.inf, tree.cap), np.where(outer, 0.0, tree.floor)
    )
    return _Coordinates(
        caps,
        floors,
        targets,
        target_nodes,
        np.concatenate(limit),
        _box(steps, rules, sides, len(caps) + len(floors), targets),
        of_keyword,
        len(used),
        inner,
    )


def _box(steps: Steps, rules: Rules, sides: SideCaps, budgets: int, targets: Ints) -> Floats:
    """Prices so high that nothing else matters any more."""
    steepest = float(steps.threshold.max()) if len(steps.threshold) else 1.0
    per = [1e4 / max(float(rules.per[target].max()), 1e-12) for target in targets]
    weights = sides.per[sides.per > 0]
    side = 1e4 / max(float(weights.min()), 1e-12) if len(weights) else 1.0
    return np.concatenate(
        [np.full(budgets, 1e4 * max(steepest, 1.0)), per, np.full(len(sides.limit), side)]
    )


def _split_prices(at: _Coordinates, prices: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    cuts = np.cumsum([len(at.caps), len(at.floors), len(at.targets)])
    return tuple(np.split(prices, cuts))  # type: ignore[return-value]


def _respond(
    steps: Steps, at: _Coordinates, rules: Rules, sides: SideCaps, trial: Floats, base: float
) -> _Response:
    """The best plan at these prices."""
    caps, floors, targets, groups = _split_prices(at, trial)
    own_price = np.zeros(len(at.inner.parent))
    np.add.at(own_price, at.caps, caps)
    np.add.at(own_price, at.floors, -floors)
    np.add.at(own_price, at.target_nodes, targets * rules.least[at.targets, at.target_nodes])
    price = kernels_rounding.path_sum(at.inner.parent, own_price)[steps.node]
    scale = np.ones(len(steps.rows))
    for target in range(len(rules.per)):
        own = np.zeros(len(own_price))
        mine = at.targets == target
        own[at.target_nodes[mine]] = targets[mine]
        scale += rules.per[target] * kernels_rounding.path_sum(at.inner.parent, own)[steps.node]
    group = sides.group[steps.rows]
    grouped = group >= 0
    scale[grouped] -= groups[group[grouped]] * sides.per[steps.rows][grouped]
    none = rules.none()
    priced = steps.priced(scale, price)
    return _Response(settle(priced, at.inner, none, none.least, base, steps), scale, price)


def _planes(
    steps: Steps,
    at: _Coordinates,
    rules: Rules,
    sides: SideCaps,
    settled: Settled,
    base: float,
) -> _Planes:
    """Height and slope of each block's Lagrangian at the plan found."""
    cost, value = settled.cost, settled.value
    height = group_sum(at.block, value - base * cost, at.blocks)
    begin, end = steps.begin, steps.end
    columns = []
    for node, sign in [*((n, 1.0) for n in at.caps), *((n, -1.0) for n in at.floors)]:
        columns.append(_column(at, slice(begin[node], end[node]), sign * cost))
    for target, node in zip(at.targets, at.target_nodes, strict=True):
        short = rules.least[target, node] * cost - rules.per[target] * value
        columns.append(_column(at, slice(begin[node], end[node]), short))
    group = sides.group[steps.rows]
    grouped = np.flatnonzero(group >= 0)
    counted = (sides.per[steps.rows] * value)[grouped]
    of_groups = sparse.csr_matrix(
        (counted, (at.block[grouped], group[grouped])), shape=(at.blocks, len(sides.limit))
    )
    return _Planes(height, sparse.hstack([*columns, of_groups], format="csr"))


def _column(at: _Coordinates, part: slice, amount: Floats) -> sparse.csc_matrix:
    summed = np.bincount(at.block[part], amount[part], at.blocks)
    return sparse.csc_matrix(summed[:, None])


def _lowest(planes: list[_Planes], at: _Coordinates) -> tuple[Floats, float, float]:
    """The prices at which the highest of the planes is lowest, that height, and what stays unmet.

    Where a constraint cannot be met its price runs into the box, and would gain by a wider one.
    """
    blocks = at.blocks
    slope = sparse.vstack([one.slope for one in planes])
    own = sparse.vstack([sparse.identity(blocks)] * len(planes))
    found = linprog(
        np.concatenate([np.ones(blocks), at.limit]),
        A_ub=sparse.hstack([-own, -slope], format="csr"),
        b_ub=-np.concatenate([one.height for one in planes]),
        bounds=[(None, None)] * blocks + [(0.0, float(top)) for top in at.box],
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if found.x is None:
        raise RuntimeError(f"the planes' linear program failed: {found.message}")
    unmet = float((-found.upper.marginals[blocks:] * at.box).max(initial=0.0))
    return np.maximum(found.x[blocks:], 0.0), float(found.fun or 0.0), unmet


def _check_reach(steps: Steps, at: _Coordinates, rules: Rules, sides: SideCaps) -> None:
    """Each target and side cap by itself. Raises `Infeasible` with the nearest value."""
    group = sides.group[steps.rows]
    grouped = group >= 0
    least = np.bincount(
        group[grouped],
        (sides.per[steps.rows] * steps.base_value)[grouped],
        len(sides.limit),
    )
    over = np.flatnonzero(least > sides.limit * (1 + 1e-12))
    if len(over):
        worst = int(over[0])
        raise Infeasible(
            "side_unreachable",
            group=worst,
            asked=float(sides.limit[worst]),
            nearest=float(least[worst]),
        )
    depth = kernels_rounding.path_sum(at.inner.parent, np.ones(len(at.inner.parent)))
    for target, deep in sorted({*zip(at.targets, depth[at.target_nodes], strict=True)}):
        nodes = at.target_nodes[(at.targets == target) & (depth[at.target_nodes] == deep)]
        _check_targets(steps, at.inner, rules, int(target), nodes)


def _check_targets(steps: Steps, tree: BudgetTree, rules: Rules, target: int, nodes: Ints) -> None:
    """Targets of nodes beside each other, each as if the others did not exist."""
    short = _best_slack(steps, tree, rules, target, nodes, rules.least[target, nodes])[0]
    tolerance = 1e-9 * np.maximum(rules.least[target, nodes], 1.0)
    missed = np.flatnonzero(short < -tolerance)
    if len(missed):
        node = nodes[missed[:1]]
        raise Infeasible(
            "target_unreachable",
            node=int(node[0]),
            target=target,
            asked=float(rules.least[target, node[0]]),
            nearest=best_ratio(steps, tree, rules, target, node),
        )


def _best_slack(
    steps: Steps, tree: BudgetTree, rules: Rules, target: int, nodes: Ints, bar: Floats
) -> tuple[Floats, Floats, Floats]:
    """Per node the largest slack at `bar`, what the keywords count there, and all that is spent."""
    asked = np.zeros(len(steps.rows))
    inside = np.zeros(len(steps.rows))
    for node, one in zip(nodes, bar, strict=True):
        asked[steps.begin[node] : steps.end[node]] = one
        inside[steps.begin[node] : steps.end[node]] = 1.0
    none = rules.none()
    priced = steps.priced(rules.per[target] * inside, asked)
    best = settle(priced, tree, none, none.least, 0.0, steps)
    total = [
        np.array([part[steps.begin[node] : steps.end[node]].sum() for node in nodes])
        for part in (rules.per[target] * best.value, best.cost)
    ]
    counted, spent = total[0], total[1] + rules.spent[target, nodes]
    return rules.brought[target, nodes] + counted - bar * spent, counted, spent


def best_ratio(steps: Steps, tree: BudgetTree, rules: Rules, target: int, node: Ints) -> float:
    """The highest target that one node, which misses its own, can reach (Dinkelbach 1967)."""
    bar = np.zeros(1)
    for _ in range(50):
        short, counted, spent = _best_slack(steps, tree, rules, target, node, bar)
        if short[0] <= 0:
            break
        bar = (counted + rules.brought[target, node]) / spent
    return float(bar[0])


def _prices(
    steps: Steps,
    at: _Coordinates,
    found: _Response,
    trial: Floats,
    fractional: float,
) -> Prices:
    """Outer and inner prices together: an inner scale multiplies what the outer ones left."""
    settled = found.settled
    inner_scale, inner_price = settled.scale[steps.node], settled.price[steps.node]
    caps, floors, _, groups = _split_prices(at, trial)
    own = np.zeros(len(settled.line))
    np.add.at(own, at.caps, caps)
    np.add.at(own, at.floors, -floors)
    outer = kernels_rounding.path_sum(at.inner.parent, own)
    return Prices(
        _with_outer(settled, at, trial),
        inner_scale * found.scale,
        inner_scale * found.price + inner_price,
        settled.duals + float(at.limit @ trial),
        settled.line + outer,
        groups,
        fractional,
    )


def _with_outer(settled: Settled, at: _Coordinates, trial: Floats) -> Settled:
    """What binds, the constraints outside the blocks included: cap, else floor, else target."""
    caps, floors, targets, _ = _split_prices(at, trial)
    binding, setter = settled.binding.copy(), settled.setter.copy()
    own = np.full(len(setter), BASE)
    own[at.target_nodes[targets > 0]] = 2 + at.targets[targets > 0]
    own[at.floors[floors > 0]] = 1
    own[at.caps[caps > 0]] = 0
    for n in range(len(setter)):
        if setter[n] != n and own[n] != BASE:
            setter[n], binding[n] = n, own[n]
        elif setter[n] < 0 and n:
            setter[n], binding[n] = setter[at.inner.parent[n]], binding[at.inner.parent[n]]
    return replace(settled, setter=setter, binding=binding)
