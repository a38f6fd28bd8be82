"""Buttons of the queue: every decision is in the store before the page is drawn again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import streamlit as st

from optimizer import workflows
from optimizer.errors import OptimizerError
from optimizer.interfaces.pages import session
from optimizer.interfaces.pages.frame import flash
from optimizer.interfaces.pages.queue.grid import Choice
from optimizer.interfaces.pages.queue.pinned import unpin
from optimizer.interfaces.sentences import (
    after_lines,
    error_lines,
    excess_lines,
    refused_lines,
    totals_lines,
)

Refs = Sequence[tuple[str, int]]
SNOOZE_DAYS = 7
REASONS = ("not_relevant", "bid_is_right", "seasonal", "stock", "brand_policy", "other")


def draw_actions(choice: Choice, shown: pd.DataFrame, undoable: Refs) -> None:
    """The action bar: approve, approve all shown, reject, snooze, undo, each with its key."""
    words = session.current().words
    ticked = len(choice.refs)
    open_rows = shown[(shown["decision"] == "proposed") & (shown["kind"] != "watch")]
    with st.container(horizontal=True, key="queue_actions"):
        if st.button(
            words.text("Approve {count:whole}", count=ticked),
            key="approve",
            shortcut="A",
            type="primary",
            disabled=not ticked,
        ):
            approve(choice)
        if st.button(
            words.text("Approve all {count:whole} shown", count=len(open_rows)),
            key="approve_all",
            shortcut="Shift+A",
            disabled=open_rows.empty,
        ):
            _approve_all_dialog()(open_rows)
        if st.button(words.text("Reject"), key="reject", shortcut="X", disabled=not ticked):
            _reject_dialog()(choice.refs)
        if st.button(
            words.text("Snooze {days} days", days=SNOOZE_DAYS),
            key="snooze",
            shortcut="S",
            disabled=not ticked,
        ):
            snooze(choice.refs)
        _draw_undo(choice, undoable)
    _draw_hint(choice)


def _draw_undo(choice: Choice, undoable: Refs) -> None:
    words = session.current().words
    refs = choice.refs if _decided_shown() else undoable
    label = words.text("Undo {count:whole}", count=len(refs))
    if st.button(label, key="undo", shortcut="Ctrl+Z", disabled=not refs):
        undo(refs)


def _decided_shown() -> bool:
    return st.query_params.get("decision", "proposed") != "proposed"


def _draw_hint(choice: Choice) -> None:
    words = session.current().words
    unticked = choice.edited - len(choice.bids)
    if unticked:
        st.caption(words.text("{count:whole} edited bids are not ticked.", count=unticked))
    st.caption(
        words.text("Keys: ↓ and Enter tick rows, Esc leaves the grid, then A, X, S or Ctrl+Z.")
    )


def approve(choice: Choice) -> None:
    """Approve the ticked rows, edited bids as edited."""
    visit = session.current()
    _conclude(
        lambda: workflows.approve(
            visit.workspace, str(visit.account), choice.refs, visit.actor, bids=choice.bids or None
        )
    )


def snooze(refs: Refs) -> None:
    """Put the ticked rows aside."""
    visit = session.current()
    until = today() + timedelta(days=SNOOZE_DAYS)
    _conclude(
        lambda: workflows.snooze(visit.workspace, str(visit.account), refs, visit.actor, until)
    )


def undo(refs: Refs) -> None:
    """Take decisions back."""
    visit = session.current()
    _conclude(lambda: workflows.undo(visit.workspace, str(visit.account), refs, visit.actor))


def reject(refs: Refs, reason: str) -> None:
    """Refuse rows; the rest is solved again."""
    visit = session.current()
    _conclude(
        lambda: workflows.reject(visit.workspace, str(visit.account), refs, visit.actor, reason)
    )


def _reject_dialog() -> Callable[[Refs], None]:
    words = session.current().words

    @st.dialog(words.text("Reject"))
    def ask(refs: Refs) -> None:
        st.write(words.text("{count:whole} suggestions selected.", count=len(refs)))
        reason = st.selectbox(
            words.text("Why?"), REASONS, format_func=lambda code: words.code("rejection", code)
        )
        note = st.text_input(words.text("Note"), key="reject_note")
        if st.button(words.text("Reject"), key="reject_confirm", type="primary", shortcut="Enter"):
            reject(refs, f"{reason}: {note}" if note else reason)

    return ask


def _approve_all_dialog() -> Callable[[pd.DataFrame], None]:
    visit = session.current()
    words = visit.words

    @st.dialog(words.text("Approve all shown"))
    def ask(rows: pd.DataFrame) -> None:
        # Summed by the store at this moment, and exactly those versions are approved.
        ids = rows["id"].tolist()
        sums = workflows.totals(visit.workspace, str(visit.account), ids, visit.actor)
        for line in totals_lines(words, sums):
            st.write(line)
        left_out = len(ids) - sums.count
        if left_out:
            st.warning(
                words.text("{count:whole} changed meanwhile and are left out.", count=left_out)
            )
        label = words.text("Approve {count:whole}", count=sums.count)
        if st.button(label, key="approve_all_confirm", type="primary", disabled=not sums.count):
            approve(Choice(tuple(sums.ids_versions), {}, 0))

    return ask


def _conclude(act: Callable[[], workflows.DecisionResult]) -> None:
    """Do it, remember what to say, and draw the page afresh."""
    words = session.current().words
    try:
        result = act()
    except OptimizerError as error:
        flash("error", error_lines(words, error))
    else:
        _report(result)
    unpin()
    st.rerun()


def _report(result: workflows.DecisionResult) -> None:
    words = session.current().words
    done = words.text("{count:whole} suggestions decided.", count=len(result.changed))
    flash("success", [done, *after_lines(words, result)])
    if result.refused:
        title = words.text(
            "{count:whole} changed meanwhile; they were not decided.", count=len(result.refused)
        )
        flash("warning", [title, *refused_lines(words, result.refused)])
    if result.excess:
        flash("warning", excess_lines(words, result.excess))


def last_decisions(rows: pd.DataFrame, actor: str) -> Refs:
    """What `actor` decided last and is not exported: all rows with their newest time of decision."""
    mine = rows[
        (rows["decided_by"] == actor)
        & (rows["delivery"] == "not_exported")
        & rows["decision"].isin(["approved", "rejected", "snoozed"])
    ]
    newest = mine[mine["decided_at"] == mine["decided_at"].max()]
    return list(zip(newest["id"].astype(str), newest["version"].astype(int), strict=True))


def today() -> date:
    """The day on this machine's wall."""
    return datetime.now(UTC).astimezone().date()
