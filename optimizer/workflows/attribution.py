"""What is said of attribution outside the files, and files of one account that are counted otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import cast

from optimizer.errors import RefusedInput
from optimizer.reports import Told
from optimizer.settings import Basis
from optimizer.store.protocol import BatchRecord
from optimizer.tables import Reconciliation, Report
from optimizer.workflows.review_inputs import (
    attribution_basis,
    attribution_window,
    telling_batches,
)
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

    Those of days that a review would read are refused by `require_one_attribution`.
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


def require_one_attribution(
    workspace: Workspace, account: str, reports: Sequence[Report], as_of: date
) -> None:
    """Raise `RefusedInput` where these reports would leave a review days that count conversions apart.

    A review reads days of one window and basis only. Files that together restate all its days may
    change either; an account that is mixed already takes every file, since each may mend it.
    """
    known = workspace.store.batches(account) if _is_known(workspace, account) else []
    settings = workspace.configs.settings(account)
    try:
        _require_one(known, as_of, settings.estimation.window_days)
    except RefusedInput:
        return
    after = max((each.sequence for each in known), default=0) + 1
    new = [_as_batch(each, account, as_of, after + at) for at, each in enumerate(reports)]
    _require_one([*known, *new], as_of, settings.estimation.window_days)


def _require_one(batches: Sequence[BatchRecord], as_of: date, window_days: int) -> None:
    newest = max((each.as_of for each in batches), default=as_of)
    telling = list(telling_batches(batches, newest, window_days))
    attribution_basis(telling)
    attribution_window(telling)


def _as_batch(report: Report, account: str, as_of: date, sequence: int) -> BatchRecord:
    """The report as if it were stored."""
    return BatchRecord(
        batch_id="",
        account=account,
        file_name=report.file_name,
        sha256=report.sha256,
        as_of=as_of,
        sequence=sequence,
        grain=report.grain,
        imported_at=datetime.now(UTC),
        imported_by="",
        rows_changed=0,
        keys_missing=0,
        reconciliation=report.reconciliation,
    )


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
