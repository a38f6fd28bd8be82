"""Commands on creatives: what every test says this morning; defining, changing and ending tests."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import pandas as pd
import typer

from optimizer import workflows
from optimizer.errors import NotFound
from optimizer.interfaces.cli.options import Account, AsOf
from optimizer.interfaces.cli.running import Run, command
from optimizer.interfaces.cli.tables import text_table
from optimizer.interfaces.creative_tests import (
    HEADINGS,
    NUMBERS,
    arm_rows,
    asked_lines,
    next_line,
    served_lines,
    share_badge,
    state_lines,
)
from optimizer.interfaces.locale import Translator

Name = Annotated[str | None, typer.Option("--test", help="One test; all when left out.")]
Own = Annotated[str, typer.Option("--test", help="Name of the test.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the random draws.")]
Campaign = Annotated[str, typer.Option("--campaign", help="The campaign's name.")]
AdGroup = Annotated[str | None, typer.Option("--ad-group", help="The ad group's name.")]
Arms = Annotated[
    list[str] | None,
    typer.Option("--arm", help="A creative's id or name, or ID=SHARE; all when left out."),
]
Metric = Annotated[str, typer.Option("--metric", help="What is compared, such as ctr or cvr.")]
Mode = Annotated[str, typer.Option("--mode", help="earn, find or top_two.")]
Rotation = Annotated[
    str, typer.Option("--rotation", help="Who chooses: platform, even_rotation or randomised.")
]
Start = Annotated[date | None, typer.Option("--start", parser=date.fromisoformat, metavar="DATE")]
End = Annotated[date | None, typer.Option("--end", parser=date.fromisoformat, metavar="DATE")]
Floor = Annotated[float, typer.Option("--floor", help="Part of impressions spread while earning.")]
Claims = Annotated[bool, typer.Option("--claims", help="Keep a fifth for each, to claim a winner.")]
Effect = Annotated[float, typer.Option("--effect", help="Smallest difference worth finding.")]
Version = Annotated[
    int | None, typer.Option("--version", help="Version that is changed; none for a new test.")
]


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
        _print_test(run, report.only(row["test"]), row)
    if report.period_rows:
        run.say(
            "{count:whole} rows told of several days at once and are in no test: download by day.",
            count=report.period_rows,
        )


def _print_test(run: Run, own: workflows.CreativeReport, row: dict[Any, Any]) -> None:
    run.line(f"\n{row['test']}")
    for line in (*state_lines(run.words, row), share_badge(run.words, row)[0]):
        run.line(line)
    cells = arm_rows(run.words, row["metric"], own.arms)
    run.console.print(text_table(run.words, HEADINGS, cells, right=NUMBERS))
    for line in (
        *served_lines(run.words, own.served, own.arms),
        *_asked_with_ids(run.words, own.asked),
        next_line(run.words, own.actions[row["test"]]),
    ):
        run.line(line)


def _asked_with_ids(words: Translator, asked: pd.DataFrame) -> list[str]:
    """Each suggestion with the reference that `suggestions approve` takes."""
    refs = (f"{row['id']}@{row['version']}" for row in asked.to_dict("records"))
    return [f"{line}: {ref}" for line, ref in zip(asked_lines(words, asked), refs, strict=True)]


@command("creatives-define")
def creatives_define(
    run: Run,
    account: Account,
    test: Own,
    campaign: Campaign,
    ad_group: AdGroup = None,
    arms: Arms = None,
    metric: Metric = "profit_per_impression",
    mode: Mode = "earn",
    rotation: Rotation = "platform",
    start: Start = None,
    end: End = None,
    floor: Floor = 0.1,
    claims: Claims = False,
    effect: Effect = 0.15,
    version: Version = None,
) -> None:
    """Define a test of creatives, or change the one of this name and --version."""
    told = {
        **{"name": test, "campaign": campaign, "ad_group": ad_group, "metric": metric},
        **{"mode": mode, "rotation": rotation, "start": start, "end": end, "floor": floor},
        **{"claims_wanted": claims, "minimum_effect": effect, **_arms(arms or [])},
    }
    found = workflows.define_creative_test(run.workspace, account, told, run.actor, version)
    run.show(found.to_json(), lambda run: _defined(run, found))


@command("creatives-end")
def creatives_end(run: Run, account: Account, test: Own) -> None:
    """End a test of creatives with the last day that reports tell of."""
    found = workflows.end_creative_test(run.workspace, account, test, run.actor)
    run.show(found.to_json(), lambda run: _defined(run, found))


def _defined(run: Run, found: workflows.DefinedTest) -> None:
    run.say(
        "Test {test} stored as version {version}.",
        test=found.test.name,
        version=str(found.version),
    )


def _arms(given: list[str]) -> dict[str, Any]:
    """Arms, and their planned shares where ID=SHARE says them."""
    pairs = [one.rpartition("=") for one in given]
    stated = bool(pairs) and all(mark for _, mark, _ in pairs)
    if not stated:
        return {"arms": given}
    return {
        "arms": [name for name, _, _ in pairs],
        "split": {name: share for name, _, share in pairs},
    }
