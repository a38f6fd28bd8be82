"""What became of exports: told by the next report, or by the platform's result file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from optimizer.errors import Conflict
from optimizer.reports.results import ResultFile, read_results
from optimizer.review.delivery import judge, judge_results
from optimizer.store.protocol import Delivered
from optimizer.tables import Actor
from optimizer.workflows.values import plain_record, unknown_as_none
from optimizer.workflows.workspace import Workspace, newest_day

STATES = ("exported", "confirmed_live", "failed", "drifted")
_TRIES = 3


@dataclass(frozen=True)
class ResultsTaken:
    """What a platform's result file settled: counts by state, and rows that settle nothing."""

    file: str
    account: str
    rows: int
    deliveries: Mapping[str, int]
    unmatched: pd.DataFrame

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return plain_record(
            {
                "file": self.file,
                "account": self.account,
                "result_rows": self.rows,
                "deliveries": dict(self.deliveries),
                "unmatched": self.unmatched,
            }
        )


def find_results(workspace: Workspace, account: str, path: Path) -> ResultFile | None:
    """The result file of the account's platform that `path` is, if it is one."""
    platforms = {record.name: record.platform for record in workspace.store.accounts()}
    return read_results(path, platforms[account]) if account in platforms else None


def take_results(
    workspace: Workspace, account: str, file: ResultFile, actor: Actor, *, dry_run: bool = False
) -> ResultsTaken:
    """Settle exported suggestions by a result file; a dry run only says what it would settle."""
    actor.require("operator")
    for left in reversed(range(_TRIES)):
        rows = workspace.store.delivered(account)
        told, unmatched = judge_results(rows, file.rows, file.file_name)
        if dry_run or _record(workspace, account, told, actor, last=not left):
            break
    return ResultsTaken(file.file_name, account, len(file.rows), _counts(told), unmatched)


def follow_up(workspace: Workspace, account: str, actor: Actor) -> dict[str, int]:
    """Compare exports with what reports show since; how many came to which state.

    The same reports again change nothing.
    """
    actor.require("operator")
    told = pd.DataFrame()
    for left in reversed(range(_TRIES)):
        rows = workspace.store.delivered(account)
        if rows.empty:
            return {}
        shown = workspace.store.shown(account, rows["as_of"].min().date())
        tested = workspace.store.randomised_bids(account, newest_day(workspace, account))
        told = judge(rows, shown, tested)
        if _record(workspace, account, told, actor, last=not left):
            break
    return _counts(told[told["delivery"].ne(told["from_delivery"])])


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
    workspace: Workspace, account: str, actor: Actor, state: str | None = None
) -> DeliveryReport:
    """What became of exports, of one state or of all; what needs a look first. Raises `NotFound`."""
    actor.require("viewer")
    rows = workspace.store.delivered(account)
    counts = rows["delivery"].value_counts()
    chosen = rows if state is None else rows[rows["delivery"].eq(state)]
    order = chosen["delivery"].map({"failed": 0, "drifted": 1, "exported": 2, "confirmed_live": 3})
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
    actor.require("viewer")
    known = workspace.store.delivered(account).set_index(["entity_key", "slot"])["delivery"]
    asked = pd.MultiIndex.from_frame(rows[["entity_key", "slot"]].astype("str"))
    return rows.assign(last_delivery=known.reindex(asked).to_numpy())
