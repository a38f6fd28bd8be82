"""The part of the list that is on screen: a page of it, or the rows that somebody ticked.

A browser gets one page of the list only, of whatever length the list is. What was ticked and edited on
a page is taken over, by id and version, when another one is opened; it is dropped with the list, and how
much that was is told once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import streamlit as st

from optimizer.interfaces.queue_orders import ordered
from optimizer.interfaces.web.queue.choice import NOTHING, Choice, chosen
from optimizer.interfaces.web.queue.pinned import Pinned

WINDOW_ROWS = 1_000
"""Rows of one page of the list."""

_KEY, _ALONE, _PAGE, _DROPPED = "_window", "_alone", "page", "_dropped"


@dataclass(frozen=True, eq=False)
class Window:
    """Rows of `view` on screen, and what was chosen in the list `before` they came there.

    `listed` is the list in its `order`, `page` counts from 0. Where `alone` is not null only rows with
    these ids are shown, all on one page. `visit` counts the windows that were opened.
    """

    view: Pinned
    order: str
    page: int
    alone: frozenset[str] | None
    listed: pd.DataFrame
    before: Choice
    visit: int

    @property
    def first(self) -> int:
        """The place of the first row in the list, from 0."""
        return self.page * WINDOW_ROWS

    @property
    def pages(self) -> int:
        """How many pages the list has."""
        return pages_of(len(self.listed))

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The rows on screen."""
        if self.alone is None:
            shown = self.listed.iloc[self.first : self.first + WINDOW_ROWS]
        else:
            shown = self.listed[self.listed["id"].isin(self.alone)]
        return shown.reset_index(drop=True)

    @cached_property
    def ids(self) -> frozenset[str]:
        """The ids of the rows on screen."""
        return frozenset(self.rows["id"].astype(str))

    @cached_property
    def key(self) -> str:
        """Names the grid that edits these rows: no edit can land on others."""
        text = "|".join([str(self.view.serial), str(self.visit), *references(self.rows)])
        return "grid_" + hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def choice(self) -> Choice:
        """What is ticked and edited now, in the whole list."""
        told = st.session_state.get(self.key)
        return chosen(self.before, self.rows, told["edited_rows"] if told else {})


def references(rows: pd.DataFrame) -> Sequence[str]:
    """id@version of every row, in order."""
    return [f"{i}@{v}" for i, v in zip(rows["id"], rows["version"], strict=True)]


def pages_of(rows: int) -> int:
    """How many pages a list of so many rows has; an empty one has one."""
    return max(1, -(-rows // WINDOW_ROWS))


def on_screen(view: Pinned, order: str) -> Window:
    """What is on screen of the list; another page than before takes over what was chosen."""
    held = _held()
    if held is not None and (held.view.read_for, held.order) != (view.read_for, order):
        turn(0)
    if held is not None and held.view.read_for != view.read_for:
        st.session_state[_DROPPED] = len({*held.choice.ids, *held.choice.edits})
    here = held if held is not None and held.view is view else None
    listed = here.listed if here and here.order == order else ordered(view.rows, order)
    page = min(page_in_address(), pages_of(len(listed)) - 1)
    alone = _alone(view)
    if here and here.listed is listed and (here.page, here.alone) == (page, alone):
        return here
    before = here.choice if here else NOTHING
    visit = held.visit + 1 if held else 0
    return _open(Window(view, order, page, alone, listed, before, visit))


def dropped() -> int:
    """How many rows were ticked or edited in the list before, once after other filters replaced it."""
    count: int = st.session_state.pop(_DROPPED, 0)
    return count


def page_in_address() -> int:
    """The page that the address names, from 0."""
    asked = st.query_params.get(_PAGE, "1")
    return max(int(asked) - 1, 0) if asked.isdecimal() and len(asked) < 9 else 0


def turn(page: int) -> None:
    """Let the next window be on that page, from 0."""
    if page > 0:
        st.query_params[_PAGE] = str(page + 1)
    else:
        st.query_params.pop(_PAGE, None)


def show_chosen() -> None:
    """Let the next window hold what is ticked or edited, of all pages."""
    held = _held()
    if held is not None:
        told = held.choice
        st.session_state[_ALONE] = (held.view, frozenset([*told.ids, *told.edits]))


def show_list() -> None:
    """Back to the page of the list that was open."""
    st.session_state.pop(_ALONE, None)


def drop_others() -> None:
    """Forget what is ticked and edited on other pages than this."""
    held = _held()
    if held is not None:
        kept = held.before.among(held.ids)
        _open(Window(held.view, held.order, held.page, held.alone, held.listed, kept, held.visit))


def _held() -> Window | None:
    held: Window | None = st.session_state.get(_KEY)
    return held


def _open(opened: Window) -> Window:
    st.session_state[_KEY] = opened
    return opened


def _alone(view: Pinned) -> frozenset[str] | None:
    """The ids to show alone; those of a list that is no more are forgotten."""
    kept = st.session_state.get(_ALONE)
    if kept is None or kept[0] is not view:
        st.session_state.pop(_ALONE, None)
        return None
    ids: frozenset[str] = kept[1]
    return ids
