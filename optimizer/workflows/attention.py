"""What of an account wants somebody's attention now, and where every keyword of its review went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd

from optimizer.outcomes.flow import Step, keyword_flow
from optimizer.store.protocol import BatchRecord, RunRecord
from optimizer.tables import Actor
from optimizer.workflows.lapsing import lasting_list
from optimizer.workflows.values import plain_record
from optimizer.workflows.workspace import Workspace, today_of

STALE_DAYS = 3
"""Data older than this are worth a word: conversions go on arriving, and budgets are spent."""

_LATELY = timedelta(days=30)


@dataclass(frozen=True)
class Attention:
    """`alerts` are codes with fields, the review's own first; `flow` and `others` as `keyword_flow` has."""

    alerts: tuple[Mapping[str, Any], ...]
    flow: tuple[Step, ...]
    others: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        steps = [vars(each) for each in self.flow]
        return plain_record({"alerts": self.alerts, "flow": steps, "others": self.others})


def attention(workspace: Workspace, account: str, actor: Actor) -> Attention:
    """Alerts of the newest review, of imports, exports and approvals. Raises `NotFound` without a review."""
    actor.require("viewer", account)
    run = workspace.store.latest_run(account)
    summary = run.summary["summary"]
    batches = workspace.store.batches(account)
    today = today_of(workspace, account)
    alerts = (
        *summary["alerts"],
        *_freshness(batches, run, today),
        *_quarantined(batches),
        *_unsettled(workspace, run),
        *_second_person(workspace, run),
        *_expired(workspace, account),
    )
    return Attention(alerts, *keyword_flow(summary["kinds"], summary["not_suggested"]))


def _freshness(
    batches: Iterable[BatchRecord], run: RunRecord, today: date
) -> Iterable[dict[str, Any]]:
    newest = max((each.as_of for each in batches), default=run.as_of)
    if (today - newest).days > STALE_DAYS:
        yield {"code": "data_old", "as_of": newest.isoformat(), "days": (today - newest).days}
    if newest > run.as_of:
        yield {"code": "review_due", "as_of": newest.isoformat(), "reviewed": run.as_of.isoformat()}


def _quarantined(batches: Iterable[BatchRecord]) -> Iterable[dict[str, Any]]:
    """Files of the newest download whose rows were not all usable."""
    listed = list(batches)
    newest = max((each.as_of for each in listed), default=None)
    for each in listed:
        rows = each.reconciliation.rows_quarantined
        if each.as_of == newest and rows:
            yield {"code": "rows_quarantined", "file": each.file_name, "rows": rows}


def _unsettled(workspace: Workspace, run: RunRecord) -> Iterable[dict[str, Any]]:
    """Exported changes of the last month that are not live as approved."""
    rows = workspace.store.delivered(run.account)
    lately = rows[rows["as_of"] >= pd.Timestamp(run.as_of - _LATELY)]
    counts = lately["delivery"].value_counts()
    for state in ("failed", "drifted", "reverted"):
        if counts.get(state, 0):
            yield {"code": f"exports_{state}", "rows": int(counts[state])}


def _second_person(workspace: Workspace, run: RunRecord) -> Iterable[dict[str, Any]]:
    """Approvals that wait for somebody else than whoever approved first."""
    rows = workspace.store.suggestions(run.account, as_of=run.as_of)
    waiting = rows[rows["decision"].eq("awaiting_second")]
    if len(waiting):
        by = sorted(set(waiting["decided_by"].dropna().astype(str)))
        yield {"code": "second_person_awaited", "rows": len(waiting), "by": by}


def _expired(workspace: Workspace, account: str) -> Iterable[dict[str, Any]]:
    """Suggestions that nobody decided in time; a watched keyword needed no decision."""
    rows = lasting_list(workspace, account).rows
    count = int((rows["decision"].eq("expired") & rows["kind"].ne("watch")).sum())
    if count:
        yield {
            "code": "suggestions_expired",
            "rows": count,
            "days": workspace.configs.guardrails.decide_within_days,
        }
