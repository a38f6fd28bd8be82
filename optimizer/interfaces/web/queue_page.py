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
from optimizer.interfaces.web.queue.choice import NOTHING, Choice
from optimizer.interfaces.web.queue.decisions import Refs, last_decisions
from optimizer.interfaces.web.queue.evidence_panel import draw_evidence, look_at, looked_at
from optimizer.interfaces.web.queue.filters import Filters, draw_filters, matching
from optimizer.interfaces.web.queue.grid import clicked_why, draw_grid
from optimizer.interfaces.web.queue.listed import Listed, read_list, with_conflicts
from optimizer.interfaces.web.queue.missing import draw_why_not
from optimizer.interfaces.web.queue.pager import draw_pager
from optimizer.interfaces.web.queue.pinned import Pinned, moved, pinned, unpin
from optimizer.interfaces.web.queue.remembered import remembered
from optimizer.interfaces.web.queue.window import Window, dropped, on_screen

# Older changes that are not live were seen often enough, or are somebody's own by now.
_LATELY = timedelta(days=30)
_MOVED_SHOWN = 5


def draw() -> None:
    """The page, or what to do when there is nothing to review."""
    summary = frame.read_reviewed(workflows.latest_summary)
    if summary is not None:
        moving = draw_plan(summary, _draw_line)
        listed = read_list()
        _draw_unsettled(listed, date.fromisoformat(summary["as_of"]))
        _draw_queue(listed, "" if moving else plan_line(session.current().words, summary))


def _draw_line(summary: Mapping[str, Any]) -> None:
    words = session.current().words
    rest = (budget_sentence, left_sentence, profit_sentence)
    told = " ".join(sentence(words, summary) for sentence in rest)
    st.markdown(f"**{line_sentence(words, summary)}** {told}")


def _draw_queue(listed: Listed, plan: str) -> None:
    visit = session.current()
    filters, order = draw_filters(visit.words, listed)
    view = pinned((visit.account, filters), lambda: _matching(listed, filters))
    _draw_expired(listed.expired)
    _draw_moved(view, listed)
    shown = on_screen(view, order)
    _draw_dropped(dropped())
    choice = _draw_list(shown)
    draw_why_not(visit.words, filters.text)
    name = visit.actor.name
    undoable = remembered("_undoable", (listed.stamp, name), lambda: _undoable(listed, name))
    with st.bottom:
        draw_actions(choice, shown, undoable, plan)


def _matching(listed: Listed, filters: Filters) -> pd.DataFrame:
    told = with_conflicts(listed) if filters.tab == "conflicts" else listed.rows
    return matching(told, filters)


def _undoable(listed: Listed, name: str) -> Refs:
    return last_decisions(listed.rows, name)


def _draw_unsettled(listed: Listed, reviewed: date) -> None:
    """How many recent exports are not as they were approved, one click from which and why."""
    told = remembered("_unsettled", (listed.stamp, reviewed), lambda: _unsettled(reviewed))
    if told:
        words = session.current().words
        text = words.text("Exported changes that are not live: {parts}", parts=counted(words, told))
        st.warning(text, icon=":material/sync_problem:")
        frame.draw_link("bulk_files", "See which, and why")


def _unsettled(reviewed: date) -> dict[str, int]:
    visit = session.current()
    since = reviewed - _LATELY
    told = workflows.deliveries(visit.workspace, str(visit.account), visit.actor, since=since)
    wrong = ("failed", "drifted", "reverted")
    return {state: told.counts[state] for state in wrong if told.counts[state]}


def _draw_expired(count: int) -> None:
    """How many suggestions nobody decided in time."""
    if count:
        words = session.current().words
        text = words.text(
            "{count:whole} suggestions were not decided in time and are expired. Import newer "
            "reports and review again.",
            count=count,
        )
        st.warning(text, icon=":material/hourglass_disabled:")


def _draw_dropped(count: int) -> None:
    """How many ticks and edits went with the list that other filters replaced."""
    if count:
        words = session.current().words
        text = words.text(
            "Other filters, another list. Ticks and edits dropped: {count:whole}.", count=count
        )
        st.toast(frame.literal(text), icon=":material/filter_alt:", duration="long")


def _draw_list(shown: Window) -> Choice:
    words = session.current().words
    if shown.rows.empty:
        st.info(words.text("Nothing matches. Clear a filter or choose another decision."))
        return NOTHING
    with st.container(key="queue_body"):
        left, right = st.columns([3.25, 1], gap="medium")
    with left:
        draw_pager(words, shown)
        choice = draw_grid(words, shown)
    with right:
        suggestion_id = _looked_at(shown)
        draw_evidence(suggestion_id, asked=suggestion_id == looked_at())
    return choice


def _draw_moved(view: Pinned, listed: Listed) -> None:
    compared = (listed.stamp, view.serial)
    changed = remembered("_moved", compared, lambda: moved(view.rows, listed.rows))
    if changed.empty:
        return
    words = session.current().words
    told = words.text("{count:whole} of these changed meanwhile.", count=len(changed))
    lines = [told, *moved_lines(words, changed.head(_MOVED_SHOWN))]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning("  \n".join(frame.literal(line) for line in lines))
        st.button(words.text("Read the list again"), key="refresh", on_click=unpin)


def _looked_at(shown: Window) -> str:
    """The suggestion whose evidence is open: just asked for, in the address, or the first on screen."""
    asked = str(clicked_why(shown) or looked_at())
    if not shown.view.rows["id"].eq(asked).any():
        return str(shown.rows["id"].iloc[0])
    if looked_at() != asked:
        look_at(asked)
    return asked


draw()
