"""The loops of the allocation that numpy cannot express, compiled.

Plain functions carry a leading underscore, so that tests can run them uncompiled. A keyword's steps
lie one after the other, best first; keywords lie in the order of the tree, so that every node owns
one range of steps.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from optimizer.estimates.posteriors import Bools, Floats, Ints

SMALL = 24
"""A range this short is sorted, not searched."""


def _half_hull(
    cost: Floats,
    value: Floats,
    allowed: Bools,
    first: int,
    last: int,
    out: Ints,
    slopes: Floats,
) -> int:
    """Allowed levels first..last on the concave hull, written to `out`; returns how many.

    `slopes[j]` is the slope from `out[j-1]` to `out[j]`, inf where value is free. The first and last
    allowed level always stay.
    """
    size = 0
    for level in range(first, last + 1):
        if not allowed[level]:
            continue
        rise = np.inf
        while size > 0:
            extra = cost[level] - cost[out[size - 1]]
            gain = value[level] - value[out[size - 1]]
            rise = gain / extra if extra > 0 else (np.inf if gain > 0 else -np.inf)
            if size == 1 or slopes[size - 1] > rise:
                break
            size -= 1
        out[size] = level
        slopes[size] = rise
        size += 1
    return size


def _steps(
    cost: Floats,
    value: Floats,
    allowed: Bools,
    hold: Ints,
    raise_gate: Floats,
    lower_gate: Floats,
    keep: Floats,
) -> tuple[Ints, Ints, Floats, Floats, Ints]:
    """Steps up each keyword's hull: (start of each keyword, level, threshold, extra cost, lowest level).

    A step above the hold level opens at min(slope, raise_gate), one below it closes at
    max(slope, lower_gate). With raise_gate ≤ lower_gate the gated response still falls in the line,
    so that one search solves it. Steps that open below the keyword's line `keep`, or at none, are
    left out, and without a need to spend (`keep` finite) those that bring nothing; value that costs
    nothing is part of the lowest level.
    """
    keywords, levels = cost.shape
    reached = np.empty(keywords * levels, np.int16)
    threshold = np.empty(keywords * levels, np.float64)
    extra = np.empty(keywords * levels, np.float64)
    start = np.empty(keywords + 1, np.int64)
    lowest = np.empty(keywords, np.int64)
    hull, slopes = np.empty(levels, np.int64), np.empty(levels, np.float64)
    count = 0
    for k in range(keywords):
        start[k] = count
        for upper in range(2):
            first, last = (hold[k], levels - 1) if upper else (0, hold[k])
            if upper and first == last:
                break
            size = half_hull(cost[k], value[k], allowed[k], first, last, hull, slopes)
            if not upper:
                lowest[k] = hull[0]
            for j in range(1, size):
                opens = min(slopes[j], raise_gate[k]) if upper else max(slopes[j], lower_gate[k])
                if opens == np.inf:
                    lowest[k] = hull[j]
                    continue
                if opens < keep[k] or opens == -np.inf or (slopes[j] <= 0 and keep[k] > -np.inf):
                    break
                reached[count], threshold[count] = hull[j], opens
                extra[count] = cost[k, hull[j]] - cost[k, hull[j - 1]]
                count += 1
    start[keywords] = count
    return start, reached[:count], threshold[:count], extra[:count], lowest


def _select(threshold: Floats, weight: Floats, size: int, room: float) -> tuple[float, float]:
    """Threshold T of the first weight that no longer fits `room`, best first; and the weight above T.

    Weighted quickselect on the first `size` entries, which are reordered. T is -inf if all fits.
    """
    left, right, above = 0, size, 0.0
    while right - left > SMALL:
        pivot = middle_of(threshold, left, right)
        better, same, of_better, of_same = split(threshold, weight, left, right, pivot)
        if above + of_better > room:
            right = better
        elif above + of_better + of_same > room:
            return pivot, above + of_better
        else:
            above += of_better + of_same
            left = same
    return scan_sorted(threshold, weight, left, right, above, room)


def _middle_of(threshold: Floats, left: int, right: int) -> float:
    """Median of three medians of three, evenly spread."""
    stride = (right - left - 1) // 8
    a = median(threshold[left], threshold[left + stride], threshold[left + 2 * stride])
    b = median(
        threshold[left + 3 * stride], threshold[left + 4 * stride], threshold[left + 5 * stride]
    )
    c = median(
        threshold[left + 6 * stride], threshold[left + 7 * stride], threshold[left + 8 * stride]
    )
    return median(a, b, c)


def _median(a: float, b: float, c: float) -> float:
    return max(min(a, b), min(max(a, b), c))


def _split(
    threshold: Floats, weight: Floats, left: int, right: int, pivot: float
) -> tuple[int, int, float, float]:
    """Reorder to better | same | worse; the two borders and the weights of the first two parts."""
    better, at, worse = left, left, right
    of_better, of_same = 0.0, 0.0
    while at < worse:
        t, w = threshold[at], weight[at]
        if t > pivot:
            threshold[at], weight[at] = threshold[better], weight[better]
            threshold[better], weight[better] = t, w
            of_better += w
            better += 1
            at += 1
        elif t < pivot:
            worse -= 1
            threshold[at], weight[at] = threshold[worse], weight[worse]
            threshold[worse], weight[worse] = t, w
        else:
            of_same += w
            at += 1
    return better, worse, of_better, of_same


def _scan_sorted(
    threshold: Floats, weight: Floats, left: int, right: int, above: float, room: float
) -> tuple[float, float]:
    for i in range(left + 1, right):
        t, w, j = threshold[i], weight[i], i
        while j > left and threshold[j - 1] < t:
            threshold[j], weight[j] = threshold[j - 1], weight[j - 1]
            j -= 1
        threshold[j], weight[j] = t, w
    tied = above
    for i in range(left, right):
        if i > left and threshold[i] < threshold[i - 1]:
            tied = above
        above += weight[i]
        if above > room:
            return threshold[i], tied
    return -np.inf, above


def _search(
    threshold: Floats, kept: Floats, flat: float, steep: float, room: float
) -> tuple[float, float]:
    """`select` among the steps that weigh something: `flat + steep · threshold` per unit kept."""
    size, total = 0, 0.0
    for i in range(len(threshold)):
        if kept[i] > 0 and flat + steep * threshold[i] > 0:
            size += 1
            total += kept[i] * (flat + steep * threshold[i])
    if total <= room:
        return -np.inf, total
    best, heavy = np.empty(size), np.empty(size)
    size = 0
    for i in range(len(threshold)):
        if kept[i] > 0 and flat + steep * threshold[i] > 0:
            best[size] = threshold[i]
            heavy[size] = kept[i] * (flat + steep * threshold[i])
            size += 1
    return select(best, heavy, size, room)


def _load(threshold: Floats, kept: Floats, flat: float, steep: float) -> float:
    """Sum of the positive weights `flat + steep · threshold` over what is kept."""
    total = 0.0
    for i in range(len(threshold)):
        if kept[i] > 0:
            total += max(flat + steep * threshold[i], 0.0) * kept[i]
    return total


def _trim(threshold: Floats, kept: Floats, flat: float, steep: float, room: float) -> float:
    """Keep of a node's steps, best first, what `room` of weight allows; returns the threshold.

    `kept` is changed in place: 0 below the threshold, in part where ties meet it. Steps without
    weight stay.
    """
    line, above = search(threshold, kept, flat, steep, room)
    if line == -np.inf:
        return line
    rest = max(room - above, 0.0)
    for i in range(len(threshold)):
        weight = flat + steep * threshold[i]
        if kept[i] <= 0 or weight <= 0 or threshold[i] > line:
            continue
        part = min(kept[i], rest / weight) if threshold[i] == line else 0.0
        rest -= part * weight
        kept[i] = part
    return line


def _commit(
    threshold: Floats, kept: Floats, committed: Floats, flat: float, steep: float, need: float
) -> tuple[float, float, float]:
    """Move the best steps worth `need` of weight from `kept` to `committed`.

    Returns (threshold, cost moved, value moved).
    """
    line, above = search(threshold, kept, flat, steep, need)
    rest, cost, value = max(need - above, 0.0), 0.0, 0.0
    if line == -np.inf:
        line, rest = lowest_weighing(threshold, kept, flat, steep), np.inf
    for i in range(len(threshold)):
        weight = flat + steep * threshold[i]
        if kept[i] <= 0 or weight <= 0 or threshold[i] < line:
            continue
        part = min(kept[i], rest / weight) if threshold[i] == line else kept[i]
        if threshold[i] == line:
            rest -= part * weight
        kept[i] -= part
        committed[i] += part
        cost += part
        value += part * threshold[i]
    return line, cost, value


def _lowest_weighing(threshold: Floats, kept: Floats, flat: float, steep: float) -> float:
    line = np.inf
    for i in range(len(threshold)):
        if kept[i] > 0 and flat + steep * threshold[i] > 0:
            line = min(line, threshold[i])
    return line


def _stop_node(
    threshold: Floats, kept: Floats, least: float, ratio: float, slack: float
) -> tuple[float, float]:
    """Line at which further steps would pull value per cost below `least`; and the slack at best.

    `ratio` is what counts towards the target per unit of objective value.
    """
    most = slack + load(threshold, kept, -least, ratio)
    if most < 0:
        return -np.inf, most
    return trim(threshold, kept, least, -ratio, most), most


def _settle(
    first: Ints,
    last: Ints,
    parent: Ints,
    threshold: Floats,
    kept: Floats,
    committed: Floats,
    cost: Floats,
    value: Floats,
    cap: Floats,
    floor: Floats,
    least: Floats,
    ratio: Floats,
    slack: Floats,
    upper: Floats,
    lower: Floats,
    upper_by: Ints,
    lower_by: Ints,
) -> tuple[int, int, float]:
    """From the leaves up, what each node's cap, targets and floor leave of its steps.

    `cost` and `value` per node are spent whatever the line, and grow by what floors and targets
    commit. Written: `kept` and `committed` per step; per node the line its cap (`upper_by` 0) or
    target f (`upper_by` f+1) asks for at least, and the line its floor or target asks for at most.
    Returns (node, constraint, best reachable) of the first constraint that cannot be met: 0 cap,
    1 floor, 2+f target f; node -1 when all can.
    """
    for n in range(len(parent) - 1, -1, -1):
        t, s = threshold[first[n] : last[n]], kept[first[n] : last[n]]
        done = committed[first[n] : last[n]]
        if not cap_node(t, s, n, cap, cost, upper):
            return n, 0, cost[n]
        for f in range(len(least)):
            if least[f, n] > 0:
                missed = target_node(
                    t,
                    s,
                    done,
                    n,
                    f,
                    cost,
                    value,
                    least,
                    ratio,
                    slack,
                    upper,
                    lower,
                    upper_by,
                    lower_by,
                )
                if missed < 0:
                    return n, 2 + f, missed
        most = floor_node(t, s, done, n, floor, cost, value, lower, lower_by)
        if most < floor[n]:
            return n, 1, most
        if n > 0:
            cost[parent[n]] += cost[n]
            value[parent[n]] += value[n]
    return -1, 0, 0.0


def _cap_node(
    threshold: Floats, kept: Floats, n: int, cap: Floats, cost: Floats, upper: Floats
) -> bool:
    """Keep what node n's cap leaves room for; False where even what must be spent is more."""
    if cap[n] < np.inf:
        upper[n] = trim(threshold, kept, 1.0, 0.0, cap[n] - cost[n])
    return bool(cost[n] <= cap[n] + 1e-12 * abs(cap[n]))


def _floor_node(
    threshold: Floats,
    kept: Floats,
    committed: Floats,
    n: int,
    floor: Floats,
    cost: Floats,
    value: Floats,
    lower: Floats,
    lower_by: Ints,
) -> float:
    """Commit what node n's floor asks for; returns what can be spent where that is less, else inf."""
    if floor[n] <= cost[n]:
        return np.inf
    most = float(cost[n] + load(threshold, kept, 1.0, 0.0))
    if most < floor[n] * (1 - 1e-12):
        return most
    line, more, gained = commit(threshold, kept, committed, 1.0, 0.0, floor[n] - cost[n])
    cost[n] += more
    value[n] += gained
    if line < lower[n]:
        lower[n], lower_by[n] = line, 0
    return np.inf


def _target_node(
    threshold: Floats,
    kept: Floats,
    committed: Floats,
    n: int,
    f: int,
    cost: Floats,
    value: Floats,
    least: Floats,
    ratio: Floats,
    slack: Floats,
    upper: Floats,
    lower: Floats,
    upper_by: Ints,
    lower_by: Ints,
) -> float:
    """Target f at node n: where spending must stop, and what must be spent to make up a deficit.

    Returns the slack that stays short (negative) where the target is out of reach, else 0.
    """
    bar, per = least[f, n], ratio[f, n]
    present = slack[f, n] + per * value[n] - bar * cost[n]
    line, most = stop_node(threshold, kept, bar, per, present)
    if most < -1e-12 * max(bar * cost[n], 1e-300):
        return most
    if line >= upper[n] and line > -np.inf:
        upper[n], upper_by[n] = line, f + 1
    if present < 0 and load(threshold, kept, -bar, per) > 0:
        line, more, gained = commit(threshold, kept, committed, -bar, per, -present)
        cost[n] += more
        value[n] += gained
        if line < lower[n]:
            lower[n], lower_by[n] = line, f + 1
    return 0.0


def _taken(
    start: Ints,
    node: Ints,
    line: Floats,
    threshold: Floats,
    slope: Floats,
    extra: Floats,
    kept: Floats,
    committed: Floats,
    full: Ints,
    cost: Floats,
    value: Floats,
) -> None:
    """Per keyword: steps `full`y taken at the lines found, and cost and value of the fractional plan.

    `slope` is the value per cost of a step; `kept` below the line is cleared.
    """
    for k in range(len(full)):
        whole = True
        for i in range(start[k], start[k + 1]):
            if threshold[i] < line[node[k]] or threshold[i] <= 0:
                kept[i] = 0.0
            amount = kept[i] + committed[i]
            if extra[i] > 0:
                whole = whole and amount >= extra[i] * (1 - 1e-12)
                cost[k] += amount
                value[k] += amount * slope[i]
            else:
                whole = whole and threshold[i] >= line[node[k]]
            full[k] += whole


def _best_response(
    start: Ints,
    threshold: Floats,
    reached: Ints,
    lowest: Ints,
    rows: Ints,
    cost: Floats,
    value: Floats,
    scale: Floats,
    price: Floats,
) -> Floats:
    """Per keyword the most of scale·value - price·cost, on its hull."""
    most = np.empty(len(lowest))
    for k in range(len(lowest)):
        row, at = rows[k], lowest[k]
        best = scale[k] * value[row, at] - price[k] * cost[row, at]
        for i in range(start[k], start[k + 1]):
            if scale[k] * threshold[i] < price[k] and scale[k] > 0:
                break
            at = reached[i]
            best = max(best, scale[k] * value[row, at] - price[k] * cost[row, at])
        most[k] = best
    return most


half_hull = njit(cache=True, nogil=True)(_half_hull)
steps = njit(cache=True, nogil=True)(_steps)
median = njit(cache=True)(_median)
middle_of = njit(cache=True)(_middle_of)
split = njit(cache=True)(_split)
scan_sorted = njit(cache=True)(_scan_sorted)
select = njit(cache=True)(_select)
search = njit(cache=True)(_search)
load = njit(cache=True)(_load)
trim = njit(cache=True)(_trim)
lowest_weighing = njit(cache=True)(_lowest_weighing)
commit = njit(cache=True)(_commit)
stop_node = njit(cache=True)(_stop_node)
target_node = njit(cache=True)(_target_node)
cap_node = njit(cache=True)(_cap_node)
floor_node = njit(cache=True)(_floor_node)
settle = njit(cache=True)(_settle)
taken = njit(cache=True)(_taken)
best_response = njit(cache=True)(_best_response)
