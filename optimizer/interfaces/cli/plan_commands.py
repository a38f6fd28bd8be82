"""`optimizer plan`: what another budget, target, sale or month would mean, kept and put into the queue."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
Days = Annotated[
    int | None,
    typer.Option("--days", min=1, max=120, help="How far a sale may lie ahead; 30 if not told."),
]
ScenarioFile = Annotated[
    Path | None,
    typer.Option("--scenario", help="A YAML file of all this, in place of the options above."),
]
Seed = Annotated[
    int | None, typer.Option("--seed", min=0, help="Seed of the random draws; 0 if not told.")
]
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
Weeks = Annotated[
    int | None,
    typer.Option("--weeks", min=1, help="With --backtest: how many weeks; 8 if not told."),
]
_BESIDE: Mapping[str, Collection[str]] = {
    "backtest": ("as-of", "weeks", "seed"),
    "list": (),
    "delete": (),
    "suggest": ("seed",),
}
"""What else than a plan can be asked for, and the options that it minds."""
_ANYWHERE = ("run", "account", "dry-run")
_SCENARIO = frozenset(
    ("budget", "roas", "cpa", "bound", "lock", "event", "event-start", "event-end")
) | {"multiplier", "month", "days"}


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
    days: Days = None,
    scenario: ScenarioFile = None,
    seed: Seed = None,
    save: Save = None,
    kept: Kept = False,
    delete: Delete = None,
    suggest: Suggest = None,
    backtest: Backtest = False,
    weeks: Weeks = None,
    dry_run: DryRun = False,
) -> None:
    """Say what other budgets, a target, a sale or this month's target would mean."""
    _refuse_ignored(_given(locals()))
    seed = seed or 0
    if backtest:
        _score(run, account, as_of, weeks or 8, seed)
    elif kept:
        _compare(run, account)
    elif delete is not None:
        _forget(run, account, delete, dry_run=dry_run)
    elif suggest is not None and not dry_run:
        _adopt(run, account, suggest, seed)
    else:
        if suggest is not None:
            asked = workflows.kept_scenario(run.workspace, account, suggest, run.actor)
        elif scenario is not None:
            asked = load_model(scenario, workflows.Scenario)
        else:
            sale = _event(event, event_start, event_end, multiplier)
            asked = _scenario(budget, roas, cpa, bound, lock, sale, month, days)
        _tell(run, account, asked, as_of, _amounts(budgets), seed, None if dry_run else save)


def _given(values: Mapping[str, object]) -> list[str]:
    """Names of the options that were told, as they are written."""
    told = [name for name, value in values.items() if value not in (None, False, [], ())]
    return ["list" if name == "kept" else name.replace("_", "-") for name in told]


def _refuse_ignored(given: Sequence[str]) -> None:
    """Options that what is asked for would not mind are refused by name."""
    chosen = next((name for name in given if name in _BESIDE), None)
    minded = {*_ANYWHERE, chosen, *_BESIDE.get(chosen or "", ())}
    ignored = [name for name in given if name not in minded]
    if chosen is not None and ignored:
        raise typer.BadParameter(f"--{chosen} takes no --{ignored[0]} beside it")
    if chosen is None and "weeks" in given:
        raise typer.BadParameter("--weeks needs --backtest")
    stated = [name for name in given if name in _SCENARIO]
    if "scenario" in given and stated:
        raise typer.BadParameter(f"--scenario stands in place of --{stated[0]}")


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
    days: int | None,
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
                **({} if days is None else {"days": days}),
            }
        )
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"]) from error


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
