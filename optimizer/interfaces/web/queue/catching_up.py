"""Says while the figures on the page do not count the last decisions yet, and draws them once they do."""

from __future__ import annotations

import streamlit as st

from optimizer import workflows
from optimizer.interfaces.sentences import unsolved_line
from optimizer.interfaces.web import session
from optimizer.interfaces.web.frame import flash, literal

_EVERY = 1.0


def draw_catching_up() -> None:
    """A note while the rest is solved again; the list itself stays as it was read."""
    if _state().pending:
        _wait()


@st.fragment(run_every=_EVERY)
def _wait() -> None:
    words, state = session.current().words, _state()
    if state.pending:
        text = words.text("The figures are being brought up to date with the last decisions.")
        st.caption(f":material/sync: {literal(text)}")
        return
    if state.problem is not None:
        flash("warning", [unsolved_line(words, state.problem)])
    st.rerun()


def _state() -> workflows.Solving:
    visit = session.current()
    return workflows.solving(visit.workspace, str(visit.account), visit.actor)
