"""Bulk files: what is approved and not exported yet, and the files that were made."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from optimizer import scratch, workflows
from optimizer.errors import OptimizerError
from optimizer.interfaces.deliveries import HEADINGS, counted, delivery_rows
from optimizer.interfaces.figures import with_figures
from optimizer.interfaces.marks import mark
from optimizer.interfaces.sentences import (
    after_lines,
    error_lines,
    excess_lines,
    obstacle_lines,
    refused_lines,
)
from optimizer.interfaces.web import frame, session
from optimizer.interfaces.web.bid_test import draw_bid_test


def draw() -> None:
    """Approved changes, the export button, downloads."""
    rows = frame.read_reviewed(workflows.suggestions)
    if rows is not None:
        _draw_waiting(rows)
        draw_bid_test()
        _draw_deliveries()
        _draw_exports()


def _draw_waiting(rows: pd.DataFrame) -> None:
    approved = rows[(rows["decision"] == "approved") & (rows["delivery"] == "not_exported")]
    if approved.empty:
        frame.draw_empty("Nothing is approved and waiting.", "queue", "Go to Suggestions")
        return
    words = session.current().words
    st.markdown("##### " + words.text("Approved, not exported: {count:whole}", count=len(approved)))
    bids: dict[Any, Any] = dict.fromkeys([words.text("Bid now"), words.text("New bid")], words.bid)
    st.dataframe(_approved_table(approved).style.format(bids), hide_index=True, placeholder="–")
    if not frame.may("approver"):
        frame.draw_needed("approver")
        return
    format_ = _draw_formats()
    clear = _draw_obstacles(format_)
    if st.button(words.text("Export"), key="export", type="primary", disabled=not clear):
        _export(format_)


def _draw_formats() -> str | None:
    """The file format chosen, where the platform has several; None: its only one, or it has none."""
    visit = session.current()
    try:
        formats = workflows.export_formats(visit.workspace, str(visit.account), visit.actor)
    except OptimizerError:
        return None  # The obstacles say that the platform has no writer.
    if len(formats) < 2:
        return None
    chosen: str | None = st.selectbox(
        visit.words.text("File format"),
        formats,
        format_func=lambda name: visit.words.code("file_format", name),
        key="file_format",
    )
    return chosen


def _draw_obstacles(format_: str | None) -> bool:
    """What would stand in the way of an export, told before it is tried; True when nothing does."""
    visit = session.current()
    nowhere = Path(tempfile.gettempdir())
    try:
        with st.spinner(visit.words.text("Checking")):
            tried = workflows.export(
                visit.workspace,
                str(visit.account),
                nowhere,
                visit.actor,
                dry_run=True,
                format_=format_,
            )
    except OptimizerError as error:
        lines = error_lines(visit.words, error)
    else:
        lines = obstacle_lines(visit.words, tried)
    for line in lines:
        st.warning(frame.literal(line), icon=":material/warning:")
    return not lines


def _approved_table(approved: pd.DataFrame) -> pd.DataFrame:
    words = session.current().words
    approved, share = with_figures(words, approved), words.text("Share of impressions")
    action = approved["kind"].map(lambda kind: f"{mark(kind)} {words.code('kind', kind)}")
    table = pd.DataFrame(
        {
            words.text("Keyword"): approved["keyword_text"],
            words.text("Action"): action,
            words.text("Bid now"): approved["bid"],
            words.text("New bid"): approved["approved_bid"],
            share: approved["share"],
            words.text("Campaign"): approved["campaign_name"],
            words.text("Ad group"): approved["ad_group_name"],
            words.text("By"): approved["decided_by"],
        }
    )
    return table if approved["share"].notna().any() else table.drop(columns=share)


def _export(format_: str | None) -> None:
    visit = session.current()
    words = visit.words
    try:
        with tempfile.TemporaryDirectory(prefix=scratch.prefix("export")) as folder:
            made = workflows.export(
                visit.workspace, str(visit.account), Path(folder), visit.actor, format_=format_
            )
    except OptimizerError as error:
        st.error("  \n".join(error_lines(words, error)), icon=":material/error:")
        return
    done = words.text("{rows:whole} changes in export {id}.", rows=made.rows, id=made.export_id)
    frame.flash("success", [done, words.text("Download the files below and upload them.")])
    st.rerun()


def _draw_deliveries() -> None:
    """What became of exports: counts, and those that are not live with what was seen."""
    visit = session.current()
    words = visit.words
    found = workflows.deliveries(visit.workspace, str(visit.account), visit.actor)
    if not any(found.counts.values()):
        return
    st.markdown("##### " + words.text("What became of exported changes"))
    st.text(counted(words, found.counts))
    st.caption(words.text("Drop the next report, or the platform's result file, into Imports."))
    rows = found.rows[found.rows["delivery"].isin(["failed", "drifted", "reverted"])]
    if len(rows):
        columns = [words.text(name) for name in HEADINGS]
        table = pd.DataFrame(delivery_rows(words, rows), columns=columns)
        st.dataframe(table, hide_index=True, key="deliveries")


def _draw_exports() -> None:
    visit = session.current()
    words = visit.words
    records = workflows.exports(visit.workspace, str(visit.account), visit.actor)
    if not records:
        return
    st.markdown("##### " + words.text("Exports"))
    for record in records:
        with st.container(border=True):
            count = len(record.suggestion_ids)
            st.text(
                words.text("{rows:whole} changes in export {id}.", rows=count, id=record.export_id)
            )
            st.caption(f"{words.moment(record.created_at)} · {record.created_by}")
            _draw_files(record.export_id)
            if frame.may("approver"):
                _draw_revert(record.export_id)


def _draw_revert(export_id: str) -> None:
    """A button behind a question: approve the opposite of all that this export changed."""
    words = session.current().words
    with st.popover(words.text("Take back"), icon=":material/undo:", key=f"ask_{export_id}"):
        st.text(
            words.text(
                "Approves the opposite of every change of this export that is still in force. "
                "The next export holds them."
            )
        )
        if st.button(words.text("Take back these changes"), key=f"revert_{export_id}"):
            _revert(export_id)


def _revert(export_id: str) -> None:
    visit = session.current()
    words = visit.words
    where = (visit.workspace, str(visit.account), visit.actor)
    try:
        with st.spinner(words.text("Saving, and solving the rest again")):
            done = workflows.revert(*where, export_id=export_id)
    except OptimizerError as error:
        frame.flash("error", error_lines(words, error))
    else:
        told = words.text("{count:whole} suggestions decided.", count=len(done.changed))
        frame.flash("success", [told, *after_lines(words, done)])
        if done.refused:
            title = words.text("{count:whole} stay as they are.", count=len(done.refused))
            frame.flash("warning", [title, *refused_lines(words, done.refused)])
        if done.excess:
            frame.flash("warning", excess_lines(words, done.excess))
    st.rerun()


def _draw_files(export_id: str) -> None:
    # Made again from the record, so that a closed browser loses no file.
    visit = session.current()
    # The cache is everybody's: it must not hand files to those whom the workflow would refuse.
    if not frame.may("approver"):
        return
    files = _files_of(str(visit.account), export_id, lambda: visit)
    with st.container(horizontal=True):
        for name, content in files.items():
            st.download_button(
                name, content, file_name=name, mime="application/octet-stream", key=name
            )


@st.cache_data(show_spinner=False, max_entries=50)
def _files_of(
    account: str, export_id: str, _visit: Callable[[], session.Visit]
) -> Mapping[str, bytes]:
    visit = _visit()
    with tempfile.TemporaryDirectory(prefix=scratch.prefix("export")) as folder:
        made = workflows.export(
            visit.workspace, account, Path(folder), visit.actor, again=export_id
        )
        return {name: path.read_bytes() for name, path in made.files.items()}


draw()
