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
    moved_lines,
    plan_line,
    profit_sentence,
)
from optimizer.interfaces.web import frame, session
from optimizer.interfaces.web.queue.actions import draw_actions
from optimizer.interfaces.web.queue.catching_up import draw_plan
from optimizer.interfaces.web.queue.decisions import last_decisions
from optimizer.interfaces.web.queue.evidence_panel import draw_evidence
from optimizer.interfaces.web.queue.filters import draw_filters, matching
from optimizer.interfaces.web.queue.grid import NOTHING, Choice, clicked_why, draw_grid
from optimizer.interfaces.web.queue.missing import draw_why_not
from optimizer.interfaces.web.queue.pinned import Pinned, moved, pinned, unpin

# Older changes that are not live were seen often enough, or are somebody's own by now.
_LATELY = timedelta(days=30)
_LIST = "_suggestions"
_MOVED_SHOWN = 5


def draw() -> None:
    """The page, or what to do when there is nothing to review."""
    summary = frame.read_reviewed(workflows.latest_summary)
    if summary is not None:
        moving = draw_plan(summary, _draw_line)
        _draw_unsettled(date.fromisoformat(summary["as_of"]))
        _draw_queue("" if moving else plan_line(session.current().words, summary))


def _draw_line(summary: Mapping[str, Any]) -> None:
    words = session.current().words
    rest = (budget_sentence, left_sentence, profit_sentence)
    told = " ".join(sentence(words, summary) for sentence in rest)
    st.markdown(f"**{line_sentence(words, summary)}** {told}")


def _draw_queue(plan: str) -> None:
    visit = session.current()
    stored = _read()
    filters = draw_filters(visit.words, stored)
    listed = _with_conflicts(stored) if filters.tab == "conflicts" else stored
    view = pinned(matching(listed, filters), (visit.account, filters))
    _draw_expired(stored)
    _draw_moved(view, stored)
    choice = _draw_list(view)
    draw_why_not(visit.words, filters.text)
    with st.bottom:
        draw_actions(choice, view.rows, last_decisions(stored, visit.actor.name), plan)


def _read() -> pd.DataFrame:
    visit = session.current()
    where = (visit.workspace, str(visit.account))
    stamp = (visit.account, workflows.queue_stamp(*where, visit.actor))
    kept = st.session_state.get(_LIST)
    if kept is None or kept[0] != stamp:
        rows = workflows.suggestions(*where, visit.actor)
        kept = (stamp, workflows.with_deliveries(*where, rows, visit.actor))
        st.session_state[_LIST] = kept
    listed: pd.DataFrame = kept[1]
    return listed


def _with_conflicts(stored: pd.DataFrame) -> pd.DataFrame:
    """The rows with what each stands against."""
    visit = session.current()
    told = workflows.conflicts(visit.workspace, str(visit.account), visit.actor)
    codes = told.set_index("id")["conflicts"]
    return stored.assign(conflicts=stored["id"].map(codes).map(lambda c: c if c == c else ()))


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


def _draw_expired(stored: pd.DataFrame) -> None:
    """How many suggestions nobody decided in time."""
    count = int((stored["decision"].eq("expired") & stored["kind"].ne("watch")).sum())
    if count:
        words = session.current().words
        text = words.text(
            "{count:whole} suggestions were not decided in time and are expired. Import newer "
            "reports and review again.",
            count=count,
        )
        st.warning(text, icon=":material/hourglass_disabled:")


def _draw_list(view: Pinned) -> Choice:
    words = session.current().words
    if view.rows.empty:
        st.info(words.text("Nothing matches. Clear a filter or choose another decision."))
        return NOTHING
    with st.container(key="queue_body"):
        left, right = st.columns([3.25, 1], gap="medium")
    with left:
        st.caption(words.text("Amounts in {currency} per day.", currency=words.currency))
        choice = draw_grid(words, view)
    with right:
        draw_evidence(_looked_at(view))
    return choice


def _draw_moved(view: Pinned, stored: pd.DataFrame) -> None:
    changed = moved(view.rows, stored)
    if changed.empty:
        return
    words = session.current().words
    told = words.text("{count:whole} of these changed meanwhile.", count=len(changed))
    lines = [told, *moved_lines(words, changed.head(_MOVED_SHOWN))]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning("  \n".join(frame.literal(line) for line in lines))
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
