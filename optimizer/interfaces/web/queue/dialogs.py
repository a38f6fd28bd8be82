"""Questions before a decision: why a row is rejected, and what all shown rows add up to.

Which question is open is remembered, so that a full rerun draws it again instead of losing an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pandas as pd
import streamlit as st

from optimizer import workflows
from optimizer.interfaces.sentences import excess_lines, hit_lines, totals_lines
from optimizer.interfaces.web import session
from optimizer.interfaces.web.frame import literal
from optimizer.interfaces.web.queue.decisions import Refs, approve, reject
from optimizer.interfaces.web.queue.grid import Choice

Question = Literal["approve_all", "reject"]
REASONS = ("not_relevant", "bid_is_right", "seasonal", "stock", "brand_policy", "other")
_OPEN = "_question"


def ask(question: Question) -> None:
    """Open a question from a button's callback."""
    st.session_state[_OPEN] = question


def close() -> None:
    """No question is open."""
    st.session_state.pop(_OPEN, None)


def draw_question(refs: Refs, open_rows: pd.DataFrame, edits: Mapping[str, float]) -> None:
    """Draw the question that is open: on the ticked rows, or on all rows shown, edited as they are."""
    words = session.current().words
    question = st.session_state.get(_OPEN)
    if question == "reject" and refs:
        st.dialog(words.text("Reject"), on_dismiss=close)(_ask_reason)(refs)
    elif question == "approve_all" and len(open_rows):
        st.dialog(words.text("Approve all shown"), on_dismiss=close)(_ask_all)(open_rows, edits)


def _ask_reason(refs: Refs) -> None:
    words = session.current().words
    st.text(words.text("{count:whole} suggestions selected.", count=len(refs)))
    reason = st.selectbox(
        words.text("Why?"), REASONS, format_func=lambda code: words.code("rejection", code)
    )
    note = st.text_input(words.text("Note"), key="reject_note")
    if st.button(words.text("Reject"), key="reject_confirm", type="primary", shortcut="Enter"):
        close()
        reject(refs, f"{reason}: {note}" if note else str(reason))


def _ask_all(rows: pd.DataFrame, edits: Mapping[str, float]) -> None:
    # Summed in the versions and at the bids on screen: what moved since is left out, here and in the
    # rerun that the confirmation is.
    visit = session.current()
    words = visit.words
    seen = dict(zip(rows["id"].astype(str), rows["version"].astype(int), strict=True))
    where = (visit.workspace, str(visit.account))
    sums = workflows.totals(*where, list(seen), visit.actor, seen, edits)
    for line in totals_lines(words, sums):
        st.text(line)
    for line in [*excess_lines(words, sums.excess), *hit_lines(words, sums)]:
        st.warning(literal(line), icon=":material/warning:")
    left_out = len(set(rows["id"]) - {identity for identity, _ in sums.ids_versions})
    if left_out:
        st.warning(words.text("{count:whole} changed meanwhile and are left out.", count=left_out))
    label = words.text("Approve {count:whole}", count=sums.count)
    disabled = not sums.count
    if st.button(label, key="approve_all_confirm", type="primary", disabled=disabled):
        close()
        refs = tuple(sums.ids_versions)
        approve(Choice(refs, {id_: edits[id_] for id_, _ in refs if id_ in edits}, edits))
