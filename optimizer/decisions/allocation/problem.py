"""What is asked of an allocation, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.estimates.posteriors import Bools, Floats, Ints

BASE = -1
"""Binding code where nothing but the objective stops spending."""


@dataclass(frozen=True)
class Options:
    """Levels of each keyword, shape (keywords, levels), rising in cost; currency per day.

    `hold` is the level of the present bid and always allowed.
    """

    cost: Floats
    value: Floats
    allowed: Bools
    hold: Ints


@dataclass(frozen=True)
class Gates:
    """Per keyword: the highest line at which it may be raised, the lowest at which it may be lowered."""

    raise_gate: Floats
    lower_gate: Floats


@dataclass(frozen=True)
class BudgetTree:
    """Money per day for the keywords to be solved, per node; node 0 is the account.

    `parent` of node 0 is -1 and every parent comes before its children; `cap` inf where there is
    none, `floor` 0 where nothing must be spent.
    """

    parent: Ints
    cap: Floats
    floor: Floats

    @classmethod
    def flat(cls, cap: float) -> BudgetTree:
        """One account without inner budgets."""
        return cls(np.array([-1]), np.array([cap]), np.zeros(1))


@dataclass(frozen=True)
class Target:
    """Σ per·value + brought ≥ least·(Σ cost + spent) under each node with `least` above 0.

    `per` keyword: what counts towards the target per unit of objective value (revenue per margin,
    conversions per margin). `brought` and `spent` per node: by keywords outside the problem.
    """

    per: Floats
    least: Floats
    brought: Floats
    spent: Floats

    @classmethod
    def of(cls, per: Floats, least: Floats) -> Target:
        """A target to which only the problem's own keywords contribute."""
        return cls(per, least, np.zeros(len(least)), np.zeros(len(least)))


@dataclass(frozen=True)
class SideCaps:
    """Σ per·value ≤ limit of each `group` of keywords (-1: in none), wherever in the tree they are.

    `per` keyword: what counts per unit of objective value, such as expected orders of an item.
    """

    group: Ints
    per: Floats
    limit: Floats

    @classmethod
    def none(cls, keywords: int) -> SideCaps:
        """No keyword is in a group."""
        return cls(np.full(keywords, -1), np.zeros(keywords), np.zeros(0))


@dataclass(frozen=True)
class Allocation:
    """Chosen `level` per keyword and the prices behind it.

    `line` Λ per keyword: the slope of objective value on cost at which its money stops; `setter` the
    node that sets it (-1: none) and `binding` what of that node does: BASE, 0 cap, 1 floor, 2+f
    target f. `node_line` per node; `dual_price` Λ of the account. `side_price` per group: objective
    value given up per unit of it. `next_return` per keyword: slope of the first step not taken (nan:
    there is none). `short` per node: money by which whole levels miss a floor.

    `fractional` is the objective with steps taken in part, `upper_bound` the Lagrangian bound.
    `whole_bound` is that bound less what exact solutions of small budgets show to be out of reach of
    whole levels; `gap` the distance of `objective` from it as a share of it.
    """

    level: Ints
    line: Floats
    setter: Ints
    binding: Ints
    node_line: Floats
    dual_price: float
    side_price: Floats
    next_return: Floats
    short: Floats
    cost: float
    objective: float
    fractional: float
    upper_bound: float
    whole_bound: float
    gap: float


def ungated(options: Options) -> tuple[Options, Gates]:
    """The same problem without evidence gates: every level may be taken at any line."""
    keywords, levels = options.cost.shape
    whole = Options(
        options.cost, options.value, options.allowed, np.full(keywords, levels - 1, dtype=np.int64)
    )
    return whole, Gates(np.full(keywords, -np.inf), np.full(keywords, -np.inf))


def check_problem(
    options: Options,
    node: Ints,
    tree: BudgetTree,
    gates: Gates,
    targets: tuple[Target, ...],
    sides: SideCaps,
) -> None:
    """Raises `ValueError` naming what is not a number, out of range or against the tree's order."""
    _check_tree(node, tree)
    raising, lowering = gates.raise_gate, gates.lower_gate
    if np.isnan(raising).any() or np.isnan(lowering).any() or (lowering == np.inf).any():
        raise ValueError("gates must be numbers, and lower_gate below infinity")
    if (raising > lowering).any():
        raise ValueError("raise_gate must not exceed lower_gate")
    numbers = [options.cost, options.value, sides.per, sides.limit]
    numbers += [part for one in targets for part in vars(one).values()]
    if not all(np.isfinite(np.sum(part)) for part in numbers):
        raise ValueError("costs, values, targets and side caps must be finite")
    if len(options.hold) and not options.allowed[np.arange(len(node)), options.hold].all():
        raise ValueError("the present bid must be allowed")


def _check_tree(node: Ints, tree: BudgetTree) -> None:
    number = np.arange(len(tree.parent))
    if tree.parent[0] != -1 or (tree.parent[1:] < 0).any() or (tree.parent >= number).any():
        raise ValueError("node 0 is the only root, and parents come before their children")
    if len(node) and not (node.min() >= 0 and node.max() < len(number)):
        raise ValueError("a keyword hangs under a node that does not exist")
    if np.isnan(tree.cap).any() or not np.isfinite(tree.floor).all() or (tree.floor < 0).any():
        raise ValueError("caps and floors must be numbers, floors finite and not negative")
