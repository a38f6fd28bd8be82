"""Lines of a budget tree: exact from the leaves up, certified from the root down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.decisions import kernels, kernels_rounding
from optimizer.decisions.allocation.problem import BASE, BudgetTree, Target
from optimizer.decisions.allocation.steps import Steps
from optimizer.errors import Infeasible
from optimizer.estimates.posteriors import Floats, Ints, group_sum

_STEEPEST = 1e9
CODES = ("cap_unreachable", "floor_unreachable", "target_unreachable")


@dataclass(frozen=True)
class Rules:
    """The targets as arrays: `per` (targets, keywords in tree order), the others (targets, nodes)."""

    per: Floats
    least: Floats
    brought: Floats
    spent: Floats

    @property
    def slack(self) -> Floats:
        """What keywords outside the problem leave of each target, or ask of it."""
        return self.brought - self.least * self.spent

    def none(self) -> Rules:
        """The same keywords without targets."""
        return Rules(self.per[:0], self.least[:0], self.brought[:0], self.spent[:0])


@dataclass(frozen=True)
class Settled:
    """Lines per node, what sets them, and per keyword (tree order) the plan with steps in part.

    `full` steps taken whole; `cost` and `value` of the fractional plan, thresholds standing for
    slopes. A keyword's best response maximises scale·value - price·cost of its node.
    """

    line: Floats
    setter: Ints
    binding: Ints
    scale: Floats
    price: Floats
    duals: float
    full: Ints
    cost: Floats
    value: Floats


def rules_of(targets: tuple[Target, ...], steps: Steps) -> Rules:
    """Targets stacked; empty first axis where there are none."""
    nodes, keywords = len(steps.begin), len(steps.rows)
    if not targets:
        empty = np.zeros((0, nodes))
        return Rules(np.zeros((0, keywords)), empty, empty, empty)
    return Rules(
        np.stack([one.per[steps.rows] for one in targets]),
        np.stack([one.least for one in targets]),
        np.stack([one.brought for one in targets]),
        np.stack([one.spent for one in targets]),
    )


def shared_ratio(rules: Rules, steps: Steps) -> Floats | None:
    """`per` of each target and node where all its keywords have the same; None where one differs."""
    ratio = np.zeros(rules.least.shape)
    for target, node in zip(*np.nonzero(rules.least > 0), strict=True):
        part = rules.per[target, steps.begin[node] : steps.end[node]]
        if len(part) and np.ptp(part) > 1e-12 * abs(part[0]):
            return None
        ratio[target, node] = part[0] if len(part) else 0.0
    return ratio


def settle(
    steps: Steps,
    tree: BudgetTree,
    rules: Rules,
    ratio: Floats,
    base: float,
    raw: Steps | None = None,
) -> Settled:
    """The best fractional plan. Raises `Infeasible` naming node, constraint and the nearest value.

    `raw`: the same steps before prices went into them, to count `value` by.
    """
    asked = _asked(steps, tree, rules, ratio)
    line, path, setter = kernels_rounding.down_lines(tree.parent, asked.upper, asked.lower, base)
    full, cost, value = _fractional(steps, raw or steps, asked, path)
    binding = _binding(tree, asked, line, setter, base)
    scale, price, duals = _multipliers(tree, rules, ratio, line, setter, binding, base)
    return Settled(line, setter, binding, scale, price, duals, full, cost, value)


@dataclass(frozen=True)
class _Asked:
    """What caps, targets and floors leave of each step, `kept` if its line allows and `committed`.

    Per node the line at least (`upper`) and at most (`lower`) asked for, and by what: 0 cap or
    floor, f+1 target f.
    """

    kept: Floats
    committed: Floats
    upper: Floats
    lower: Floats
    upper_by: Ints
    lower_by: Ints

    @classmethod
    def nothing(cls, steps: Steps, nodes: int) -> _Asked:
        """Every step kept, no line asked for."""
        none, free = np.full(nodes, -np.inf), np.full(nodes, np.inf)
        by = np.zeros((2, nodes), np.int64)
        return cls(steps.extra.copy(), np.zeros(len(steps.extra)), none, free, by[0], by[1])


def _asked(steps: Steps, tree: BudgetTree, rules: Rules, ratio: Floats) -> _Asked:
    """From the leaves up. Raises `Infeasible`."""
    nodes = len(tree.parent)
    asked = _Asked.nothing(steps, nodes)
    node, constraint, reached = kernels.settle(
        steps.start[steps.begin],
        steps.start[steps.end],
        tree.parent,
        steps.threshold,
        asked.kept,
        asked.committed,
        group_sum(steps.node, steps.base_cost, nodes),
        group_sum(steps.node, steps.base_value, nodes),
        tree.cap,
        tree.floor,
        rules.least,
        ratio,
        rules.slack,
        asked.upper,
        asked.lower,
        asked.upper_by,
        asked.lower_by,
    )
    if node >= 0:
        _refuse(node, constraint, reached, tree, rules)
    return asked


def _fractional(
    steps: Steps, raw: Steps, asked: _Asked, path: Floats
) -> tuple[Ints, Floats, Floats]:
    """Per keyword the steps taken whole, and cost and value with the last in part."""
    full = np.zeros(len(steps.rows), np.int64)
    cost, value = steps.base_cost.copy(), raw.base_value.copy()
    kernels.taken(
        steps.start,
        steps.node,
        path,
        steps.threshold,
        raw.threshold,
        steps.extra,
        asked.kept,
        asked.committed,
        full,
        cost,
        value,
    )
    return full, cost, value


def _binding(tree: BudgetTree, asked: _Asked, line: Floats, setter: Ints, base: float) -> Ints:
    """What of its setter binds each node: `BASE`, 0 cap, 1 floor, 2+f target f."""
    above = np.append(base, line[tree.parent[1:]])
    raised = line > above
    by = np.where(raised, asked.upper_by, asked.lower_by)
    own = np.where(by > 0, by + 1, np.where(raised, 0, 1))
    result: Ints = np.where(setter < 0, BASE, own[np.maximum(setter, 0)])
    return result


def _refuse(node: int, constraint: int, reached: float, tree: BudgetTree, rules: Rules) -> None:
    asked = [tree.cap[node], tree.floor[node]]
    asked += [rules.least[target, node] for target in range(len(rules.least))]
    fields = {"node": int(node), "asked": float(asked[constraint]), "nearest": float(reached)}
    if constraint >= 2:
        fields["target"] = constraint - 2
    raise Infeasible(CODES[min(constraint, 2)], **fields)


def _multipliers(
    tree: BudgetTree,
    rules: Rules,
    ratio: Floats,
    line: Floats,
    setter: Ints,
    binding: Ints,
    base: float,
) -> tuple[Floats, Floats, float]:
    """Per node the scale on value and the price on cost that its lines imply, and Σ duals · limits.

    A cap moves the price by its multiplier, a floor by minus its own; a target of multiplier μ adds
    μ·ratio to the scale and μ·least to the price.
    """
    scale, price, duals = kernels_rounding.multipliers(
        tree.parent,
        tree.cap,
        tree.floor,
        rules.least,
        ratio,
        rules.slack,
        line,
        setter,
        binding,
        base,
        _STEEPEST,
    )
    return scale, price, float(duals)
