"""Imports, batches, audit and checks as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from optimizer.interfaces.calibration import HEADINGS, NUMBERS, check_sentence, group_rows
from optimizer.interfaces.cli.running import Run
from optimizer.interfaces.cli.tables import text_table
from optimizer.interfaces.deliveries import (
    UNMATCHED,
    delivery_lines,
    result_lines,
    unmatched_rows,
)
from optimizer.interfaces.reconciliation import remark_lines, row_counts, sum_lines

_SUMS = ("Total", "Sum of rows", "The file's own", "Agrees")
_BATCHES = ("Batch", "File", "Download day", "Rows kept", "Quarantined", "Imported", "By")


def print_imports(run: Run, answers: Sequence[Mapping[str, Any]], dry_run: bool) -> None:
    """The reconciliation of every file: rows, sums, checks, warnings."""
    words = run.words
    for answer in answers:
        run.line(str(answer.get("file") or answer["batch_id"]))
        if "result_rows" in answer:
            _print_results(run, answer)
            continue
        counts, sums = row_counts(words, answer), sum_lines(words, answer)
        run.console.print(text_table(words, ("Rows", "Count"), counts, right=("Count",)))
        if sums:
            run.console.print(text_table(words, _SUMS, sums, right=_SUMS[1:]))
        for line in [*remark_lines(words, answer), *delivery_lines(words, answer["deliveries"])]:
            run.line(line)
    if dry_run:
        run.say("Nothing was written (--dry-run).")


def _print_results(run: Run, answer: Mapping[str, Any]) -> None:
    """What a platform's result file settled, and its rows that settle nothing."""
    for line in result_lines(run.words, answer):
        run.line(line)
    if answer["unmatched"]:
        rows = unmatched_rows(run.words, answer["unmatched"])
        run.console.print(text_table(run.words, UNMATCHED, rows))


def print_batches(run: Run, records: Sequence[Any]) -> None:
    """Imported files, newest first."""
    words = run.words
    rows = (
        (
            record.batch_id,
            record.file_name,
            words.day(record.as_of),
            words.number(record.reconciliation.rows_kept, 0),
            words.number(record.reconciliation.rows_quarantined, 0),
            words.moment(record.imported_at),
            record.imported_by,
        )
        for record in records
    )
    run.console.print(text_table(words, _BATCHES, rows, right=("Rows kept", "Quarantined")))


def print_audit(run: Run, rows: pd.DataFrame) -> None:
    """Who did what and when, one line each."""
    words = run.words
    lines = (
        (
            words.moment(entry["at"]),
            f"{entry['actor']} ({entry['role']})",
            words.plain(entry["account"]),
            words.code("action", str(entry["action"])),
            str(entry["subject"]),
            str(entry["detail"]),
        )
        for entry in rows.to_dict(orient="records")
    )
    headings = ("At", "By", "Account", "Action", "On", "Detail")
    run.console.print(text_table(words, headings, lines))


def print_check(run: Run, report: Any) -> None:
    """The verdict and, when something is wrong, what."""
    run.say("The store is sound." if report.ok else "The store is damaged:")
    for problem in report.problems:
        fields = {"file": problem["file"], "text": problem["text"], **problem["fields"]}
        run.line(f"  ✗ {run.words.code('problem', problem['code'], **fields)}")


def print_predictive(run: Run, answer: Mapping[str, Any]) -> None:
    """Promised and delivered conversions and value, of all keywords, by sparsity and by kind."""
    run = run.in_currency(answer["currency"])
    words = run.words
    run.line(check_sentence(words, answer))
    for amount, title in (("conversions", "Conversions"), ("value", "Conversion value")):
        rows = group_rows(words, answer, amount)
        run.console.print(text_table(words, HEADINGS, rows, title=title, right=NUMBERS))
    if answer["kinds_problem"]:
        run.say(
            "No groups by suggestion: no review of that day is stored, and none can be made "
            "({code}).",
            code=answer["kinds_problem"],
        )
