"""Which part of the list is on screen, and the buttons that turn its pages."""

from __future__ import annotations

import streamlit as st

from optimizer.interfaces.locale import Translator
from optimizer.interfaces.web.queue.window import (
    Window,
    drop_others,
    show_chosen,
    show_list,
    turn,
)


def draw_pager(words: Translator, shown: Window) -> None:
    """What amounts are in, and where in a list of several pages the rows on screen stand."""
    with st.container(horizontal=True, vertical_alignment="center", key="queue_pager"):
        # No wider than its words: the grid's own tools come over the right end of the line.
        told = words.text("Amounts in {currency} per day.", currency=words.currency)
        st.caption(told, width="content")
        if shown.alone is not None:
            _draw_alone(words, shown)
        elif shown.pages > 1:
            _draw_pages(words, shown)


def _draw_alone(words: Translator, shown: Window) -> None:
    told = "Only what is ticked or edited, of all pages: {count:whole}."
    st.markdown(words.text(told, count=len(shown.rows)), width="content")
    st.button(words.text("Back to the list"), key="show_list", shortcut="T", on_click=show_list)


def _draw_pages(words: Translator, shown: Window) -> None:
    _draw_turn(words.text("First page"), "first_page", "Shift+P", 0, shown)
    _draw_turn(words.text("Previous page"), "previous_page", "P", shown.page - 1, shown)
    told = "Rows {first:whole}–{last:whole} of {total:whole}"
    st.markdown(
        words.text(
            told,
            first=shown.first + 1,
            last=shown.first + len(shown.rows),
            total=len(shown.listed),
        ),
        width="content",
        help=words.text("A column's heading sorts the rows of this page, Order the whole list."),
    )
    _draw_turn(words.text("Next page"), "next_page", "N", shown.page + 1, shown)


def _draw_turn(label: str, key: str, shortcut: str, page: int, shown: Window) -> None:
    reachable = 0 <= page < shown.pages and page != shown.page
    st.button(
        label, key=key, shortcut=shortcut, disabled=not reachable, on_click=turn, args=(page,)
    )


def draw_others(words: Translator, shown: Window) -> None:
    """How much of what is chosen stands on other pages, with ways to see and to drop it."""
    others = shown.choice.beside(shown.ids)
    if not others:
        return
    unticked = len(set(others.edits) - set(others.ids))
    told = [words.text("Ticked on other pages: {count:whole}.", count=len(others.refs))]
    if unticked:
        told.append(words.text("Edited there, not ticked: {count:whole}.", count=unticked))
    with st.container(horizontal=True, vertical_alignment="center", key="queue_others"):
        st.markdown(f":material/layers: **{' '.join(told)}**", width="content")
        st.button(
            words.text("Show all that is ticked"),
            key="show_chosen",
            shortcut="T",
            on_click=show_chosen,
        )
        st.button(words.text("Drop those"), key="drop_others", on_click=drop_others)
