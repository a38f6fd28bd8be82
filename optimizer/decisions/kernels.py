"""The loops of the allocation that numpy cannot express, compiled.

Plain functions carry a leading underscore, so that tests can run them uncompiled.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from optimizer.estimates.posteriors import Bools, Floats, Ints


def _slope(cost: Floats, value: Floats, low: int, high: int) -> float:
    rise = cost[high] - cost[low]
    if rise > 0:
        return float((value[high] - value[low]) / rise)
    return np.inf if value[high] > value[low] else -np.inf


def _half_hull(
    cost: Floats, value: Floats, allowed: Bools, first: int, last: int, out: Ints
) -> int:
    """Allowed levels first..last on the concave hull, written to `out`; returns how many.

    The first and last allowed level always stay.
    """
    size = 0
    for level in range(first, last + 1):
        if not allowed[level]:
            continue
        while size > 1 and slope(cost, value, out[size - 2], out[size - 1]) <= slope(
            cost, value, out[size - 1], level
        ):
            size -= 1
        out[size] = level
        size += 1
    return size


def _steps(
    cost: Floats,
    value: Floats,
    allowed: Bools,
    hold: Ints,
    raise_gate: Floats,
    lower_gate: Floats,
) -> tuple[Ints, Ints, Floats, Floats, Ints]:
    """Steps up each keyword's hull, thresholds falling: (keyword, level, slope, threshold), lowest level.

    A step above the hold level opens at min(slope, raise_gate), one below it closes at
    max(slope, lower_gate). With raise_gate ≤ lower_gate the gated response still falls in the line,
    so that one search solves it.
    """
    keywords, levels = cost.shape
    owner = np.empty(keywords * levels, np.int64)
    reached = np.empty(keywords * levels, np.int64)
    slopes = np.empty(keywords * levels, np.float64)
    threshold = np.empty(keywords * levels, np.float64)
    lowest = np.empty(keywords, np.int64)
    hull = np.empty(levels, np.int64)
    count = 0
    for k in range(keywords):
        for upper in range(2):
            first, last = (hold[k], levels - 1) if upper else (0, hold[k])
            size = half_hull(cost[k], value[k], allowed[k], first, last, hull)
            if not upper:
                lowest[k] = hull[0]
            for j in range(1, size):
                rise = slope(cost[k], value[k], hull[j - 1], hull[j])
                owner[count], reached[count], slopes[count] = k, hull[j], rise
                threshold[count] = min(rise, raise_gate[k]) if upper else max(rise, lower_gate[k])
                count += 1
    return owner[:count], reached[:count], slopes[:count], threshold[:count], lowest


def _fill(
    order: Ints,
    owner: Ints,
    reached: Ints,
    position: Ints,
    open_step: Bools,
    campaign: Ints,
    cost: Floats,
    level: Ints,
    left: float,
    campaign_left: Floats,
) -> float:
    """Take steps in `order` while they fit the account's and their campaign's money; returns what is left.

    `position` is a step's number within its keyword: a step is taken only after those below it.
    `level` and `campaign_left` are changed in place.
    """
    taken = np.zeros(len(level), np.int64)
    for step in order:
        k = owner[step]
        if not open_step[step] or taken[k] != position[step]:
            continue
        extra = cost[k, reached[step]] - cost[k, level[k]]
        if extra <= left and extra <= campaign_left[campaign[k]]:
            level[k] = reached[step]
            taken[k] += 1
            left -= extra
            campaign_left[campaign[k]] -= extra
    return left


slope = njit(cache=True)(_slope)
half_hull = njit(cache=True)(_half_hull)
steps = njit(cache=True)(_steps)
fill = njit(cache=True)(_fill)
