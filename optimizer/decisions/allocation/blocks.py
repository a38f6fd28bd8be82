"""The caps at which whole levels lose most, solved exactly.

Under a cap with few keywords the largest may have no step that fits what the others leave, and no
exchange of single steps finds the best mixture. The nodes that stay furthest below their Lagrangian
are solved as knapsacks of whole levels; what even the best mixture loses there no plan can win, and
the certificate says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.decisions import kernels_blocks, kernels_rounding
from optimizer.decisions.allocation.problem import Gates, Options
from optimizer.decisions.allocation.steps import Steps
from optimizer.decisions.allocation.tree import Settled
from optimizer.decisions.kernels_rounding import Books
from optimizer.estimates.posteriors import Bools, Floats, Ints, group_sum

_MOST_BLOCKS = 1_000
_MOST_KEYWORDS = 400
"""With steps to take; more keywords than these lose little to rounding."""
_WIDEST = 500
_EXACT = 1e-6


@dataclass(frozen=True)
class Sought:
    """What rounding looks for: per keyword (tree order) the most of scale·value - price·cost.

    `peak` is that best response without any budget of whole levels; `settled` the plan with steps
    in part; `best` the highest objective there can be.
    """

    scale: Floats
    price: Floats
    peak: Floats
    settled: Settled
    best: float

    @property
    def line(self) -> Floats:
        """Per keyword, the slope of objective value on cost at which its money stops."""
        line: Floats = self.price / np.maximum(self.scale, 1e-300)
        return line


def solve_worst(
    options: Options,
    steps: Steps,
    gates: Gates,
    books: Books,
    sought: Sought,
    full: Ints,
    level: Ints,
    base: float,
) -> tuple[Bools, float]:
    """Best whole levels under the caps that lose most, written to `full`, `level` and `books`.

    Returns which keywords need no further look, and what of the Lagrangian bound no whole levels
    can reach.
    """
    dual = _cap_duals(books.parent, sought.settled, base)
    picked, loss = _worst(options, steps, books, sought, level, dual)
    done = np.zeros(len(level), dtype=bool)
    hold, top = options.hold[steps.rows], options.cost.shape[1] - 1
    excess: float = kernels_blocks.solve_blocks(
        picked,
        steps.begin,
        steps.end,
        steps.rows,
        steps.start,
        steps.reached,
        np.where(gates.lower_gate[steps.rows] > sought.line, hold, 0),
        np.where(gates.raise_gate[steps.rows] < sought.line, hold, top),
        options.cost,
        options.value,
        options.allowed,
        sought.scale,
        sought.price,
        dual[picked],
        _EXACT * loss,
        _WIDEST,
        full,
        level,
        done,
        books,
    )
    return done, excess


def _cap_duals(parent: Ints, settled: Settled, base: float) -> Floats:
    """The price each node's own cap adds to its parent's; 0 where its cap does not bind."""
    own = (settled.setter == np.arange(len(parent))) & (settled.binding == 0)
    above = np.where(parent >= 0, settled.price[parent], base)
    return np.where(own, np.maximum(settled.price - above, 0.0), 0.0)


def _worst(
    options: Options, steps: Steps, books: Books, sought: Sought, level: Ints, dual: Floats
) -> tuple[Ints, Floats]:
    """Nodes without children whose cap binds, worst first, and what each loses to its Lagrangian.

    Only keywords with steps count towards a node's size: idle ones cost the search nothing.
    """
    nodes = len(dual)
    moving = np.append(0, np.cumsum(np.diff(steps.start) > 0))
    size = moving[steps.end] - moving[steps.begin]
    inner = np.bincount(books.parent[1:], minlength=nodes) > 0
    met = kernels_rounding.path_least(books.parent, books.spare) >= 0
    may = ~inner & met & (dual > 0) & (size > 0) & (size <= _MOST_KEYWORDS)
    if not may.any():
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    reached = sought.scale * options.value[steps.rows, level]
    reached -= sought.price * options.cost[steps.rows, level]
    unused = np.where(may, np.maximum(books.left, 0.0), 0.0)
    loss = np.where(may, group_sum(steps.node, sought.peak - reached, nodes) + dual * unused, 0.0)
    picked = np.argsort(-loss, kind="stable")[:_MOST_BLOCKS]
    picked = picked[loss[picked] > 1e-9 * abs(sought.best)]
    return picked, loss[picked]
