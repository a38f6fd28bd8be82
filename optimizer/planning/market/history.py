"""Bids as an operator without us would have set them."""

from __future__ import annotations

import numpy as np

from optimizer.planning.market.world import Market


def hand_set_bids(market: Market, days: int, rng: np.random.Generator) -> np.ndarray:
    """(days, keywords): the start bids, some changed once on some day, a few switched off for good."""
    part, keywords = market.settings.start_bids, len(market.keywords)
    day = np.arange(days)[:, None]
    changed = rng.random(keywords) < part.changed_share
    factor = np.exp(rng.normal(0.0, part.change_sd, keywords))
    steps = np.maximum(np.round(market.start_bids * factor / part.step), 1)
    later = np.where(changed, np.round(steps * part.step, 6), market.start_bids)
    bids = np.where(day >= rng.integers(1, max(days, 2), keywords), later, market.start_bids)
    paused = rng.random(keywords) < part.paused_share
    off = paused & (day >= rng.integers(1, max(days, 2), keywords)) & ~market.automated
    return np.where(off, 0.0, bids)
