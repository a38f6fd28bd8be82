"""What is left of every cap, floor, target and side cap while whole levels are chosen."""

from __future__ import annotations

import numpy as np

from optimizer.decisions import kernels_rounding
from optimizer.decisions.allocation.problem import BudgetTree, Options, SideCaps
from optimizer.decisions.allocation.steps import Steps
from optimizer.decisions.allocation.tree import Rules
from optimizer.decisions.kernels_rounding import Books
from optimizer.estimates.posteriors import Ints, group_sum


def open_books(
    options: Options,
    steps: Steps,
    tree: BudgetTree,
    rules: Rules,
    sides: SideCaps,
    full: Ints,
) -> Books:
    """The accounts with `full` steps of each keyword taken."""
    level = levels_at(steps, full)
    cost, value = options.cost[steps.rows, level], options.value[steps.rows, level]
    nodes = len(tree.parent)
    spent = group_sum(steps.node, cost, nodes)
    kernels_rounding.sum_up(tree.parent, spent)
    slack = rules.slack.copy()
    for target in range(len(slack)):
        counted = group_sum(steps.node, rules.per[target] * value, nodes)
        kernels_rounding.sum_up(tree.parent, counted)
        slack[target] += counted - rules.least[target] * spent
    group, side = sides.group[steps.rows], sides.per[steps.rows]
    grouped = group >= 0
    used = group_sum(group[grouped], (side * value)[grouped], len(sides.limit))
    return Books(
        tree.parent,
        tree.cap - spent,
        spent - tree.floor,
        rules.least,
        rules.per,
        slack,
        group,
        side,
        sides.limit - used,
    )


def levels_at(steps: Steps, full: Ints) -> Ints:
    """Level of each keyword (tree order) after its first `full` steps."""
    if not len(steps.reached):
        return steps.lowest
    last = steps.reached[np.maximum(steps.start[:-1] + full - 1, 0)]
    return np.where(full > 0, last, steps.lowest)


def objective(options: Options, steps: Steps, level: Ints, base: float) -> float:
    """Σ (value - base·cost) at `level` per keyword (tree order)."""
    gained, spent = options.value[steps.rows, level], options.cost[steps.rows, level]
    return float((gained - base * spent).sum())
