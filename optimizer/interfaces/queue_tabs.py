"""The tabs of the suggestion queue: which suggestions each holds."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from optimizer.interfaces.marks import DECIDED

TABS: Mapping[str, tuple[str, ...]] = {
    "all": DECIDED,
    "bids": ("raise", "lower"),
    "pauses": ("pause", "resume"),
    "new_keywords": ("add_keyword",),
    "negatives": ("add_negative",),
    "creatives": DECIDED,
    "budgets": ("set_budget", "set_target"),
    "conflicts": DECIDED,
    "watched": ("watch",),
}
"""Kinds of suggestions in each tab; creatives are told by their slot, conflicts by what they say."""

_CREATIVE = "creative"


def in_tab(rows: pd.DataFrame, tab: str) -> pd.Series[bool]:
    """Which rows belong to `tab`. Pauses of creatives are under creatives.

    Conflicts need the column `conflicts` (lists of codes); without it no row is one.
    """
    found = rows["kind"].isin(TABS[tab])
    if tab == "conflicts":
        return found & _conflicting(rows)
    creative = rows["slot"].eq(_CREATIVE)
    if tab == "creatives":
        return found & creative
    return found if tab in ("all", "watched") else found & ~creative


def _conflicting(rows: pd.DataFrame) -> pd.Series[bool]:
    if "conflicts" not in rows.columns:
        return pd.Series(False, index=rows.index)
    return rows["conflicts"].map(len).gt(0)


def tab_counts(rows: pd.DataFrame) -> dict[str, int]:
    """How many of `rows` each tab holds; of conflicts only where `rows` tell them."""
    return {tab: int(in_tab(rows, tab).sum()) for tab in TABS}


def tab_of(kinds: tuple[str, ...]) -> str:
    """The narrowest tab that holds all of these kinds; all of them for none."""
    holding = [tab for tab in ("bids", "budgets", "pauses", "new_keywords", "negatives", "watched")
               if kinds and set(kinds) <= set(TABS[tab])]  # fmt: skip
    return holding[0] if holding else "all"
