"""How much of what could be had a keyword gets at its present bid."""

from __future__ import annotations

import numpy as np

from optimizer.estimates.posteriors import Floats, Ints, group_sum

_MOST = 0.95
_LEAST_ELIGIBLE = 20.0


def impression_share(
    unit: Ints, impressions: Floats, share: Floats, lost_to_budget: Floats, units: int
) -> Floats:
    """Share of eligible impressions that the bid wins, per unit; nan where no row tells.

    Rows are (unit, day) with nan where a report is silent. What the budget lost, the bid had won:
    a day's eligible impressions are impressions / share, less those lost to the budget. Reports leave
    out days without an impression, so days with few eligible ones show too large a share and are
    not used.
    """
    told = (share > 0) & (impressions >= _LEAST_ELIGIBLE * share)
    lost = np.where(lost_to_budget > 0, np.minimum(lost_to_budget, _MOST), 0.0)
    eligible = np.zeros(len(unit))
    eligible[told] = impressions[told] / share[told] * (1 - lost[told])
    won = group_sum(unit, np.where(told, impressions, 0.0), units)
    possible = group_sum(unit, eligible, units)
    result = np.full(units, np.nan)
    np.divide(won, possible, out=result, where=possible > 0)
    capped: Floats = np.minimum(result, 1.0)
    return capped


def click_share(impressions: Floats, full: float, unknown: float) -> Floats:
    """Share of all clicks to be had, from the impression share; `unknown` where that is nan.

    `full` is what all impressions bring of the clicks that all impressions at the top would: a higher
    bid still moves an ad up when it is always shown.
    """
    result: Floats = np.where(np.isnan(impressions), unknown, full * impressions)
    return np.minimum(result, _MOST)
