"""The plan's figures above the queue, told anew once they count the last decisions.

The list is not drawn anew with them: that would take away the cell that somebody types into.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from optimizer import workflows
from optimizer.interfaces.sentences import unsolved_line
from optimizer.interfaces.web import frame, session
from optimizer.interfaces.web.queue.pinned import unpin

_EVERY = 1.0
Summary = Mapping[str, Any]


def draw_plan(summary: Summary, draw_line: Callable[[Summary], None]) -> bool:
    """The figures of `summary` by `draw_line`; whether newer ones are still to come, and will show."""
    if not _state().pending:
        draw_line(summary)
        return False
    _follow(draw_line)
    return True


@st.fragment(run_every=_EVERY)
def _follow(draw_line: Callable[[Summary], None]) -> None:
    words, state = session.current().words, _state()
    summary = frame.read_reviewed(workflows.latest_summary)
    if summary is None:
        return
    draw_line(summary)
    if state.pending:
        text = words.text("The figures are being brought up to date with the last decisions.")
        st.caption(f":material/sync: {frame.literal(text)}")
        return
    if state.problem is not None:
        st.warning(frame.literal(unsolved_line(words, state.problem)))
    with st.container(horizontal=True, vertical_alignment="center"):
        text = "These figures count the last decisions; the list below is as it was read."
        st.caption(frame.literal(words.text(text)))
        if st.button(words.text("Read the list again"), key="catch_up"):
            unpin()
            st.rerun()


def _state() -> workflows.Solving:
    visit = session.current()
    return workflows.solving(visit.workspace, str(visit.account), visit.actor)
