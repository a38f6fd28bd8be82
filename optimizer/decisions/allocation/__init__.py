"""Which level of each keyword to take, under a tree of budgets, targets and side caps.

maximise Σ (value - base·cost) with one level per keyword; per node of a tree floor ≤ Σ cost ≤ cap
and, where it has a target, Σ counted ≥ least·Σ cost. Per keyword the concave hull of (cost, value)
gives steps with falling slopes; a node's line is Λ = median(line of its cap, its parent's line, line
of its floor), and a keyword takes its steps down to the line of its node. A target whose numerator
is the objective is one more stopping rule on the same list; one with another numerator (margins per
item), or a cap on a sum that crosses the tree, is a dual coordinate found by tangents where there is
one, by cutting planes where there are several.
Multiple-choice knapsack by Lagrangian: Sinha and Zoltners (1979); bidding by one ratio under a
budget: Zhou, Chakrabarty and Lukose (2008); cutting planes: Kelley (1960), Dantzig and Wolfe (1960).

Gates make a change wait for evidence: a raise opens only while the line is at most `raise_gate`, a
lower only once it is at least `lower_gate`. Both are quantiles of the keyword's marginal return, so
P(marginal return above or below the line) is respected at whatever line the solution finds.

Every result carries the Lagrangian bound at its prices, what of it no whole levels can reach under
small budgets, and the gap of the whole levels chosen.
"""

from optimizer.decisions.allocation.problem import (
    BASE,
    Allocation,
    BudgetTree,
    Gates,
    Options,
    SideCaps,
    Target,
    ungated,
)
from optimizer.decisions.allocation.solve import allocate

__all__ = [
    "BASE",
    "Allocation",
    "BudgetTree",
    "Gates",
    "Options",
    "SideCaps",
    "Target",
    "allocate",
    "ungated",
]
