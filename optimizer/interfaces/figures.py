"""What the amounts of a suggestion are, so that a share is not read as a bid nor the unknown as nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from optimizer.interfaces.locale import Translator

_CREATIVE, _WEIGHT = "creative", "shift_creative"
"""The slot of suggestions on creatives, and the kind of those whose amount is a share."""

PROFITS = ("delta_profit_mean", "delta_profit_low", "delta_profit_high")


def in_percent(share: float) -> float:
    """A share as a number of hundredths to be edited, without what binary fractions add."""
    return round(100 * share, 9)


def from_percent(entered: float) -> float:
    """The share that somebody entered as a number of hundredths."""
    return round(entered / 100, 11)


def setting(words: Translator, kind: str, value: Any) -> str:
    """A bid, budget or target; of a creative its share of impressions, as a percentage."""
    return words.percent(value, 1) if kind == _WEIGHT else words.bid(value)


def told_profit(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Mean and ends of Δprofit, null where nobody knows it: see `with_figures`."""
    kept = row.get("delta_profit") or {name.rpartition("_")[2]: row[name] for name in PROFITS}
    unknown = row.get("slot") == _CREATIVE and kept["low"] == kept["high"] == 0
    return {name: None if unknown else kept[name] for name in ("mean", "low", "high")}


def with_figures(words: Translator, rows: pd.DataFrame) -> pd.DataFrame:
    """`rows` for a table: creatives' shares as text in `share`, not as bids, and Δprofit null if unknown.

    Of a creative that is not judged by profit the store keeps 0 without an interval.
    """
    weight = rows["kind"].eq(_WEIGHT)
    bids = [name for name in ("bid", "proposed_bid", "approved_bid") if name in rows.columns]
    unknown = rows["slot"].eq(_CREATIVE) & rows["delta_profit_low"].eq(0)
    unknown &= rows["delta_profit_high"].eq(0)
    shown = rows.assign(share=_shares(words, rows, weight))
    shown[bids] = shown[bids].mask(weight)
    shown[list(PROFITS)] = shown[list(PROFITS)].mask(unknown)
    return shown


def _shares(words: Translator, rows: pd.DataFrame, weight: pd.Series[bool]) -> pd.Series[Any]:
    """Now and asked for, of the `weight` rows; None for the others, of which there may be very many."""
    pairs = zip(rows.loc[weight, "bid"], rows.loc[weight, "proposed_bid"], strict=True)
    texts = [f"{words.percent(now, 1)} → {words.percent(asked, 1)}" for now, asked in pairs]
    shares = np.full(len(rows), None, dtype="object")
    shares[weight.to_numpy(dtype=bool)] = texts
    return pd.Series(shares, index=rows.index, dtype="object")
