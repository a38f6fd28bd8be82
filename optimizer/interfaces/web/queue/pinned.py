"""The list as it was read: rows do not move under a tick, and a decision names what was seen.

The store is read on every run, but the grid shows the copy pinned when the filters were last
changed, an action was done or the operator asked for a fresh list. Decisions go out with the pinned
versions, so whatever moved meanwhile is refused by the store and reported, never guessed at.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import streamlit as st

_KEY = "_pinned"


@dataclass(frozen=True, eq=False)
class Pinned:
    """A list of suggestions, all that the filters let through, and what it was read for."""

    read_for: Hashable
    rows: pd.DataFrame
    serial: int

    @cached_property
    def open_rows(self) -> pd.DataFrame:
        """The rows that can still be decided."""
        waiting = self.rows["decision"].isin(["proposed", "awaiting_second"])
        return self.rows[waiting & self.rows["kind"].ne("watch")]


def pinned(read_for: Hashable, read: Callable[[], pd.DataFrame]) -> Pinned:
    """The list on screen; what `read` gives becomes that list when it was read for something else."""
    held = st.session_state.get(_KEY)
    if isinstance(held, Pinned) and held.read_for == read_for:
        return held
    serial = held.serial + 1 if isinstance(held, Pinned) else 0
    view = Pinned(read_for, read().reset_index(drop=True), serial)
    st.session_state[_KEY] = view
    return view


def unpin() -> None:
    """Let the next run read the list afresh; ticks are dropped."""
    held = st.session_state.get(_KEY)
    if isinstance(held, Pinned):
        st.session_state[_KEY] = Pinned(None, held.rows, held.serial)


def moved(shown: pd.DataFrame, stored: pd.DataFrame) -> pd.DataFrame:
    """Rows on screen with another version or decision in the store, or gone from it.

    `keyword_text`, and what is stored now: `decision`, `decided_by`, `proposed_bid`; null where the
    row is gone.
    """
    columns = ["id", "version", "decision"]
    told = stored[[*columns, "decided_by", "proposed_bid"]]
    joined = shown[[*columns, "keyword_text"]].merge(
        told, on="id", how="left", suffixes=("_shown", "")
    )
    same = joined["version"].eq(joined["version_shown"])
    same &= joined["decision"].eq(joined["decision_shown"])
    return joined[~same.fillna(False).astype(bool)].reset_index(drop=True)
