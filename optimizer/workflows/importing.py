"""Reports in: read, reconcile, store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from optimizer.errors import NotFound, RefusedInput
from optimizer.reports import Told, read_reports
from optimizer.reports.campaigns import CampaignFile
from optimizer.reports.drafting import draft_profile
from optimizer.reports.explaining import Explanation, explain
from optimizer.reports.results import ResultFile
from optimizer.reports.xlsx import one_conversion
from optimizer.store.protocol import AccountRecord, BatchRecord
from optimizer.tables import Actor, Reconciliation, Report
from optimizer.workflows.attribution import require_one_attribution, said_earlier, told_apart
from optimizer.workflows.delivery import (
    ResultsTaken,
    campaigns_beside,
    find_results,
    follow_up,
    take_results,
)
from optimizer.workflows.items import (
    for_account,
    is_stated,
    refuse_unplaced,
    refuse_unpriced,
)
from optimizer.workflows.values import plain_record
from optimizer.workflows.workspace import (
    Progress,
    Workspace,
    checked_account_name,
    newest_day,
    silent,
    today_of,
)

_IDS = ("campaign_id", "ad_group_id", "keyword_id")
_STEPS = 100
_UNMATCHED = ("campaign_name", "ad_group_name", "keyword_text", "match_type", "target_type")


@dataclass(frozen=True)
class ImportResult:
    """What became of one file; `batch` is None in a dry run of a file not imported before.

    `deliveries` counts the exported suggestions that the reports of this import, told with the last
    of them, brought to another state.
    """

    file: str
    account: str
    as_of: date
    grain: str
    batch: BatchRecord | None
    reconciliation: Reconciliation
    duplicate: bool
    deliveries: Mapping[str, int] = field(default_factory=dict)

    @property
    def quarantined(self) -> int:
        """Rows kept apart."""
        return self.reconciliation.rows_quarantined

    def to_json(self) -> dict[str, Any]:
        """The reconciliation and the batch as plain values; amounts in account currency."""
        told = asdict(self.reconciliation)
        duplicates = told.pop("duplicates")
        batch = self.batch
        return plain_record(
            {
                "batch_id": batch.batch_id if batch else None,
                "duplicate": self.duplicate,
                **told,
                "file": self.file,
                "account": self.account,
                "as_of": self.as_of,
                "grain": self.grain,
                "rows_duplicated": duplicates,
                "rows_changed": batch.rows_changed if batch else None,
                "keys_missing": batch.keys_missing if batch else None,
                "imported_at": batch.imported_at if batch else None,
                "imported_by": batch.imported_by if batch else None,
                "deliveries": dict(self.deliveries),
            }
        )


@one_conversion()
def import_files(
    workspace: Workspace,
    files: Sequence[Path],
    account: str,
    *,
    profile: str | None = None,
    as_of: date | None = None,
    actor: Actor,
    dry_run: bool = False,
    accept_quarantine: bool = False,
    told: Told | None = None,
    progress: Progress | None = None,
) -> list[ImportResult | ResultsTaken]:
    """Read every file first; only when all can be trusted, store them one by one.

    Files about items come after the reports, which may make the account; results are in the order of
    `files`.

    `as_of` is the day the reports were downloaded, today in the account's time zone when not said.
    `told` is what no report says; what is not said now is taken from the account's last import that
    knew it. A file that is several reports gives a result for each. The platform's result file of an
    upload is told from a report by its header (unless `profile` is named) and settles exports.
    Raises `RefusedInput` for a file that must not be used, an account name that cannot name a file,
    or a download day in the future.
    """
    actor.require("operator", account)
    day = _download_day(workspace, checked_account_name(account), as_of)
    tell = progress or silent
    earlier = said_earlier(workspace, account)
    read: list[Report | ResultFile | CampaignFile] = []
    for number, path in enumerate(files):
        heard = _of_file(tell, number, len(files))
        heard(0.0)
        if profile is None and (found := find_results(workspace, account, path)):
            read.append(found)
            continue
        read.extend(
            read_reports(
                path,
                workspace.configs,
                profile,
                day,
                told=told or Told(),
                earlier=earlier,
                accept_quarantine=accept_quarantine,
                tell=heard,
            )
        )
        read.extend(campaigns_beside(workspace, account, path))
    _of_file(tell, len(files), len(files))(0.0)
    reports = [one for one in read if isinstance(one, Report)]
    refuse_unplaced(workspace, account, reports)
    refuse_unpriced(workspace, account, reports, day)
    require_one_attribution(workspace, account, reports, day)
    taken: dict[int, ImportResult | ResultsTaken] = {}
    for number, at in enumerate(sorted(range(len(read)), key=lambda at: is_stated(read[at]))):
        heard = _of_file(tell, number, len(read), "store")
        heard(0.0)
        taken[at] = _take(workspace, read[at], account, day, actor, dry_run, heard)
    _of_file(tell, len(read), len(read), "store")(0.0)
    results = [taken[at] for at in range(len(read))]
    return results if dry_run else _followed(workspace, results, account, actor)


def _of_file(
    tell: Progress, number: int, files: int, step: str = "read"
) -> Callable[[float], None]:
    """What hears the share that is done of one of the files, and tells hundredths of a file."""
    return lambda share: tell(step, round(_STEPS * (number + share)), _STEPS * files)


def _take(
    workspace: Workspace,
    one: Report | ResultFile | CampaignFile,
    account: str,
    day: date,
    actor: Actor,
    dry_run: bool,
    heard: Callable[[float], None],
) -> ImportResult | ResultsTaken:
    if isinstance(one, ResultFile | CampaignFile):
        return take_results(workspace, account, one, day, actor, dry_run=dry_run)
    own = for_account(workspace, account, one)
    if dry_run:
        return _preview(workspace, own, account, day)
    return _store(workspace, own, account, day, actor, heard)


def _followed(
    workspace: Workspace, results: list[ImportResult | ResultsTaken], account: str, actor: Actor
) -> list[ImportResult | ResultsTaken]:
    """The results, the last report's with what it and those before it say of exports."""
    reports = [at for at, one in enumerate(results) if isinstance(one, ImportResult)]
    if not reports:
        return results
    moved = follow_up(workspace, account, actor)
    last = results[reports[-1]]
    assert isinstance(last, ImportResult)
    return [*results[: reports[-1]], replace(last, deliveries=moved), *results[reports[-1] + 1 :]]


def explain_file(
    workspace: Workspace, path: Path, actor: Actor, profile: str | None = None
) -> Explanation:
    """Which profile claims the file, what its columns become, and what it lacks for the nearest.

    Raises `RefusedInput` for what holds no table, `NotFound` for an unknown profile.
    """
    actor.require_anywhere("viewer")
    return explain(path, workspace.configs, profile)


def new_profile(workspace: Workspace, path: Path, actor: Actor) -> str:
    """A draft of a YAML profile for a file that no profile reads. Raises `RefusedInput`."""
    actor.require_anywhere("operator")
    return draft_profile(path, workspace.configs)


def _download_day(workspace: Workspace, account: str, as_of: date | None) -> date:
    today = today_of(workspace, account)
    if as_of is not None and as_of > today:
        raise RefusedInput(
            "as_of_in_future", as_of=as_of.isoformat(), today=today.isoformat(), account=account
        )
    return as_of or today


def _store(
    workspace: Workspace,
    report: Report,
    account: str,
    as_of: date,
    actor: Actor,
    heard: Callable[[float], None],
) -> ImportResult:
    report = told_apart(workspace, account, report)
    batch = workspace.store.append_report(report, account, as_of, actor, heard)
    return _result(report, account, batch.as_of, batch, batch.duplicate)


def _preview(workspace: Workspace, report: Report, account: str, as_of: date) -> ImportResult:
    report = told_apart(workspace, account, report)
    known = workspace.store.find_batch(report, account, as_of)
    return _result(report, account, known.as_of if known else as_of, known, known is not None)


def _result(
    report: Report, account: str, as_of: date, batch: BatchRecord | None, duplicate: bool
) -> ImportResult:
    told = batch.reconciliation if batch else report.reconciliation
    return ImportResult(report.file_name, account, as_of, report.grain, batch, told, duplicate)


def accounts(workspace: Workspace, actor: Actor) -> list[AccountRecord]:
    """All accounts that the actor may look at, by name."""
    actor.require_anywhere("viewer")
    return [each for each in workspace.store.accounts() if actor.may("viewer", each.name)]


def batches(workspace: Workspace, account: str, actor: Actor) -> list[BatchRecord]:
    """The account's imported files, newest first. Raises `NotFound`."""
    actor.require("viewer", account)
    return workspace.store.batches(workspace.store.account(account).name)


def quarantine(workspace: Workspace, batch_id: str, actor: Actor) -> pd.DataFrame:
    """The rows of a batch kept apart: line, column, code, text. Raises `NotFound`."""
    own = [
        batch for each in accounts(workspace, actor) for batch in workspace.store.batches(each.name)
    ]
    if all(batch.batch_id != batch_id for batch in own):
        raise NotFound("batch_not_found", batch_id=batch_id)
    return workspace.store.quarantine(batch_id)


def unmatched(workspace: Workspace, account: str, actor: Actor) -> pd.DataFrame:
    """Keywords without a platform id, where the account has ids: names and sums, dearest first.

    Their numbers count in a review, but no file can name them to the platform. Raises `NotFound`.
    """
    actor.require("viewer", account)
    day = newest_day(workspace, account)
    window = workspace.configs.settings(account).estimation.window_days
    known = workspace.store.review_tables(account, day, window)
    without = known.keywords[list(_IDS)].isna().any(axis=1)
    rows = known.keywords[without & (not without.all())]
    sums = known.daily.groupby("entity_key", as_index=False)[["clicks", "cost"]].sum()
    found = rows.merge(sums, on="entity_key", how="left").sort_values("cost", ascending=False)
    return found[[*_UNMATCHED, "clicks", "cost"]].reset_index(drop=True)
