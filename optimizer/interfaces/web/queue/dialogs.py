"""Questions before a decision: why a row is rejected, and what all shown rows add up to.

Which question is open is remembered, so that a full rerun draws it again instead of losing an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import streamlit as st

from optimizer import workflows
from optimizer.interfaces.sentences import excess_lines, hit_lines, totals_lines
from optimizer.interfaces.web import session
from optimizer.interfaces.web.frame import literal
from optimizer.interfaces.web.queue.choice import Choice
from optimizer.interfaces.web.queue.decisions import Refs, approve, reject
from optimizer.interfaces.web.queue.remembered import remembered
from optimizer.interfaces.web.queue.window import Window

Question = Literal["approve_all", "reject"]
REASONS = ("not_relevant", "bid_is_right", "seasonal", "stock", "brand_policy", "other")
_OPEN = "_question"


def ask(question: Question) -> None:
    """Open a question from a button's callback."""
    st.session_state[_OPEN] = question


def close() -> None:
    """No question is open."""
    st.session_state.pop(_OPEN, None)


def draw_question(refs: Refs, shown: Window, edits: Mapping[str, float]) -> None:
    """Draw the question that is open: on the ticked rows, or on all rows of the list, edited as they are."""
    words = session.current().words
    question = st.session_state.get(_OPEN)
    if question == "reject" and refs:
        st.dialog(words.text("Reject"), on_dismiss=close)(_ask_reason)(refs, shown)
    elif question == "approve_all" and len(shown.view.open_rows):
        title = "Approve all shown" if shown.pages == 1 else "Approve all pages"
        st.dialog(words.text(title), on_dismiss=close)(_ask_all)(shown, edits)


def _ask_reason(refs: Refs, shown: Window) -> None:
    words = session.current().words
    st.text(words.text("{count:whole} suggestions selected.", count=len(refs)))
    others = sum(identity not in shown.ids for identity, _ in refs)
    if others:
        st.text(words.text("Ticked on other pages: {count:whole}.", count=others))
    reason = st.selectbox(
        words.text("Why?"), REASONS, format_func=lambda code: words.code("rejection", code)
    )
    note = st.text_input(words.text("Note"), key="reject_note")
    if st.button(words.text("Reject"), key="reject_confirm", type="primary", shortcut="Enter"):
        close()
        reject(refs, f"{reason}: {note}" if note else str(reason))


def _ask_all(shown: Window, edits: Mapping[str, float]) -> None:
    words = session.current().words
    rows = shown.view.open_rows
    if shown.pages > 1:
        here = int(rows["id"].isin(shown.ids).sum())
        told = "All {count:whole} that the filters let through, {here:whole} of them on this page."
        st.text(words.text(told, count=len(rows), here=here))
    sums = _sums(shown, edits)
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
        approve(Choice(tuple(sums.ids_versions), edits))


def _sums(shown: Window, edits: Mapping[str, float]) -> workflows.SelectionTotals:
    # In the versions and at the bids of the list as it was read: what moved since is left out, here and
    # in the run that the confirmation is. Nothing can have moved while the account's stamp stays.
    visit = session.current()
    where = (visit.workspace, str(visit.account))
    rows = shown.view.open_rows
    stamp = (workflows.queue_stamp(*where, visit.actor), visit.actor)
    made_for = (stamp, shown.view.serial, tuple(edits.items()))

    def asked() -> workflows.SelectionTotals:
        seen = dict(zip(rows["id"].astype(str), rows["version"].astype(int), strict=True))
        return workflows.totals(*where, list(seen), visit.actor, seen, edits)

    return remembered("_sums", made_for, asked)
