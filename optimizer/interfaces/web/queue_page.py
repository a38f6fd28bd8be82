"""The suggestion queue: filter, look, tick, decide."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from optimizer import workflows
from optimizer.interfaces.deliveries import counted
from optimizer.interfaces.sentences import (
    budget_sentence,
    left_sentence,
    line_sentence,
    profit_sentence,
)
from optimizer.interfaces.web import frame, session
from optimizer.interfaces.web.queue.actions import draw_actions
from optimizer.interfaces.web.queue.decisions import last_decisions
from optimizer.interfaces.web.queue.evidence_panel import draw_evidence
from optimizer.interfaces.web.queue.filters import draw_filters, matching
from optimizer.interfaces.web.queue.grid import NOTHING, Choice, clicked_why, draw_grid
from optimizer.interfaces.web.queue.missing import draw_why_not
from optimizer.interfaces.web.queue.pinned import Pinned, moved, pinned, unpin

# Older changes that are not live were seen often enough, or are somebody's own by now.
_LATELY = timedelta(days=30)


def draw() -> None:
    """The page, or what to do when there is nothing to review."""
    report = frame.read_reviewed(workflows.latest_review)
    if report is not None:
        _draw_line(report.summary)
        _draw_unsettled(date.fromisoformat(report.summary["as_of"]))
        _draw_queue()


def _draw_line(summary: Mapping[str, Any]) -> None:
    words = session.current().words
    rest = (budget_sentence, left_sentence, profit_sentence)
    told = " ".join(sentence(words, summary) for sentence in rest)
    st.markdown(f"**{line_sentence(words, summary)}** {told}")


def _draw_queue() -> None:
    visit = session.current()
    stored = _read()
    filters = draw_filters(visit.words, stored)
    view = pinned(matching(stored, filters), (visit.account, filters))
    _draw_moved(view, stored)
    choice = _draw_list(view)
    draw_why_not(visit.words, filters.text)
    with st.bottom:
        draw_actions(choice, view.rows, last_decisions(stored, visit.actor.name))


def _read() -> pd.DataFrame:
    visit = session.current()
    where = (visit.workspace, str(visit.account))
    rows = workflows.suggestions(*where, visit.actor)
    return workflows.with_deliveries(*where, rows, visit.actor)


def _draw_unsettled(reviewed: date) -> None:
    """How many recent exports are not as they were approved, one click from which and why."""
    visit = session.current()
    since = reviewed - _LATELY
    told = workflows.deliveries(visit.workspace, str(visit.account), visit.actor, since=since)
    counts = told.counts
    wrong = {state: counts[state] for state in ("failed", "drifted", "reverted") if counts[state]}
    if wrong:
        text = visit.words.text(
            "Exported changes that are not live: {parts}", parts=counted(visit.words, wrong)
        )
        st.warning(text, icon=":material/sync_problem:")
        frame.draw_link("bulk_files", "See which, and why")


def _draw_list(view: Pinned) -> Choice:
    words = session.current().words
    if view.rows.empty:
        st.info(words.text("Nothing matches. Clear a filter or choose another decision."))
        return NOTHING
    with st.container(key="queue_body"):
        left, right = st.columns([2.8, 1], gap="medium")
    with left:
        st.caption(words.text("Amounts in {currency} per day.", currency=words.currency))
        choice = draw_grid(words, view)
    with right:
        draw_evidence(_looked_at(view))
    return choice


def _draw_moved(view: Pinned, stored: pd.DataFrame) -> None:
    count = moved(view.rows, stored)
    if not count:
        return
    words = session.current().words
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(words.text("{count:whole} of these changed meanwhile.", count=count))
        st.button(words.text("Read the list again"), key="refresh", on_click=unpin)


def _looked_at(view: Pinned) -> str:
    """The suggestion whose evidence is open: just asked for, in the address, or the first one."""
    asked = str(clicked_why(view) or st.query_params.get("why"))
    shown = view.rows["id"].tolist()
    if asked not in shown:
        return str(shown[0])
    if st.query_params.get("why") != asked:
        st.query_params["why"] = asked
    return asked


draw()
