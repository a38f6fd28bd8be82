"""Least and most for items, whose keywords lie across campaigns: a price on each bounded item's cost.

A group that crosses the budget tree is no node of it. Its bound is met by a price π on its cost: with
value − π·cost in place of value the tree's own solver finds the best bids for those prices, and the
prices are found one item at a time until no bound is broken (dual coordinate ascent). For every π

    UB = max_tree Σ (value − π·cost) + Σ π⁺·most − Σ π⁻·least

is an upper bound on what any plan within the bounds can bring, which is the certificate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from optimizer.decisions.allocation import Allocation, Options
from optimizer.errors import Infeasible
from optimizer.estimates.posteriors import Bools, Floats, Ints, group_sum

_FREE_TURNS, _PUSHES, _PUSH = 4, 14, 0.01
_HALVINGS = 18
_DOUBLINGS = 14
_CLOSE = 1e-9
Solve = Callable[[Options], Allocation]


@dataclass(frozen=True)
class ItemBounds:
    """`group` of each keyword among the bounded items (-1: none); `least` and `most` cost per group."""

    group: Ints
    names: tuple[str, ...]
    least: Floats
    most: Floats

    def summed(self, amount: Floats) -> Floats:
        """Sums per group of one amount per keyword."""
        inside = self.group >= 0
        return group_sum(self.group[inside], amount[inside], len(self.names))

    def met(self, cost: Floats) -> bool:
        """Whether costs per group keep every bound."""
        return not (self._below(cost) | self._above(cost)).any()

    def worst(self, cost: Floats) -> int:
        """The group that breaks its bound by the largest share of it."""
        over = cost / np.maximum(self.most, 1e-12) - 1.0
        under = 1.0 - cost / np.maximum(self.least, 1e-12)
        return int(np.maximum(over, np.where(self.least > 0, under, -np.inf)).argmax())

    def _below(self, cost: Floats) -> Bools:
        below: Bools = cost < self.least * (1 - _CLOSE)
        return below

    def _above(self, cost: Floats) -> Bools:
        above: Bools = cost > self.most * (1 + _CLOSE)
        return above


@dataclass(frozen=True)
class Bounded:
    """Levels that keep the bounds, the `price` on each group's cost, and the certified `gap`."""

    found: Allocation
    price: Floats
    objective: float
    upper_bound: float

    @property
    def gap(self) -> float:
        """How far the objective may be from the best there is, as a share of it."""
        return (self.upper_bound - self.objective) / max(abs(self.upper_bound), 1e-12)


def solve_bounded(options: Options, bounds: ItemBounds, solve: Solve, base: float) -> Bounded:
    """The best levels that `solve` finds at prices under which every item keeps its bounds.

    `base` is what the solver charges for each unit of cost. Raises `Infeasible`: item_bound_unreachable
    with the nearest amount where an item cannot cost so little or so much, item_bounds_conflict where
    bounds of other items, campaigns or the budget stand against it, with what it would cost beside them.
    """
    _check_reach(options, bounds)
    price = np.zeros(len(bounds.names))
    found = solve(options)
    free = _FREE_TURNS * len(price)
    for turn in range(free + _PUSHES):
        cost = bounds.summed(_cost(options, found))
        if bounds.met(cost):
            return _certified(options, bounds, found, price, base)
        push = 0.0 if turn < free else _PUSH * 2.0 ** (turn - free)
        price, found = _repriced(options, bounds, solve, price, cost, push)
    cost = bounds.summed(_cost(options, found))
    at = bounds.worst(cost)
    asked = bounds.most[at] if cost[at] > bounds.most[at] else bounds.least[at]
    raise _refused("item_bounds_conflict", bounds.names[at], asked, cost[at])


def _cost(options: Options, found: Allocation) -> Floats:
    cost: Floats = options.cost[np.arange(len(options.cost)), found.level]
    return cost


def _check_reach(options: Options, bounds: ItemBounds) -> None:
    lowest = bounds.summed(np.where(options.allowed, options.cost, np.inf).min(axis=1))
    highest = bounds.summed(np.where(options.allowed, options.cost, -np.inf).max(axis=1))
    for at, name in enumerate(bounds.names):
        low, high = float(bounds.least[at]), float(bounds.most[at])
        if high < lowest[at] * (1 - _CLOSE):
            raise _refused("item_bound_unreachable", name, high, lowest[at])
        if low > highest[at] * (1 + _CLOSE):
            raise _refused("item_bound_unreachable", name, low, highest[at])


def _refused(code: str, name: str, asked: float, nearest: float) -> Infeasible:
    return Infeasible(code, name=name, asked=float(asked), nearest=float(nearest))


def _priced(options: Options, bounds: ItemBounds, price: Floats) -> Options:
    each = np.append(price, 0.0)[bounds.group]
    return replace(options, value=options.value - each[:, None] * options.cost)


def _repriced(
    options: Options, bounds: ItemBounds, solve: Solve, price: Floats, cost: Floats, push: float
) -> tuple[Floats, Allocation]:
    """The worst group's price, nearest to none, under which it keeps its bound, the others' held.

    `push` above 0 only goes on from the present price, by that much at least: what ends the turns in
    which whole levels of two items take each other's room.
    """
    at = bounds.worst(cost)
    above = bool(cost[at] > bounds.most[at])
    sign = 1.0 if above else -1.0

    def tried(one: float) -> tuple[Floats, Allocation, float]:
        moved = price.copy()
        moved[at] = one
        found = solve(_priced(options, bounds, moved))
        return moved, found, float(bounds.summed(_cost(options, found))[at])

    def kept(spent: float) -> bool:
        if above:
            return bool(spent <= bounds.most[at] * (1 + _CLOSE))
        return bool(spent >= bounds.least[at] * (1 - _CLOSE))

    start = sign * (max(sign * float(price[at]), 0.0) + push) if push else 0.0
    first = tried(start)
    return first[:2] if kept(first[2]) else _bisected(tried, start, sign, kept)


def _bisected(
    tried: Callable[[float], tuple[Floats, Allocation, float]],
    start: float,
    sign: float,
    kept: Callable[[float], bool],
) -> tuple[Floats, Allocation]:
    """The price on that side of `start`, nearest to it, whose cost is `kept`; the farthest if none is."""
    low, high = 0.0, 0.25
    best = tried(start + sign * high)
    for _ in range(_DOUBLINGS):
        if kept(best[2]):
            break
        low, high = high, 2.0 * high
        best = tried(start + sign * high)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        one = tried(start + sign * middle)
        low, high, best = (low, middle, one) if kept(one[2]) else (middle, high, best)
    return best[:2]


def _certified(
    options: Options, bounds: ItemBounds, found: Allocation, price: Floats, base: float
) -> Bounded:
    row = np.arange(len(options.cost))
    value, cost = options.value[row, found.level], options.cost[row, found.level]
    up, down = np.maximum(price, 0.0), np.maximum(-price, 0.0)
    paid = float(up[up > 0] @ bounds.most[up > 0] - down[down > 0] @ bounds.least[down > 0])
    return Bounded(found, price, float((value - base * cost).sum()), found.upper_bound + paid)
