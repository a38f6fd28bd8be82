"""How much of all clicks to be had each keyword's bid brings: from impression share, and from prices."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimizer.curves.critical_price import price_ratio, share_at_price
from optimizer.estimates.bid_history import BidHistory, bid_in_force
from optimizer.estimates.exposure import Records
from optimizer.estimates.impression_share import click_share, impression_share
from optimizer.estimates.posteriors import Floats, group_sum
from optimizer.settings import Estimation

_RECENT_DAYS = 28
_SEEN_CLICKS = 5.0
"""A keyword's price counts as much as its impression share after this many clicks."""
_OPEN = 0.9
"""Share of clicks that cost less of their bid than where a bid is taken to have everything to win."""
_NEAR = 0.25
"""Days count by how near, in log, their bid was to today's: this far away 61 %, twice as far 14 %."""


def click_shares(
    daily: pd.DataFrame,
    rows: Records,
    history: BidHistory,
    bid: Floats,
    told: Estimation,
    today: int,
) -> tuple[Floats, Floats]:
    """Share of all clicks to be had per keyword, from the last four weeks, at today's `bid`.

    First what impression share says, then that or more where the price says so. `rows` are the
    arrays of `daily`; `bid` per keyword, nan where unknown.
    """
    recent = rows.last >= today - _RECENT_DAYS
    columns = daily.reindex(columns=["impression_share", "lost_is_budget"])
    shares = columns.to_numpy(dtype=np.float64)[recent]
    shown = impression_share(
        rows.unit[recent], rows.impressions[recent], shares[:, 0], shares[:, 1], len(bid)
    )
    seen = click_share(shown, told.click_share_when_always_shown, told.click_share)
    steepness = told.elasticity_mean / (1 - told.click_share)
    return seen, np.fmax(seen, _from_prices(rows, history, bid, seen, steepness, today))


def _from_prices(
    rows: Records, history: BidHistory, bid: Floats, seen: Floats, h: float, today: int
) -> Floats:
    """The share at which a click costs what it did next to the bid of its day; nan without clicks.

    A few clicks are averaged with the price at the share `seen`. Places sold at one price, multipliers
    and bids that a platform adjusts move all ratios of an account: the dearest tenth of its clicks
    stands for bids with everything to win.
    """
    index = np.flatnonzero((rows.last >= today - _RECENT_DAYS) & (rows.clicks > 0))
    then = bid_in_force(history, rows.unit[index], rows.last[index])
    then = np.where(np.isnan(then), bid[rows.unit[index]], then)
    index, then = index[then > 0], then[then > 0]
    unit = rows.unit[index]
    away = np.log(np.where(bid[unit] > 0, bid[unit], then) / then)
    near = np.exp(-0.5 * (away / _NEAR) ** 2)
    clicks = rows.clicks[index] * near
    total = group_sum(unit, clicks, len(bid))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = group_sum(unit, rows.cost[index] * near, len(bid))
        ratio /= group_sum(unit, clicks * then, len(bid))
        moved = group_sum(unit, clicks * away, len(bid)) / total
    ratio *= h / (1 + h) / _open_ratio(ratio, total)
    ratio = (ratio * total + price_ratio(seen, h) * _SEEN_CLICKS) / (total + _SEEN_CLICKS)
    share = share_at_price(ratio, h)
    reach = np.exp(-h * moved)
    result: Floats = share / (share + (1 - share) * reach)
    return result


def _open_ratio(ratio: Floats, clicks: Floats) -> float:
    """The ratio that `_OPEN` of all clicks stay below; nan without clicks."""
    known = np.flatnonzero(ratio > 0)
    if not len(known):
        return np.nan
    order = known[np.argsort(ratio[known])]
    below = np.cumsum(clicks[order])
    return float(ratio[order][np.searchsorted(below, _OPEN * below[-1])])
