"""The action bar of the queue; each button has its key."""

from __future__ import annotations

import streamlit as st

from optimizer import workflows
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.sentences import edited_lines
from optimizer.interfaces.web import frame, session
from optimizer.interfaces.web.frame import literal
from optimizer.interfaces.web.queue.choice import Choice
from optimizer.interfaces.web.queue.decisions import (
    SNOOZE_DAYS,
    Refs,
    approve,
    lock,
    snooze,
    undo,
)
from optimizer.interfaces.web.queue.dialogs import ask, draw_question
from optimizer.interfaces.web.queue.pager import draw_others
from optimizer.interfaces.web.queue.remembered import remembered
from optimizer.interfaces.web.queue.window import Window

_EDITS_SHOWN = 3


def draw_actions(choice: Choice, shown: Window, undoable: Refs, plan: str = "") -> None:
    """Approve, approve the whole list, reject, snooze, lock, undo, and how the plan stands (`plan`).

    Rows decided already can only be undone. Each button is for those whose role the workflow asks.
    """
    words = session.current().words
    if not frame.may("operator"):
        _draw_looking_only(plan)
        return
    open_rows = shown.view.open_rows
    refs = choice.refs if len(open_rows) else ()
    approver = frame.may("approver")
    draw_others(words, shown)
    with st.container(horizontal=True, key="queue_actions"):
        if approver:
            _draw_approve(words, choice, bool(refs))
            _draw_approve_all(words, shown, len(open_rows))
        _draw_put_off(words, refs)
        if approver:
            _draw_undo(words, undoable if len(open_rows) or not choice.refs else choice.refs)
    _draw_hint(words, choice, plan)
    draw_question(refs, shown, choice.edits)


def _draw_looking_only(plan: str) -> None:
    if plan:
        st.caption(literal(plan))
    frame.draw_needed("operator")


def _draw_approve(words: Translator, choice: Choice, possible: bool) -> None:
    label = words.text("Approve {count:whole}", count=len(choice.refs) if possible else 0)
    if st.button(label, key="approve", shortcut="A", type="primary", disabled=not possible):
        approve(choice)


def _draw_approve_all(words: Translator, shown: Window, count: int) -> None:
    label = (
        words.text("Approve all {count:whole} shown", count=count)
        if shown.pages == 1
        else words.text(
            "Approve all {count:whole} of {pages} pages", count=count, pages=shown.pages
        )
    )
    st.button(
        label,
        key="approve_all",
        shortcut="Shift+A",
        disabled=not count or shown.alone is not None,
        on_click=ask,
        args=("approve_all",),
    )


def _draw_put_off(words: Translator, refs: Refs) -> None:
    st.button(
        words.text("Reject"),
        key="reject",
        shortcut="X",
        disabled=not refs,
        on_click=ask,
        args=("reject",),
    )
    label = words.text("Snooze {days} days", days=SNOOZE_DAYS)
    if st.button(label, key="snooze", shortcut="S", disabled=not refs):
        snooze(refs)
    if st.button(words.text("Lock"), key="lock", shortcut="L", disabled=not refs):
        lock(refs)


def _draw_undo(words: Translator, refs: Refs) -> None:
    label = words.text("Undo {count:whole}", count=len(refs))
    if st.button(label, key="undo", shortcut="Ctrl+Z", disabled=not refs):
        undo(refs)


def _draw_hint(words: Translator, choice: Choice, plan: str) -> None:
    unticked = len(choice.edits) - len(choice.bids)
    if unticked:
        st.caption(words.text("{count:whole} edited bids are not ticked.", count=unticked))
    for line in _edited_lines(words, choice):
        st.caption(literal(line))
    keys = (
        words.text("Keys: ↓ and Enter tick rows, Esc leaves the grid, then A, X, S, L or Ctrl+Z.")
        if frame.may("approver")
        else words.text("Keys: ↓ and Enter tick rows, Esc leaves the grid, then X, S or L.")
    )
    st.caption(f"{literal(plan)} · {keys}" if plan else keys)


def _edited_lines(words: Translator, choice: Choice) -> list[str]:
    """What the newest edited bids would bring, computed anew from the row's beliefs."""
    if not choice.edits:
        return []
    visit = session.current()
    where = (visit.workspace, str(visit.account))
    bids = dict(list(choice.edits.items())[-_EDITS_SHOWN:])
    key = (visit.account, tuple(bids.items()), workflows.queue_stamp(*where, visit.actor))
    told = remembered("_edited", key, lambda: workflows.edited(*where, bids, visit.actor))
    return edited_lines(words, told)
