"""What is said of attribution outside the files, and files of one account that are counted otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from optimizer.reports import Told
from optimizer.settings import Basis
from optimizer.tables import Reconciliation, Report
from optimizer.workflows.workspace import Workspace


def said_earlier(workspace: Workspace, account: str) -> Told:
    """What the account's settings state of attribution, else what its newest imports knew."""
    stated = workspace.configs.account(account)
    settled = Told(stated.currency, stated.attribution_window_days, stated.attribution_basis)
    if not _is_known(workspace, account):
        return settled
    said = [batch.reconciliation for batch in workspace.store.batches(account)]
    days = (each.attribution_window_days for each in said if each.attribution_window_days)
    bases = (each.attribution_basis for each in said if each.attribution_basis)
    return Told(
        workspace.store.account(account).currency,
        settled.attribution_window_days or next(days, None),
        settled.attribution_basis or cast("Basis | None", next(bases, None)),
    )


def told_apart(workspace: Workspace, account: str, report: Report) -> Report:
    """The report, with a warning of how many earlier files count conversions otherwise.

    A review reads days of one window and basis only, and refuses others by the names of their files.
    """
    own = report.reconciliation
    if not own.totals or not _is_known(workspace, account):
        return report
    batches = workspace.store.batches(account)
    others = [each.reconciliation for each in batches if each.sha256 != report.sha256]
    unlike = sum(_differ(own, each) for each in others)
    if not unlike:
        return report
    warnings = {**own.warnings, "attribution_differs": unlike}
    return replace(report, reconciliation=replace(own, warnings=warnings))


def _is_known(workspace: Workspace, account: str) -> bool:
    return account in {record.name for record in workspace.store.accounts()}


def _differ(own: Reconciliation, other: Reconciliation) -> bool:
    pairs = (
        (own.attribution_window_days, other.attribution_window_days),
        (own.attribution_basis, other.attribution_basis),
    )
    return bool(other.totals) and any(
        ours is not None and theirs is not None and ours != theirs for ours, theirs in pairs
    )
