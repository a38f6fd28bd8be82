"""A plan as tables for a person."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from optimizer import workflows
from optimizer.interfaces import plans
from optimizer.interfaces.cli.running import Run
from optimizer.interfaces.cli.tables import text_table


def print_plan(run: Run, report: workflows.PlanReport) -> None:
    """The plan, its frontier and split, the sale and the month, and what is assumed."""
    words = run.words
    run.say("Plan of {account} as of {day:date}", account=report.account, day=report.as_of)
    for line in plans.plan_lines(words, report):
        run.line(line)
    tables: Sequence[tuple[Sequence[str], list[list[str]]]] = (
        (plans.FRONTIER_HEADINGS, plans.frontier_rows(words, report)),
        (plans.SPLIT_HEADINGS, plans.split_rows(words, report)),
        (plans.ITEM_HEADINGS, plans.item_rows(words, report)),
    )
    for headings, rows in tables:
        if not rows:
            continue
        run.console.print(text_table(words, headings, rows, right=headings[1:-1]))
    for line in (*plans.event_lines(words, report), *plans.month_lines(words, report)):
        run.line(line)
    for line in plans.alert_lines(words, report):
        run.line(f"! {line}")
    for line in plans.assumed_lines(words, report):
        run.line(f"· {words.text('Assumed, not measured')}: {line}")


def print_kept(run: Run, rows: pd.DataFrame) -> None:
    """Kept scenarios beside each other."""
    cells = plans.kept_rows(run.words, rows.to_dict("records"))
    run.console.print(
        text_table(run.words, plans.KEPT_HEADINGS, cells, right=plans.KEPT_HEADINGS[2:-1])
    )


def print_adopted(run: Run, adopted: workflows.Adopted) -> None:
    """What the plan became in the queue."""
    for line in plans.adopted_lines(run.words, adopted):
        run.line(line)
