"""What a bid buys: impression share, clicks and cost emerge from rivals' prices.

In each auction every rival has a rank price drawn from a lognormal, or from stated quantiles around the
keyword's median; ours is bid × quality. Being
beaten by `j` rivals gives position `j`; beyond the last slot nothing is shown. The price of a click
is what the next rival below would have had to be beaten with, so it is below the bid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

GRID = 80
SPAN = (0.05, 20.0)


@dataclass(frozen=True)
class Auctions:
    """Parameters of every keyword's auctions; `volume` is searches on an average day."""

    volume: np.ndarray
    ctr_top: np.ndarray
    quality: np.ndarray
    price_log_median: np.ndarray
    price_sd: np.ndarray
    rivals: np.ndarray
    slots: int
    position_decay: float
    reserve: float
    price_quantiles: tuple[float, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """Per keyword: share of searches with an impression, clicks per impression, cost per click."""

    share: np.ndarray
    ctr: np.ndarray
    cpc: np.ndarray


def outcome(
    auctions: Auctions, bids: np.ndarray, rivals_shift: np.ndarray | float = 0.0
) -> Outcome:
    """What `bids` meet when the log of rivals' prices is moved by `rivals_shift`."""
    beats = _beats(auctions, bids, rivals_shift)
    position = np.arange(auctions.slots)[:, None]
    below = auctions.rivals - position
    shown = special.binom(auctions.rivals, position) * (1 - beats) ** position * beats**below
    clicked = shown * auctions.position_decay**position
    price = _price_below(auctions, beats, below, rivals_shift)
    share = np.where(bids >= auctions.reserve, shown.sum(axis=0), 0.0)
    clicks = np.maximum(clicked.sum(axis=0), np.finfo(float).tiny)
    cpc = np.clip((clicked * price).sum(axis=0) / clicks, auctions.reserve, None)
    ctr = auctions.ctr_top * clicks / np.maximum(shown.sum(axis=0), np.finfo(float).tiny)
    return Outcome(np.minimum(share, 1.0), np.minimum(ctr, 1.0), np.minimum(cpc, bids))


def expected_day(auctions: Auctions, bids: np.ndarray) -> pd.DataFrame:
    """Impressions, clicks and cost of an average day without budgets."""
    met = outcome(auctions, bids)
    impressions = auctions.volume * met.share
    clicks = impressions * met.ctr
    return pd.DataFrame({"impressions": impressions, "clicks": clicks, "cost": clicks * met.cpc})


def best_bids(auctions: Auctions, value_per_click: np.ndarray, line: float) -> pd.DataFrame:
    """Per keyword the bid of a fine grid that maximises value − line · cost; bid 0 stays out."""
    best = np.zeros((4, len(value_per_click)))
    best_score = np.zeros(len(value_per_click))
    for multiple in np.geomspace(*SPAN, GRID):
        bids = multiple * value_per_click
        day = expected_day(auctions, bids)
        clicks, cost = day["clicks"].to_numpy(), day["cost"].to_numpy()
        score = clicks * value_per_click - line * cost
        row = np.stack([bids, clicks, cost, clicks * value_per_click - cost])
        better = score > best_score
        best[:, better] = row[:, better]
        best_score[better] = score[better]
    return pd.DataFrame(dict(zip(["bid", "clicks", "cost", "profit"], best, strict=True)))


def first_page_bids(auctions: Auctions, share: float = 0.2) -> np.ndarray:
    """The bid at which `share` of searches bring an impression."""
    beaten_by_less = special.betaincinv(auctions.rivals - auctions.slots + 1, auctions.slots, share)
    price = _price(auctions, beaten_by_less, 0.0)
    bids: np.ndarray = np.maximum(price, auctions.reserve)
    return bids


def _beats(auctions: Auctions, bids: np.ndarray, rivals_shift: np.ndarray | float) -> np.ndarray:
    """Chance that our rank price exceeds one rival's."""
    rank_price = np.log(np.maximum(bids * auctions.quality, np.finfo(float).tiny))
    centre = auctions.price_log_median + rivals_shift
    if auctions.price_quantiles:
        below: np.ndarray = np.interp(rank_price - centre, *_quantiles(auctions))
        return below
    chance: np.ndarray = special.ndtr((rank_price - centre) / auctions.price_sd)
    return chance


def _quantiles(auctions: Auctions) -> tuple[np.ndarray, np.ndarray]:
    """Log price around the median, and the share of rivals below it."""
    logs = np.log(auctions.price_quantiles)
    share = np.linspace(0.0, 1.0, len(logs))
    return logs - np.interp(0.5, share, logs), share


def _price_below(
    auctions: Auctions, beats: np.ndarray, below: np.ndarray, rivals_shift: np.ndarray | float
) -> np.ndarray:
    """Bid that just beats the best of `below` rivals, all of them weaker than us."""
    # The largest of m uniforms on (0, F) has mean F·m/(m+1).
    return _price(auctions, beats * below / (below + 1), rivals_shift)


def _price(auctions: Auctions, chance: np.ndarray, rivals_shift: np.ndarray | float) -> np.ndarray:
    """The bid that beats one rival with probability `chance`."""
    centre = auctions.price_log_median + rivals_shift
    if auctions.price_quantiles:
        logs, share = _quantiles(auctions)
        empirical: np.ndarray = np.exp(centre + np.interp(chance, share, logs)) / auctions.quality
        return empirical
    deviate = special.ndtri(np.maximum(chance, np.finfo(float).tiny))
    log_price = centre + auctions.price_sd * deviate
    price: np.ndarray = np.exp(log_price) / auctions.quality
    return price
