"""Commands that decide: approve, edit, reject, snooze, undo, revert, lock, unlock, export, deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer

from optimizer import workflows
from optimizer.interfaces.cli import decision_output
from optimizer.interfaces.cli.options import (
    Account,
    DryRun,
    Out,
    Reason,
    Refs,
    Until,
    Yes,
    parse_ref,
    parse_refs,
)
from optimizer.interfaces.cli.review_commands import Kind, Limit
from optimizer.interfaces.cli.review_output import account_currency
from optimizer.interfaces.cli.running import REFUSED, Run, command

Ref = Annotated[str, typer.Argument(metavar="ID@VERSION")]
Bid = Annotated[float, typer.Option("--bid", min=0, help="The bid to use instead.")]
All = Annotated[bool, typer.Option("--all", help="Every proposed suggestion (see --kind).")]
Days = Annotated[int, typer.Option("--days", min=1, max=365, help="Counted from today.")]
FileFormat = Annotated[
    str | None,
    typer.Option("--format", help="Where the platform has several: bulk_upload, editor."),
]
DeliveryState = Annotated[
    str | None,
    typer.Option("--state", help="exported, confirmed_live, failed, drifted or reverted."),
]
Ids = Annotated[list[str] | None, typer.Argument(metavar="ID...", help="Exported suggestions.")]
OfExport = Annotated[
    str | None, typer.Option("--export", help="All suggestions of this export, by its id.")
]
Target = Annotated[str, typer.Argument(metavar="ID|KEYWORD", help="A suggestion or keyword key.")]


@command("approve")
def approve(
    run: Run,
    account: Account,
    refs: Refs = None,
    everything: All = False,
    kind: Kind = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Approve suggestions; with --all after showing what they add up to."""
    run = run.in_currency(account_currency(run, account))
    chosen = _proposed(run, account, kind) if everything else parse_refs(refs)
    if everything or dry_run:
        seen = dict(chosen)
        sums = workflows.totals(run.workspace, account, list(seen), run.actor, seen)
        if dry_run:
            run.show(sums.to_json(), lambda run: decision_output.print_totals(run, sums))
            return
        decision_output.confirm(run, sums, yes)
    _conclude(run, workflows.approve(run.workspace, account, chosen, run.actor))


@command("edit")
def edit(run: Run, account: Account, ref: Ref, bid: Bid) -> None:
    """Approve one suggestion at another bid."""
    run = run.in_currency(account_currency(run, account))
    _conclude(run, workflows.edit(run.workspace, account, parse_ref(ref), bid, run.actor))


@command("reject")
def reject(
    run: Run, account: Account, reason: Reason, refs: Refs = None, until: Until = None
) -> None:
    """Refuse suggestions; the rest is solved again under the same budget."""
    run = run.in_currency(account_currency(run, account))
    chosen = parse_refs(refs)
    _conclude(run, workflows.reject(run.workspace, account, chosen, run.actor, reason, until=until))


@command("snooze")
def snooze(
    run: Run, account: Account, refs: Refs = None, until: Until = None, days: Days = 7
) -> None:
    """Put suggestions aside for some days."""
    run = run.in_currency(account_currency(run, account))
    last = until or _today() + timedelta(days=days)
    _conclude(run, workflows.snooze(run.workspace, account, parse_refs(refs), run.actor, last))


@command("undo")
def undo(run: Run, account: Account, refs: Refs = None) -> None:
    """Take decisions back, as long as they are not exported."""
    run = run.in_currency(account_currency(run, account))
    _conclude(run, workflows.undo(run.workspace, account, parse_refs(refs), run.actor))


@command("revert")
def revert(run: Run, account: Account, ids: Ids = None, export_id: OfExport = None) -> None:
    """Approve the opposite of exported suggestions; the next export takes them back."""
    run = run.in_currency(account_currency(run, account))
    result = workflows.revert(run.workspace, account, run.actor, ids or (), export_id)
    _conclude(run, result)


@command("lock")
def lock(run: Run, account: Account, target: Target) -> None:
    """Keep a keyword's bid as it is until it is unlocked."""
    run = run.in_currency(account_currency(run, account))
    _conclude(run, workflows.lock(run.workspace, account, target, run.actor))


@command("unlock")
def unlock(run: Run, account: Account, target: Target) -> None:
    """Let a locked keyword be changed again."""
    run = run.in_currency(account_currency(run, account))
    _conclude(run, workflows.lock(run.workspace, account, target, run.actor, locked=False))


@command("export")
def export(
    run: Run, account: Account, out: Out, file_format: FileFormat = None, dry_run: DryRun = False
) -> None:
    """Write approved changes as a bulk file, with a rollback file beside it."""
    result = workflows.export(
        run.workspace, account, out, run.actor, dry_run=dry_run, format_=file_format
    )
    run.show(result.to_json(), lambda run: decision_output.print_export(run, result, dry_run))


@command("deliveries")
def deliveries(run: Run, account: Account, state: DeliveryState = None, limit: Limit = 50) -> None:
    """Say what became of exported changes: live, refused, drifted, or not seen yet."""
    found = workflows.deliveries(run.workspace, account, run.actor, state)
    run = run.in_currency(account_currency(run, account))
    run.show(found.to_json(), lambda run: decision_output.print_deliveries(run, found, limit))


def _conclude(run: Run, result: workflows.DecisionResult) -> None:
    run.show(result.to_json(), lambda run: decision_output.print_decision(run, result))
    if result.refused:
        raise typer.Exit(REFUSED)


def _proposed(run: Run, account: str, kind: str | None) -> Sequence[tuple[str, int]]:
    rows = workflows.suggestions(run.workspace, account, run.actor)
    rows = rows[(rows["decision"] == "proposed") & (rows["kind"] != "watch")]
    rows = rows if kind is None else rows[rows["kind"] == kind]
    return list(zip(rows["id"].astype(str), rows["version"].astype(int), strict=True))


def _today() -> date:
    return datetime.now(UTC).astimezone().date()
