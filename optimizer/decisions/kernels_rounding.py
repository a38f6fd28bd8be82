"""The loops that turn lines into whole levels: taking and giving back steps one keyword at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit

from optimizer.estimates.posteriors import Bools, Floats, Ints


class Books(NamedTuple):
    """What is left per node, target and side group; changed in place as steps are taken.

    `left` below the cap and `spare` above the floor of each node; `least` and `slack` of each target
    and node, `per` keyword what counts towards it; each keyword's side `group` (-1: none) and what
    of it counts, `side_left` per group.
    """

    parent: Ints
    left: Floats
    spare: Floats
    least: Floats
    per: Floats
    slack: Floats
    group: Ints
    side: Floats
    side_left: Floats


def _subtrees(parent: Ints) -> tuple[Ints, Ints]:
    """Position of each node in depth-first order, and how many nodes its subtree has."""
    size, place = np.ones(len(parent), np.int64), np.zeros(len(parent), np.int64)
    for n in range(len(parent) - 1, 0, -1):
        size[parent[n]] += size[n]
    free = np.ones(len(parent), np.int64)
    for n in range(1, len(parent)):
        place[n] = free[parent[n]]
        free[parent[n]] += size[n]
        free[n] = place[n] + 1
    return place, size


def _down_lines(
    parent: Ints, upper: Floats, lower: Floats, price: float
) -> tuple[Floats, Floats, Ints]:
    """From the root down: each node's line, the highest line on its path, and the node that sets it.

    The line is the median of what the node's cap asks for at least, its parent's line, and what its
    floor asks for at most; -1: nobody sets it, money is worth `price`.
    """
    line, path = np.empty(len(parent)), np.empty(len(parent))
    setter = np.empty(len(parent), np.int64)
    for n in range(len(parent)):
        above = line[parent[n]] if n else price
        setter[n] = setter[parent[n]] if n else -1
        line[n] = min(max(above, upper[n]), max(lower[n], upper[n]))
        if line[n] != above:
            setter[n] = n
        path[n] = max(line[n], path[parent[n]] if n else price)
    return line, path, setter


def _multipliers(
    parent: Ints,
    cap: Floats,
    floor: Floats,
    least: Floats,
    ratio: Floats,
    slack: Floats,
    line: Floats,
    setter: Ints,
    binding: Ints,
    base: float,
    steepest: float,
) -> tuple[Floats, Floats, float]:
    """Per node the scale on value and the price on cost that the lines imply; and Σ duals · limits.

    `binding` is 0 cap, 1 floor, 2+f target f. At most `steepest` is asked for a target.
    """
    scale, price, total = np.ones(len(parent)), np.full(len(parent), base), 0.0
    for n in range(len(parent)):
        if n:
            scale[n], price[n] = scale[parent[n]], price[parent[n]]
        if setter[n] != n:
            continue
        move = line[n] * scale[n] - price[n]
        if binding[n] < 2:
            price[n] += move
            total += move * (floor[n] if binding[n] else cap[n])
            continue
        f = binding[n] - 2
        room = least[f, n] - ratio[f, n] * line[n]
        weight = min(move / room, steepest) if move * room > 0 else steepest
        scale[n] += weight * ratio[f, n]
        price[n] += weight * least[f, n]
        total += weight * slack[f, n]
    return scale, price, total


def _path_least(parent: Ints, amount: Floats) -> Floats:
    """The least `amount` on the way from the root to each node."""
    least = amount.copy()
    for n in range(1, len(parent)):
        least[n] = min(least[n], least[parent[n]])
    return least


def _path_sum(parent: Ints, amount: Floats) -> Floats:
    """The sum of `amount` on the way from the root to each node."""
    total = amount.copy()
    for n in range(1, len(parent)):
        total[n] += total[parent[n]]
    return total


def _sum_up(parent: Ints, amount: Floats) -> None:
    """Add each node's amount to its ancestors', in place."""
    for n in range(len(parent) - 1, 0, -1):
        amount[parent[n]] += amount[n]


def _allowed_move(
    k: int,
    n: int,
    cost: float,
    value: float,
    books: Books,
) -> bool:
    """Whether spending `cost` more (or less) at keyword k keeps every cap, floor, target and side cap.

    `left` below caps and `spare` above floors per node. What is already broken must not get worse.
    """
    if (
        books.group[k] >= 0
        and value > 0
        and books.side[k] * value > books.side_left[books.group[k]]
    ):
        return False
    while n >= 0:
        if cost > 0 and cost > books.left[n]:
            return False
        if cost < 0 and -cost > books.spare[n]:
            return False
        for f in range(len(books.least)):
            change = books.per[f, k] * value - books.least[f, n] * cost
            if books.least[f, n] > 0 and change < 0 and books.slack[f, n] + change < 0:
                return False
        n = books.parent[n]
    return True


def _book(
    k: int,
    n: int,
    cost: float,
    value: float,
    books: Books,
) -> None:
    """Write a move into every account on the keyword's path."""
    if books.group[k] >= 0:
        books.side_left[books.group[k]] -= books.side[k] * value
    while n >= 0:
        books.left[n] -= cost
        books.spare[n] += cost
        for f in range(len(books.least)):
            books.slack[f, n] += books.per[f, k] * value - books.least[f, n] * cost
        n = books.parent[n]


def _take(
    order: Ints,
    node: Ints,
    full: Ints,
    cost: Floats,
    value: Floats,
    books: Books,
    opens: Floats,
    watched: int,
    enough: float,
) -> int:
    """Let the keywords of `order` take their next step (`cost`, `value` each) where it is allowed.

    `opens` falls along `order`. Stops once node `watched` (-1: none) is at its floor, or what is left
    of the account is worth no more than `enough`. `full` and the accounts are changed in place;
    returns how many moved.
    """
    moved = 0
    for j in range(len(order)):
        if books.left[0] * opens[j] <= enough or (watched >= 0 and books.spare[watched] >= 0):
            break
        k = order[j]
        if cost[j] <= books.left[node[k]] and allowed_move(k, node[k], cost[j], value[j], books):
            book(k, node[k], cost[j], value[j], books)
            full[k] += 1
            moved += 1
    return moved


def _worst_last(
    first: int,
    last: int,
    skip: int,
    start: Ints,
    full: Ints,
    least_full: Ints,
    threshold: Floats,
    held: Bools,
) -> int:
    """The keyword in first..last-1 whose last step taken opens lowest; -1: none is left."""
    worst, found = np.inf, -1
    for k in range(first, last):
        if k != skip and full[k] > least_full[k] and not held[k - first]:
            opens = threshold[start[k] + full[k] - 1]
            if opens < worst:
                worst, found = opens, k
    return found


def _what_blocks(n: int, cost: float, parent: Ints, left: Floats) -> tuple[int, float]:
    """The lowest node whose cap `cost` would pass (-1: none), and by how much it passes any above."""
    blocked, over = -1, 0.0
    while n >= 0:
        if cost > left[n]:
            blocked = n if blocked < 0 else blocked
            over = max(over, cost - left[n])
        n = parent[n]
    return blocked, over


def _exchange(
    order: Ints,
    begin: Ints,
    end: Ints,
    start: Ints,
    threshold: Floats,
    extra: Floats,
    node: Ints,
    full: Ints,
    least_full: Ints,
    base: float,
    books: Books,
    widest: int,
) -> None:
    """Let keywords of `order` take their next step in exchange for the worst last steps beside them.

    Beside: under the lowest node whose cap stands in the way, if that has at most `widest` keywords.
    Nobody gives back its first `least_full` steps. An exchange is kept where it raises
    Σ (threshold - base)·cost.
    """
    for k in order:
        at, cost = start[k] + full[k], extra[start[k] + full[k]]
        blocked, over = what_blocks(node[k], cost, books.parent, books.left)
        if blocked < 0 or end[blocked] - begin[blocked] > widest:
            continue
        gain, freed, back = (threshold[at] - base) * cost, 0.0, 0
        given = np.empty(widest, np.int64)
        held = np.zeros(end[blocked] - begin[blocked], np.bool_)
        while freed < over and gain > 0 and back < widest:
            j = worst_last(
                begin[blocked], end[blocked], k, start, full, least_full, threshold, held
            )
            if j < 0:
                break
            i = start[j] + full[j] - 1
            if not allowed_move(j, node[j], -extra[i], -extra[i] * threshold[i], books):
                held[j - begin[blocked]] = True
                continue
            book(j, node[j], -extra[i], -extra[i] * threshold[i], books)
            full[j] -= 1
            freed += extra[i]
            gain -= (threshold[i] - base) * extra[i]
            given[back] = j
            back += 1
        pays = freed >= over and gain > 0
        if pays and allowed_move(k, node[k], cost, cost * threshold[at], books):
            book(k, node[k], cost, cost * threshold[at], books)
            full[k] += 1
            continue
        for b in range(back - 1, -1, -1):
            j = given[b]
            i = start[j] + full[j]
            book(j, node[j], extra[i], extra[i] * threshold[i], books)
            full[j] += 1


def _between(
    order: Ints,
    rows: Ints,
    node: Ints,
    level: Ints,
    top: Ints,
    cost: Floats,
    value: Floats,
    allowed: Bools,
    base: float,
    books: Books,
    watched: int,
) -> None:
    """Let keywords of `order` rise to an allowed level up to `top` that is not on their hull.

    The level with most value - base·cost; for a `watched` node (-1: none) the one that comes closest
    to what its floor still needs from above, or from below. `level` is changed in place.
    """
    for k in order:
        need = -books.spare[watched] if watched >= 0 else 0.0
        if watched >= 0 and need <= 0:
            break
        row, now = rows[k], level[k]
        best, chosen = (0.0 if watched < 0 else -np.inf), now
        for to in range(now + 1, top[k] + 1):
            more, gain = cost[row, to] - cost[row, now], value[row, to] - value[row, now]
            merit = gain - base * more
            if watched >= 0:
                merit = more if more < need else 1e15 - more
            better = merit > best and allowed[row, to]
            if better and allowed_move(k, node[k], more, gain, books):
                best, chosen = merit, to
        if chosen != now:
            more, gain = cost[row, chosen] - cost[row, now], value[row, chosen] - value[row, now]
            book(k, node[k], more, gain, books)
            level[k] = chosen


def _broken(
    k: int,
    n: int,
    cost: float,
    value: float,
    books: Books,
) -> bool:
    """Whether giving back (`cost`, `value`) mends a cap, target or side cap that is broken."""
    if books.group[k] >= 0 and books.side_left[books.group[k]] < 0 and books.side[k] * value > 0:
        return True
    while n >= 0:
        if books.left[n] < 0 and cost > 0:
            return True
        for f in range(len(books.least)):
            if books.slack[f, n] < 0 and books.per[f, k] * value < books.least[f, n] * cost:
                return True
        n = books.parent[n]
    return False


def _above_floors(n: int, cost: float, parent: Ints, spare: Floats) -> bool:
    while n >= 0:
        if cost > spare[n]:
            return False
        n = parent[n]
    return True


def _give_back(
    order: Ints,
    node: Ints,
    full: Ints,
    cost: Floats,
    value: Floats,
    books: Books,
    strict: bool,
) -> int:
    """Let the keywords of `order` give back their last step while that mends something broken.

    `strict`: without making another target worse. Floors are kept either way.
    """
    moved = 0
    for j in range(len(order)):
        k = order[j]
        if not broken(k, node[k], cost[j], value[j], books):
            continue
        may = above_floors(node[k], cost[j], books.parent, books.spare)
        if may and (not strict or allowed_move(k, node[k], -cost[j], -value[j], books)):
            book(k, node[k], -cost[j], -value[j], books)
            full[k] -= 1
            moved += 1
    return moved


subtrees = njit(cache=True)(_subtrees)
down_lines = njit(cache=True)(_down_lines)
multipliers = njit(cache=True)(_multipliers)
path_least = njit(cache=True)(_path_least)
path_sum = njit(cache=True)(_path_sum)
sum_up = njit(cache=True)(_sum_up)
allowed_move = njit(cache=True)(_allowed_move)
book = njit(cache=True)(_book)
take: Callable[..., int] = njit(cache=True)(_take)
worst_last = njit(cache=True)(_worst_last)
what_blocks = njit(cache=True)(_what_blocks)
exchange: Callable[..., None] = njit(cache=True)(_exchange)
between: Callable[..., None] = njit(cache=True)(_between)
broken = njit(cache=True)(_broken)
above_floors = njit(cache=True)(_above_floors)
give_back: Callable[..., int] = njit(cache=True)(_give_back)
