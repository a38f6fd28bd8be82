"""What became of exports: told by the next report, or by the platform's result file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from optimizer.errors import Conflict
from optimizer.reports.campaigns import CampaignFile, read_campaigns
from optimizer.reports.results import ResultFile, read_results
from optimizer.review.delivery import UNMATCHED, VERDICTS, judge, judge_results
from optimizer.store.deliveries import SHOWN
from optimizer.store.protocol import Delivered
from optimizer.tables import Actor
from optimizer.workflows.creative_delivery import served_facts
from optimizer.workflows.values import plain_record, unknown_as_none
from optimizer.workflows.workspace import Workspace, newest_day

STATES = ("exported", "confirmed_live", "failed", "drifted", "reverted")
_TRIES = 3


@dataclass(frozen=True)
class ResultsTaken:
    """What a platform's result file settled: counts by state, and rows that settle nothing.

    Or (`kind` campaigns) a list of campaigns with their budgets and targets.
    """

    file: str
    account: str
    rows: int
    deliveries: Mapping[str, int]
    unmatched: pd.DataFrame
    kind: Literal["results", "campaigns"] = "results"

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return plain_record(
            {
                "file": self.file,
                "account": self.account,
                "kind": self.kind,
                "result_rows": self.rows,
                "deliveries": dict(self.deliveries),
                "unmatched": self.unmatched,
            }
        )


def find_results(
    workspace: Workspace, account: str, path: Path
) -> ResultFile | CampaignFile | None:
    """The result file, or list of campaigns alone, of the account's platform that `path` is."""
    platform = _platform(workspace, account)
    if platform is None:
        return None
    return read_results(path, platform) or read_campaigns(path, platform, alone=True)


def campaigns_beside(workspace: Workspace, account: str, path: Path) -> list[CampaignFile]:
    """The campaigns of a report, where an exported target waits for what they say."""
    platform = _platform(workspace, account)
    if platform is None or "set_target" not in set(workspace.store.delivered(account)["kind"]):
        return []
    found = read_campaigns(path, platform)
    return [found] if found is not None else []


def _platform(workspace: Workspace, account: str) -> str | None:
    return {each.name: each.platform for each in workspace.store.accounts()}.get(account)


def take_results(
    workspace: Workspace,
    account: str,
    file: ResultFile | CampaignFile,
    as_of: date,
    actor: Actor,
    *,
    dry_run: bool = False,
) -> ResultsTaken:
    """Settle exported suggestions by a result file, or by the campaigns as they were on `as_of`.

    A dry run only says what it would settle.
    """
    actor.require("operator", account)
    if isinstance(file, CampaignFile):
        shown = _shown(file, as_of)
        told = _settled(
            workspace, account, actor, lambda rows: _judge(workspace, account, rows, shown), dry_run
        )
        nothing = pd.DataFrame(columns=list(UNMATCHED))
        return ResultsTaken(
            file.file_name, account, file.campaigns, _moved(told), nothing, "campaigns"
        )
    left = judge_results(workspace.store.delivered(account), file.rows, file.file_name)[1]
    told = _settled(
        workspace,
        account,
        actor,
        lambda rows: judge_results(rows, file.rows, file.file_name)[0],
        dry_run,
    )
    return ResultsTaken(file.file_name, account, len(file.rows), _counts(told), left)


def follow_up(workspace: Workspace, account: str, actor: Actor) -> dict[str, int]:
    """Compare exports with what reports show since; how many came to which state.

    The same reports again change nothing.
    """
    actor.require("operator", account)
    rows = workspace.store.delivered(account)
    if rows.empty:
        return {}
    shown = workspace.store.shown(account, rows["as_of"].min().date())
    served = served_facts(workspace, account, rows, shown)
    shown = pd.concat([shown, served], ignore_index=True) if len(served) else shown
    told = _settled(workspace, account, actor, lambda rows: _judge(workspace, account, rows, shown))
    return _moved(told)


def _judge(
    workspace: Workspace, account: str, rows: pd.DataFrame, shown: pd.DataFrame
) -> pd.DataFrame:
    tested = workspace.store.randomised_bids(account, newest_day(workspace, account))
    return judge(rows, shown, tested)


def _settled(
    workspace: Workspace,
    account: str,
    actor: Actor,
    verdicts: Callable[[pd.DataFrame], pd.DataFrame],
    dry_run: bool = False,
) -> pd.DataFrame:
    """The verdicts on what is exported, recorded unless this is a dry run."""
    told = pd.DataFrame(columns=list(VERDICTS))
    for left in reversed(range(_TRIES)):
        rows = workspace.store.delivered(account)
        told = verdicts(rows) if len(rows) else told
        if dry_run or _record(workspace, account, told, actor, last=not left):
            break
    return told


def _shown(file: CampaignFile, as_of: date) -> pd.DataFrame:
    """The campaigns as `Store.shown` has what reports show."""
    told = file.rows.assign(
        day=pd.Timestamp(as_of),
        as_of=pd.Timestamp(as_of),
        file_name=file.file_name,
        imported_at=datetime.now(UTC),
    )
    return told.reindex(columns=list(SHOWN))


def _record(
    workspace: Workspace, account: str, told: pd.DataFrame, actor: Actor, *, last: bool
) -> bool:
    """False where somebody else moved one of them in between, unless this was the last try."""
    try:
        workspace.store.record_deliveries(account, _values(told), actor)
    except Conflict:
        if last:
            raise
        return False
    return True


def _values(told: pd.DataFrame) -> list[Delivered]:
    return [
        Delivered(**{**unknown_as_none(row), "seen_on": _day(row["seen_on"])})
        for row in told.to_dict("records")
    ]


def _day(value: Any) -> date | None:
    return None if pd.isna(value) else pd.Timestamp(value).date()


def _moved(told: pd.DataFrame) -> dict[str, int]:
    """How many came to another state, by that state."""
    return _counts(told[told["delivery"].ne(told["from_delivery"])])


def _counts(told: pd.DataFrame) -> dict[str, int]:
    return dict(Counter(told["delivery"])) if len(told) else {}


@dataclass(frozen=True)
class DeliveryReport:
    """The newest export of everything: how many are in which state, and each with what was seen."""

    counts: Mapping[str, int]
    rows: pd.DataFrame

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return plain_record({"counts": dict(self.counts), "rows": self.rows})


def deliveries(
    workspace: Workspace,
    account: str,
    actor: Actor,
    state: str | None = None,
    since: date | None = None,
) -> DeliveryReport:
    """What became of exports, of one state or of all; what needs a look first. Raises `NotFound`.

    `since` leaves out what was exported from reviews of earlier days.
    """
    actor.require("viewer", account)
    rows = workspace.store.delivered(account)
    if since is not None:
        rows = rows[rows["as_of"] >= pd.Timestamp(since)]
    counts = rows["delivery"].value_counts()
    chosen = rows if state is None else rows[rows["delivery"].eq(state)]
    first = ("failed", "drifted", "reverted", "exported", "confirmed_live")
    order = chosen["delivery"].map(first.index)
    ordered = chosen.assign(order=order).sort_values(["order", "as_of"], kind="stable")
    return DeliveryReport(
        {name: int(counts.get(name, 0)) for name in STATES},
        ordered.drop(columns="order").reset_index(drop=True),
    )


def with_deliveries(
    workspace: Workspace, account: str, rows: pd.DataFrame, actor: Actor
) -> pd.DataFrame:
    """`rows` (entity_key, slot) with `last_delivery`: what became of the newest export of the same
    thing, of whatever day; null where it was never exported.
    """
    actor.require("viewer", account)
    known = workspace.store.delivered(account).set_index(["entity_key", "slot"])["delivery"]
    asked = pd.MultiIndex.from_frame(rows[["entity_key", "slot"]].astype("str"))
    return rows.assign(last_delivery=known.reindex(asked).to_numpy())
