"""How much of what could be had a keyword gets at its present bid."""

from __future__ import annotations

import numpy as np

from optimizer.estimates.posteriors import Floats

_MOST = 0.95


def click_share(impressions: Floats, full: float, unknown: float) -> Floats:
    """Share of all clicks to be had, from the impression share; `unknown` where that is nan.

    `full` is what all impressions bring of the clicks that all impressions at the top would: a higher
    bid still moves an ad up when it is always shown.
    """
    result: Floats = np.where(np.isnan(impressions), unknown, full * impressions)
    return np.minimum(result, _MOST)
