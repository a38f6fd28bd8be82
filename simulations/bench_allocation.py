"""The allocation on fixed worlds: time, memory and gap, against HiGHS' interior point on the same LP.

`python -m simulations.bench_allocation [--keywords N] [--levels L] [--nested] [--floors]
[--target same|roas] [--peer highs] [--seed S] [--json] [--record]`

Arrays of cost and value are given; `seconds` is hull, solve, rounding and certificate, the median of
`--repeats` with warm kernels; `cpu_seconds` is what the process itself worked, which a busy machine
inflates less. `gap` is of the whole levels chosen; `objective_rel_diff` compares our fractional
optimum with the peer's. `--record` keeps the result in `bench_allocation.json`.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from optimizer.decisions.allocation import (
    Allocation,
    BudgetTree,
    Gates,
    Options,
    Target,
    allocate,
    ungated,
)

RECORD = Path(__file__).with_suffix(".json")
PEER_LIMIT = 10_000
CHUNK = 50_000


@dataclass(frozen=True)
class World:
    """Keywords sorted by ad group, their tree, and targets."""

    options: Options
    gates: Gates
    node: np.ndarray
    tree: BudgetTree
    targets: tuple[Target, ...]

    def solve(self) -> Allocation:
        """Our answer, from arrays to levels."""
        return allocate(self.options, self.node, self.tree, self.gates, targets=self.targets)


def draw_world(
    keywords: int, levels: int, seed: int, *, nested: bool, floors: bool, target: str
) -> World:
    rng = np.random.default_rng(seed)
    cost, value = _curves(rng, keywords, levels)
    wanted = cost[np.arange(keywords), (value - cost).argmax(axis=1)]
    tree, node = _nested(rng, wanted, floors) if nested else _flat(wanted)
    held = np.zeros(keywords, dtype=np.int64)
    options, gates = ungated(Options(cost, value, np.ones(cost.shape, dtype=bool), held))
    world = World(options, gates, node, tree, ())
    return world if target == "none" else _with_target(rng, world, target)


def _curves(rng: np.random.Generator, keywords: int, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """Cost and value per level; level 0 is off. Drawn for all, filled chunk by chunk."""
    volume = np.exp(rng.normal(1, 1.6, keywords))
    middle = np.exp(rng.normal(0, 0.5, keywords))
    steep = rng.uniform(1.2, 4, keywords)
    worth = np.exp(rng.normal(-0.1, 0.8, keywords))
    price = rng.uniform(0.75, 0.95, keywords)
    cost, value = np.zeros((keywords, levels)), np.zeros((keywords, levels))
    for at in range(0, keywords, CHUNK):
        cut = slice(at, at + CHUNK)
        bids = middle[cut, None] * np.geomspace(0.2, 4, levels - 1)
        powered = bids ** steep[cut, None]
        share = powered / (powered + middle[cut, None] ** steep[cut, None])
        clicks = volume[cut, None] * share
        paid = clicks * bids * (1 - 0.35 * share) * price[cut, None]
        cost[cut, 1:] = np.maximum.accumulate(paid, axis=1)
        value[cut, 1:] = clicks * worth[cut, None]
    return cost, value


def _flat(wanted: np.ndarray) -> tuple[BudgetTree, np.ndarray]:
    return BudgetTree.flat(0.35 * float(wanted.sum())), np.zeros(len(wanted), dtype=np.int64)


def _nested(
    rng: np.random.Generator, wanted: np.ndarray, floors: bool
) -> tuple[BudgetTree, np.ndarray]:
    """Ad groups of 20 keywords, campaigns of 15 ad groups, one account."""
    keywords = len(wanted)
    groups = max(keywords // 20, 1)
    campaigns = max(groups // 15, 1)
    group = np.arange(keywords) * groups // keywords
    campaign = np.arange(groups) * campaigns // groups
    desired = np.bincount(group, wanted, groups)
    group_cap = desired * rng.uniform(0.3, 1.5, groups)
    spendable = np.minimum(desired, group_cap)
    campaign_cap = np.bincount(campaign, spendable, campaigns) * rng.uniform(0.4, 1.3, campaigns)
    reachable = np.minimum(np.bincount(campaign, spendable, campaigns), campaign_cap)
    floor = np.zeros(campaigns)
    if floors:
        picked = rng.random(campaigns) < 0.05
        floor[picked] = campaign_cap[picked] * rng.uniform(0.2, 0.5, int(picked.sum()))
    tree = BudgetTree(
        np.concatenate([[-1], np.zeros(campaigns, dtype=np.int64), campaign + 1]),
        np.concatenate([[0.6 * reachable.sum()], campaign_cap, group_cap]),
        np.concatenate([[0.0], floor, np.zeros(groups)]),
    )
    return tree, group + 1 + campaigns


def _with_target(rng: np.random.Generator, world: World, kind: str) -> World:
    """Target ROAS of the account; with margins per keyword its numerator is not the objective."""
    keywords = len(world.node)
    margin = rng.uniform(0.2, 0.6, keywords) if kind == "roas" else np.full(keywords, 0.4)
    options = replace(world.options, value=world.options.value * margin[:, None])
    plain = replace(world, options=options)
    level, rows = plain.solve().level, np.arange(keywords)
    owner = world.tree.parent[world.node]
    revenue = np.bincount(np.maximum(owner, 0), options.value[rows, level] / margin)
    spent = np.bincount(np.maximum(owner, 0), options.cost[rows, level])
    least = np.zeros(len(world.tree.parent))
    least[0] = np.quantile(revenue[spent > 0] / spent[spent > 0], 0.6)
    return replace(plain, targets=(Target.of(1 / margin, least),))


def solve_by_highs(world: World) -> tuple[float, float]:
    """Seconds and objective of scipy's HiGHS interior point on the same linear program."""
    keywords, levels = world.options.cost.shape
    cost = world.options.cost.ravel()
    variables = keywords * levels
    at, owner = np.arange(variables), np.repeat(np.arange(keywords), levels)
    one = sparse.csr_matrix((np.ones(variables), (owner, at)), shape=(keywords, variables))
    above = _ancestors(world)
    spend = above[:, owner].multiply(cost).tocsr()
    capped = np.flatnonzero(np.isfinite(world.tree.cap))
    floored = np.flatnonzero(world.tree.floor > 0)
    rows = [one, spend[capped], -spend[floored]]
    limits = [np.ones(keywords), world.tree.cap[capped], -world.tree.floor[floored]]
    for target in world.targets:
        for node in np.flatnonzero(target.least):
            counted = np.repeat(target.per, levels) * world.options.value.ravel()
            rows.append(above[node][:, owner].multiply(target.least[node] * cost - counted))
            limits.append(target.brought[[node]])
    began = time.perf_counter()
    found = linprog(
        cost - world.options.value.ravel(),
        A_ub=sparse.vstack(rows, format="csr"),
        b_ub=np.concatenate(limits),
        method="highs-ipm",
    )
    return time.perf_counter() - began, -float(found.fun)


def _ancestors(world: World) -> sparse.csr_matrix:
    """(nodes, keywords): 1 where the keyword hangs under the node."""
    nodes, keywords = len(world.tree.parent), len(world.node)
    at, rows, columns = world.node.copy(), [], []
    while (at >= 0).any():
        rows.append(at[at >= 0])
        columns.append(np.flatnonzero(at >= 0))
        at = np.where(at >= 0, world.tree.parent[at], -1)
    place = (np.concatenate(rows), np.concatenate(columns))
    return sparse.csr_matrix((np.ones(len(place[0])), place), shape=(nodes, keywords))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    kind = {"nested": options.nested, "floors": options.floors, "target": options.target}
    draw_world(200, 6, 0, **kind).solve()
    world = draw_world(options.keywords, options.levels, options.seed, **kind)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found, times, busy = world.solve(), [], []
    for _ in range(options.repeats):
        began, worked = time.perf_counter(), time.process_time()
        found = world.solve()
        times.append(time.perf_counter() - began)
        busy.append(time.process_time() - worked)
    result = {
        "seconds": round(statistics.median(times), 4),
        "cpu_seconds": round(statistics.median(busy), 4),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "world_mb": round(held),
        "gap": found.gap,
        "linear_gap": (found.upper_bound - found.objective) / abs(found.upper_bound),
        "upper_bound": found.upper_bound,
        "whole_bound": found.whole_bound,
        "objective": found.objective,
        "fractional": found.fractional,
        "dual_price": found.dual_price,
        "budget_left_share": 1 - found.cost / float(world.tree.cap[0]),
        "nodes": len(world.tree.parent),
        "peer_seconds": None,
        "objective_rel_diff": None,
    }
    if options.peer == "highs":
        seconds, best = solve_by_highs(world)
        result["peer_seconds"] = round(seconds, 3)
        result["objective_rel_diff"] = abs(found.fractional - best) / abs(best)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keywords", type=int, default=10_000)
    parser.add_argument("--levels", type=int, default=30)
    parser.add_argument("--nested", action="store_true")
    parser.add_argument("--floors", action="store_true")
    parser.add_argument("--target", choices=["none", "same", "roas"], default="none")
    parser.add_argument("--peer", choices=["none", "highs"], default="none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    if options.peer == "highs" and options.keywords > PEER_LIMIT:
        parser.error(f"the peer takes at most {PEER_LIMIT} keywords")
    if (options.floors or options.target != "none") and not options.nested:
        parser.error("floors and targets belong to the nested world")
    result = measure(options)
    if options.record:
        _keep(options, result)
    print(json.dumps(result) if options.json else _table(result))


def _table(result: dict[str, Any]) -> str:
    return "\n".join(f"{name:>20}  {value}" for name, value in result.items())


def _keep(options: argparse.Namespace, result: dict[str, Any]) -> None:
    """One entry per command in the record."""
    told = {name: value for name, value in vars(options).items() if value and name != "record"}
    words = [f"--{name}" if value is True else f"--{name} {value}" for name, value in told.items()]
    command = " ".join(["python -m simulations.bench_allocation", *words, "--json"])
    known = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    known[command.replace(" --json --json", " --json")] = result
    RECORD.write_text(json.dumps(known, indent=2) + "\n")


if __name__ == "__main__":
    main()
