"""The price of one constraint: the lowest point of a convex, piecewise linear function of one number.

Every evaluation gives a tangent. Between the best tangents on both sides of the minimum the next
trial is, in turn, where a secant through their slopes is level (fast where the function is smooth)
and where the tangents meet (exact at a corner: Kelley 1960). The tangents' meeting point is the
highest bound known from below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_ROUNDS = 100


@dataclass(frozen=True)
class Tangent:
    """The function's `height` and `slope` at a price."""

    at: float
    height: float
    slope: float


@dataclass(frozen=True)
class Lowest:
    """The price `at` of lowest `height`, and how low the function may be anywhere in the box.

    `unmet`: the slope left at the end of the box, times the box; 0 unless the price ran into it.
    """

    at: float
    height: float
    lower: float
    unmet: float


def lowest_point(
    tangent_at: Callable[[float], Tangent], guess: float, box: float, tolerance: float
) -> Lowest:
    """The minimum over 0..`box`, to `tolerance` of its height; `guess` is the first price tried."""
    left = tangent_at(0.0)
    if left.slope >= 0:
        return Lowest(0.0, left.height, left.height, 0.0)
    right = tangent_at(min(guess, box))
    while right.slope < 0 and right.at < box:
        left, right = right, tangent_at(min(8.0 * right.at, box))
    if right.slope < 0:
        return Lowest(right.at, right.height, right.height, -right.slope * right.at)
    return _between(tangent_at, left, right, tolerance)


def _between(
    tangent_at: Callable[[float], Tangent], left: Tangent, right: Tangent, tolerance: float
) -> Lowest:
    best = min(left, right, key=lambda one: one.height)
    for turn in range(_ROUNDS):
        place, lower = _meeting(left, right)
        if best.height - lower <= tolerance * max(abs(best.height), 1e-9):
            break
        found = tangent_at(place if turn % 2 else _level(left, right))
        best = min(best, found, key=lambda one: one.height)
        left, right = (found, right) if found.slope < 0 else (left, found)
    return Lowest(best.at, best.height, min(lower, best.height), 0.0)


def _meeting(left: Tangent, right: Tangent) -> tuple[float, float]:
    """Where two tangents meet, and how high; the left one falls, the right one does not."""
    apart = right.at - left.at
    step = (left.height - right.height + right.slope * apart) / (right.slope - left.slope)
    step = min(max(step, 0.0), apart)
    return left.at + step, left.height + left.slope * step


def _level(left: Tangent, right: Tangent) -> float:
    """Where the slope would be 0 if it rose evenly, not too near to either side."""
    part = -left.slope / (right.slope - left.slope)
    return left.at + min(max(part, 0.01), 0.99) * (right.at - left.at)
