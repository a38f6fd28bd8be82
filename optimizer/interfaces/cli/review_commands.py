"""Commands that read or make a review: review, suggestions list, suggestions show, why-not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer import workflows
from optimizer.errors import NotFound
from optimizer.interfaces.cli import review_output
from optimizer.interfaces.cli.options import Account, AsOf, DryRun
from optimizer.interfaces.cli.running import Run, app, command

suggestions = typer.Typer(help="What the newest review proposes.", no_args_is_help=True)
app.add_typer(suggestions, name="suggestions")

Budget = Annotated[
    float | None, typer.Option("--budget", min=0, help="Per day; else the account's own.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the random draws.")]
Kind = Annotated[str | None, typer.Option("--kind", help="raise, lower, pause, watch, ...")]
Decision = Annotated[str | None, typer.Option("--decision", help="proposed, approved, ...")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Rows printed.")]
Identity = Annotated[str, typer.Argument(metavar="ID", help="A suggestion; @VERSION may follow.")]
Rate = Annotated[
    float | None, typer.Option("--rate", help="What if the true conversion rate were this (0.02)?")
]
Conflicts = Annotated[
    bool, typer.Option("--conflicts", help="Only those that stand against another, and why.")
]
Landscape = Annotated[
    Path | None,
    typer.Option(
        "--landscape",
        exists=True,
        dir_okay=False,
        help="CSV of the platform's bid simulator: keyword, bid, clicks, cost per day.",
    ),
]
Text = Annotated[str, typer.Argument(metavar="TEXT", help="Part of a keyword's text.")]


@command("review")
def review(
    run: Run,
    account: Account,
    as_of: AsOf = None,
    budget: Budget = None,
    seed: Seed = 0,
    dry_run: DryRun = False,
    landscape: Landscape = None,
) -> None:
    """Judge every keyword and propose changes that fit the budget."""
    report = workflows.review(
        run.workspace,
        account,
        as_of=as_of,
        budget=budget,
        actor=run.actor,
        seed=seed,
        dry_run=dry_run,
        landscape=landscape,
    )
    answer = report.to_json()
    run.show(answer, lambda run: review_output.print_review(run, answer, dry_run))


@command("list", group=suggestions)
def list_suggestions(
    run: Run,
    account: Account,
    as_of: AsOf = None,
    kind: Kind = None,
    decision: Decision = None,
    limit: Limit = 50,
    conflicts: Conflicts = False,
) -> None:
    """List suggestions, best expected profit first."""
    if conflicts:
        found = workflows.conflicts(run.workspace, account, run.actor)
        run.show(found, lambda run: review_output.print_conflicts(run, found))
        return
    rows = workflows.suggestions(run.workspace, account, run.actor, as_of)
    rows = rows if kind is None else rows[rows["kind"] == kind]
    rows = rows if decision is None else rows[rows["decision"] == decision]
    rows = rows.sort_values("delta_profit_mean", ascending=False, kind="stable")
    currency = review_output.account_currency(run, account)
    run.show(
        rows, lambda run: review_output.print_suggestions(run.in_currency(currency), rows, limit)
    )


@command("show", group=suggestions)
def show_suggestion(run: Run, account: Account, identity: Identity, rate: Rate = None) -> None:
    """Show one suggestion with the evidence behind it."""
    id_ = identity.partition("@")[0]
    found = workflows.suggestion(run.workspace, account, id_, run.actor)
    currency = review_output.account_currency(run, account)
    tried = None
    if rate is not None:
        tried = workflows.at_rate(run.workspace, account, id_, rate, run.actor)
    answer = {**found.to_json(), **({"at_rate": tried} if tried else {})}
    run.show(
        answer,
        lambda run: review_output.print_evidence(run.in_currency(currency), found, tried),
    )


@command("why-not", group=suggestions)
def why_not(run: Run, account: Account, text: Text) -> None:
    """Say why keywords containing TEXT are or are not in the list."""
    rows = workflows.why_not(run.workspace, account, text, run.actor)
    if rows.empty:
        raise NotFound("keyword_not_found", account=account, text=text)
    run.show(rows, lambda run: review_output.print_why_not(run, rows))
