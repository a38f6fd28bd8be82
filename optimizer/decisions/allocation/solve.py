"""The allocation as a table of contents: steps, prices, whole levels, certificate."""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np

from optimizer.decisions import kernels, kernels_rounding
from optimizer.decisions.allocation.blocks import Sought
from optimizer.decisions.allocation.books import levels_at, open_books
from optimizer.decisions.allocation.cutting_planes import Prices, best_ratio, find_prices
from optimizer.decisions.allocation.problem import (
    Allocation,
    BudgetTree,
    Gates,
    Options,
    SideCaps,
    Target,
    check_problem,
)
from optimizer.decisions.allocation.rounding import round_plan
from optimizer.decisions.allocation.steps import Steps, build_steps
from optimizer.decisions.allocation.tree import Rules, Settled, rules_of, settle, shared_ratio
from optimizer.errors import Infeasible
from optimizer.estimates.posteriors import Floats, Ints


def allocate(
    options: Options,
    node: Ints,
    tree: BudgetTree,
    gates: Gates,
    *,
    base: float = 1.0,
    targets: tuple[Target, ...] = (),
    sides: SideCaps | None = None,
    executor: Executor | None = None,
) -> Allocation:
    """Best levels of keywords that hang under `node`s of `tree`.

    `base` is the line with slack budgets (1: money valued at par; 0: all useful money is spent).
    Raises `Infeasible` with `node`, `asked` and the `nearest` value that can be reached, code
    cap_unreachable, floor_unreachable, target_unreachable (with `target`), side_unreachable (with
    `group`) or targets_conflict; `ValueError` for numbers that are none.
    """
    sides = sides or SideCaps.none(len(node))
    check_problem(options, node, tree, gates, targets, sides)
    told = (options, node, tree, gates, base, targets, sides, executor)
    keep = _least_line(node, tree, targets, base)
    try:
        steps, rules, prices = _priced(*told, keep)
    except Infeasible:
        # What is nearest may need steps that no plan with all targets met would take.
        steps, rules, prices = _priced(*told, -np.inf)
    return _finished(options, steps, tree, gates, rules, sides, prices, base)


def _least_line(
    node: Ints, tree: BudgetTree, targets: tuple[Target, ...], base: float
) -> float | Floats:
    """Per keyword the threshold below which no step serves the objective or a target."""
    if (tree.floor > 0).any():
        return -np.inf
    lines = [np.full(len(node), base)]
    for one in targets:
        least = kernels_rounding.path_least(tree.parent, np.where(one.least > 0, one.least, np.inf))
        serves = np.full(len(node), np.inf)
        np.divide(least[node], one.per, out=serves, where=one.per > 0)
        lines.append(serves * (1 - 1e-9))
    keep: Floats = np.min(lines, axis=0)
    return keep


def _priced(
    options: Options,
    node: Ints,
    tree: BudgetTree,
    gates: Gates,
    base: float,
    targets: tuple[Target, ...],
    sides: SideCaps,
    executor: Executor | None,
    keep: float | Floats,
) -> tuple[Steps, Rules, Prices]:
    """Steps of at least the line `keep`, the targets in their order, and the best prices."""
    steps = build_steps(options, node, tree, gates, keep, executor)
    rules = rules_of(targets, steps)
    ratio = shared_ratio(rules, steps)
    if ratio is None or len(sides.limit):
        return steps, rules, find_prices(steps, tree, rules, sides, base)
    settled = _settled(steps, tree, rules, ratio, base)
    return steps, rules, Prices.plain(settled, steps, base)


def _settled(steps: Steps, tree: BudgetTree, rules: Rules, ratio: Floats, base: float) -> Settled:
    try:
        return settle(steps, tree, rules, ratio, base)
    except Infeasible as error:
        if error.code != "target_unreachable":
            raise
        node, target = np.array([error.fields["node"]]), int(error.fields["target"])
        error.fields["nearest"] = best_ratio(steps, tree, rules, target, node)
        raise


def _finished(
    options: Options,
    steps: Steps,
    tree: BudgetTree,
    gates: Gates,
    rules: Rules,
    sides: SideCaps,
    prices: Prices,
    base: float,
) -> Allocation:
    full = prices.settled.full
    books = open_books(options, steps, tree, rules, sides, full)
    sought = _sought(options, steps, prices, levels_at(steps, full))
    rounded = round_plan(options, steps, gates, books, full, base, sought)
    gained, spent = (part[steps.rows, rounded.level] for part in (options.value, options.cost))
    reached = float((gained - base * spent).sum())
    own = sought.scale * gained - sought.price * spent
    upper = float(np.maximum(sought.peak, own).sum()) + prices.duals
    whole = max(upper - rounded.excess, reached)
    return Allocation(
        level=_in_order(steps, rounded.level),
        line=_in_order(steps, sought.line),
        setter=prices.settled.setter,
        binding=prices.settled.binding,
        node_line=prices.node_line,
        dual_price=float(prices.node_line[0]),
        side_price=prices.side,
        next_return=_in_order(steps, _next_return(steps, rounded.full)),
        short=np.maximum(-books.spare, 0.0),
        cost=float(spent.sum()),
        objective=reached,
        fractional=prices.fractional,
        upper_bound=upper,
        whole_bound=whole,
        gap=(whole - reached) / max(abs(whole), 1e-9),
    )


def _sought(options: Options, steps: Steps, prices: Prices, level: Ints) -> Sought:
    """Best responses at the prices, that of `level` included: gates may hold it off the hull."""
    peak: Floats = kernels.best_response(
        steps.start,
        steps.threshold,
        steps.reached,
        steps.lowest,
        steps.rows,
        options.cost,
        options.value,
        prices.scale,
        prices.price,
    )
    own = prices.scale * options.value[steps.rows, level]
    own -= prices.price * options.cost[steps.rows, level]
    best = float(np.maximum(peak, own).sum()) + prices.duals
    return Sought(prices.scale, prices.price, peak, prices.settled, best)


def _next_return(steps: Steps, full: Ints) -> Floats:
    index = steps.start[:-1] + full
    result = np.full(len(full), np.nan)
    possible = index < steps.start[1:]
    result[possible] = steps.threshold[index[possible]]
    return result


def _in_order(steps: Steps, part: np.ndarray) -> np.ndarray:
    """From tree order back to the order of the options."""
    result = np.empty_like(part)
    result[steps.rows] = part
    return result
