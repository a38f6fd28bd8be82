"""What one day's approvals put at risk, and whether they need a second person.

A day is a calendar day in the account's time zone. Counted are approvals of that day, exported or not,
and earlier ones that no file holds yet: they would go out with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from functools import partial
from zoneinfo import ZoneInfo

import pandas as pd

from optimizer.errors import Conflict
from optimizer.review import approvals
from optimizer.review.approvals import Transition
from optimizer.review.experiment_spend import added_spend
from optimizer.review.fit import spend_at_risk
from optimizer.store.protocol import SETTLED, Beside, ExperimentRecord
from optimizer.tables import Actor
from optimizer.workflows.access import person_behind
from optimizer.workflows.holdings import Holdings
from optimizer.workflows.workspace import Workspace, today_of


@dataclass(frozen=True)
class AtRisk:
    """Spend per day that the counted approvals add, and what they are."""

    spend: float
    beside: Beside


def at_risk(held: Holdings) -> AtRisk | None:
    """What stands beside a new approval; None where neither limit is set."""
    guard = held.settings.guardrails
    if (guard.spend_at_risk_per_day, guard.four_eyes_delta_cost) == (None, None):
        return None
    since = _day_began(held.workspace, held.account)
    rows = held.workspace.store.approved(held.account, since)
    rows = rows[~rows["delivery"].isin(SETTLED)]
    bids = [None if pd.isna(bid) else float(bid) for bid in rows["approved_bid"]]
    tests = held.workspace.store.approved_experiments(held.account, since)
    spend = spend_at_risk(held.priced(rows)) + sum(spend_of_test(held, one) for one in tests)
    counted = dict(zip(rows["id"].astype(str), bids, strict=True))
    return AtRisk(spend, Beside(counted, frozenset(one.id for one in tests), since))


def spend_of_test(held: Holdings, record: ExperimentRecord) -> float:
    """Spend per day that a bid test adds where it adds any."""
    added = added_spend(held.frames["plan"], record.members, record.steps)
    return spend_at_risk(pd.DataFrame({"delta_cost": added}))


def within_limits(
    held: Holdings, moves: list[Transition], actor: Actor
) -> tuple[list[Transition], Beside | None]:
    """The approvals, those that one person may not make alone waiting for a second one.

    And what they were judged beside. Raises `Conflict` when they add more spend than one day may, or
    the same person approves again.
    """
    risk = at_risk(held)
    if risk is None:
        return moves, None
    added = spend_at_risk(held.priced(held.chosen({move.id: move.approved_bid for move in moves})))
    projected = added + risk.spend
    check_cap(held, added, projected)
    alone = held.settings.guardrails.four_eyes_delta_cost
    if added <= 0 or alone is None or projected <= alone:
        return moves, risk.beside
    return _seconded(held, moves, actor, limit=alone, projected=projected), risk.beside


def check_cap(held: Holdings, added: float, projected: float) -> None:
    """Raise `Conflict` where `projected` is more than one day's approvals may add."""
    limit = held.settings.guardrails.spend_at_risk_per_day
    if added > 0 and limit is not None and projected > limit:
        raise Conflict("spend_at_risk_exceeded", limit=limit, added=added, projected=projected)


def person_of(workspace: Workspace) -> Callable[[str], str]:
    """Who stands behind a name, with what the settings say of this machine's users."""
    return partial(person_behind, workspace.store, people=workspace.configs.guardrails.people)


def _seconded(
    held: Holdings, moves: Sequence[Transition], actor: Actor, **told: float
) -> list[Transition]:
    behind = person_of(held.workspace)
    rows = approvals.standings(held.named([move.id for move in moves]))
    try:
        return approvals.seconded(moves, rows, behind(actor.name), behind)
    except Conflict as refusal:
        raise Conflict(refusal.code, **refusal.fields, **told) from refusal


def _day_began(workspace: Workspace, account: str) -> datetime:
    zone = ZoneInfo(workspace.configs.account(account).time_zone)
    return datetime.combine(today_of(workspace, account), time(), zone).astimezone(UTC)
