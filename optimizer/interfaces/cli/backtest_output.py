"""A back-test as a table for a person."""

from __future__ import annotations

from optimizer import workflows
from optimizer.interfaces.backtests import BACKTEST_HEADINGS, backtest_lines, backtest_rows
from optimizer.interfaces.cli.running import Run
from optimizer.interfaces.cli.tables import text_table


def print_backtest(run: Run, report: workflows.BacktestReport) -> None:
    """Coverage, bias and errors by amount, and which weeks there were."""
    run.console.print(
        text_table(
            run.words,
            BACKTEST_HEADINGS,
            backtest_rows(run.words, report),
            title=run.words.text("Past weeks, forecast from what was known then"),
            right=BACKTEST_HEADINGS[1:],
        )
    )
    for line in backtest_lines(run.words, report):
        run.line(line)
