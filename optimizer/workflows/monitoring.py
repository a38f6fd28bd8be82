"""How an installation is: whether its store answers, and how far each account has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from optimizer.errors import NotFound
from optimizer.tables import Actor
from optimizer.workflows.importing import accounts
from optimizer.workflows.lapsing import lasting_list
from optimizer.workflows.reviewing import standing_rows
from optimizer.workflows.workspace import Workspace


@dataclass(frozen=True)
class AccountStatus:
    """What was last imported and reviewed; suggestions of that review by decision, exports by state.

    Keywords that are only watched need no decision and are not counted.
    """

    account: str
    imported_at: datetime | None = None
    downloaded_on: date | None = None
    reviewed_at: datetime | None = None
    reviewed_as_of: date | None = None
    suggestions: Mapping[str, int] = field(default_factory=dict)
    deliveries: Mapping[str, int] = field(default_factory=dict)


def ready(workspace: Workspace) -> int:
    """How many accounts the store has; raises what reading it raises."""
    return len(workspace.store.accounts())


def account_statuses(workspace: Workspace, actor: Actor) -> list[AccountStatus]:
    """The accounts that the actor may look at, by name."""
    return [_status(workspace, each.name) for each in accounts(workspace, actor)]


def _status(workspace: Workspace, account: str) -> AccountStatus:
    store = workspace.store
    newest = next(iter(store.batches(account)), None)
    known = AccountStatus(
        account,
        imported_at=newest.imported_at if newest else None,
        downloaded_on=newest.as_of if newest else None,
        deliveries=Counter(store.delivered(account)["delivery"]),
    )
    try:
        kept = lasting_list(workspace, account)
    except NotFound:
        return known
    rows = standing_rows(kept.rows)
    run, decisions = kept.run, Counter(rows.loc[rows["kind"].ne("watch"), "decision"])
    return replace(
        known, reviewed_at=run.created_at, reviewed_as_of=run.as_of, suggestions=decisions
    )
