"""Commands on creatives: what every test says this morning."""

from __future__ import annotations

from typing import Annotated

import typer

from optimizer import workflows
from optimizer.errors import NotFound
from optimizer.interfaces.cli.options import Account, AsOf
from optimizer.interfaces.cli.running import Run, command
from optimizer.interfaces.cli.tables import text_table
from optimizer.interfaces.creative_tests import HEADINGS, NUMBERS, arm_rows, state_lines

Name = Annotated[str | None, typer.Option("--test", help="One test; all when left out.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the random draws.")]


@command("creatives")
def creatives(
    run: Run, account: Account, as_of: AsOf = None, test: Name = None, seed: Seed = 0
) -> None:
    """Say of every test of creatives who is ahead, how sure that is and who should be shown."""
    report = workflows.creative_tests(run.workspace, account, run.actor, as_of, seed)
    if test is not None and test not in set(report.tests["test"]):
        raise NotFound("creative_test_missing", account=account, test=test)
    report = report if test is None else report.only(test)
    run = run.in_currency(report.currency)
    run.show(report.to_json(), lambda run: _print(run, report))


def _print(run: Run, report: workflows.CreativeReport) -> None:
    if report.tests.empty:
        run.say("No ad group showed two creatives in the last two weeks, and no test is defined.")
    for row in report.tests.to_dict(orient="records"):
        run.line(f"\n{row['test']}")
        for line in state_lines(run.words, row):
            run.line(line)
        arms = report.arms[report.arms["test"].eq(row["test"])]
        cells = arm_rows(run.words, row["metric"], arms)
        run.console.print(text_table(run.words, HEADINGS, cells, right=NUMBERS))
    if report.period_rows:
        run.say(
            "{count:whole} rows told of several days at once and are in no test: download by day.",
            count=report.period_rows,
        )
