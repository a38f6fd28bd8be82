"""A platform's own bid simulator as beliefs: the power law through its points near the present bid."""

from __future__ import annotations

import numpy as np

from optimizer.estimates.elasticity import LARGEST_ELASTICITY
from optimizer.estimates.posteriors import Floats, Ints, group_sum

_REACH = 0.3
_LEAST_SPREAD = 1e-4


def simulated_exponents(
    unit: Ints, bid: Floats, clicks: Floats, cost: Floats, present: Floats
) -> tuple[Floats, Floats]:
    """ε and η per unit from points (unit, bid, clicks, cost per day); nan where they tell nothing.

    Least squares of log clicks and log CPC on log bid, points weighted by how near (30 %) their bid is
    to the present one, so that a saturating landscape gives its slope where the bid is. A unit needs
    points at two bids that differ by more than one per cent.
    """
    used = (bid > 0) & (clicks > 0) & (cost > 0)
    number, log_bid = unit[used], np.log(bid[used])
    here = np.where(present > 0, present, np.nan)[number]
    centre = np.where(np.isnan(here), _typical(number, log_bid, len(present))[number], np.log(here))
    weight = np.exp(-0.5 * ((log_bid - centre) / _REACH) ** 2) + 1e-6
    return (
        _slope(number, log_bid, np.log(clicks[used]), weight, len(present), LARGEST_ELASTICITY),
        _slope(number, log_bid, np.log(cost[used] / clicks[used]), weight, len(present), 2.0),
    )


def _typical(unit: Ints, values: Floats, units: int) -> Floats:
    count = np.bincount(unit, minlength=units)
    return group_sum(unit, values, units) / np.maximum(count, 1)


def _slope(unit: Ints, x: Floats, y: Floats, weight: Floats, units: int, largest: float) -> Floats:
    """Weighted least-squares slope per unit, in [0, largest]; nan where x does not vary."""
    total = np.maximum(group_sum(unit, weight, units), 1e-300)
    mean_x = group_sum(unit, weight * x, units) / total
    mean_y = group_sum(unit, weight * y, units) / total
    away = x - mean_x[unit]
    spread = group_sum(unit, weight * away**2, units)
    joint = group_sum(unit, weight * away * (y - mean_y[unit]), units)
    result = np.full(units, np.nan)
    np.divide(joint, spread, out=result, where=spread > _LEAST_SPREAD * total)
    clipped: Floats = np.clip(result, 0.0, largest)
    return clipped
