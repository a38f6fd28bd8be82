"""Sums before a decision and results after it, for people."""

from __future__ import annotations

from typing import Any

import typer

from optimizer import workflows
from optimizer.interfaces.cli.running import Run
from optimizer.interfaces.cli.tables import text_table
from optimizer.interfaces.deliveries import HEADINGS, delivery_lines, delivery_rows
from optimizer.interfaces.sentences import (
    after_lines,
    excess_lines,
    hit_lines,
    refused_lines,
    totals_lines,
)


def print_totals(run: Run, sums: Any) -> None:
    """What a selection adds up to."""
    _print(run, totals_lines(run.words, sums))
    _print(run, excess_lines(run.words, sums.excess))
    _print(run, hit_lines(run.words, sums))


def confirm(run: Run, sums: Any, yes: bool) -> None:
    """Show the sums and ask; raises `typer.Abort` when the answer is no."""
    if not run.as_json:
        print_totals(run, sums)
    if not yes:
        typer.confirm(run.words.text("Approve?"), abort=True, err=True)


def print_decision(run: Run, result: workflows.DecisionResult) -> None:
    """How many changed, who was refused and why, and what the re-solve moved."""
    run.say("{count:whole} suggestions decided.", count=len(result.changed))
    _print(run, refused_lines(run.words, result.refused))
    _print(run, excess_lines(run.words, result.excess))
    _print(run, after_lines(run.words, result))


def print_export(run: Run, result: Any, dry_run: bool) -> None:
    """The files that were written and what was left out."""
    run.say("{rows:whole} changes in export {id}.", rows=result.rows, id=result.export_id)
    for path in result.files.values():
        run.line(f"  {path}")
    _print(run, refused_lines(run.words, result.refused))
    _print(run, excess_lines(run.words, result.excess))
    if dry_run:
        run.say("Nothing was written (--dry-run).")


def print_deliveries(run: Run, found: workflows.DeliveryReport, limit: int) -> None:
    """How many exported changes are in which state, and the first of them."""
    if not any(found.counts.values()):
        run.say("Nothing was exported yet.")
        return
    _print(run, delivery_lines(run.words, found.counts))
    rows = delivery_rows(run.words, found.rows.head(limit))
    run.console.print(text_table(run.words, HEADINGS, rows, right=("Approved", "Seen")))


def _print(run: Run, lines: list[str]) -> None:
    for line in lines:
        run.line(line)
