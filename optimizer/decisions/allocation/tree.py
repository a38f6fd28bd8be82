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
    raw = raw or steps
    nodes = len(tree.parent)
    kept = steps.extra.copy()
    committed = np.zeros(len(kept))
    upper, lower = np.full(nodes, -np.inf), np.full(nodes, np.inf)
    upper_by, lower_by = np.zeros(nodes, np.int64), np.zeros(nodes, np.int64)
    node, constraint, reached = kernels.settle(
        steps.start[steps.begin],
        steps.start[steps.end],
        tree.parent,
        steps.threshold,
        kept,
        committed,
        group_sum(steps.node, steps.base_cost, nodes),
        group_sum(steps.node, steps.base_value, nodes),
        tree.cap,
        tree.floor,
        rules.least,
        ratio,
        rules.slack,
        upper,
        lower,
        upper_by,
        lower_by,
    )
    if node >= 0:
        _refuse(node, constraint, reached, tree, rules)
    line, path, setter = kernels_rounding.down_lines(tree.parent, upper, lower, base)
    full = np.zeros(len(steps.rows), np.int64)
    cost, value = steps.base_cost.copy(), raw.base_value.copy()
    kernels.taken(
        steps.start,
        steps.node,
        path,
        steps.threshold,
        raw.threshold,
        steps.extra,
        kept,
        committed,
        full,
        cost,
        value,
    )
    raised = line > np.append(line[tree.parent[1:]], base)[np.arange(nodes) - 1]
    binding = np.where(raised, upper_by, lower_by)
    binding = np.where(binding > 0, binding + 1, np.where(raised, 0, 1))
    binding = np.where(setter < 0, BASE, binding[np.maximum(setter, 0)])
    scale, price, duals = _multipliers(tree, rules, ratio, line, setter, binding, base)
    return Settled(line, setter, binding, scale, price, duals, full, cost, value)


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
