"""Commands about data: demo, import, profile, batches, quarantine, unmatched, audit, check."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from optimizer import workflows
from optimizer.errors import RefusedInput
from optimizer.interfaces.cli import data_output, explain_output, review_output
from optimizer.interfaces.cli.options import Account, AnyAccount, AsOf, DryRun
from optimizer.interfaces.cli.progress import progress_bar
from optimizer.interfaces.cli.running import REFUSED, Run, app, command
from optimizer.interfaces.cli.serve_command import serve_pages
from optimizer.interfaces.spreadsheet import people_csv
from optimizer.settings import Basis

profile_commands = typer.Typer(help="Report profiles: how a file is read.", no_args_is_help=True)
app.add_typer(profile_commands, name="profile")

Files = Annotated[list[Path], typer.Argument(metavar="FILES...", help="Report files, CSV or XLSX.")]
Profile = Annotated[
    str | None, typer.Option("--profile", help="Report profile; else the one whose header matches.")
]
AcceptQuarantine = Annotated[
    bool, typer.Option("--accept-quarantine", help="Import even if more than 5 % is quarantined.")
]
Explain = Annotated[
    bool,
    typer.Option(
        "--explain", help="Say who reads the files and what each column becomes; no more."
    ),
]
Currency = Annotated[
    str | None, typer.Option("--currency", help="Currency of files that do not state it.")
]
AttributionDays = Annotated[
    int | None,
    typer.Option("--attribution-days", min=1, max=365, help="Days after the click that count."),
]
AttributionBasis = Annotated[
    Basis | None,
    typer.Option(
        "--attribution-basis",
        help="Whether conversions stand on the day of the click or of the order.",
    ),
]
Unknown = Annotated[Path, typer.Argument(metavar="FILE", help="A report that no profile reads.")]
ProfileOut = Annotated[
    Path | None, typer.Option("--out", help="File to write; else it is printed.", dir_okay=False)
]
Batch = Annotated[str, typer.Argument(metavar="BATCH", help="As `batches` prints it.")]
Predictive = Annotated[
    bool,
    typer.Option("--predictive", help="What was promised 45 days ago of clicks matured since."),
]
Serve = Annotated[bool, typer.Option("--serve/--no-serve", help="Open the pages at the end.")]


@command("import")
def import_reports(
    run: Run,
    files: Files,
    account: AnyAccount = None,
    profile: Profile = None,
    as_of: AsOf = None,
    accept_quarantine: AcceptQuarantine = False,
    dry_run: DryRun = False,
    explain: Explain = False,
    currency: Currency = None,
    attribution_days: AttributionDays = None,
    attribution_basis: AttributionBasis = None,
) -> None:
    """Read report files into the store and print what became of every row."""
    if explain:
        _explain(run, files, profile)
        return
    if account is None:
        raise typer.BadParameter("import needs --account")
    with progress_bar(run) as progress:
        results = workflows.import_files(
            run.workspace,
            files,
            account,
            profile=profile,
            as_of=as_of,
            actor=run.actor,
            dry_run=dry_run,
            accept_quarantine=accept_quarantine,
            told=workflows.Told(currency, attribution_days, attribution_basis),
            progress=progress,
        )
    answers = [result.to_json() for result in results]
    run.show(answers, lambda run: data_output.print_imports(run, answers, dry_run))


def _explain(run: Run, files: list[Path], name: str | None) -> None:
    found = [workflows.explain_file(run.workspace, path, run.actor, name) for path in files]
    run.show(
        [asdict(each) for each in found], lambda run: explain_output.print_explained(run, found)
    )


@command("new", group=profile_commands)
def new_profile(run: Run, file: Unknown, out: ProfileOut = None) -> None:
    """Draft a report profile for a file, with every guess marked to confirm."""
    text = workflows.new_profile(run.workspace, file, run.actor)
    if out is None:
        run.show({"profile": text}, lambda run: run.line(text))
        return
    try:
        with out.open("x", encoding="utf-8") as target:
            target.write(text)
    except OSError as error:
        raise RefusedInput("profile_unwritten", file=str(out), why=error.strerror) from error
    run.show(
        {"file": str(out)},
        lambda run: run.say("Written: {file}. Confirm every marked line.", file=out),
    )


@command("batches")
def batches(run: Run, account: Account) -> None:
    """List imported files, newest first."""
    records = workflows.batches(run.workspace, account, run.actor)
    run.show(records, lambda run: data_output.print_batches(run, records))


@command("quarantine")
def quarantine(run: Run, batch: Batch) -> None:
    """Print the rows of one import that were kept apart, as CSV."""
    rows = workflows.quarantine(run.workspace, batch, run.actor)
    run.show(rows, lambda run: print(people_csv(rows), end=""))


@command("unmatched")
def unmatched(run: Run, account: Account) -> None:
    """Print the keywords of an account with platform ids that none of them matches, as CSV."""
    rows = workflows.unmatched(run.workspace, account, run.actor)
    run.show(rows, lambda run: print(people_csv(rows), end=""))


@command("audit")
def audit(run: Run, account: AnyAccount = None) -> None:
    """Print who did what and when."""
    rows = workflows.audit(run.workspace, run.actor, account)
    run.show(rows, lambda run: data_output.print_audit(run, rows))


@command("check")
def check(
    run: Run, predictive: Predictive = False, account: AnyAccount = None, as_of: AsOf = None
) -> None:
    """Check the store: database, audit chain, files; or, with --predictive, earlier predictions."""
    if predictive:
        _check_predictive(run, account, as_of)
        return
    report = workflows.check(run.workspace, run.actor)
    run.show(report.to_json(), lambda run: data_output.print_check(run, report))
    if not report.ok:
        raise typer.Exit(REFUSED)


def _check_predictive(run: Run, account: str | None, as_of: date | None) -> None:
    if account is None:
        raise typer.BadParameter("--predictive needs --account")
    answer = workflows.check_predictive(run.workspace, account, run.actor, as_of).to_json()
    run.show(answer, lambda run: data_output.print_predictive(run, answer))


@command("demo")
def demo(run: Run, serve: Serve = True) -> None:
    """Make a synthetic account, import and review it, and open the pages."""
    with progress_bar(run) as progress:
        report = workflows.demo(run.store, run.configs, run.actor, progress=progress)
    answer = report.to_json()
    run.show(answer, lambda run: review_output.print_demo(run, answer))
    if serve and not run.as_json:
        serve_pages(run.store, run.configs)
