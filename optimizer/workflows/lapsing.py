"""Suggestions that nobody decided in time expire: they are listed still, but not decided any more.

What a suggestion promises is an average over the days after its review. The first who reads or decides
after the guardrail `decide_within_days` lets the open rows of the newest review go, with an audit row
each; older reviews have none.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from optimizer.errors import Conflict
from optimizer.review import approvals
from optimizer.review.reverting import REVERT
from optimizer.store.protocol import Change, RunRecord
from optimizer.tables import Actor
from optimizer.workflows.kept_lists import KeptList, kept_list
from optimizer.workflows.workspace import Workspace

CLOCK = Actor("optimizer clock", None)
"""Acts when time passes; no address and no user of a machine has a blank in the name."""
_OPEN = ("proposed", "awaiting_second")
_ATTEMPTS = 8


def lasting_list(workspace: Workspace, account: str) -> KeptList:
    """The newest review with its rows, expired where their time has passed. Raises `NotFound`."""
    for _ in range(_ATTEMPTS):
        kept = kept_list(workspace.store, account)
        changes = _expiring(kept) if lapsed(workspace, kept.run) else []
        if not changes:
            return kept
        # Whoever decided in between was in time; the rest is tried again.
        with suppress(Conflict):
            workspace.store.apply_changes(account, changes, CLOCK, "expire")
    raise Conflict("suggestions_moved", account=account, moved=[])


def _expiring(kept: KeptList) -> list[Change]:
    # What takes an export back is as urgent after a week without a review as before.
    waiting = kept.rows["decision"].isin(_OPEN) & kept.rows["reason"].ne(REVERT)
    rows = approvals.standings(kept.rows[waiting])
    versions = {row.id: row.version for row in rows.values()}
    moves, _ = approvals.decide(rows, versions, approvals.expire)
    return [Change(**vars(move)) for move in moves]


def lapsed(workspace: Workspace, run: RunRecord) -> bool:
    """Whether a review is so old that its suggestions can no longer be decided."""
    days = workspace.configs.guardrails.decide_within_days
    return run.created_at + timedelta(days=days) <= datetime.now(UTC)
