"""Bid levels a keyword may take today, and the evidence its move must pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from optimizer.curves.bid_landscape import Response
from optimizer.decisions.allocation import Options
from optimizer.estimates.posteriors import Bools, Floats, Gamma

_MICRO_DECIMALS = 6


@dataclass(frozen=True)
class StepLimits:
    """Per keyword: how far up and down (shares of the bid), which directions are open, and bid bounds."""

    up: Floats
    down: Floats
    may_raise: Bools
    may_lower: Bools
    lowest: Floats
    highest: Floats


def bid_levels(bid: Floats, limits: StepLimits, step: float, half_levels: int) -> Floats:
    """Writable bids around `bid`, shape (keywords, 2·half_levels + 1); the middle one is the present bid.

    Multiples of the currency `step`, rounded towards the present bid but never across it, so that a
    step limit is never passed, and a bid between two steps has lower levels below and higher above.
    A level past a bound is the last bid before it: the bound itself can be reached.
    """
    share = np.arange(1, half_levels + 1) / half_levels
    up = bid[:, None] * (1 + limits.up[:, None] * share)
    down = bid[:, None] * (1 - limits.down[:, None] * share[::-1])
    higher = _whole(np.minimum(up, limits.highest[:, None]), step, np.floor)
    lower = _whole(np.maximum(down, limits.lowest[:, None]), step, np.ceil)
    present = bid[:, None]
    return np.concatenate(
        [np.minimum(lower, present), present, np.maximum(higher, present)], axis=1
    )


def _whole(bids: Floats, step: float, towards: np.ufunc) -> Floats:
    """Multiples of `step`, `np.floor` or `np.ceil` of the bids but for a rounding error."""
    slack = 1e-6 if towards is np.floor else -1e-6
    result: Floats = np.round(towards(bids / step + slack) * step, _MICRO_DECIMALS)
    return result


def allowed_levels(levels: Floats, bid: Floats, limits: StepLimits, dead_band: float) -> Bools:
    """Levels past the dead band, inside the bounds, in an open direction, each bid once.

    A raise must not pass the highest bid nor a lower the lowest; a bid already outside may come back.
    """
    change = levels / bid[:, None] - 1
    middle = levels.shape[1] // 2
    moved = np.abs(change) >= max(dead_band, 1e-9)
    moved[:, 1:] &= levels[:, 1:] != levels[:, :-1]
    direction = np.where(change > 0, limits.may_raise[:, None], limits.may_lower[:, None])
    # To the micro that bids are written in: 2.47 · 100 is not 247 to a computer.
    highest, lowest = (
        np.round(bound, _MICRO_DECIMALS)[:, None] for bound in (limits.highest, limits.lowest)
    )
    inside = np.where(change > 0, levels <= highest, levels >= lowest)
    allowed: Bools = moved & direction & inside
    allowed[:, middle] = True
    return allowed


def level_options(response: Response, value: Floats, levels: Floats, allowed: Bools) -> Options:
    """Expected cost and value per day of each level."""
    clicks = response.expected_clicks(levels)
    middle = np.full(len(levels), levels.shape[1] // 2, dtype=np.int64)
    return Options(response.expected_cost(levels), value[:, None] * clicks, allowed, middle)


def assumed_share(response: Response, value: Gamma) -> Floats:
    """Share of the variance of a small move's Δprofit that comes from a stated response.

    Δprofit ≈ c₀L(Vε - CPC(ε+η)): V contributes (ε σ_V)², the response (V-CPC)²σ_ε² + CPC²σ_η².
    0 where the response was measured.
    """
    measured = (response.elasticity * value.mean) ** 2 * value.cv2
    stated = ((value.mean - response.cpc) * response.elasticity_sd) ** 2 + (
        response.cpc * response.cpc_exponent_sd
    ) ** 2
    total = measured + stated
    share = np.divide(stated, total, out=np.zeros_like(total), where=total > 0)
    return np.where(response.assumed, share, 0.0)


def clicks_to_be_sure(
    marginal: Gamma, value: Gamma, rate: Gamma, line: Floats | float, probability: float
) -> Floats:
    """More clicks until P(marginal return on its side of the line) is `probability`, if the means hold.

    0 where it is already. Lognormal approximation; nan where the response's own uncertainty would
    never let it.
    """
    normal = float(special.ndtri(probability))
    distance = np.log(np.maximum(marginal.mean, 1e-300) / line)
    root = np.sqrt(np.maximum(normal**2 + 2 * distance, 0.0))
    needed = np.where(distance > 0, root - normal, normal - root)
    needed_cv2 = np.expm1(np.maximum(needed, 0.0) ** 2)
    rest = (1 + marginal.cv2) / (1 + rate.cv2)
    rate_cv2 = (1 + needed_cv2) / rest - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        more = (1 / rate_cv2 - 1 / rate.cv2) / rate.mean
    above = marginal.above(line)
    sure = np.where(distance > 0, above, 1 - above) >= probability
    reachable = np.where((rate_cv2 > 0) & (value.mean > 0), np.maximum(more, 0.0), np.nan)
    return np.where(sure, 0.0, reachable)
