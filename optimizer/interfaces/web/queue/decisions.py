"""Decisions from the queue: every one is in the store before the page is drawn again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import streamlit as st

from optimizer import workflows
from optimizer.errors import OptimizerError
from optimizer.interfaces.sentences import after_lines, error_lines, excess_lines, refused_lines
from optimizer.interfaces.web import session
from optimizer.interfaces.web.frame import flash
from optimizer.interfaces.web.queue.choice import Choice
from optimizer.interfaces.web.queue.pinned import unpin

Refs = Sequence[tuple[str, int]]
SNOOZE_DAYS = 7


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


def lock(refs: Refs) -> None:
    """Keep the ticked keywords as they are in every review."""
    visit = session.current()
    _conclude(lambda: workflows.lock(visit.workspace, str(visit.account), refs, visit.actor))


def unlock(entity_key: str) -> None:
    """Let go of a locked keyword."""
    visit = session.current()
    _conclude(
        lambda: workflows.lock(
            visit.workspace, str(visit.account), entity_key, visit.actor, locked=False
        )
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


def _conclude(act: Callable[[], workflows.DecisionResult]) -> None:
    """Do it, remember what to say, and draw the page afresh."""
    words = session.current().words
    try:
        with st.spinner(words.text("Saving, and solving the rest again")):
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
        & rows["decision"].isin(["awaiting_second", "approved", "rejected", "snoozed"])
    ]
    newest = mine[mine["decided_at"] == mine["decided_at"].max()]
    return list(zip(newest["id"].astype(str), newest["version"].astype(int), strict=True))


def today() -> date:
    """The day on this machine's wall."""
    return datetime.now(UTC).astimezone().date()
