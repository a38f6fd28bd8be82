"""Imports: drop a report in, see what became of every row, review the account."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from optimizer import scratch, workflows
from optimizer.errors import Forbidden, OptimizerError
from optimizer.interfaces.deliveries import (
    UNMATCHED,
    delivery_lines,
    result_lines,
    unmatched_rows,
)
from optimizer.interfaces.reconciliation import (
    remark_lines,
    row_counts,
    sum_lines,
)
from optimizer.interfaces.serving import reach
from optimizer.interfaces.spreadsheet import people_csv
from optimizer.interfaces.web import frame, session
from optimizer.interfaces.web.frame import flash
from optimizer.interfaces.web.progress import progress_bar
from optimizer.settings import Basis

ANSWERS = "_imported"
UPLOAD_WORDS = """
<style>
.st-key-uploads [data-testid="stFileUploaderDropzone"] button p,
.st-key-uploads [data-testid="stFileUploaderDropzoneInstructions"] span {{font-size: 0;}}
.st-key-uploads [data-testid="stFileUploaderDropzone"] button p::after
  {{font-size: 0.875rem; content: "{button}";}}
.st-key-uploads [data-testid="stFileUploaderDropzoneInstructions"] span::after
  {{font-size: 0.875rem; content: "{hint}";}}
</style>
"""


def draw() -> None:
    """The form, what the last import said, and the list of imports."""
    if _may_import():
        _draw_form()
    else:
        frame.draw_needed("operator")
    for answer in st.session_state.get(ANSWERS, []):
        if "result_rows" in answer:
            draw_results(answer)
        else:
            draw_reconciliation(answer)
    if session.current().account is None:
        frame.draw_demonstration_offer()
        return
    frame.draw_review_button()
    _draw_batches()
    _draw_unmatched()


def _may_import() -> bool:
    """Whether the visitor may import into some account; the workflow looks at the one that is named."""
    try:
        session.current().actor.require_anywhere("operator")
    except Forbidden:
        return False
    return True


def _draw_form() -> None:
    words = session.current().words
    # Streamlit has no parameter for its own words in this widget.
    button, hint = words.text("Choose files"), words.text("or drop them here, up to 200 MB each")
    st.html(UPLOAD_WORDS.format(button=button, hint=hint))
    with st.form("import", border=True):
        uploads = st.file_uploader(
            words.text("Report files, CSV, XLSX or Parquet (up to 200 MB; larger files by path)"),
            type=["csv", "tsv", "txt", "xlsx", "parquet"],
            accept_multiple_files=True,
            key="uploads",
        )
        # Whoever comes from elsewhere has no business with the files of this machine.
        label = words.text("or a path on this machine")
        path = "" if reach().login else st.text_input(label, key="path")
        left, middle, right = st.columns(3)
        account = left.text_input(
            words.text("Account"), value=_account_to_fill(), key="import_account"
        )
        as_of = middle.date_input(
            words.text("Download day"), value=datetime.now(UTC).astimezone().date(), key="as_of"
        )
        profile = right.text_input(
            words.text("Report profile"),
            placeholder=words.text("found by its header"),
            key="profile",
        )
        told = _draw_answers()
        accept = st.checkbox(
            words.text("Import even if more than 5 % of the rows are quarantined"), key="accept"
        )
        sent = st.form_submit_button(words.text("Import"), type="primary", key="import_now")
    if sent:
        options = {
            "as_of": as_of,
            "profile": profile or None,
            "accept_quarantine": accept,
            "told": told,
        }
        _import(uploads or [], path, account, options)


def _account_to_fill() -> str:
    """The account looked at, where the visitor may import into it."""
    return session.current().account or "" if frame.may("operator") else ""


def _draw_answers() -> workflows.Told:
    """What the operator says of files that do not say it themselves."""
    words = session.current().words
    left, middle, right = st.columns(3)
    same = words.text("as the file says, or as before")
    currency = left.text_input(words.text("Currency"), placeholder=same, key="currency")
    days = middle.number_input(
        words.text("Attribution window, days"),
        min_value=1,
        max_value=365,
        value=None,
        placeholder=same,
        key="attribution_days",
    )
    names: dict[Basis, str] = {
        "click": words.text("day of the click"),
        "order": words.text("day of the order"),
    }
    basis = right.selectbox(
        words.text("Conversions stand on the"),
        list(names),
        index=None,
        format_func=names.__getitem__,
        placeholder=same,
        key="attribution_basis",
    )
    return workflows.Told(currency or None, int(days) if days else None, basis)


def _import(uploads: Sequence[Any], path: str, account: str, options: dict[str, Any]) -> None:
    visit = session.current()
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix=scratch.prefix("upload")))
        )
        files = [_saved(folder, upload) for upload in uploads]
        files += [Path(path).expanduser()] if path else []
        if not (files and account):
            st.warning(visit.words.text("Choose a file and name the account."))
            return
        try:
            progress = stack.enter_context(progress_bar())
            results = workflows.import_files(
                visit.workspace, files, account, actor=visit.actor, progress=progress, **options
            )
        except OptimizerError as error:
            st.error(visit.words.error(error), icon=":material/error:")
            return
    st.session_state[ANSWERS] = [result.to_json() for result in results]
    flash("success", [visit.words.text("{count:whole} files imported.", count=len(results))])
    st.rerun()


def _saved(folder: Path, upload: Any) -> Path:
    # An uploaded name is a stranger's text: only its last part, inside our own folder.
    path = folder / (Path(upload.name.replace("\\", "/")).name or "report.csv")
    path.write_bytes(upload.getbuffer())
    return path


def draw_reconciliation(answer: dict[str, Any]) -> None:
    """What became of every row of one file."""
    words = session.current().words
    with st.container(border=True):
        st.text(str(answer.get("file") or answer["batch_id"]))
        left, middle, right = st.columns(3)
        headings = [words.text("Rows"), words.text("Count")]
        left.dataframe(pd.DataFrame(row_counts(words, answer), columns=headings), hide_index=True)
        names = ["Total", "Sum of rows", "The file's own", "Agrees"]
        sums = pd.DataFrame(sum_lines(words, answer), columns=[words.text(name) for name in names])
        middle.dataframe(sums, hide_index=True)
        for line in [*remark_lines(words, answer), *delivery_lines(words, answer["deliveries"])]:
            right.text(line)


def draw_results(answer: dict[str, Any]) -> None:
    """What a platform's result file settled, and its rows that settle nothing."""
    words = session.current().words
    with st.container(border=True):
        st.text(str(answer["file"]))
        for line in result_lines(words, answer):
            st.text(line)
        if answer["unmatched"]:
            rows = unmatched_rows(words, answer["unmatched"])
            columns = [words.text(name) for name in UNMATCHED]
            st.dataframe(pd.DataFrame(rows, columns=columns), hide_index=True)


def _draw_batches() -> None:
    visit = session.current()
    words = visit.words
    records = workflows.batches(visit.workspace, str(visit.account), visit.actor)
    st.markdown("##### " + words.text("Imported files"))
    table = pd.DataFrame(
        {
            words.text("File"): [record.file_name for record in records],
            words.text("Download day"): [words.day(record.as_of) for record in records],
            words.text("Rows kept"): [record.reconciliation.rows_kept for record in records],
            words.text("Quarantined"): [
                record.reconciliation.rows_quarantined for record in records
            ],
            words.text("Imported"): [words.moment(record.imported_at) for record in records],
            words.text("By"): [record.imported_by for record in records],
        }
    )
    whole = st.column_config.NumberColumn(format="localized")
    picked = st.dataframe(
        table,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="batches",
        column_config={words.text("Rows kept"): whole, words.text("Quarantined"): whole},
    )
    st.caption(words.text("Select a file to see its quarantined rows."))
    for row in picked["selection"]["rows"]:
        _draw_quarantine(records[row].batch_id)


def _draw_quarantine(batch_id: str) -> None:
    visit = session.current()
    words = visit.words
    rows = workflows.quarantine(visit.workspace, batch_id, visit.actor)
    if rows.empty:
        st.info(words.text("No row of this file was quarantined."))
        return
    shown = rows.assign(code=rows["code"].map(lambda code: words.code("problem", code)))
    st.dataframe(shown.rename(columns=lambda name: words.heading("column", name)), hide_index=True)
    st.download_button(
        words.text("Download quarantined rows"),
        people_csv(rows).encode("utf-8-sig"),
        file_name=f"quarantine_{batch_id}.csv",
        mime="text/csv",
        key="quarantine_csv",
    )


def _draw_unmatched() -> None:
    """Keywords that no platform id matches, for accounts of which an import said that there are some."""
    visit = session.current()
    records = workflows.batches(visit.workspace, str(visit.account), visit.actor)
    if not any("keywords_unmatched" in record.reconciliation.warnings for record in records):
        return
    # On demand, since it reads the whole history of the window.
    if not st.button(visit.words.text("List keywords without an id"), key="unmatched"):
        return
    rows = workflows.unmatched(visit.workspace, str(visit.account), visit.actor)
    text = "{count:whole} keywords match no platform id; no file can change them."
    st.caption(visit.words.text(text, count=len(rows)))
    st.dataframe(rows.rename(columns=lambda name: visit.words.heading("column", name)))
    st.download_button(
        visit.words.text("Download keywords without an id"),
        people_csv(rows).encode("utf-8-sig"),
        file_name=f"unmatched_{visit.account}.csv",
        mime="text/csv",
        key="unmatched_csv",
    )


draw()
