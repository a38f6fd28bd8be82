"""Imports, batches, audit and checks as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from rich.markup import escape
from rich.table import Table

from optimizer.interfaces.cli.running import Run
from optimizer.interfaces.locale import Translator
from optimizer.interfaces.reconciliation import remark_lines, row_counts, sum_lines


def print_imports(run: Run, answers: Sequence[Mapping[str, Any]], dry_run: bool) -> None:
    """The reconciliation of every file: rows, sums, checks, warnings."""
    for answer in answers:
        run.line(str(answer.get("file") or answer["batch_id"]))
        run.console.print(rows_table(run.words, answer))
        run.console.print(sums_table(run.words, answer))
        for line in remark_lines(run.words, answer):
            run.line(line)
    if dry_run:
        run.say("Nothing was written (--dry-run).")


def rows_table(words: Translator, answer: Mapping[str, Any]) -> Table:
    """What became of every row of one file."""
    table = Table()
    table.add_column(words.text("Rows"))
    table.add_column(words.text("Count"), justify="right")
    for name, count in row_counts(words, answer):
        table.add_row(name, count)
    return table


def sums_table(words: Translator, answer: Mapping[str, Any]) -> Table:
    """Our sums, and the file's own totals where it states them."""
    table = Table()
    table.add_column(words.text("Total"))
    for heading in ("Kept rows", "The file's own", "Agrees"):
        table.add_column(words.text(heading), justify="right")
    for line in sum_lines(words, answer):
        table.add_row(*line)
    return table


def print_batches(run: Run, records: Sequence[Any]) -> None:
    """Imported files, newest first."""
    words = run.words
    table = Table()
    for heading in ("Batch", "File", "Download day", "Rows kept", "Quarantined", "Imported", "By"):
        table.add_column(words.text(heading))
    for record in records:
        table.add_row(
            record.batch_id,
            record.file_name,
            words.day(record.as_of),
            words.number(record.reconciliation.rows_kept, 0),
            words.number(record.reconciliation.rows_quarantined, 0),
            words.moment(record.imported_at),
            record.imported_by,
        )
    run.console.print(table)


def print_audit(run: Run, rows: pd.DataFrame) -> None:
    """Who did what and when."""
    table = Table()
    names = ["sequence", "at", "actor", "role", "account", "action", "subject", "detail"]
    for name in names:
        table.add_column(run.words.code("column", name), no_wrap=name != "detail")
    for record in rows[names].to_dict(orient="records"):
        record["at"] = run.words.moment(record["at"])
        table.add_row(*(escape(str(value)) for value in record.values()))
    run.console.print(table)


def print_check(run: Run, report: Any) -> None:
    """The verdict and, when something is wrong, what."""
    verdict = "The store is sound." if report.ok else "The store is damaged:"
    run.say(verdict)
    for problem in report.problems:
        line = run.words.code(
            "problem", problem.code, file=problem.file, text=problem.text, **problem.fields
        )
        run.line(f"  ✗ {line}")
