"""`optimizer plan`: what another budget, target, sale or month would mean, kept and put into the queue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from optimizer import workflows
from optimizer.interfaces.cli import plan_output
from optimizer.interfaces.cli.backtest_output import print_backtest
from optimizer.interfaces.cli.options import Account, AsOf, DryRun
from optimizer.interfaces.cli.progress import progress_bar
from optimizer.interfaces.cli.review_output import account_currency
from optimizer.interfaces.cli.running import Run, command
from optimizer.settings import load_model

Budgets = Annotated[
    str | None, typer.Option("--budgets", help="Points of the frontier per day: 300,400,500.")
]
Budget = Annotated[float | None, typer.Option("--budget", help="Planned with, per day.")]
Roas = Annotated[float | None, typer.Option("--roas", help="Least value per cost.")]
Cpa = Annotated[float | None, typer.Option("--cpa", help="Most cost per order.")]
Bound = Annotated[
    list[str] | None,
    typer.Option("--bound", help="CAMPAIGN or ITEM=LEAST:MOST per day; repeatable."),
]
Lock = Annotated[
    list[str] | None, typer.Option("--lock", help="Campaign or item to leave alone; repeatable.")
]
Event = Annotated[str | None, typer.Option("--event", help="A sale of events.yaml: 618, 双11, ...")]
EventStart = Annotated[
    date | None,
    typer.Option(
        "--event-start", parser=date.fromisoformat, metavar="DATE", help="First day of the sale."
    ),
]
EventEnd = Annotated[
    date | None,
    typer.Option(
        "--event-end", parser=date.fromisoformat, metavar="DATE", help="Last day of the sale."
    ),
]
Multiplier = Annotated[
    list[str] | None,
    typer.Option("--multiplier", help="volume.burst=2.5: in place of the shipped one; repeatable."),
]
Month = Annotated[
    str | None, typer.Option("--month", help="spend=30000 (or value, orders, profit) this month.")
]
Days = Annotated[int, typer.Option("--days", min=1, max=120, help="How far a sale may lie ahead.")]
ScenarioFile = Annotated[
    Path | None,
    typer.Option("--scenario", help="A YAML file of all this, in place of the options above."),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the random draws.")]
Save = Annotated[str | None, typer.Option("--save", help="Keep the scenario under this name.")]
Kept = Annotated[bool, typer.Option("--list", help="Compare the scenarios that are kept.")]
Delete = Annotated[str | None, typer.Option("--delete", help="Forget the scenario of this name.")]
Suggest = Annotated[
    str | None, typer.Option("--suggest", help="Put the kept scenario of this name into the queue.")
]
Backtest = Annotated[
    bool,
    typer.Option("--backtest", help="Forecast past weeks from what was known then, and score it."),
]
Weeks = Annotated[int, typer.Option("--weeks", min=1, help="With --backtest: how many weeks.")]


@command("plan")
def plan(
    run: Run,
    account: Account,
    as_of: AsOf = None,
    budgets: Budgets = None,
    budget: Budget = None,
    roas: Roas = None,
    cpa: Cpa = None,
    bound: Bound = None,
    lock: Lock = None,
    event: Event = None,
    event_start: EventStart = None,
    event_end: EventEnd = None,
    multiplier: Multiplier = None,
    month: Month = None,
    days: Days = 30,
    scenario: ScenarioFile = None,
    seed: Seed = 0,
    save: Save = None,
    kept: Kept = False,
    delete: Delete = None,
    suggest: Suggest = None,
    backtest: Backtest = False,
    weeks: Weeks = 8,
    dry_run: DryRun = False,
) -> None:
    """Say what other budgets, a target, a sale or this month's target would mean."""
    sale = _event(event, event_start, event_end, multiplier)
    stated = _scenario(budget, roas, cpa, bound, lock, sale, month, days)
    asks = stated != workflows.Scenario() or any((scenario, budgets, save))
    if asks:
        _refuse_beside(backtest=backtest, list=kept, delete=delete, suggest=suggest)
    if backtest:
        _score(run, account, as_of, weeks, seed)
    elif kept:
        _compare(run, account)
    elif delete is not None:
        _forget(run, account, delete, dry_run=dry_run)
    elif suggest is not None and not dry_run:
        _adopt(run, account, suggest, seed)
    else:
        if suggest is not None:
            asked = workflows.kept_scenario(run.workspace, account, suggest, run.actor)
        else:
            asked = stated if scenario is None else _from_file(scenario, stated)
        _tell(run, account, asked, as_of, _amounts(budgets), seed, None if dry_run else save)


def _refuse_beside(**chosen: object) -> None:
    """Options of a scenario beside what takes none are refused rather than ignored."""
    taken = [name for name, value in chosen.items() if value]
    if taken:
        raise typer.BadParameter(f"--{taken[0]} takes no options of a scenario beside it")


def _score(run: Run, account: str, as_of: date | None, weeks: int, seed: int) -> None:
    """Past weeks against what came."""
    with progress_bar(run) as progress:
        scored = workflows.backtest(
            run.workspace,
            account,
            run.actor,
            as_of=as_of,
            weeks=weeks,
            seed=seed,
            progress=progress,
        )
    run.show(scored.to_json(), lambda run: print_backtest(run, scored))


def _compare(run: Run, account: str) -> None:
    """The kept scenarios."""
    found = workflows.plans(run.workspace, account, run.actor)
    run = run.in_currency(account_currency(run, account))
    run.show(found, lambda run: plan_output.print_kept(run, found))


def _forget(run: Run, account: str, name: str, *, dry_run: bool) -> None:
    if not dry_run:
        workflows.delete_plan(run.workspace, account, name, run.actor)
    run.show({"deleted": name, "dry_run": dry_run}, lambda run: run.line(name))


def _adopt(run: Run, account: str, name: str, seed: int) -> None:
    """The kept scenario as suggestions."""
    adopted = workflows.suggest_from_plan(run.workspace, account, name, run.actor, seed=seed)
    run = run.in_currency(account_currency(run, account))
    run.show(adopted.to_json(), lambda run: plan_output.print_adopted(run, adopted))


def _tell(
    run: Run,
    account: str,
    asked: workflows.Scenario,
    as_of: date | None,
    budgets: list[float],
    seed: int,
    save: str | None,
) -> None:
    """The plan, kept under the name `save` where there is one."""
    report = workflows.plan(
        run.workspace, account, run.actor, asked, as_of=as_of, budgets=budgets, seed=seed
    )
    if save is not None:
        workflows.save_plan(run.workspace, account, save, run.actor, asked, as_of=as_of, seed=seed)
    shown = run.in_currency(report.currency)
    shown.show(report.to_json(), lambda run: plan_output.print_plan(run, report))


def _scenario(
    budget: float | None,
    roas: float | None,
    cpa: float | None,
    bound: list[str] | None,
    lock: list[str] | None,
    event: dict[str, object] | None,
    month: str | None,
    days: int,
) -> workflows.Scenario:
    try:
        return workflows.Scenario.model_validate(
            {
                "budget": budget,
                "roas": roas,
                "cpa": cpa,
                "bounds": _bounds(bound or ()),
                "locks": lock or (),
                "event": event,
                "month": _month(month),
                "days": days,
            }
        )
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"]) from error


def _from_file(path: Path, stated: workflows.Scenario) -> workflows.Scenario:
    """The file's scenario; refused beside options, one of which would have to be ignored."""
    if stated != workflows.Scenario():
        raise typer.BadParameter("--scenario stands in place of the options of a scenario")
    return load_model(path, workflows.Scenario)


def _amounts(text: str | None) -> list[float]:
    try:
        return [float(part) for part in text.split(",")] if text else []
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a list of numbers") from error


def _bounds(texts: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Bounds by name; a second one for a name is refused, as only one could hold."""
    told = [_bound(text) for text in texts]
    names = [name for name, _ in told]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise typer.BadParameter(f"--bound is stated twice for {twice[0]!r}")
    return dict(told)


def _bound(text: str) -> tuple[str, tuple[float, float]]:
    name, _, ends = text.rpartition("=")
    least, between, most = ends.partition(":")
    if not between or not (least or most):
        raise typer.BadParameter(f"{text!r} is not NAME=LEAST:MOST")
    try:
        return name, (float(least or 0), float(most or "inf"))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not NAME=LEAST:MOST") from error


def _month(text: str | None) -> dict[str, object] | None:
    if text is None:
        return None
    kind, _, amount = text.partition("=")
    try:
        return {"kind": kind, "amount": float(amount)}
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not spend=AMOUNT") from error


def _event(
    name: str | None, start: date | None, end: date | None, multiplier: list[str] | None
) -> dict[str, object] | None:
    if name is None and (start or end or multiplier):
        raise typer.BadParameter("--event-start, --event-end and --multiplier need --event")
    if name is None:
        return None
    stated: dict[str, dict[str, float]] = {}
    for text in multiplier or ():
        path, _, value = text.partition("=")
        quantity, _, phase = path.partition(".")
        try:
            stated.setdefault(quantity, {})[phase] = float(value)
        except ValueError as error:
            raise typer.BadParameter(f"{text!r} is not volume.burst=2.5") from error
    return {"name": name, "start": start, "end": end, "multipliers": stated}
