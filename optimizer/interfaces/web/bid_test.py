"""The account's bid test on the page of bulk files: propose, approve, export what is due, stop."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import streamlit as st

from optimizer import scratch, workflows
from optimizer.errors import OptimizerError
from optimizer.interfaces.experiments import experiment_lines, step_lines
from optimizer.interfaces.sentences import error_lines
from optimizer.interfaces.web import frame, session
from optimizer.tables import Role

_ENDED = ("finished", "stopped", "rejected")


def draw_bid_test() -> None:
    """What the test is and the buttons its state allows."""
    visit = session.current()
    words = visit.words
    st.markdown("##### " + words.text("Bid test"))
    report = workflows.experiment(visit.workspace, str(visit.account), visit.actor)
    if report is not None:
        _draw_test(report)
    if report is None or report.record.state in _ENDED:
        _button("operator", "Propose a bid test", "propose", _propose)
    if frame.may("approver"):
        _draw_files()


def _draw_test(report: workflows.ExperimentReport) -> None:
    words = session.current().words
    for line in experiment_lines(words, report.to_json()):
        st.markdown(frame.literal(line))
    with st.expander(words.text("Keywords of the test")):
        table = _table(report)
        bids: dict[Any, Any] = dict.fromkeys(table.select_dtypes("number").columns, words.bid)
        st.dataframe(table.style.format(bids), hide_index=True, placeholder="–")
    with st.container(horizontal=True):
        _draw_acts(report)


def _draw_acts(report: workflows.ExperimentReport) -> None:
    """What may be done now, side by side; the usual next act stands out."""
    record = report.record
    ref = (record.id, record.version)
    if record.state == "proposed":
        _button(
            "approver", "Approve the test", "approve", lambda visit: _approve(visit, ref), "primary"
        )
    if report.due is not None:
        _button("approver", "Export the step that is due", "export", _export, "primary")
    if record.state in ("proposed", "approved"):
        _button("operator", "Reject the test", "reject", lambda visit: _reject(visit, ref))
    if record.state == "running":
        _button("approver", "Stop the test", "stop", _stop)


def _table(report: workflows.ExperimentReport) -> pd.DataFrame:
    words, members = session.current().words, report.record.members
    steps = report.record.steps.pivot_table(index="entity_key", columns="week", values="bid")
    by_week = steps.reindex(members["entity_key"]).reset_index(drop=True)
    weeks = [words.text("Week {number:whole}", number=n + 1) for n in range(report.record.weeks)]
    by_week.columns = pd.Index([*weeks, words.text("Afterwards")])
    shown = pd.DataFrame(
        {
            words.text("Keyword"): members["keyword_text"],
            words.text("Campaign"): members["campaign_name"],
            words.text("Bid now"): members["base_bid"],
        }
    )
    return pd.concat([shown.reset_index(drop=True), by_week], axis=1)


def _button(
    role: Role,
    english: str,
    key: str,
    act: Callable[[session.Visit], list[str]],
    weight: Literal["primary", "secondary"] = "secondary",
) -> None:
    """A button for those of the role: does `act`, draws the page afresh and says what came of it."""
    visit = session.current()
    if not frame.may(role) or not st.button(
        visit.words.text(english), key=f"bid_test_{key}", type=weight
    ):
        return
    try:
        told = act(visit)
    except OptimizerError as error:
        frame.flash("warning", error_lines(visit.words, error))
    else:
        frame.flash("success", told)
    st.rerun()


def _propose(visit: session.Visit) -> list[str]:
    made = workflows.propose_experiment(visit.workspace, str(visit.account), visit.actor)
    return experiment_lines(visit.words, made.to_json())[:1]


def _approve(visit: session.Visit, ref: tuple[str, int]) -> list[str]:
    workflows.approve_experiment(visit.workspace, str(visit.account), ref, visit.actor)
    return [visit.words.text("The test is approved; its bids are held until it ends.")]


def _reject(visit: session.Visit, ref: tuple[str, int]) -> list[str]:
    reason = visit.words.text("Rejected on the page")
    workflows.reject_experiment(visit.workspace, str(visit.account), ref, visit.actor, reason)
    return [visit.words.text("The test is rejected.")]


def _export(visit: session.Visit) -> list[str]:
    return _written(visit, lambda folder: _step(visit, folder))


def _step(visit: session.Visit, folder: Path) -> workflows.StepExport:
    return workflows.export_experiment(visit.workspace, str(visit.account), folder, visit.actor)


def _stop(visit: session.Visit) -> list[str]:
    account = str(visit.account)
    return _written(
        visit,
        lambda folder: workflows.stop_experiment(visit.workspace, account, folder, visit.actor),
    )


def _written(visit: session.Visit, write: Callable[[Path], workflows.StepExport]) -> list[str]:
    with tempfile.TemporaryDirectory(prefix=scratch.prefix("export")) as folder:
        step: dict[str, Any] = write(Path(folder)).to_json()
    return [
        *step_lines(visit.words, step),
        visit.words.text("Download the files below and upload them."),
    ]


def _draw_files() -> None:
    """Downloads of the newest step, made again from its record."""
    visit = session.current()
    report = workflows.experiment(visit.workspace, str(visit.account), visit.actor)
    if report is None or not report.record.exports:
        return
    try:
        files = _files_again(visit)
    except OptimizerError as error:
        st.caption("  \n".join(error_lines(visit.words, error)))
        return
    for name, content in files.items():
        st.download_button(name, content, file_name=name, mime="application/octet-stream", key=name)


def _files_again(visit: session.Visit) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix=scratch.prefix("export")) as folder:
        made = workflows.export_experiment(
            visit.workspace, str(visit.account), Path(folder), visit.actor, again=True
        )
        return {name: path.read_bytes() for name, path in made.files.items()}
