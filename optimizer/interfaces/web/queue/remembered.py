"""What takes long to make is made once per browser session while what it is made from stays the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

Made = TypeVar("Made")


def remembered(slot: str, key: Hashable, make: Callable[[], Made]) -> Made:
    """What `make` gave for `key`; of each slot what was asked for last is kept."""
    kept = st.session_state.get(slot)
    if kept is None or kept[0] != key:
        kept = (key, make())
        st.session_state[slot] = kept
    made: Made = kept[1]
    return made
