"""Hull steps of all keywords, in the order of the tree."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from optimizer.decisions import kernels, kernels_rounding
from optimizer.decisions.allocation.problem import BudgetTree, Gates, Options
from optimizer.estimates.posteriors import Floats, Ints

_NEVER = -1e30
CHUNK = 65_536
"""Keywords per task of an executor; results do not depend on it."""


@dataclass(frozen=True)
class Steps:
    """Steps up the hulls, keyword after keyword in depth-first order of their nodes.

    Keyword i here is row `rows[i]` of the options, under `node[i]`, with steps `start[i]:start[i+1]`:
    level `reached`, `threshold` at which it opens (its slope, or its gate), `extra` cost. `lowest`
    level, its `base_cost` and `base_value`. Node n owns keywords `begin[n]:end[n]`.
    """

    rows: Ints
    node: Ints
    start: Ints
    reached: Ints
    threshold: Floats
    extra: Floats
    lowest: Ints
    base_cost: Floats
    base_value: Floats
    begin: Ints
    end: Ints

    def priced(self, scale: Floats, price: Floats) -> Steps:
        """The same steps in an objective of `scale`·value - `price`·cost per keyword; scale ≤ 0: last."""
        count = np.diff(self.start)
        opens = np.repeat(scale, count) * self.threshold - np.repeat(price, count)
        return replace(
            self,
            threshold=np.where(np.repeat(scale > 0, count), opens, _NEVER),
            base_value=scale * self.base_value - price * self.base_cost,
        )


def build_steps(
    options: Options,
    node: Ints,
    tree: BudgetTree,
    gates: Gates,
    keep: float | Floats,
    executor: Executor | None,
) -> Steps:
    """Steps that open at the line `keep` or above; chunks of keywords go to `executor` if given.

    `keep` may differ from keyword to keyword.
    """
    keep = np.broadcast_to(np.asarray(keep, dtype=np.float64), len(node)).copy()
    place, size = kernels_rounding.subtrees(tree.parent)
    rank = place[node]
    in_order = bool((rank[1:] >= rank[:-1]).all())
    rows = np.arange(len(node)) if in_order else np.argsort(rank, kind="stable")
    if executor is None and in_order:
        parts = [_chunk(options, gates, keep)]
    else:
        cuts = [rows[at : at + CHUNK] for at in range(0, max(len(rows), 1), CHUNK)]
        run = map if executor is None else executor.map
        parts = list(run(_task, [(*_picked(options, gates, cut), keep[cut]) for cut in cuts]))
    start, reached, threshold, extra, lowest = _joined(parts)
    rank = rank[rows]
    return Steps(
        rows,
        node[rows],
        start,
        reached,
        threshold,
        extra,
        lowest,
        options.cost[rows, lowest],
        options.value[rows, lowest],
        np.searchsorted(rank, place),
        np.searchsorted(rank, place + size),
    )


_Part = tuple[Ints, Ints, Floats, Floats, Ints]


def _picked(options: Options, gates: Gates, rows: Ints) -> tuple[Options, Gates]:
    return Options(*(part[rows] for part in vars(options).values())), Gates(
        gates.raise_gate[rows], gates.lower_gate[rows]
    )


def _task(told: tuple[Options, Gates, Floats]) -> _Part:
    options, gates, keep = told
    return _chunk(options, gates, keep)


def _chunk(options: Options, gates: Gates, keep: Floats) -> _Part:
    part: _Part = kernels.steps(
        options.cost,
        options.value,
        options.allowed,
        options.hold,
        gates.raise_gate,
        gates.lower_gate,
        keep,
    )
    return part


def _joined(parts: list[_Part]) -> _Part:
    if len(parts) == 1:
        return parts[0]
    count = np.concatenate([np.diff(part[0]) for part in parts])
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    reached, threshold, extra, lowest = (
        np.concatenate([part[field] for part in parts]) for field in (1, 2, 3, 4)
    )
    return start, reached, threshold, extra, lowest
