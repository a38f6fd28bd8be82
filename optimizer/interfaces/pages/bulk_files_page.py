"""Bulk files: what is approved and not exported yet, and the files that were made."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from optimizer import workflows
from optimizer.errors import OptimizerError
from optimizer.interfaces.marks import mark
from optimizer.interfaces.pages import frame, session
from optimizer.interfaces.sentences import excess_lines, refused_lines

FILES = "_exported_files"


def draw() -> None:
    """Approved changes, the export button, downloads."""
    visit = session.current()
    if visit.account is None:
        frame.draw_empty(
            "There is no account yet. Import a report first.", "imports", "Go to Imports"
        )
        return
    rows = workflows.suggestions(visit.workspace, visit.account, visit.actor)
    approved = rows[(rows["decision"] == "approved") & (rows["delivery"] == "not_exported")]
    if approved.empty:
        frame.draw_empty("Nothing is approved and waiting.", "queue", "Go to Suggestions")
    else:
        _draw_approved(approved)
    _draw_files()


def _draw_approved(approved: pd.DataFrame) -> None:
    words = session.current().words
    st.markdown("##### " + words.text("Approved, not exported: {count:whole}", count=len(approved)))
    table = pd.DataFrame(
        {
            words.text("Keyword"): approved["keyword_text"],
            words.text("Action"): approved["kind"].map(
                lambda kind: f"{mark(kind)} {words.code('kind', kind)}"
            ),
            words.text("Bid now"): approved["bid"],
            words.text("New bid"): approved["approved_bid"],
            words.text("Campaign"): approved["campaign_name"],
            words.text("Ad group"): approved["ad_group_name"],
            words.text("By"): approved["decided_by"],
        }
    )
    st.dataframe(table, hide_index=True)
    if st.button(words.text("Export"), key="export", type="primary"):
        _export()


def _export() -> None:
    visit = session.current()
    words = visit.words
    try:
        result = workflows.export(
            visit.workspace, str(visit.account), session.export_folder(), visit.actor
        )
    except OptimizerError as error:
        st.error(words.error(error), icon=":material/error:")
        return
    frame.flash(
        "success",
        [words.text("{rows:whole} changes in export {id}.", rows=result.rows, id=result.export_id)],
    )
    notes = [*refused_lines(words, result.refused), *excess_lines(words, result.excess)]
    if notes:
        frame.flash("warning", notes)
    st.rerun()


def _draw_files() -> None:
    words = session.current().words
    files = sorted(_files(), key=lambda path: path.stat().st_mtime, reverse=True)
    if not files:
        return
    st.markdown("##### " + words.text("Files"))
    for number, path in enumerate(files):
        st.download_button(path.name, path.read_bytes(), file_name=path.name, key=f"file_{number}")


def _files() -> list[Path]:
    folder = session.export_folder()
    return [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []


draw()
