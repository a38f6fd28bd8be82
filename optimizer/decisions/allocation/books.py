"""What is left of every cap, floor, target and side cap while whole levels are chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from optimizer.decisions import kernels_rounding
from optimizer.decisions.allocation.problem import BudgetTree, Options, SideCaps
from optimizer.decisions.allocation.steps import Steps
from optimizer.decisions.allocation.tree import Rules
from optimizer.estimates.posteriors import Floats, Ints, group_sum


@dataclass(frozen=True)
class Books:
    """What is left per node, target and side group; changed in place as steps are taken."""

    parent: Ints
    left: Floats
    spare: Floats
    least: Floats
    per: Floats
    slack: Floats
    group: Ints
    side: Floats
    side_left: Floats

    @property
    def arrays(self) -> tuple[Any, ...]:
        """In the order the kernels take them."""
        return tuple(getattr(self, name) for name in self.__dataclass_fields__)


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
