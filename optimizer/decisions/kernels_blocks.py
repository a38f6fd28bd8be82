"""The best whole levels of a few keywords under one cap, by branch and bound, compiled.

Keywords are decided one after the other, those with most to spend first. A partial choice is kept
while the linear bound of the keywords still open lets it beat the best plan known, and unless
another costs no more and brings as much (dynamic programming by lists with bounds: Pisinger 1995).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from optimizer.decisions.kernels_rounding import Books, book
from optimizer.estimates.posteriors import Bools, Floats, Ints

_DECIDED = 32
"""At most this many keywords are decided one by one; the rest follow the linear plan."""


def _useful(
    cost: Floats, gain: Floats, allowed: Bools, level: Ints, spend: Floats, worth: Floats
) -> int:
    """Allowed levels that bring more than every cheaper one; cost and gain beyond the cheapest's."""
    size, least, base = 0, 0.0, 0.0
    for at in range(len(cost)):
        if not allowed[at]:
            continue
        if size and gain[at] - base <= worth[size - 1]:
            continue
        if size == 1 and cost[at] <= least:
            size = 0
        if size == 0:
            least, base = cost[at], gain[at]
        elif cost[at] - least <= spend[size - 1]:
            size -= 1
        level[size], spend[size], worth[size] = at, cost[at] - least, gain[at] - base
        size += 1
    return size


def _rises(spend: Floats, worth: Floats, size: int, out: Ints) -> int:
    """Positions on the concave hull of `size` points rising in both; the first always stays."""
    kept = 0
    for at in range(size):
        while kept > 1:
            a, b = out[kept - 2], out[kept - 1]
            before = (worth[b] - worth[a]) * (spend[at] - spend[b])
            if before > (worth[at] - worth[b]) * (spend[b] - spend[a]):
                break
            kept -= 1
        out[kept] = at
        kept += 1
    return kept


def _open_steps(
    spend: Floats, worth: Floats, size: Ints, order: Ints
) -> tuple[Ints, Ints, Floats, Floats]:
    """Steps up all hulls, steepest first: position of the keyword in `order`, option reached, cost, gain."""
    most = np.sum(size)
    owner, to = np.empty(most, np.int64), np.empty(most, np.int64)
    extra, more = np.empty(most), np.empty(most)
    hull, count = np.empty(spend.shape[1], np.int64), 0
    for place in range(len(order)):
        k = order[place]
        kept = rises(spend[k], worth[k], size[k], hull)
        for j in range(1, kept):
            a, b = hull[j - 1], hull[j]
            owner[count], to[count] = place, b
            extra[count], more[count] = spend[k, b] - spend[k, a], worth[k, b] - worth[k, a]
            count += 1
    best = np.argsort(-more[:count] / extra[:count], kind="mergesort")
    return owner[best], to[best], extra[best], more[best]


def _linear(cost: Floats, gain: Floats, room: float) -> tuple[int, float]:
    """How many steps fit `room` whole, and what they and a part of the next bring.

    `cost` and `gain` are sums over the first steps, 0 first.
    """
    fit = int(np.searchsorted(cost, room, side="right")) - 1
    if fit == len(cost) - 1:
        return fit, float(gain[fit])
    part = (room - cost[fit]) / (cost[fit + 1] - cost[fit])
    return fit, float(gain[fit] + part * (gain[fit + 1] - gain[fit]))


def _not_dominated(cost: Floats, gain: Floats, bound: Floats, least: float) -> Ints:
    """The choices of a bound above `least` that bring more than every cheaper one, cheapest first."""
    order, size, best = np.argsort(cost, kind="mergesort"), 0, -np.inf
    for at in order:
        if gain[at] > best and bound[at] > least:
            best = gain[at]
            order[size] = at
            size += 1
    return order[:size]


def _whole_block(
    cost: Floats, gain: Floats, allowed: Bools, room: float, tolerance: float, widest: int
) -> tuple[Ints, float, float]:
    """Levels of highest Σ gain with Σ cost ≤ `room`; that sum, and a bound on what any choice brings.

    Arrays are (keywords, levels), cost rising. The bound exceeds the sum by at most `tolerance`,
    unless more than `widest` partial choices had to be kept. Where a keyword has no allowed level or
    not even the cheapest fit, the sum is -inf.
    """
    keywords, levels = cost.shape
    level, size = np.zeros((keywords, levels), np.int64), np.empty(keywords, np.int64)
    spend, worth = np.zeros((keywords, levels)), np.zeros((keywords, levels))
    chosen, base = np.empty(keywords, np.int64), 0.0
    span = np.empty(keywords)
    for k in range(keywords):
        size[k] = useful(cost[k], gain[k], allowed[k], level[k], spend[k], worth[k])
        if size[k] == 0:
            return chosen, -np.inf, -np.inf
        room -= cost[k, level[k, 0]]
        base += gain[k, level[k, 0]]
    if room < 0:
        return chosen, -np.inf, -np.inf
    for k in range(keywords):
        while spend[k, size[k] - 1] > room:
            size[k] -= 1
        span[k] = spend[k, size[k] - 1]
    order = np.argsort(-span)
    picked, best, bound = branch(spend, worth, size, order, room, tolerance, widest)
    for k in range(keywords):
        chosen[k] = level[k, picked[k]]
    return chosen, base + best, base + bound


def _branch(
    spend: Floats,
    worth: Floats,
    size: Ints,
    order: Ints,
    room: float,
    tolerance: float,
    widest: int,
) -> tuple[Ints, float, float]:
    """The option of each keyword, the sum they bring and the bound, from nothing spent."""
    steps = open_steps(spend, worth, size, order)
    owner, to, extra, more = steps
    stages = min(len(order), _DECIDED)
    come, how = np.zeros((stages + 1, widest), np.int64), np.zeros((stages + 1, widest), np.int64)
    paid, got = np.zeros(1), np.zeros(1)
    open_cost, open_gain = running(owner, extra, more, 0)
    fit, _ = linear(open_cost, open_gain, room)
    picked, best, missed = np.zeros(len(order), np.int64), open_gain[fit], open_gain[fit]
    follow(picked, order, owner, to, 0, fit)
    for stage in range(stages):
        k, least = order[stage], best + tolerance
        ahead = running(owner, extra, more, stage + 1)
        paid, got, bound, source, option, winner, fit, passed = extend(
            paid, got, spend[k, : size[k]], worth[k, : size[k]], *ahead, room, least, best
        )
        missed = max(missed, passed)
        if winner >= 0:
            best = got[winner] + ahead[1][fit]
            picked[k] = option[winner]
            trace(picked, order, come, how, stage, source[winner])
            follow(picked, order, owner, to, stage + 1, fit)
        kept = not_dominated(paid, got, bound, best + tolerance)
        if len(kept) > widest:
            kept = kept[np.argsort(-bound[kept], kind="mergesort")]
            missed = max(missed, bound[kept[widest]])
            kept = kept[:widest]
        close = bound[bound <= best + tolerance]
        missed = max(missed, np.max(close)) if len(close) else missed
        if not len(kept):
            break
        if stage == stages - 1:
            missed = max(missed, np.max(bound[kept]))
        come[stage + 1, : len(kept)], how[stage + 1, : len(kept)] = source[kept], option[kept]
        paid, got = paid[kept], got[kept]
    return picked, best, max(missed, best)


def _extend(
    paid: Floats,
    got: Floats,
    spend: Floats,
    worth: Floats,
    open_cost: Floats,
    open_gain: Floats,
    room: float,
    least: float,
    best: float,
) -> tuple[Floats, Floats, Floats, Ints, Ints, int, int, float]:
    """Every partial choice with every option of the next keyword whose linear bound exceeds `least`.

    Returns cost, gain, bound, the choice it came from, the option, which of them (-1: none) with its
    `fit` whole steps of the open keywords beats `best`, that `fit`, and the highest bound left out.
    """
    most, count, winner, fitting, passed = len(paid) * len(spend), 0, -1, 0, -np.inf
    cost, gain, bound = np.empty(most), np.empty(most), np.empty(most)
    source, option = np.empty(most, np.int64), np.empty(most, np.int64)
    for s in range(len(paid)):
        for o in range(len(spend)):
            if paid[s] + spend[o] > room:
                break
            fit, rest = linear(open_cost, open_gain, room - paid[s] - spend[o])
            if got[s] + worth[o] + rest <= least:
                passed = max(passed, got[s] + worth[o] + rest)
                continue
            cost[count], gain[count] = paid[s] + spend[o], got[s] + worth[o]
            bound[count] = gain[count] + rest
            source[count], option[count] = s, o
            if gain[count] + open_gain[fit] > best:
                best, winner, fitting = gain[count] + open_gain[fit], count, fit
            count += 1
    return (
        cost[:count],
        gain[:count],
        bound[:count],
        source[:count],
        option[:count],
        winner,
        fitting,
        passed,
    )


def _running(owner: Ints, extra: Floats, more: Floats, first: int) -> tuple[Floats, Floats]:
    """Sums of cost and gain over the steps of keywords from place `first` on, 0 first."""
    cost, gain, count = np.zeros(len(owner) + 1), np.zeros(len(owner) + 1), 0
    for j in range(len(owner)):
        if owner[j] >= first:
            cost[count + 1], gain[count + 1] = cost[count] + extra[j], gain[count] + more[j]
            count += 1
    return cost[: count + 1], gain[: count + 1]


def _follow(picked: Ints, order: Ints, owner: Ints, to: Ints, first: int, fit: int) -> None:
    """Let keywords from place `first` on take the `fit` steepest of their steps."""
    picked[order[first:]] = 0
    for j in range(len(owner)):
        if fit == 0:
            break
        if owner[j] >= first:
            picked[order[owner[j]]] = to[j]
            fit -= 1


def _trace(picked: Ints, order: Ints, parent: Ints, option: Ints, stage: int, state: int) -> None:
    """Write the options that led to `state` after `stage` keywords."""
    for at in range(stage, 0, -1):
        picked[order[at - 1]] = option[at, state]
        state = parent[at, state]


def _stays_within(
    n: int,
    cost: float,
    mine: Ints,
    gained: Floats,
    books: Books,
) -> bool:
    """Whether the keywords `mine` may together spend `cost` more and bring `gained` more each."""
    used = np.zeros(len(books.side_left))
    for j in range(len(mine)):
        if books.group[mine[j]] >= 0:
            used[books.group[mine[j]]] += books.side[mine[j]] * gained[j]
    if np.any((used > 0) & (used > books.side_left)):
        return False
    while n >= 0:
        if cost > max(books.left[n], 0.0) + 1e-12 * abs(cost) or (
            cost < 0 and -cost > books.spare[n]
        ):
            return False
        for f in range(len(books.least)):
            change = np.sum(books.per[f][mine] * gained) - books.least[f, n] * cost
            if books.least[f, n] > 0 and change < 0 and books.slack[f, n] + change < 0:
                return False
        n = books.parent[n]
    return True


def _open_levels(allowed: Bools, lowest: Ints, highest: Ints) -> Bools:
    """The allowed levels of each keyword from `lowest` to `highest`."""
    may = allowed.copy()
    for k in range(len(lowest)):
        may[k, : lowest[k]] = False
        may[k, highest[k] + 1 :] = False
    return may


def _at_price(value: Floats, cost: Floats, scale: Floats, price: Floats) -> Floats:
    """scale·value - price·cost of every level."""
    gain = np.empty(cost.shape)
    for k in range(len(scale)):
        gain[k] = scale[k] * value[k] - price[k] * cost[k]
    return gain


def _chosen_of(amount: Floats, level: Ints) -> Floats:
    """The amount of each keyword at its level."""
    picked = np.empty(len(level))
    for k in range(len(level)):
        picked[k] = amount[k, level[k]]
    return picked


def _peaks(gain: Floats, may: Bools) -> float:
    """The sum of each keyword's best level."""
    total = 0.0
    for k in range(len(gain)):
        total += np.max(np.where(may[k], gain[k], -np.inf))
    return total


def _solve_blocks(
    picked: Ints,
    begin: Ints,
    end: Ints,
    rows: Ints,
    start: Ints,
    reached: Ints,
    lowest: Ints,
    highest: Ints,
    cost: Floats,
    value: Floats,
    allowed: Bools,
    scale: Floats,
    price: Floats,
    dual: Floats,
    tolerance: Floats,
    widest: int,
    full: Ints,
    level: Ints,
    done: Bools,
    books: Books,
) -> float:
    """Give the keywords of each `picked` node their best whole levels under its cap.

    They maximise scale·value - (price - dual)·cost from level `lowest` to `highest`; `dual` and
    `tolerance` are per picked node. Written: `level`, `full` steps, the accounts, and `done` for
    keywords whose node is solved or has moved; those without steps stay. Returns by how much the
    Lagrangian of the nodes exceeds the bounds found.
    """
    excess = 0.0
    for at in range(len(picked)):
        n = picked[at]
        mine = begin[n] + np.flatnonzero(
            start[begin[n] + 1 : end[n] + 1] > start[begin[n] : end[n]]
        )
        own, now = rows[mine], level[mine]
        paid, worth = cost[own], value[own]
        may = open_levels(allowed[own], lowest[mine], highest[mine])
        gain = at_price(worth, paid, scale[mine], price[mine] - dual[at])
        room = books.left[n] + np.sum(chosen_of(paid, now))
        chosen, best, bound = whole_block(paid, gain, may, room, tolerance[at], widest)
        if best == -np.inf:
            continue
        known = np.sum(chosen_of(gain, now))
        most = peaks(at_price(worth, paid, scale[mine], price[mine]), may)
        excess += max(most + dual[at] * room - max(bound, known), 0.0)
        if best <= known:
            done[mine] = bound - known <= 2.0 * tolerance[at]
            continue
        more = chosen_of(paid, chosen) - chosen_of(paid, now)
        gained = chosen_of(worth, chosen) - chosen_of(worth, now)
        if stays_within(n, np.sum(more), mine, gained, books):
            done[mine] = True
            for j in range(len(mine)):
                k = mine[j]
                book(k, n, more[j], gained[j], books)
                level[k] = chosen[j]
                full[k] = np.searchsorted(reached[start[k] : start[k + 1]], level[k], side="right")
    return excess


useful = njit(cache=True)(_useful)
rises = njit(cache=True)(_rises)
open_steps = njit(cache=True)(_open_steps)
linear = njit(cache=True)(_linear)
not_dominated = njit(cache=True)(_not_dominated)
running = njit(cache=True)(_running)
follow = njit(cache=True)(_follow)
trace = njit(cache=True)(_trace)
extend = njit(cache=True)(_extend)
branch = njit(cache=True)(_branch)
whole_block = njit(cache=True)(_whole_block)
stays_within = njit(cache=True)(_stays_within)
open_levels = njit(cache=True)(_open_levels)
at_price = njit(cache=True)(_at_price)
chosen_of = njit(cache=True)(_chosen_of)
peaks = njit(cache=True)(_peaks)
solve_blocks = njit(cache=True)(_solve_blocks)
