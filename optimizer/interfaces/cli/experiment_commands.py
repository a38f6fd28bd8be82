"""Commands on bid tests: experiment propose, show, approve, reject, export, stop."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from optimizer import workflows
from optimizer.errors import NotFound
from optimizer.interfaces.cli import decision_output
from optimizer.interfaces.cli.options import Account, DryRun, Out, Reason, parse_ref
from optimizer.interfaces.cli.review_output import account_currency
from optimizer.interfaces.cli.running import Run, app, command
from optimizer.interfaces.experiments import experiment_lines, step_lines
from optimizer.interfaces.sentences import refused_lines

experiment = typer.Typer(help="Bid tests: what other bids would bring.", no_args_is_help=True)
app.add_typer(experiment, name="experiment")

Ref = Annotated[str, typer.Argument(metavar="ID@VERSION", help="As `experiment show` prints it.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the random bids.")]
Again = Annotated[bool, typer.Option("--again", help="The newest step's files once more.")]


@command("propose", group=experiment)
def propose(run: Run, account: Account, seed: Seed = 0) -> None:
    """Propose the bid test that the newest review is worth."""
    run = run.in_currency(account_currency(run, account))
    report = workflows.propose_experiment(run.workspace, account, run.actor, seed)
    run.show(report.to_json(), lambda run: _print(run, report.to_json()))


@command("show", group=experiment)
def show(run: Run, account: Account) -> None:
    """The newest bid test, its keywords and what is due."""
    run = run.in_currency(account_currency(run, account))
    report = workflows.experiment(run.workspace, account, run.actor)
    if report is None:
        raise NotFound("experiment_missing", account=account)
    run.show(report.to_json(), lambda run: _print(run, report.to_json()))


@command("approve", group=experiment)
def approve(run: Run, account: Account, ref: Ref) -> None:
    """Accept the test as a whole; its bids are held until it ends."""
    run = run.in_currency(account_currency(run, account))
    done = workflows.approve_experiment(run.workspace, account, parse_ref(ref), run.actor)
    run.show(done.to_json(), lambda run: decision_output.print_decision(run, done))


@command("reject", group=experiment)
def reject(run: Run, account: Account, ref: Ref, reason: Reason) -> None:
    """Refuse the test as a whole, also after approval as long as nothing was exported."""
    run = run.in_currency(account_currency(run, account))
    done = workflows.reject_experiment(run.workspace, account, parse_ref(ref), run.actor, reason)
    run.show(done.to_json(), lambda run: decision_output.print_decision(run, done))


@command("export", group=experiment)
def export(
    run: Run, account: Account, out: Out, again: Again = False, dry_run: DryRun = False
) -> None:
    """Write the bids of the step that is due, with a rollback file beside them."""
    step = workflows.export_experiment(run.workspace, account, out, run.actor, dry_run, again)
    run.show(step.to_json(), lambda run: _print_step(run, step.to_json(), dry_run))


@command("stop", group=experiment)
def stop(run: Run, account: Account, out: Out) -> None:
    """End a running test now: write a file that gives every old bid back."""
    step = workflows.stop_experiment(run.workspace, account, out, run.actor)
    run.show(step.to_json(), lambda run: _print_step(run, step.to_json(), False))


def _print(run: Run, test: dict[str, Any]) -> None:
    run.line(f"{test['id']}@{test['version']}")
    for line in experiment_lines(run.words, test):
        run.line(line)


def _print_step(run: Run, step: dict[str, Any], dry_run: bool) -> None:
    for line in [*step_lines(run.words, step), *refused_lines(run.words, step["refused"])]:
        run.line(line)
    for path in step["files"].values():
        run.line(f"  {path}")
    if dry_run:
        run.say("Nothing was written (--dry-run).")
