"""The orders in which the suggestion queue is read: of the whole list, not of what is on screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

Keys = Callable[[pd.DataFrame], "pd.Series[float] | pd.Series[str]"]


def _bid_change(rows: pd.DataFrame) -> pd.Series[float]:
    """By what share of the present bid the offered one differs, up or down."""
    offered = rows["approved_bid"].fillna(rows["proposed_bid"])
    return (offered / rows["bid"] - 1).abs()


_KEYS: Mapping[str, tuple[Keys, bool]] = {
    "cost_rise": (lambda rows: rows["delta_cost"], False),
    "cost_fall": (lambda rows: rows["delta_cost"], True),
    "probability": (lambda rows: rows["p_positive"], False),
    "bid_change": (_bid_change, False),
    "keyword": (lambda rows: rows["keyword_text"].str.lower(), True),
    "campaign": (lambda rows: rows["campaign_name"].str.lower(), True),
}
"""What each order beside that by profit goes by, and whether the smallest comes first."""

ORDERS = ("profit", *_KEYS)
"""Codes of the orders; the first is that of a list nobody asked to be in another."""


def best_first(rows: pd.DataFrame) -> pd.DataFrame:
    """`rows` by expected profit, the best first, and by id."""
    return rows.sort_values(
        ["delta_profit_mean", "id"], ascending=[False, True], kind="stable"
    ).reset_index(drop=True)


def ordered(rows: pd.DataFrame, order: str) -> pd.DataFrame:
    """`rows`, the best first, in the order of that code: equal ones as they stood, unknown ones last."""
    if order == ORDERS[0]:
        return rows
    keys, ascending = _KEYS[order]
    told = keys(rows).reset_index(drop=True)
    places = told.sort_values(ascending=ascending, kind="stable", na_position="last").index
    return rows.iloc[places].reset_index(drop=True)
